//! What is said in a cue: `<i>` and `<b>` are kept, every other tag goes, and nothing of it is ever taken for HTML.

use crate::protocol::limits;

/// A run of text in one style; a line break is `\n` in it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Span {
    /// The words.
    pub text: String,
    /// `<i>`
    pub italic: bool,
    /// `<b>`
    pub bold: bool,
}

/// A cue's text with `<i>` and `<b>` as its only tags, and `&lt;`, `&gt;`, `&amp;` and `&#123;` as its only references.
pub fn normalised(raw: &str) -> String {
    let mut text = String::new();
    let spans = spans(raw);
    for span in &spans {
        let words = escaped(if text.is_empty() { span.text.trim_start() } else { &span.text });
        let (before, after) = match (span.bold, span.italic) {
            (false, false) => ("", ""),
            (true, false) => ("<b>", "</b>"),
            (false, true) => ("<i>", "</i>"),
            (true, true) => ("<b><i>", "</i></b>"),
        };
        if !words.is_empty() {
            text.extend([before, &words, after]);
        }
    }
    if text.len() > MARKED_BYTES {
        text = escaped(&spans.iter().map(|span| span.text.as_str()).collect::<String>());
    }
    text.truncate(text.trim_end().len());
    text
}

/// A cue whose text is longer than this loses its marks: they could be many times the text.
const MARKED_BYTES: usize = 4000;

fn escaped(words: &str) -> String {
    // A brace and a backslash that only met when the tag between them went are no place on the screen.
    words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace("{\\", "&#123;\\")
}

/// The runs of a cue's text, in order. Reads what `normalised` wrote, and anything else without harm.
pub fn spans(text: &str) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    let (mut italic, mut bold) = (0_u32, 0_u32);
    let mut length = 0;
    let mut rest = text;
    let mut push = |piece: &str, italic: u32, bold: u32| {
        let room = limits::CUE_CHARS.saturating_sub(length);
        let piece: String = piece.chars().filter(|c| *c == '\n' || !c.is_control()).take(room).collect();
        length += piece.chars().count();
        let (italic, bold) = (italic > 0, bold > 0);
        match spans.last_mut() {
            Some(last) if last.italic == italic && last.bold == bold => last.text.push_str(&piece),
            _ if piece.is_empty() => {}
            _ => spans.push(Span { text: piece, italic, bold }),
        }
    };
    while let Some(at) = rest.find(['<', '{', '&']) {
        push(&rest[..at], italic, bold);
        rest = &rest[at..];
        let (taken, piece) = match rest.as_bytes().first() {
            Some(b'<') => match tag(rest) {
                Some((tag, taken)) => {
                    match tag.to_ascii_lowercase().as_str() {
                        "i" | "em" => italic += 1,
                        "b" | "strong" => bold += 1,
                        "/i" | "/em" => italic = italic.saturating_sub(1),
                        "/b" | "/strong" => bold = bold.saturating_sub(1),
                        _ => {}
                    }
                    (taken, "")
                }
                None => (1, "<"),
            },
            // `{\an8}` and its like: places on the screen, in the manner of another format.
            Some(b'{') => match rest.find('}').filter(|_| rest.starts_with("{\\")) {
                Some(end) => (end + 1, ""),
                None => (1, "{"),
            },
            _ => reference(rest).unwrap_or((1, "&")),
        };
        push(piece, italic, bold);
        rest = &rest[taken..];
    }
    push(rest, italic, bold);
    spans
}

/// The name of the tag that begins here, and its length. `<3` and `a < b` are no tags.
fn tag(text: &str) -> Option<(&str, usize)> {
    let end = text.find('>')?;
    let inner = text.get(1..end)?;
    let begins = inner.trim_start_matches('/').chars().next()?;
    // `<00:01.500>` is a time within a cue.
    let is_time = begins.is_ascii_digit() && inner.contains(':');
    if inner.contains('<') || !(begins.is_ascii_alphabetic() || is_time) {
        return None;
    }
    Some((inner.split(|c: char| c.is_whitespace() || c == '.').next().unwrap_or(inner), end + 1))
}

fn reference(text: &str) -> Option<(usize, &'static str)> {
    const KNOWN: [(&str, &str); 9] = [
        ("&amp;", "&"),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&nbsp;", "\u{a0}"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&lrm;", "\u{200e}"),
        ("&rlm;", "\u{200f}"),
        ("&#123;", "{"),
    ];
    KNOWN.iter().find(|(name, _)| text.starts_with(name)).map(|(name, meaning)| (name.len(), *meaning))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn italics_and_bold_stay_and_every_other_tag_goes() {
        assert_eq!(normalised("<font color=\"red\">Red</font> <I>you</I> {\\an8}there"), "Red <i>you</i> there");
        assert_eq!(normalised("<b><i>Both</i></b><u> no</u>"), "<b><i>Both</i></b> no");
    }

    #[test]
    fn what_looks_like_html_stays_text() {
        assert_eq!(normalised("1 < 2 <3 & so on"), "1 &lt; 2 &lt;3 &amp; so on");
        assert_eq!(normalised("<script>alert(1)</script>"), "alert(1)");
        assert_eq!(spans("&lt;b&gt;")[0].text, "<b>");
    }

    #[test]
    fn a_brace_that_was_none_stays_none() {
        let once = normalised(";<i>{<i>\\}");
        assert_eq!(once, ";<i>&#123;\\}</i>");
        assert_eq!(normalised(&once), once);
        assert_eq!(spans(&once)[1].text, "{\\}");
    }

    #[test]
    fn unclosed_tags_end_with_their_cue() {
        let spans = spans("Now <i>quietly");
        assert_eq!(
            spans.iter().map(|span| (span.text.as_str(), span.italic)).collect::<Vec<_>>(),
            [("Now ", false), ("quietly", true)]
        );
    }

    proptest! {
        #[test]
        fn what_is_normalised_stays_as_it_is(text in "([a-z <>&{}/\\\\ib;]|<i>|</i>|<b>|&amp;|&lt;){0,40}") {
            let once = normalised(&text);
            prop_assert_eq!(normalised(&once), once);
        }

        #[test]
        fn any_text_has_spans(text: String) {
            prop_assert!(spans(&text).iter().all(|span| !span.text.is_empty()));
        }
    }
}
