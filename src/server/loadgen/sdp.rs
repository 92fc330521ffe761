//! Session descriptions of a real size that carry the time at which they were sent.

use crate::domain::Now;
use std::{fmt::Write as _, time::Duration};

const STAMP: &str = "o=- ";

/// What a browser's offer is made of, over and over.
const LINES: [&str; 4] = [
    "a=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 goog-remb\r\na=rtcp-fb:96 transport-cc\r\na=rtcp-fb:96 ccm fir\r\n",
    "a=fmtp:97 apt=96\r\na=rtpmap:98 H264/90000\r\na=fmtp:98 level-asymmetry-allowed=1;packetization-mode=1\r\n",
    "a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\r\n",
    "a=ssrc-group:FID 2231627014 632943048\r\na=ssrc:2231627014 cname:4TOk42mSjXCkVIa6\r\n",
];

/// A description of this size.
pub fn sdp(bytes: usize, now: Now) -> String {
    let mut text = String::with_capacity(bytes + 64);
    let nanos = now.since(Now::default()).as_nanos();
    // Writing to a string cannot fail.
    let _written = write!(text, "v=0\r\n{STAMP}{nanos} 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n");
    for line in LINES.iter().cycle() {
        if text.len() >= bytes {
            break;
        }
        text.push_str(line);
    }
    text.truncate(bytes);
    text
}

/// When a description was made.
pub fn sent_at(sdp: &str) -> Option<Now> {
    stamp(sdp.split_once(STAMP)?.1)
}

/// A time that a text begins with.
pub(super) fn stamp(text: &str) -> Option<Now> {
    let nanos = text.split(' ').next()?.parse().ok()?;
    Some(Now::since_start(Duration::from_nanos(nanos)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_description_has_its_size_and_says_when_it_was_sent(bytes in 200_usize..48_000, nanos in 0_u64..1 << 60) {
            let now = Now::since_start(Duration::from_nanos(nanos));
            let text = sdp(bytes, now);
            prop_assert_eq!(text.len(), bytes);
            prop_assert_eq!(sent_at(&text), Some(now));
        }
    }
}
