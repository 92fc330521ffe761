use super::*;
use crate::protocol::limits;
use crate::stream::peer::PeerCommand;

fn at(seconds: u64) -> Now {
    Now::since_start(Duration::from_secs(seconds))
}

fn picked(id: u32, name: &str) -> Picked {
    Picked { id, name: name.to_owned(), size: u64::from(id) * 1000 }
}

/// A host's page without a browser.
struct Page {
    sources: Sources,
    film: HostFilm,
    out: Outbox,
}

impl Page {
    fn hosting() -> Self {
        let mut sources = Sources::default();
        sources.is(Some(Role::Host));
        Self { sources, film: HostFilm::default(), out: Outbox::default() }
    }

    fn take(&mut self, input: SourceInput) -> Vec<SourceOutput> {
        self.sources.take(input, &mut self.film, at(1), &mut self.out);
        self.asked()
    }

    fn act(&mut self, action: SourceAction) -> Vec<SourceOutput> {
        self.sources.act(action, &mut self.film, at(1), &mut self.out);
        self.asked()
    }

    fn choose(&mut self, films: &[Picked]) -> Vec<SourceOutput> {
        self.take(SourceInput::Chosen { films: films.to_vec(), subtitles: Vec::new() })
    }

    /// The film of this name is on the stage and says where it is.
    fn plays(&mut self, name: &str, position_ms: u64, state: FilmState) {
        let progress = Progress { position_ms, duration_ms: Some(90_000), state, rate_permille: 1000 };
        if self.film.status().is_none_or(|status| status.returning || status.title != super::super::film::title(name)) {
            self.film.chosen(name, progress);
            self.sources.film_started(&self.film, at(1), &mut self.out);
        }
        self.film.progressed(progress);
        self.sources.film_progressed(progress, &self.film, at(1), &mut self.out);
    }

    fn outputs(&mut self) -> Vec<Output> {
        std::iter::from_fn(|| self.out.poll()).collect()
    }

    fn asked(&mut self) -> Vec<SourceOutput> {
        let source = |output| if let Output::Source(output) = output { Some(output) } else { None };
        self.outputs().into_iter().filter_map(source).collect()
    }

    fn kept(&mut self) -> Option<KeptFilm> {
        let kept = |output| if let Output::Keep(Keep::Film(kept)) = output { Some(kept) } else { None };
        self.outputs().into_iter().filter_map(kept).next_back().flatten()
    }
}

#[test]
fn a_film_goes_on_after_a_reload_where_it_was_and_as_it_was() {
    for state in [FilmState::Playing, FilmState::Paused] {
        let mut before = Page::hosting();
        before.choose(&[picked(1, "Film.mp4")]);
        before.plays("Film.mp4", 0, FilmState::Playing);
        before.plays("Film.mp4", 75_000, state);
        let kept = before.kept();

        let mut after = Page::hosting();
        after.sources.came_back(kept, &mut after.film, &mut after.out);
        assert_eq!(after.asked(), [SourceOutput::FindHandle]);
        assert!(after.film.status().is_some_and(|status| status.returning && status.position_ms == 75_000));
        let start = Start { at_ms: 75_000, paused: state == FilmState::Paused };
        // Another number in the new page, the same name and size.
        let again = Picked { id: 9, ..picked(1, "Film.mp4") };
        assert_eq!(after.choose(&[again]), [SourceOutput::Play(9, start)]);
        after.plays("Film.mp4", 75_000, state);
        assert_eq!(after.sources.view().returning, None);
        assert!(after.film.status().is_some_and(|status| !status.returning && status.number == 2));
    }
}

#[test]
fn another_file_of_the_same_name_begins_at_its_beginning() {
    let kept = KeptFilm {
        name: "Film.mp4".to_owned(),
        size: 5,
        number: 1,
        position_ms: 75_000,
        duration_ms: None,
        playing: true,
    };
    let mut page = Page::hosting();
    page.sources.came_back(Some(kept), &mut page.film, &mut page.out);
    page.asked();
    assert_eq!(page.choose(&[picked(1, "Film.mp4")]), [SourceOutput::Play(1, Start::default())]);
}

#[test]
fn a_film_that_made_room_for_the_screen_goes_on_where_it_was() {
    let mut page = Page::hosting();
    page.choose(&[picked(1, "Film.mp4")]);
    page.plays("Film.mp4", 0, FilmState::Playing);
    page.plays("Film.mp4", 42_000, FilmState::Playing);
    assert_eq!(page.act(SourceAction::Share(SourceKind::Screen)), [SourceOutput::Open(SourceKind::Screen)]);
    page.take(SourceInput::Shared(SourceKind::Screen));
    assert_eq!(page.sources.view().live, Some(SourceKind::Screen));
    assert_eq!(page.take(SourceInput::SharingEnded), [SourceOutput::Stop]);
    assert_eq!(page.sources.view().notice, Some(Notice::SharingEnded(SourceKind::Screen)));
    assert_eq!(page.film.status(), None);
    let start = Start { at_ms: 42_000, paused: false };
    assert_eq!(page.act(SourceAction::PlayNow(1)), [SourceOutput::Play(1, start)]);
}

#[test]
fn a_refusal_is_said_and_changes_nothing() {
    let mut page = Page::hosting();
    page.choose(&[picked(1, "Film.mp4")]);
    page.plays("Film.mp4", 0, FilmState::Playing);
    assert_eq!(page.take(SourceInput::Refused(SourceKind::Camera, Refusal::Denied)), []);
    let view = page.sources.view();
    assert_eq!((view.notice, view.live), (Some(Notice::Refused(SourceKind::Camera, Refusal::Denied)), None));
    assert!(page.film.status().is_some());
}

#[test]
fn a_guest_shares_nothing_whatever_their_page_says() {
    let mut page = Page::hosting();
    page.sources.is(Some(Role::Guest));
    for action in [SourceAction::Share(SourceKind::Screen), SourceAction::GoOn, SourceAction::OpenFromDisk] {
        assert_eq!(page.act(action), []);
    }
}

#[test]
fn subtitles_go_from_the_host_s_library_to_a_guest_that_asks() {
    let mut host = Page::hosting();
    let id = ConnectionId::from_random(1);
    let srt = picked(2, "Film.srt");
    let asked = host.take(SourceInput::Chosen { films: vec![picked(1, "Film.mp4")], subtitles: vec![srt] });
    assert_eq!(asked, [SourceOutput::Play(1, Start::default()), SourceOutput::Read(2, None)]);
    host.plays("Film.mp4", 0, FilmState::Playing);
    let text = "00:00.000 --> 00:09.000\nHello\n".to_owned();
    host.take(SourceInput::SubtitleRead { id: 2, encoding: Encoding::Utf8, text });
    host.plays("Film.mp4", 1_000, FilmState::Playing);

    let mut guest = Page::hosting();
    guest.sources.is(Some(Role::Guest));
    host.sources.side_opened(id, at(1), &mut host.out);
    guest.sources.side_opened(id, at(1), &mut guest.out);
    let carry = |from: &mut Page, to: &mut Page| {
        for output in from.outputs() {
            if let Output::Peer(id, PeerCommand::Tell(text)) = output {
                assert!(text.len() <= limits::SIDE_MESSAGE_BYTES);
                to.sources.side_told(id, &text, at(1), &mut to.out);
            }
        }
    };
    carry(&mut host, &mut guest);
    assert_eq!(guest.sources.view().subtitles.tracks.len(), 1);
    guest.sources.act(SourceAction::ShowSubtitles(Some(2)), &mut guest.film, at(1), &mut guest.out);
    carry(&mut guest, &mut host);
    carry(&mut host, &mut guest);
    assert_eq!(guest.sources.view().subtitles.lines.len(), 1);

    guest.sources.side_told(id, "{\"type\":\"something newer\"}", at(1), &mut guest.out);
    guest.sources.side_told(id, "no JSON at all", at(1), &mut guest.out);
    assert_eq!(guest.sources.view().subtitles.lines.len(), 1);
}
