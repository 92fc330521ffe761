//! Who is here, and what a host can do about it.
//!
//! Guests come and go all evening, so a row reads one signal, its own, and nothing that outlives it: whatever is read by an
//! effect keeps a place for that effect, also when it is gone. `memory.spec.ts` lets 200 guests through.

use super::{Dialogue, Each, Icon, Sign};
use crate::app::language::use_language;
use crate::app::session::{SessionHandle, asleep, use_session};
use crate::app::words::{self, Text, label, say};
use crate::domain::{Language, ParticipantId, Role};
use crate::stream::{Person, SessionAction, SessionView};
use leptos::html::{Dialog, H2};
use leptos::prelude::*;
use std::collections::BTreeMap;

/// What is shown of one person.
#[derive(Clone, PartialEq)]
struct Entry {
    person: Person,
    catching_up: bool,
    /// The person at this screen may remove them or make them host.
    in_hand: bool,
    /// What the page speaks.
    language: Language,
    /// The page does not act on what people press yet.
    asleep: bool,
}

fn entries(view: &SessionView, language: Language, asleep: bool) -> Vec<Entry> {
    let hosting = view.role == Some(Role::Host);
    let entry = |person: &Person| Entry {
        catching_up: words::is_catching_up(view, person),
        in_hand: hosting && !person.you,
        person: person.clone(),
        language,
        asleep,
    };
    view.people.iter().map(entry).collect()
}

fn name(entry: &Entry) -> String {
    words::called(&entry.person.name, entry.language)
}

/// The host first, then guests in the order in which they came.
#[component]
pub fn People() -> impl IntoView {
    let session = use_session();
    let (language, asleep) = (use_language(), asleep());
    let people = Memo::new(move |_| session.state.with(|view| entries(view, language.get(), asleep.get())));
    let heading = NodeRef::<H2>::new();
    let chosen = RwSignal::new(None::<Person>);
    let dialogue = NodeRef::<Dialog>::new();
    // One entry a person: whatever changes, the others keep their buttons and the focus in them.
    let rows = StoredValue::new(BTreeMap::<ParticipantId, RwSignal<Entry>>::new());
    Effect::new(move || {
        for entry in people.get() {
            let row = rows.with_value(|rows| rows.get(&entry.person.id).copied());
            if let Some(row) = row.filter(|row| row.with_untracked(|now| *now != entry)) {
                row.set(entry);
            }
        }
    });
    let row = move |entry: Entry| {
        let id = entry.person.id;
        let now = RwSignal::new(entry);
        rows.update_value(|rows| {
            rows.insert(id, now);
        });
        on_cleanup(move || {
            rows.try_update_value(|rows| rows.remove(&id));
        });
        view! { <One now chosen dialogue /> }
    };
    view! {
        <section class="panel people">
            <h2 tabindex="-1" node_ref=heading>
                {say(label::PARTICIPANTS)} " " <span class="count">{move || people.with(Vec::len)}</span>
            </h2>
            <ul role="list" aria-label=say(label::PARTICIPANTS)>
                <Each each=move || people.get() key=|entry| entry.person.id children=row />
            </ul>
            <InHand chosen dialogue heading />
        </section>
    }
    .into_any()
}

#[component]
fn One(
    /// As they are now.
    now: RwSignal<Entry>,
    /// Whom the dialogue is about.
    chosen: RwSignal<Option<Person>>,
    /// What the button opens.
    dialogue: NodeRef<Dialog>,
) -> impl IntoView {
    let initial = move || now.with(|now| name(now).chars().next().map(|c| c.to_uppercase().to_string()));
    let is = move |read: fn(&Entry) -> bool| move || now.with(read);
    let mark = |word: Text, shown: fn(&Entry) -> bool| {
        let word = move || now.with(|now| shown(now).then(|| word.to(now.language)));
        move || word().map(|word| view! { <span class="mark">{word}</span> })
    };
    view! {
        <li class:away=is(|now| !now.person.connected) class:host=is(|now| now.person.role == Role::Host)>
            <span class="tile" aria-hidden="true">
                {initial}
            </span>
            <span class="name">{move || now.with(name)}</span>
            {mark(words::HOST, |now| now.person.role == Role::Host)}
            {mark(words::YOU, |now| now.person.you)}
            {mark(words::AWAY, |now| !now.person.connected)}
            {mark(words::CATCHING_UP, |now| now.catching_up)}
            <Show when=is(|now| now.in_hand)>
                <Options now chosen dialogue />
            </Show>
        </li>
    }
    .into_any()
}

#[component]
fn Options(
    /// About whom.
    now: RwSignal<Entry>,
    /// Whom the dialogue is about.
    chosen: RwSignal<Option<Person>>,
    /// What is opened.
    dialogue: NodeRef<Dialog>,
) -> impl IntoView {
    let open = move |_| {
        chosen.set(Some(now.with_untracked(|now| now.person.clone())));
        let _ = dialogue.get_untracked().map(|dialogue| dialogue.show_modal());
    };
    view! {
        <button
            class="icon-button"
            type="button"
            aria-haspopup="dialog"
            aria-label=move || now.with(|now| words::about(&name(now), now.language))
            disabled=move || now.with(|now| now.asleep)
            on:click=open
        >
            <Icon sign=Sign::More />
        </button>
    }
    .into_any()
}

/// What a host can do about a guest, each with what comes of it: the dialogue asks, the button is the answer.
#[component]
fn InHand(
    /// Whom it is about.
    chosen: RwSignal<Option<Person>>,
    /// Itself.
    dialogue: NodeRef<Dialog>,
    /// Gets the focus when the guest's own button goes.
    heading: NodeRef<H2>,
) -> impl IntoView {
    let session = use_session();
    let language = use_language();
    let asleep = asleep();
    let name = Signal::derive(move || {
        let language = language.get();
        chosen.with(|person| person.as_ref().map(|one| words::called(&one.name, language)).unwrap_or_default())
    });
    let close = move || {
        let _ = dialogue.get_untracked().map(|dialogue| dialogue.close());
        let _ = heading.get_untracked().map(|heading| heading.focus());
    };
    let act = move |action: fn(Person) -> SessionAction| {
        if let Some(person) = chosen.get_untracked() {
            session.act.run(action(person));
        }
        close();
    };
    let deed = move |hint: Text, class: &'static str, text: Text, action: fn(Person) -> SessionAction| {
        view! {
            <div class="deed">
                <p>{say(hint)}</p>
                <button
                    class=class
                    type="button"
                    aria-label=move || format!("{}: {}", text.to(language.get()), name.get())
                    disabled=move || asleep.get()
                    on:click=move |_| act(action)
                >
                    {say(text)}
                </button>
            </div>
        }
    };
    close_when_gone(session, chosen, close);
    view! {
        <Dialogue id="in-hand" title=(move || name.get()).into_any() node=dialogue>
            {deed(words::MAKE_HOST_HINT, "button", label::MAKE_HOST, |person| SessionAction::HandOver(person.id))}
            {deed(words::REMOVE_HINT, "button danger", label::REMOVE, |person| SessionAction::Remove(person.id))}
        </Dialogue>
    }
    .into_any()
}

/// Who left on their own needs no answer any more.
fn close_when_gone(session: SessionHandle, chosen: RwSignal<Option<Person>>, close: impl Fn() + Copy + 'static) {
    let people = session.part(|view| view.people.iter().map(|person| person.id).collect::<Vec<_>>());
    Effect::new(move || {
        let gone = chosen.get().is_some_and(|person| people.with(|people| !people.contains(&person.id)));
        if gone {
            chosen.set(None);
            close();
        }
    });
}
