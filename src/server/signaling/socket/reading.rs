//! From a text on the socket to a message, or to the reason why it is none.
//!
//! The reason never repeats anything of the text.

use crate::domain::{ParticipantToken, SessionCode};
use crate::protocol::{ClientMessage, limits};
use crate::server::signaling::refusal::Refusal;
use serde::Deserialize;

/// What a message is about, read without looking at the rest.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Opening {
    Join { code: String },
    Resume { token: String },
}

/// Reads a message.
pub(super) fn read(text: &str) -> Result<ClientMessage, Refusal> {
    if text.len() > limits::MESSAGE_BYTES {
        return Err(Refusal::MessageTooLarge);
    }
    serde_json::from_str(text).map_err(|_| refusal(text))
}

/// Whether the message is one by which a socket comes in.
pub(super) const fn opens(message: &ClientMessage) -> bool {
    matches!(message, ClientMessage::Create { .. } | ClientMessage::Join { .. } | ClientMessage::Resume { .. })
}

/// A code that is none is, for whoever typed it, a code that no session has; a token likewise.
fn refusal(text: &str) -> Refusal {
    match serde_json::from_str(text) {
        Ok(Opening::Join { code }) if SessionCode::parse(&code).is_err() => Refusal::CannotEnter,
        Ok(Opening::Resume { token }) if token.parse::<ParticipantToken>().is_err() => Refusal::UnknownParticipant,
        Ok(_) | Err(_) => Refusal::Unreadable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_no_message_is_refused_by_what_is_wrong_with_it() {
        let cases = [
            ("", Refusal::Unreadable),
            ("null", Refusal::Unreadable),
            ("{}", Refusal::Unreadable),
            (r#"{"type":"dance"}"#, Refusal::Unreadable),
            (r#"{"type":"leave""#, Refusal::Unreadable),
            (r#"{"type":"ready","connection":"zz"}"#, Refusal::Unreadable),
            (r#"{"type":"ready","connection":"0000000000000001","more":1}"#, Refusal::Unreadable),
            (r#"{"type":"join","code":"OOO","name":null,"password":null}"#, Refusal::CannotEnter),
            (r#"{"type":"join","code":7,"name":null,"password":null}"#, Refusal::Unreadable),
            (r#"{"type":"resume","token":"stale","fresh":true}"#, Refusal::UnknownParticipant),
        ];
        for (text, expected) in cases {
            assert_eq!(read(text), Err(expected), "{text}");
        }
        assert_eq!(read(&" ".repeat(limits::MESSAGE_BYTES + 1)), Err(Refusal::MessageTooLarge));
        assert_eq!(read(r#"{"type":"ping"}"#), Ok(ClientMessage::Ping));
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(text in "\\PC{0,200}") {
            let _ = read(&text);
        }
    }
}
