//! `SubRip` (.srt) and `WebVTT` (.vtt) as they are found: cues are recognised by their times alone, so that numbers,
//! headers, notes, styles and missing blank lines cost nothing but themselves.

use super::text;
use crate::protocol::{Cue, limits};

/// The latest moment that a cue may name: a thousand hours.
pub const END_OF_TIME: u64 = 1000 * 3_600_000;

/// Reads every cue that can be read, sorted by beginning; at most as many and as large as `limits` allow.
pub fn parse(source: &str) -> Vec<Cue> {
    let mut cues = Vec::new();
    let mut bytes = 0;
    let mut lines = source.trim_start_matches('\u{feff}').lines().flat_map(|line| line.split('\r')).peekable();
    while let Some(line) = lines.next() {
        let Some((start_ms, end_ms)) = times(line) else { continue };
        let mut said: Vec<&str> = Vec::new();
        while let Some(line) = lines.peek() {
            if times(line).is_some() {
                // The blank line is missing: the number before these times belongs to them.
                if said.last().is_some_and(|last| is_number(last)) {
                    said.pop();
                }
                break;
            }
            if line.trim().is_empty() {
                break;
            }
            said.push(line);
            lines.next();
        }
        let text = text::normalised(&said.join("\n"));
        if text.is_empty() || end_ms <= start_ms {
            continue;
        }
        bytes += text.len();
        if cues.len() == limits::SUBTITLE_CUES || bytes > limits::SUBTITLE_BYTES {
            break;
        }
        cues.push(Cue { start_ms, end_ms, text });
    }
    cues.sort_by_key(|cue| (cue.start_ms, cue.end_ms));
    cues
}

/// `00:01:02,500 --> 00:01:04.000 X1:40`: whatever follows the second time is about places on the screen.
fn times(line: &str) -> Option<(u64, u64)> {
    let (start, rest) = line.split_once("-->")?;
    let end = rest.split_whitespace().next()?;
    Some((time(start.trim())?, time(end)?))
}

/// `[h:]m:s[,.]fraction`, of any number of digits that still is a time.
fn time(text: &str) -> Option<u64> {
    let (clock, fraction) = text.split_once([',', '.']).unwrap_or((text, ""));
    let mut seconds: u64 = 0;
    let mut parts = 0;
    for part in clock.split(':') {
        let part = part.trim();
        if part.is_empty() || part.len() > 9 || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        seconds = seconds.checked_mul(60)?.checked_add(part.parse().ok()?)?;
        parts += 1;
    }
    if !(2..=3).contains(&parts) || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digits: String = fraction.chars().chain("000".chars()).take(3).collect();
    let millis = seconds.checked_mul(1000)?.checked_add(digits.parse().ok()?)?;
    (millis <= END_OF_TIME).then_some(millis)
}

fn is_number(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty() && line.len() <= 6 && line.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn said(source: &str) -> Vec<(u64, u64, String)> {
        parse(source).into_iter().map(|cue| (cue.start_ms, cue.end_ms, cue.text)).collect()
    }

    fn one(start: u64, end: u64, text: &str) -> (u64, u64, String) {
        (start, end, text.to_owned())
    }

    #[test]
    fn a_well_formed_srt_is_read_whatever_its_line_ends() {
        let source = "1\n00:00:01,000 --> 00:00:02,500\nHello\n<i>you</i>\n\n2\n00:01:00,000 --> 00:01:01,000\nBye\n";
        let expected = vec![one(1000, 2500, "Hello\n<i>you</i>"), one(60_000, 61_000, "Bye")];
        for ends in ["\n", "\r\n", "\r"] {
            assert_eq!(said(&format!("\u{feff}{}", source.replace('\n', ends))), expected, "{ends:?}");
        }
    }

    #[test]
    fn a_webvtt_file_loses_header_notes_styles_names_and_settings() {
        let source = "WEBVTT - A film\nKind: captions\n\nSTYLE\n::cue { color: red }\n\nNOTE no --> time here\n\nintro\n\
                      00:01.000 --> 00:02.000 align:start position:10%\n<v Ada>Good <c.loud>evening</c></v>\n\n\
                      100:00:00.000 --> 100:00:01.000\nLate &amp; far\n";
        assert_eq!(
            said(source),
            vec![one(1000, 2000, "Good evening"), one(360_000_000, 360_001_000, "Late &amp; far")]
        );
    }

    #[test]
    fn what_is_malformed_costs_only_itself() {
        let source = "1\n00:00:01,000 --> 00:00:02,000\nOne\n2\n00:00:03,000 --> 00:00:04,000\nTwo\n\n3\n\
                      00:00:xx,000 --> 00:00:06,000\nLost\n\n4\n00:00:09,000 --> 00:00:08,000\nBackwards\n\n5\n\
                      0:0:10 --> 0:0:11\nThree\n00:00:12,5 -->  00:00:13,50\nFour";
        let expected = vec![
            one(1000, 2000, "One"),
            one(3000, 4000, "Two"),
            one(10_000, 11_000, "Three"),
            one(12_500, 13_500, "Four"),
        ];
        assert_eq!(said(source), expected);
    }

    #[test]
    fn cues_may_overlap_and_come_in_any_order() {
        let source = "00:05.000 --> 00:09.000\nB\n\n00:01.000 --> 00:06.000\nA\n";
        assert_eq!(said(source), vec![one(1000, 6000, "A"), one(5000, 9000, "B")]);
    }

    #[test]
    fn a_number_that_is_said_stays() {
        assert_eq!(said("00:01.000 --> 00:02.000\n42\n\n00:03.000 --> 00:04.000\nWhat?\n")[0].2, "42");
    }

    #[test]
    fn a_file_of_many_cues_ends_at_the_limit() {
        let source: String = (0..limits::SUBTITLE_CUES + 10).map(|_| "00:01.000 --> 00:02.000\nx\n\n").collect();
        assert_eq!(parse(&source).len(), limits::SUBTITLE_CUES);
    }

    /// Pieces that look like subtitles, so that random files reach every branch.
    fn piece() -> impl Strategy<Value = String> {
        prop_oneof![
            Just("\n".to_owned()),
            Just("\r\n".to_owned()),
            Just(" --> ".to_owned()),
            Just("WEBVTT\n".to_owned()),
            Just("<i>".to_owned()),
            Just("</b>".to_owned()),
            Just("&lt;".to_owned()),
            "[0-9]{1,3}",
            "[0-9]{1,4}:[0-9]{2}:[0-9]{2}[,.][0-9]{1,3}",
            "[0-9]{1,2}:[0-9]{2}\\.[0-9]{3} --> [0-9]{1,2}:[0-9]{2}\\.[0-9]{3}\n",
            ".{0,12}",
        ]
    }

    proptest! {
        #[test]
        fn any_text_gives_sorted_cues_that_last_and_say_something(pieces in prop::collection::vec(piece(), 0..120)) {
            let cues = parse(&pieces.concat());
            prop_assert!(cues.is_sorted_by_key(|cue| cue.start_ms));
            for cue in &cues {
                prop_assert!(cue.start_ms < cue.end_ms && cue.end_ms <= END_OF_TIME);
                prop_assert!(!cue.text.trim().is_empty());
                prop_assert!(cue.text.chars().count() <= limits::CUE_CHARS * 5);
            }
        }

        #[test]
        fn any_cue_that_is_written_is_read(start in 0..END_OF_TIME - 10, long in 1_u64..10, text in "[a-zA-Z ,.!?]{0,40}[a-z]") {
            let stamp = |ms: u64| format!("{:02}:{:02}:{:02},{:03}", ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60, ms % 1000);
            let source = format!("1\n{} --> {}\n{text}\n", stamp(start), stamp(start + long));
            prop_assert_eq!(said(&source), vec![one(start, start + long, text.trim())]);
        }
    }
}
