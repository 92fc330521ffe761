//! The languages that the pages speak, and how one of them is chosen.

/// A language of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// Where nothing else is asked for.
    #[default]
    English,
    /// German.
    German,
}

impl Language {
    /// Every one, in the order in which they are offered.
    pub const ALL: [Self; 2] = [Self::English, Self::German];

    /// The cookie that holds a person's choice.
    pub const COOKIE: &'static str = "tessro-language";

    /// As BCP 47 writes it.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }

    /// What the language calls itself.
    pub const fn own_name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::German => "Deutsch",
        }
    }

    /// The language of a BCP 47 tag, whatever region it names.
    pub fn from_tag(tag: &str) -> Option<Self> {
        let primary = tag.trim().split(['-', '_']).next()?;
        Self::ALL.into_iter().find(|language| language.tag().eq_ignore_ascii_case(primary))
    }

    /// What a request asks for: its cookies first, then `Accept-Language` (RFC 9110, 12.5.4), then English.
    pub fn of_request(cookies: &str, accepted: &str) -> Self {
        chosen(cookies).or_else(|| preferred(accepted)).unwrap_or_default()
    }
}

fn chosen(cookies: &str) -> Option<Language> {
    let value = cookies.split(';').filter_map(|pair| pair.trim().split_once('='));
    value.into_iter().find(|(name, _)| *name == Language::COOKIE).and_then(|(_, tag)| Language::from_tag(tag))
}

fn preferred(accepted: &str) -> Option<Language> {
    let mut best: Option<(Language, f32)> = None;
    for range in accepted.split(',') {
        let (tag, parameters) = range.split_once(';').unwrap_or((range, ""));
        let weight = parameters.trim().strip_prefix("q=").map_or(1.0, |q| q.trim().parse().unwrap_or(0.0));
        if let Some(language) = Language::from_tag(tag)
            && weight > best.map_or(0.0, |(_, weight)| weight)
        {
            best = Some((language, weight));
        }
    }
    best.map(|(language, _)| language)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_heaviest_language_that_we_speak_is_taken() {
        for (accepted, expected) in [
            ("", Language::English),
            ("de", Language::German),
            ("de-AT, en;q=0.5", Language::German),
            ("fr, de;q=0.3, en;q=0.7", Language::English),
            ("fr;q=1, ja", Language::English),
            ("en;q=0, de;q=0.1", Language::German),
            ("de;q=nonsense, ;;;=,", Language::English),
        ] {
            assert_eq!(Language::of_request("", accepted), expected, "{accepted}");
        }
    }

    #[test]
    fn a_choice_outweighs_what_the_browser_asks_for() {
        assert_eq!(Language::of_request("a=b; tessro-language=de", "en"), Language::German);
        assert_eq!(Language::of_request("tessro-language=en", "de"), Language::English);
        assert_eq!(Language::of_request("tessro-language=tlh; not-tessro-language=en", "de"), Language::German);
    }
}
