//! People whose socket is at another node: each has an ordinary seat here, and a task that stands in for the socket.

use super::Shared;
use super::post::Arrived;
use super::seats::SeatId;
use super::word::{AtSeat, Entered, Entering};
use crate::domain::SessionCode;
use crate::protocol::ClientMessage;
use crate::server::signaling::line::{Farewell, Frame, LineEnd, News, line};
use crate::server::signaling::sessions::{Seat, Sessions};
use tokio::sync::mpsc::Receiver;

/// Lets somebody in, and passes on what is said until they are gone.
pub(super) async fn receive(shared: Shared, sessions: Sessions, arrived: Arrived) {
    let Arrived { seat, entering: Entering { country, message }, says } = arrived;
    let here = opened(&message).is_some_and(|code| sessions.is_here(code));
    if here {
        let (line, end) = line();
        let place = Box::pin(sessions.enter_here(&line, country, message)).await;
        let (first, farewell) = waiting(&end);
        match place {
            Some(place) => {
                shared.post().say(seat, AtSeat::Entered(Entered::In(first)));
                let farewell = match farewell {
                    Some(farewell) => Some(farewell),
                    None => stand_in(&shared, &sessions, seat, &end, &place, says).await,
                };
                if let Some(farewell) = farewell {
                    shared.post().say(seat, AtSeat::Closes(farewell));
                }
            }
            None => shared.post().say(seat, AtSeat::Entered(Entered::Out(first, farewell))),
        }
    } else {
        shared.post().say(seat, AtSeat::Entered(Entered::Moved));
    }
    shared.post().finish(seat);
}

/// The session that a message wants to come into.
pub(in super::super) const fn opened(message: &ClientMessage) -> Option<SessionCode> {
    if let ClientMessage::Join { code, .. } = message {
        return Some(*code);
    }
    if let ClientMessage::Resume { token, .. } = message { Some(token.0.code) } else { None }
}

/// What the line holds already.
fn waiting(end: &LineEnd) -> (Vec<String>, Option<Farewell>) {
    let mut first = Vec::new();
    while let Some(frame) = end.next_frame() {
        match frame {
            Frame::Text(text) => first.push(text.to_string()),
            Frame::Close(farewell) => return (first, Some(farewell)),
        }
    }
    (first, None)
}

/// Reads the line as a socket does, until the end; how the socket is to be closed, where it is still there.
async fn stand_in(
    shared: &Shared,
    sessions: &Sessions,
    seat: SeatId,
    end: &LineEnd,
    place: &Seat,
    mut says: Receiver<ClientMessage>,
) -> Option<Farewell> {
    let stopping = sessions.stopping();
    loop {
        tokio::select! {
            biased;
            // The socket's own server goes on.
            () = stopping.cancelled() => return Some(Farewell::TryAgain),
            news = end.next(true) => match news {
                News::Broken => return Some(Farewell::TryAgain),
                News::Snapshot(snapshot) => {
                    let Ok(permit) = shared.0.out.reserve().await else { return None };
                    // By the time that there is room there may be a newer one.
                    shared.post().say_with(permit, seat, AtSeat::Sees(end.newest(snapshot).to_string()));
                }
                News::Frame(Frame::Text(text)) => shared.post().say(seat, AtSeat::Hears(text.to_string())),
                News::Frame(Frame::Close(farewell)) => return Some(farewell),
            },
            said = says.recv() => place.take(said?),
        }
    }
}
