//! What machines tell each other of a month, word by word.
//!
//! Every figure but a bound only ever grows, so whoever hears of it twice, late or from somebody else keeps the larger one and knows
//! what is true. They are kept as text, one row for each, where all machines find them.

use super::super::sums::Whose;
use crate::domain::{ByteCount, ProviderName};
use std::{collections::BTreeMap, fmt, str::FromStr};

/// A limit that all machines share, and hand each other parts of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Account {
    /// The month's, of all.
    Month,
    /// A day's, of all; counted from 1970.
    Day(u64),
    /// The month's, of one provider.
    Provider(ProviderName),
    /// The month's, of callers without a token.
    Strangers,
}

/// One thing that a machine tells of its month.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Figure {
    /// What it counted of a provider.
    Counted(Whose),
    /// What it had to estimate; mostly nobody's.
    Estimated(Whose),
    /// What the provider told it of the whole account, which it tells every machine.
    Said(ProviderName),
    /// What it counted on a day.
    Today(u64),
    /// What it counted on a day of a provider, for whoever looks at a chart.
    OfDay(u64, Whose),
    /// What callers without a token used.
    Strangers,
    /// What it has promised and nobody has used yet.
    Reserved,
    /// Up to where it may count an account. Not larger but newer is what is true of it.
    Bound(Account),
    /// How many times it has told; the newest bounds are those that came with the largest.
    Told,
}

/// Which part of a provider's sum a figure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::server::usage) enum Part {
    /// See [`Figure::Counted`].
    Counted,
    /// See [`Figure::Estimated`].
    Estimated,
    /// See [`Figure::Said`].
    Said,
}

impl Figure {
    /// Whose sum of the month it is a part of, and which; `None` for what is in no such sum.
    pub(in crate::server::usage) fn in_sum(&self) -> Option<(Whose, Part)> {
        match self {
            Self::Counted(of) => Some((of.clone(), Part::Counted)),
            Self::Estimated(of) => Some((of.clone(), Part::Estimated)),
            Self::Said(name) => Some((Some(name.clone()), Part::Said)),
            Self::Today(_) | Self::OfDay(..) | Self::Strangers | Self::Reserved | Self::Bound(_) | Self::Told => None,
        }
    }
}

/// What one machine told.
pub type Figures = BTreeMap<Figure, u64>;

/// A text that is no figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no figure that this version knows")]
pub struct ParseFigureError;

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Month => f.write_str("month"),
            Self::Day(day) => write!(f, "day:{day}"),
            Self::Provider(name) => write!(f, "provider:{name}"),
            Self::Strangers => f.write_str("strangers"),
        }
    }
}

impl FromStr for Account {
    type Err = ParseFigureError;

    fn from_str(text: &str) -> Result<Self, ParseFigureError> {
        match text.split_once(':') {
            None if text == "month" => Ok(Self::Month),
            None if text == "strangers" => Ok(Self::Strangers),
            Some(("day", day)) => day.parse().map(Self::Day).map_err(|_| ParseFigureError),
            Some(("provider", name)) => name.parse().map(Self::Provider).map_err(|_| ParseFigureError),
            _ => Err(ParseFigureError),
        }
    }
}

/// A provider, or nothing for nobody's.
struct Word<'a>(&'a Whose);

impl fmt::Display for Word<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_ref().map_or(Ok(()), |name| name.fmt(f))
    }
}

fn whose(word: &str) -> Result<Whose, ParseFigureError> {
    if word.is_empty() { Ok(None) } else { word.parse().map(Some).map_err(|_| ParseFigureError) }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Counted(of) => write!(f, "counted:{}", Word(of)),
            Self::Estimated(of) => write!(f, "estimated:{}", Word(of)),
            Self::Said(name) => write!(f, "said:{name}"),
            Self::Today(day) => write!(f, "today:{day}"),
            Self::OfDay(day, of) => write!(f, "of_day:{day}:{}", Word(of)),
            Self::Strangers => f.write_str("strangers"),
            Self::Reserved => f.write_str("reserved"),
            Self::Bound(account) => write!(f, "bound:{account}"),
            Self::Told => f.write_str("told"),
        }
    }
}

impl FromStr for Figure {
    type Err = ParseFigureError;

    fn from_str(text: &str) -> Result<Self, ParseFigureError> {
        let day = |text: &str| text.parse().map_err(|_| ParseFigureError);
        let (word, rest) = text.split_once(':').unwrap_or((text, ""));
        match word {
            "counted" => whose(rest).map(Self::Counted),
            "estimated" => whose(rest).map(Self::Estimated),
            "said" => rest.parse().map(Self::Said).map_err(|_| ParseFigureError),
            "today" => day(rest).map(Self::Today),
            "of_day" => {
                let (number, of) = rest.split_once(':').ok_or(ParseFigureError)?;
                Ok(Self::OfDay(day(number)?, whose(of)?))
            }
            "bound" => rest.parse().map(Self::Bound),
            "strangers" if rest.is_empty() => Ok(Self::Strangers),
            "reserved" if rest.is_empty() => Ok(Self::Reserved),
            "told" if rest.is_empty() => Ok(Self::Told),
            _ => Err(ParseFigureError),
        }
    }
}

/// What was heard of one machine, taken together with what was known of it: the larger of each figure, and the newer bounds.
pub(super) fn merge(known: &mut Figures, heard: &Figures) {
    let newer = heard.get(&Figure::Told) > known.get(&Figure::Told);
    for (figure, value) in heard {
        let is_true = match figure {
            Figure::Bound(_) | Figure::Said(_) | Figure::Reserved => newer,
            Figure::Counted(_)
            | Figure::Estimated(_)
            | Figure::Today(_)
            | Figure::OfDay(..)
            | Figure::Strangers
            | Figure::Told => known.get(figure).is_none_or(|known| value > known),
        };
        if is_true {
            known.insert(figure.clone(), *value);
        }
    }
}

/// One of a machine's figures in bytes.
pub(super) fn bytes(figures: &Figures, figure: &Figure) -> ByteCount {
    ByteCount::new(figures.get(figure).copied().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_whose() -> impl Strategy<Value = Whose> {
        prop_oneof![Just(None), Just("relay".parse().ok()), Just("coturn:fra".parse().ok())]
    }

    fn any_account() -> impl Strategy<Value = Account> {
        prop_oneof![
            Just(Account::Month),
            any::<u64>().prop_map(Account::Day),
            Just(Account::Provider("cloudflare:eu".parse().unwrap())),
            Just(Account::Strangers),
        ]
    }

    fn any_figure() -> impl Strategy<Value = Figure> {
        prop_oneof![
            any_whose().prop_map(Figure::Counted),
            any_whose().prop_map(Figure::Estimated),
            Just(Figure::Said("twilio".parse().unwrap())),
            any::<u64>().prop_map(Figure::Today),
            (any::<u64>(), any_whose()).prop_map(|(day, of)| Figure::OfDay(day, of)),
            Just(Figure::Strangers),
            Just(Figure::Reserved),
            any_account().prop_map(Figure::Bound),
            Just(Figure::Told),
        ]
    }

    proptest! {
        #[test]
        fn a_figure_reads_back_and_is_one_word(figure in any_figure()) {
            let text = figure.to_string();
            prop_assert!(!text.contains(' '));
            prop_assert_eq!(text.parse(), Ok(figure));
        }

        #[test]
        fn arbitrary_text_never_panics(text in "\\PC{0,40}") {
            let _ = (text.parse::<Figure>(), text.parse::<Account>());
        }

        /// In whatever order, how often and from whomever: what is known in the end is the same.
        #[test]
        fn hearing_twice_or_late_changes_nothing(
            grown in prop::collection::vec((1..100_u64, 0..100_u64), 1..8),
            order in prop::collection::vec(any::<prop::sample::Index>(), 0..30),
        ) {
            let (mut rows, mut sum) = (Vec::new(), 0);
            for (told, (more, bound)) in (1..).zip(&grown) {
                sum += more;
                rows.push(Figures::from([
                    (Figure::Told, told), (Figure::Counted(None), sum), (Figure::Bound(Account::Month), *bound),
                ]));
            }
            let mut known = Figures::new();
            for index in order {
                merge(&mut known, index.get(&rows));
            }
            for row in rows.iter().chain(&rows) {
                merge(&mut known, row);
            }
            prop_assert_eq!(Some(&known), rows.last());
            prop_assert_eq!(bytes(&known, &Figure::Counted(None)).get(), sum);
        }
    }
}
