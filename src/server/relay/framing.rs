//! Where one message ends and the next begins in a stream (RFC 8656 section 3.1, RFC 8489 section 6.2.2).
//!
//! STUN messages say how long they are, and so does `ChannelData`, which is padded to four bytes here. Pure; knows nothing of
//! what the messages say. It keeps at most one message that has not come to its end.

use super::message::HEADER;

/// The longest message that is taken from a stream: as long as the largest datagrams that networks carry, with the room
/// that wrapping takes. Nobody has proved anything yet when the first one is collected.
pub(super) const LONGEST: usize = 9_216;

/// A stream that says something that is neither STUN nor `ChannelData`, or too much of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Nonsense;

/// Takes a stream apart.
#[derive(Debug, Default)]
pub(super) struct Framing {
    /// A message that has not come to its end.
    begun: Vec<u8>,
}

impl Framing {
    /// Takes what came next, and hands over each message that is whole.
    pub(super) fn take(&mut self, mut bytes: &[u8], mut message: impl FnMut(&[u8])) -> Result<(), Nonsense> {
        while !self.begun.is_empty() && !bytes.is_empty() {
            let wanted = self.wanted()?;
            let (part, rest) = bytes.split_at(bytes.len().min(wanted - self.begun.len()));
            self.begun.extend_from_slice(part);
            bytes = rest;
            if self.begun.len() == wanted && length(&self.begun)? == Some(wanted) {
                message(&self.begun);
                self.begun.clear();
            }
        }
        while let Some(length) = length(bytes)?
            && let Some((whole, rest)) = bytes.split_at_checked(length)
        {
            message(whole);
            bytes = rest;
        }
        self.begun.extend_from_slice(bytes);
        Ok(())
    }

    /// How long `begun` has to become until more is known: its header, and then the whole.
    fn wanted(&self) -> Result<usize, Nonsense> {
        Ok(length(&self.begun)?.unwrap_or(4))
    }
}

/// How long the message is that begins here, padding included; `None` where that is still to come.
fn length(bytes: &[u8]) -> Result<Option<usize>, Nonsense> {
    let Some(header) = bytes.first_chunk::<4>() else {
        return match bytes.first() {
            Some(first) if first >> 6 > 0b01 => Err(Nonsense),
            Some(_) | None => Ok(None),
        };
    };
    let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
    let whole = match header[0] >> 6 {
        0b00 if length.is_multiple_of(4) => HEADER + length,
        0b01 => 4 + length.next_multiple_of(4),
        _ => return Err(Nonsense),
    };
    if whole <= LONGEST { Ok(Some(whole)) } else { Err(Nonsense) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn stun(length: u16) -> Vec<u8> {
        let mut message = vec![0; HEADER + usize::from(length)];
        message[2..4].copy_from_slice(&length.to_be_bytes());
        message
    }

    fn channel_data(length: u16) -> Vec<u8> {
        let mut message = vec![1; 4 + usize::from(length).next_multiple_of(4)];
        message[..2].copy_from_slice(&0x4001_u16.to_be_bytes());
        message[2..4].copy_from_slice(&length.to_be_bytes());
        message
    }

    fn any_message() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![(0..200_u16).prop_map(|words| stun(words * 4)), (0..1300_u16).prop_map(channel_data)]
    }

    #[test]
    fn nonsense_is_noticed_at_once() {
        for bytes in [
            &[0x80][..],
            b"GET / HTTP/1.1",
            &[0x16, 3, 1, 2],
            &[0, 1, 0, 3],
            &[0x40, 0, 0xff, 0xff],
            &[0, 1, 0xff, 0xfc],
        ] {
            assert_eq!(Framing::default().take(bytes, |_| ()), Err(Nonsense), "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn messages_come_out_whole_however_they_are_cut(
            messages in prop::collection::vec(any_message(), 0..8),
            cuts in prop::collection::vec(1..700_usize, 1..40),
        ) {
            let stream = messages.concat();
            let mut framing = Framing::default();
            let mut found = Vec::new();
            let mut rest = &stream[..];
            for cut in cuts.iter().cycle() {
                if rest.is_empty() {
                    break;
                }
                let (part, after) = rest.split_at(rest.len().min(*cut));
                framing.take(part, |message| found.push(message.to_vec())).unwrap();
                rest = after;
            }
            prop_assert_eq!(found, messages);
            prop_assert!(framing.begun.is_empty());
        }

        #[test]
        fn arbitrary_bytes_never_panic_and_never_pile_up(parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..3000), 0..20)) {
            let mut framing = Framing::default();
            for part in parts {
                if framing.take(&part, |_| ()).is_err() {
                    break;
                }
                prop_assert!(framing.begun.len() <= LONGEST);
            }
        }
    }
}
