//! The files that the host chose, by the numbers that the core knows them by, and what of them the browser lets us find
//! again after a reload.

use super::event::{Event, Events};
use super::handles;
use super::sys::{construct, error_name, invoke, invoke_async, object, property};
use crate::protocol::limits;
use crate::stream::subtitles::Encoding;
use crate::stream::{Input, Picked, SourceInput};
use send_wrapper::SendWrapper;
use std::collections::BTreeMap;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{File, FileList};

/// A file, and its handle where the browser gave one.
pub type Found = (File, Option<JsValue>);

/// Everything chosen in this session.
#[derive(Default)]
pub struct Files {
    chosen: BTreeMap<u32, Found>,
    last: u32,
    playing: Option<u32>,
    /// The handle that outlived the reload.
    kept: Option<JsValue>,
}

impl Files {
    /// Takes files in, and tells films from subtitles.
    pub fn take(&mut self, found: Vec<Found>) -> (Vec<Picked>, Vec<Picked>) {
        let (mut films, mut subtitles) = (Vec::new(), Vec::new());
        for (file, handle) in found {
            self.last += 1;
            let (id, name) = (self.last, file.name());
            let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_lowercase());
            let kind = match ending.as_deref() {
                Some("srt" | "vtt") => &mut subtitles,
                Some(_) | None => &mut films,
            };
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "sizes are whole and positive"
            )]
            kind.push(Picked { id, name, size: file.size() as u64 });
            self.chosen.insert(id, (file, handle));
        }
        (films, subtitles)
    }

    /// The film that starts now; its handle is what a reload will look for.
    pub fn play(&mut self, id: u32, session: &str) -> Option<File> {
        let (file, handle) = self.chosen.get(&id)?;
        self.playing = Some(id);
        handles::keep(session.to_owned(), handle.clone());
        Some(file.clone())
    }

    /// A handle that came with a drop, after the file itself.
    pub fn dropped(&mut self, handle: JsValue, session: &str) {
        let name = property(&handle, "name").and_then(|name| name.as_string()).unwrap_or_default();
        let file = self.chosen.iter_mut().rev().find(|(_, (file, known))| known.is_none() && file.name() == name);
        if let Some((id, (_, known))) = file {
            if self.playing == Some(*id) {
                handles::keep(session.to_owned(), Some(handle.clone()));
            }
            *known = Some(handle);
        }
    }

    /// Lets go of a file.
    pub fn forget(&mut self, id: u32) {
        self.chosen.remove(&id);
    }

    /// Lets go of everything.
    pub fn clear(&mut self) {
        *self = Self { last: self.last, ..Self::default() };
    }

    /// The handle of before the reload was found; the film's name.
    pub fn found(&mut self, handle: JsValue) -> Option<String> {
        let name = property(&handle, "name").and_then(|name| name.as_string());
        self.kept = Some(handle);
        name
    }

    /// Asks for permission and opens the film of before the reload. Called while the press still counts.
    pub fn go_on(&self, events: &Events) {
        let (kept, events) = (self.kept.clone(), events.clone());
        leptos::task::spawn_local(async move {
            let opened = match kept {
                Some(handle) => reopen(&handle).await.map(|file| vec![(file, Some(handle))]),
                None => Err(JsValue::NULL),
            };
            match opened {
                Ok(found) => events.push(Event::Opened(SendWrapper::new(found))),
                Err(_) => events.input(Input::Sources(SourceInput::HandleLost)),
            }
        });
    }

    /// Reads a subtitle file.
    pub fn read(&self, id: u32, encoding: Option<Encoding>, events: &Events) {
        let (file, events) = (self.chosen.get(&id).map(|(file, _)| file.clone()), events.clone());
        leptos::task::spawn_local(async move {
            let read = match file {
                Some(file) => read(&file, encoding).await,
                None => Err(JsValue::NULL),
            };
            events.input(Input::Sources(match read {
                Ok((encoding, text)) => SourceInput::SubtitleRead { id, encoding, text },
                Err(_) => SourceInput::SubtitleUnreadable(id),
            }));
        });
    }
}

/// The files of an input, in their order.
pub fn listed(list: &FileList) -> Vec<Found> {
    (0..list.length()).filter_map(|at| list.get(at)).map(|file| (file, None)).collect()
}

/// "Open from disk…": asks for files together with their handles.
pub fn pick(events: &Events) {
    let events = events.clone();
    leptos::task::spawn_local(async move {
        let options = object(&[("multiple", true.into()), ("id", "film".into())]);
        match invoke_async(&js_sys::global(), "showOpenFilePicker", &[options]).await {
            Ok(handles) => {
                let mut found = Vec::new();
                for handle in js_sys::Array::from(&handles).iter() {
                    if let Ok(file) = file_of(&handle).await {
                        found.push((file, Some(handle)));
                    }
                }
                events.push(Event::Opened(SendWrapper::new(found)));
            }
            // Closed without a choice.
            Err(error) if error_name(&error) == "AbortError" => {}
            Err(_) => events.input(Input::Sources(SourceInput::HandleLost)),
        }
    });
}

/// What was dropped on an input: its files come by the input itself, their handles by this.
pub fn dropped(event: &JsValue, events: &Events) {
    let Some(items) = property(event, "dataTransfer").and_then(|data| property(&data, "items")) else { return };
    let Ok(Some(items)) = js_sys::try_iter(&items) else { return };
    for item in items.flatten() {
        // Only now, before the event is over, they can be asked for.
        let Ok(promise) = invoke(&item, "getAsFileSystemHandle", &[]) else { continue };
        let events = events.clone();
        leptos::task::spawn_local(async move {
            if let Ok(handle) = JsFuture::from(js_sys::Promise::resolve(&promise)).await
                && !handle.is_null()
            {
                events.push(Event::Dropped(SendWrapper::new(handle)));
            }
        });
    }
}

/// Looks for the handle that this session's page kept before it was loaded anew.
pub fn find(session: String, events: &Events) {
    let events = events.clone();
    leptos::task::spawn_local(async move {
        if let Some(handle) = handles::find(&session).await {
            events.push(Event::HandleFound(SendWrapper::new(handle)));
        }
    });
}

async fn reopen(handle: &JsValue) -> Result<File, JsValue> {
    let read = object(&[("mode", "read".into())]);
    let granted = invoke_async(handle, "requestPermission", &[read]).await?;
    if granted.as_string().as_deref() != Some("granted") {
        return Err(granted);
    }
    file_of(handle).await
}

async fn file_of(handle: &JsValue) -> Result<File, JsValue> {
    invoke_async(handle, "getFile", &[]).await?.dyn_into()
}

async fn read(file: &File, encoding: Option<Encoding>) -> Result<(Encoding, String), JsValue> {
    // UTF-16 takes two bytes where the limit counts one.
    #[expect(clippy::cast_precision_loss, reason = "a limit of a few megabytes")]
    if file.size() > 2.0 * limits::SUBTITLE_BYTES as f64 {
        return Err(JsValue::NULL);
    }
    let buffer = invoke_async(file, "arrayBuffer", &[]).await?;
    let bytes = js_sys::Uint8Array::new(&buffer);
    let encoding = encoding.unwrap_or_else(|| Encoding::guess(&bytes.to_vec()));
    let decoder = construct("TextDecoder", &[encoding.label().into()])?;
    let text = invoke(&decoder, "decode", &[bytes.into()])?;
    Ok((encoding, text.as_string().ok_or(JsValue::NULL)?))
}
