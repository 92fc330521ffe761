//! The host's films in their order: which one plays, and when the next one starts.
//!
//! Knows films by number and name; the files themselves stay with the driver, which forgets those that leave the list.

use super::film::title;
use crate::domain::Now;
use std::time::Duration;

/// The most films in the list.
pub const FILMS: usize = 100;
/// The pause between the end of a film and the beginning of the next: long enough for a word, and to be stopped.
const NEXT_AFTER: Duration = Duration::from_secs(3);

/// A file that was chosen; the driver holds it by this number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picked {
    /// The driver's number for it.
    pub id: u32,
    /// The file's name.
    pub name: String,
    /// Its bytes.
    pub size: u64,
}

/// One film as the list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// For keys and actions.
    pub id: u32,
    /// The file's name without its ending.
    pub title: String,
    /// It is on the stage.
    pub playing: bool,
}

/// The films.
#[derive(Debug, Default)]
pub struct Playlist {
    items: Vec<Picked>,
    playing: Option<u32>,
    /// The film on the stage is over, and the next one starts then.
    next_at: Option<Now>,
    ended: bool,
}

/// What became of a choice.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Choice {
    /// This film starts now.
    pub play: Option<u32>,
    /// These left the list.
    pub forget: Vec<u32>,
    /// The list is full; some of the chosen films are among `forget`.
    pub full: bool,
}

impl Playlist {
    /// The first of these takes the place of the film on the stage; the others come after it, before what waits already.
    pub fn choose(&mut self, films: Vec<Picked>) -> Choice {
        let Some(play) = films.first().map(|film| film.id) else { return Choice::default() };
        let mut forget = Vec::new();
        let at = if let Some(at) = self.place() {
            forget.push(self.items.remove(at).id);
            at
        } else {
            // The chosen one gets its place however full the list is.
            forget.extend(self.items.drain(self.items.len().min(FILMS - 1)..).map(|item| item.id));
            self.items.len()
        };
        let full = self.insert(at, films, &mut forget);
        self.start(play);
        Choice { play: Some(play), forget, full }
    }

    /// These come last. Where nothing was ever chosen the first of them starts.
    pub fn add(&mut self, films: Vec<Picked>, now: Now) -> Choice {
        let mut forget = Vec::new();
        let first = films.first().map(|film| film.id);
        let full = self.insert(self.items.len(), films, &mut forget);
        let play =
            first.filter(|first| self.playing.is_none() && self.items.first().is_some_and(|item| item.id == *first));
        if let Some(play) = play {
            self.start(play);
        } else if self.ended && self.next_at.is_none() {
            self.next_at = self.next().map(|_| now + NEXT_AFTER);
        }
        Choice { play, forget, full }
    }

    /// These come last and wait, whatever is on the stage.
    pub fn add_waiting(&mut self, films: Vec<Picked>) -> Choice {
        let mut forget = Vec::new();
        let full = self.insert(self.items.len(), films, &mut forget);
        Choice { play: None, forget, full }
    }

    /// "Play now": false where there is no such film.
    pub fn play(&mut self, id: u32) -> bool {
        let known = self.items.iter().any(|item| item.id == id);
        if known {
            self.start(id);
        }
        known
    }

    /// "Remove": false where there is no such film, or it is on the stage.
    pub fn remove(&mut self, id: u32) -> bool {
        let Some(at) = self.items.iter().position(|item| item.id == id) else { return false };
        if self.playing == Some(id) {
            return false;
        }
        self.items.remove(at);
        if self.next().is_none() {
            self.next_at = None;
        }
        true
    }

    /// The film on the stage is at its end, or cannot be played: the next one follows.
    pub fn over(&mut self, now: Now) {
        self.ended = true;
        if self.next_at.is_none() && self.next().is_some() {
            self.next_at = Some(now + NEXT_AFTER);
        }
    }

    /// The film on the stage plays, again perhaps: nothing follows yet.
    pub fn goes_on(&mut self) {
        self.ended = false;
        self.next_at = None;
    }

    /// Something else is on the stage; the films keep their places.
    pub fn rest(&mut self) {
        self.playing = None;
        self.goes_on();
    }

    /// The film that starts now by itself, if one is due.
    pub fn tick(&mut self, now: Now) -> Option<u32> {
        self.next_at.filter(|at| *at <= now)?;
        let next = self.next()?.id;
        self.start(next);
        Some(next)
    }

    /// When `tick` has something to do.
    pub fn next_timeout(&self) -> Option<Now> {
        self.next_at
    }

    /// The film on the stage.
    pub fn current(&self) -> Option<&Picked> {
        self.place().map(|at| &self.items[at])
    }

    /// The title of the film that starts in a moment.
    pub fn upcoming(&self) -> Option<String> {
        self.next_at.and(self.next()).map(|next| title(&next.name))
    }

    /// All of them, as the list shows them.
    pub fn entries(&self) -> Vec<Entry> {
        let entry =
            |item: &Picked| Entry { id: item.id, title: title(&item.name), playing: self.playing == Some(item.id) };
        self.items.iter().map(entry).collect()
    }

    /// All of them.
    pub fn items(&self) -> &[Picked] {
        &self.items
    }

    fn start(&mut self, id: u32) {
        self.playing = Some(id);
        self.goes_on();
    }

    fn insert(&mut self, at: usize, films: Vec<Picked>, forget: &mut Vec<u32>) -> bool {
        let room = FILMS.saturating_sub(self.items.len());
        let full = films.len() > room;
        forget.extend(films.iter().skip(room).map(|film| film.id));
        self.items.splice(at..at, films.into_iter().take(room));
        full
    }

    fn place(&self) -> Option<usize> {
        self.items.iter().position(|item| Some(item.id) == self.playing)
    }

    fn next(&self) -> Option<&Picked> {
        self.items.get(self.place()? + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(seconds: u64) -> Now {
        Now::since_start(Duration::from_secs(seconds))
    }

    fn films(ids: &[u32]) -> Vec<Picked> {
        ids.iter().map(|id| Picked { id: *id, name: format!("{id}.mp4"), size: 1 }).collect()
    }

    fn order(list: &Playlist) -> Vec<u32> {
        list.items().iter().map(|item| item.id).collect()
    }

    #[test]
    fn several_chosen_at_once_play_in_their_order_each_after_a_moment() {
        let mut list = Playlist::default();
        assert_eq!(list.choose(films(&[1, 2, 3])).play, Some(1));
        list.over(at(10));
        assert_eq!((list.tick(at(12)), list.upcoming()), (None, Some("2".to_owned())));
        assert_eq!(list.tick(at(13)), Some(2));
        list.over(at(20));
        assert_eq!(list.tick(at(23)), Some(3));
        list.over(at(30));
        assert_eq!((list.tick(at(99)), list.next_timeout()), (None, None), "nothing follows the last");
        assert_eq!(order(&list), [1, 2, 3], "what was shown can be shown again");
    }

    #[test]
    fn one_chosen_takes_the_place_of_the_one_on_the_stage() {
        let mut list = Playlist::default();
        list.choose(films(&[1, 2, 3]));
        list.play(2);
        let choice = list.choose(films(&[4]));
        assert_eq!((choice.play, choice.forget, order(&list)), (Some(4), vec![2], vec![1, 4, 3]));
    }

    #[test]
    fn what_is_added_comes_last_and_starts_only_where_nothing_is_on_the_stage() {
        let mut list = Playlist::default();
        assert_eq!(list.add(films(&[1]), at(0)).play, Some(1));
        assert_eq!(list.add(films(&[2]), at(0)).play, None);
        list.over(at(5));
        list.goes_on();
        assert_eq!(list.next_timeout(), None, "played again by hand");
        list.play(2);
        list.over(at(9));
        list.add(films(&[3]), at(20));
        assert_eq!(list.tick(at(23)), Some(3), "what is added after the end of the last follows it");
    }

    #[test]
    fn the_film_on_the_stage_cannot_be_removed() {
        let mut list = Playlist::default();
        list.choose(films(&[1, 2]));
        assert!(!list.remove(1) && !list.remove(7));
        list.over(at(0));
        assert!(list.remove(2));
        assert_eq!(list.next_timeout(), None);
    }

    proptest! {
        #[test]
        fn every_file_is_in_the_list_or_was_forgotten(steps in prop::collection::vec((0_u8..6, 0_u32..8), 0..200)) {
            let mut list = Playlist::default();
            let mut known = std::collections::BTreeSet::new();
            let mut id = 100;
            let mut fresh = |n: u32| -> Vec<Picked> {
                let ids: Vec<u32> = (0..n).map(|_| { id += 1; id }).collect();
                films(&ids)
            };
            for (step, (kind, n)) in steps.into_iter().enumerate() {
                let now = at(step as u64);
                let choice = match kind {
                    0 | 1 => {
                        let films = fresh(n);
                        known.extend(films.iter().map(|film| film.id));
                        if kind == 0 { list.choose(films) } else { list.add(films, now) }
                    }
                    2 => { list.over(now); Choice::default() }
                    3 => { list.tick(now); Choice::default() }
                    4 => {
                        let id = list.items().get(n as usize).map_or(0, |item| item.id);
                        let removed = list.remove(id);
                        Choice { forget: removed.then_some(id).into_iter().collect(), ..Choice::default() }
                    }
                    _ => { list.rest(); Choice::default() }
                };
                for gone in choice.forget {
                    prop_assert!(known.remove(&gone));
                }
                prop_assert_eq!(order(&list).into_iter().collect::<std::collections::BTreeSet<_>>(), known.clone());
                prop_assert!(list.items().len() <= FILMS);
                prop_assert!(list.current().is_none() || list.entries().iter().filter(|entry| entry.playing).count() == 1);
            }
        }
    }
}
