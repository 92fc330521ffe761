//! One message of coturn's on one of its channels: `turn/realm/REALM/user/USER/allocation/ID/WHAT`.
//!
//! The client's side alone is read: it is what is billed, and the totals of the peers' side wrap at 4 GiB.

/// What a part can carry at most: more than 4096 packets of the largest size have.
const LARGEST_PART: u64 = 1 << 32;

/// What coturn says of one allocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Message<'a> {
    /// Which: the channel without its end.
    pub(super) allocation: &'a str,
    /// Whose, if the name is one of ours.
    pub(super) user: Option<u128>,
    /// What.
    pub(super) news: News,
}

/// What there is to say of an allocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum News {
    /// It is new.
    Begun,
    /// It goes on, or is about to end.
    Lives,
    /// So much since the last time.
    Part(Traffic),
    /// So much in all, said once at its end.
    Total(Traffic),
}

/// Bytes between relay and client: messages of TURN and STUN, without headers of IP, UDP and TCP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Traffic {
    /// From the client.
    pub(super) received: u64,
    /// To the client.
    pub(super) sent: u64,
}

impl<'a> Message<'a> {
    /// `None` for what does not concern us: another realm, the peers' side, and whatever else is published there.
    pub(super) fn read(channel: &'a str, payload: &str, realm: Option<&str>) -> Option<Self> {
        // From the end: nobody knows what a user's name may hold.
        let (owner, rest) = channel.rsplit_once("/allocation/")?;
        let (id, what) = rest.split_once('/')?;
        let owner = owner.strip_prefix("turn/")?;
        let (its_realm, username) = match owner.strip_prefix("realm/") {
            Some(owner) => owner.split_once("/user/")?,
            None => ("", owner.strip_prefix("user/")?),
        };
        if realm.is_some_and(|realm| realm != its_realm) {
            return None;
        }
        let news = match what {
            "status" if payload.starts_with("new ") => News::Begun,
            "status" => News::Lives,
            "traffic" => News::Part(Traffic::read(payload).filter(Traffic::is_a_part)?),
            "total_traffic" => News::Total(Traffic::read(payload)?),
            _ => return None,
        };
        let allocation = &channel[..channel.len() - rest.len() + id.len()];
        Some(Self { allocation, user: user(username), news })
    }
}

impl Traffic {
    fn read(payload: &str) -> Option<Self> {
        let field = |name: &str| {
            let fields = payload.split(',').filter_map(|field| field.trim().split_once('='));
            fields.into_iter().find(|(field, _)| *field == name)?.1.parse().ok()
        };
        Some(Self { received: field("rcvb")?, sent: field("sentb")? })
    }

    fn is_a_part(&self) -> bool {
        self.received < LARGEST_PART && self.sent < LARGEST_PART
    }
}

/// The pseudonym in `expiry:pseudonym`.
fn user(username: &str) -> Option<u128> {
    let pseudonym = username.rsplit(':').next()?;
    let ours = pseudonym.len() == 32 && pseudonym.bytes().all(|byte| byte.is_ascii_hexdigit());
    ours.then(|| u128::from_str_radix(pseudonym, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const OURS: &str =
        "turn/realm/tessro.test/user/1795392216:000000000000000000000000000000ff/allocation/000000000000000001";
    const PART: &str = "rcvp=1030, rcvb=209524, sentp=1028, sentb=208512";

    fn read<'a>(channel: &'a str, payload: &str) -> Option<Message<'a>> {
        Message::read(channel, payload, Some("tessro.test"))
    }

    #[test]
    fn what_coturn_publishes_is_read() {
        let traffic = Traffic { received: 209_524, sent: 208_512 };
        for (what, payload, news) in [
            ("status", "new lifetime=777, type=UDP, local=192.0.2.1:3478, remote=192.0.2.2:4", News::Begun),
            ("status", "refreshed lifetime=0, type=UDP", News::Lives),
            ("status", "deleted", News::Lives),
            ("traffic", PART, News::Part(traffic)),
            ("total_traffic", PART, News::Total(traffic)),
        ] {
            let channel = format!("{OURS}/{what}");
            assert_eq!(read(&channel, payload), Some(Message { allocation: OURS, user: Some(0xff), news }), "{what}");
        }
        for (what, payload) in [
            ("traffic/peer", PART),
            ("total_traffic/peer", PART),
            ("traffic", "rcvb=1"),
            ("traffic", "rcvb=-1, sentb=2"),
        ] {
            assert_eq!(read(&format!("{OURS}/{what}"), payload), None, "{what} {payload}");
        }
        let huge = format!("rcvp=1, rcvb=1, sentp=1, sentb={}", 1_u64 << 32);
        assert_eq!(read(&format!("{OURS}/traffic"), &huge), None);
        assert!(read(&format!("{OURS}/total_traffic"), &huge).is_some());
    }

    #[test]
    fn a_name_that_is_not_ours_is_nobodys_and_another_realm_is_not_heard() {
        for name in ["1795392216:ada", "ada", "1795392216:x/y", "000000000000000000000000000000fg"] {
            let channel = format!("turn/realm/tessro.test/user/{name}/allocation/1/traffic");
            assert_eq!(read(&channel, PART).map(|message| message.user), Some(None), "{name}");
        }
        let elsewhere = "turn/realm/elsewhere/user/ada/allocation/1/traffic";
        assert_eq!(read(elsewhere, PART), None);
        assert!(Message::read(elsewhere, PART, None).is_some());
        assert!(Message::read("turn/user/ada/allocation/1/traffic", PART, None).is_some());
    }

    proptest! {
        #[test]
        fn arbitrary_channels_and_payloads_never_panic(
            channel in "(turn/)?(realm/)?[a-z/:]{0,30}(/allocation/)?[a-zé0-9/]{0,20}(/traffic|/status)?",
            payload in "\\PC{0,60}",
        ) {
            let _ = Message::read(&channel, &payload, None);
        }
    }
}
