//! The chat: what was said, and the field for what to say.

use super::{Icon, IconButton, Sign};
use crate::app::chat::use_chat;
use crate::app::device::use_device;
use crate::app::language::use_language;
use crate::app::session::{asleep, use_session};
use crate::app::words::{self, label, say};
use crate::protocol::limits;
use crate::stream::{ChatLine, SessionAction};
use leptos::ev::{KeyboardEvent, SubmitEvent};
use leptos::prelude::*;

/// The panel: beside the picture where there is room, else a sheet over the lower part of the page.
#[component]
pub fn ChatPanel() -> impl IntoView {
    let chat = use_chat()?;
    let close = move |()| chat.close();
    let on_key = move |ev: KeyboardEvent| {
        if ev.key() == "Escape" {
            chat.close();
        }
    };
    Some(
        view! {
            <section class="panel chat" aria-labelledby="chat" node_ref=chat.panel on:keydown=on_key>
                <div class="chat-head">
                    <h2 id="chat">{say(label::CHAT)}</h2>
                    <IconButton sign=Sign::Close label=label::CLOSE on_press=Callback::new(close) />
                </div>
                <Log />
                <Say />
            </section>
        }
        .into_any(),
    )
}

#[component]
fn Log() -> impl IntoView {
    let chat = use_chat()?;
    let session = use_session();
    let lines = session.part(|view| view.chat.clone());
    let nothing = Memo::new(move |_| lines.with(Vec::is_empty));
    Some(
        view! {
            <p class="hint" hidden=move || !nothing.get()>
                {say(words::NOTHING_SAID)}
            </p>
            <div
                class="log"
                role="log"
                tabindex="0"
                aria-labelledby="chat"
                node_ref=chat.log
                on:scroll=move |_| chat.scrolled()
            >
                <For each=move || lines.get() key=|line| line.key let:line>
                    <Line line />
                </For>
            </div>
        }
        .into_any(),
    )
}

#[component]
fn Line(
    /// As it is first shown; a line that is still on its way changes once, when it has arrived.
    line: ChatLine,
) -> impl IntoView {
    let device = use_device();
    let language = use_language();
    let (key, name) = (line.key, line.name);
    let since = if line.pending {
        let session = use_session();
        let since = Memo::new(move |_| {
            session.state.with(|view| view.chat.iter().rev().find(|line| line.key == key).map_or(0, |line| line.at_ms))
        });
        Signal::from(since)
    } else {
        Signal::stored(line.at_ms)
    };
    let time = move || match since.get() {
        0 => String::new(),
        at_ms => device.clock.run(at_ms),
    };
    view! {
        <div class="line" class:own=line.you>
            <p class="who">
                <strong>{move || words::called(&name, language.get())}</strong>
                <span class="when">{time}</span>
                <span class="when" hidden=move || since.get() != 0>
                    {say(words::PENDING)}
                </span>
            </p>
            <p class="said">{line.text}</p>
        </div>
    }
    .into_any()
}

#[component]
fn Say() -> impl IntoView {
    let chat = use_chat()?;
    let session = use_session();
    let asleep = asleep();
    let send = move || {
        let Some(field) = chat.field.get_untracked() else { return };
        let text = field.value();
        if !text.trim().is_empty() {
            field.set_value("");
            session.act.run(SessionAction::Say { text });
            request_animation_frame(move || chat.show_end());
        }
        let _ = field.focus();
    };
    let on_submit = move |ev: SubmitEvent| {
        ev.prevent_default();
        send();
    };
    let on_key = move |ev: KeyboardEvent| {
        if ev.key() == "Enter" && !ev.shift_key() && !ev.is_composing() {
            ev.prevent_default();
            send();
        }
    };
    let language = use_language();
    Some(
        view! {
            <form class="say" method="post" on:submit=on_submit>
                <textarea
                    rows="1"
                    maxlength=limits::CHAT_CHARS.to_string()
                    node_ref=chat.field
                    aria-label=say(label::MESSAGE)
                    aria-describedby="say-hint"
                    placeholder=move || words::SAY.to(language.get())
                    on:keydown=on_key
                ></textarea>
                <button class="icon-button" type="submit" aria-label=say(label::SEND) disabled=move || asleep.get()>
                    <Icon sign=Sign::Send />
                </button>
                <p id="say-hint" class="unseen">
                    {say(words::SAY_HINT)}
                </p>
            </form>
        }
        .into_any(),
    )
}

/// Opens and closes the chat, and says how much in it is new.
#[component]
pub fn ChatButton() -> impl IntoView {
    let chat = use_chat()?;
    let language = use_language();
    let asleep = asleep();
    let unread = chat.unread;
    Some(
        view! {
            <button
                class="chat-button"
                class:has-unread=move || { unread.get() > 0 }
                type="button"
                aria-keyshortcuts="C"
                disabled=move || asleep.get()
                on:click=move |_| chat.toggle()
            >
                <Icon sign=Sign::Chat />
                <span>{say(label::CHAT)}</span>
                <span class="unread" hidden=move || unread.get() == 0>
                    {move || words::unread(unread.get(), language.get())}
                </span>
            </button>
        }
        .into_any(),
    )
}
