//! `tessro usage`: a month in a terminal.

use super::{Archive, ArchiveError, Books, Month, ProviderSum, Slots, gb_number, rebuild};
use crate::{
    domain::{ByteCount, ProviderName, UnixMillis},
    server::{
        clock::Clock,
        config::Config,
        money::{Bill, Elsewhere, Used, per_hour},
        paths,
    },
};
use std::{
    collections::BTreeMap,
    io::{self, Write},
    path::PathBuf,
};

/// How wide the bars are, in characters.
const WIDTH: u64 = 40;

/// What is asked of the books.
#[derive(Debug, Clone, Default)]
pub struct Ask {
    /// Which month; `None` for this one.
    pub month: Option<Month>,
    /// Every row of evidence.
    pub csv: bool,
    /// A copy of all books in this file.
    pub backup: Option<PathBuf>,
    /// Every sum made anew first.
    pub rebuild: bool,
}

/// Answers, on `out`.
pub fn answer(config: &Config, clock: &Clock, ask: Ask, out: &mut impl Write) -> Result<(), ArchiveError> {
    let data_dir = &config.app.data_dir;
    if ask.rebuild {
        rebuild(data_dir)?;
    }
    let archive = Archive::open(data_dir)?;
    if let Some(file) = &ask.backup {
        archive.back_up(file)?;
        writeln!(out, "All books are in {}.", file.display())?;
        return Ok(());
    }
    let month = ask.month.unwrap_or_else(|| Month::of(clock.wall()));
    let done = if ask.csv {
        archive.export(month, out).map(drop)
    } else {
        let books = Books::new(data_dir);
        let view = View::read(&books, month)?;
        let before = view.before(&books)?;
        view.show(config.limits.monthly_bandwidth_limit_gb, out)
            .and_then(|()| view.show_cost(config, clock, before, out))
            .map_err(Into::into)
    };
    match done {
        // Whoever reads, such as `head`, has read enough.
        Err(ArchiveError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => done,
    }
}

/// What the books hold of a month.
#[derive(Debug, Clone)]
struct View {
    month: Month,
    sums: Vec<(Option<ProviderName>, ProviderSum)>,
    days: Slots,
}

impl View {
    fn read(books: &Books, month: Month) -> Result<Self, ArchiveError> {
        let sums = books.providers(month)?.into_iter().map(|(provider, of)| {
            let [counted, estimated, said] =
                [of.counted, of.estimated, of.said.unwrap_or_default()].map(ByteCount::new);
            (provider, ProviderSum { counted, estimated, said })
        });
        Ok(Self { month, sums: sums.collect(), days: books.by_day(month)? })
    }

    /// The days of the month before, which tell what a week looks like.
    fn before(&self, books: &Books) -> Result<(Month, Slots), ArchiveError> {
        let before = Month::of(UnixMillis(self.month.starts_at().0.saturating_sub(1)));
        Ok((before, books.by_day(before)?))
    }

    fn used(&self) -> ByteCount {
        self.sums.iter().fold(ByteCount::ZERO, |sum, (_, of)| sum.plus(of.used()))
    }

    fn show(&self, limit: ByteCount, out: &mut impl Write) -> io::Result<()> {
        let Self { month, sums, days } = self;
        let used = self.used();
        writeln!(out, "{month}  {} of {} GB relayed", used.gb_text(2), gb_number(limit))?;
        writeln!(out, "{}", bar(used, limit))?;
        if sums.is_empty() {
            return writeln!(out, "\nNothing was relayed.");
        }
        writeln!(out, "\n{:<20} {:>12} {:>12} {:>14}", "provider", "counts, GB", "ours, GB", "theirs, GB")?;
        for (provider, sum) in sums {
            let name = match provider {
                Some(provider) => provider.to_string(),
                None if sum.counted > ByteCount::ZERO => "unknown".to_owned(),
                None => "estimated".to_owned(),
            };
            let said = if sum.said == ByteCount::ZERO { "-".to_owned() } else { sum.said.gb_text(4).to_string() };
            let (used, ours) = (sum.used().gb_text(4), sum.counted_here().gb_text(4));
            writeln!(out, "{name:<20} {:>12} {:>12} {said:>14}", used.to_string(), ours.to_string())?;
        }
        let mut all = BTreeMap::<usize, ByteCount>::new();
        for (day, bytes) in days.values().flat_map(|days| (1..).zip(days)).filter(|(_, bytes)| **bytes > 0) {
            let sum = all.entry(day).or_default();
            *sum = sum.plus(ByteCount::new(*bytes));
        }
        let most = all.values().copied().max().unwrap_or_default();
        writeln!(out, "\n{:<12} {:>10}", "day (UTC)", "GB")?;
        for (day, bytes) in all {
            let text = bytes.gb_text(4).to_string();
            writeln!(out, "{month}-{day:02}   {text:>10}  {}", bar(bytes, most).trim_end_matches('·'))?;
        }
        Ok(())
    }

    /// The month in money; by its end, where it is not over yet.
    fn show_cost(
        &self,
        config: &Config,
        clock: &Clock,
        before: (Month, Slots),
        out: &mut impl Write,
    ) -> io::Result<()> {
        let now = clock.wall();
        let last = UnixMillis(self.month.next().starts_at().0 - 1);
        let names: Vec<_> = config.providers.iter().map(|(name, _)| name).collect();
        let months = [(self.month, self.days.clone()), before];
        let used = Used::of_books(now.clamp(self.month.starts_at(), last), &names, &self.sums, &months);
        let bill = Bill::of(&config.money.provider_prices, &used);
        let show = |money| config.money.currency.show(money);
        writeln!(out, "\nCost so far: {}", show(bill.so_far))?;
        let watched = paths::watched(&config.app.data_dir, self.month).unwrap_or_default();
        let an_hour = |time| per_hour(bill.so_far, time).map(show);
        if let (Some(session), Some(guest)) = (an_hour(watched.sessions), an_hour(watched.guests)) {
            writeln!(out, "  {session} for an hour of a session, {guest} for an hour of a guest")?;
        }
        for unknown in bill.not_known() {
            writeln!(out, "  without {unknown}, whose price is not known: set it in PROVIDER_PRICES")?;
        }
        if Month::of(now) == self.month {
            let bytes = bill.bytes_by_end();
            let [least, likely, most] = [bytes.least, bytes.likely, bytes.most].map(|bytes| bytes.gb_text(2));
            writeln!(out, "By the end of the month: about {likely} GB, from {least} to {most}")?;
            if let Some(likely) = bill.by_end.likely {
                writeln!(out, "  about {}", show(likely))?;
            }
        }
        writeln!(out, "\nThe same month elsewhere")?;
        for elsewhere in Elsewhere::all(&config.money.provider_prices, &used) {
            let (least, most) = elsewhere.cost;
            let text = match (least.map(show), most.map(show)) {
                (Some(least), Some(most)) if least == most => least,
                (Some(least), Some(most)) => format!("{least} to {most}"),
                (Some(least), None) => format!("{least} or more"),
                (None, _) => "not known".to_owned(),
            };
            let roughly = if elsewhere.origin.is_none() { " (a rough figure)" } else { "" };
            writeln!(out, "  {:<18} {text}{roughly}", elsewhere.kind.title())?;
        }
        Ok(())
    }
}

/// A bar as long as the part is of the whole.
fn bar(part: ByteCount, whole: ByteCount) -> String {
    let filled = u128::from(part.get()) * u128::from(WIDTH) / u128::from(whole.get().max(1));
    (0..WIDTH).map(|place| if u128::from(place) < filled { '█' } else { '·' }).collect()
}

#[cfg(test)]
mod zone_tests;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_is_a_meter_a_table_and_a_bar_for_each_day() {
        let gb = |text: &str| ByteCount::parse_gb(text).unwrap();
        let sum = |counted, said| ProviderSum { counted: gb(counted), said: gb(said), estimated: ByteCount::ZERO };
        let cloudflare: Option<ProviderName> = "cloudflare".parse().ok();
        let mut view = View {
            month: "2026-11".parse().unwrap(),
            sums: vec![
                (cloudflare.clone(), sum("300", "310")),
                (None, ProviderSum { estimated: gb("190"), ..ProviderSum::default() }),
            ],
            days: [(cloudflare, vec![gb("200").get(), gb("150").get()]), (None, vec![gb("100").get(), 0])].into(),
        };
        let mut out = Vec::new();
        view.show(gb("1000"), &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0], "2026-11  500.00 of 1000 GB relayed");
        assert_eq!(lines[1], format!("{}{}", "█".repeat(20), "·".repeat(20)));
        assert_eq!(lines[4].split_whitespace().collect::<Vec<_>>(), ["cloudflare", "310.0000", "300.0000", "310.0000"]);
        assert_eq!(lines[5].split_whitespace().collect::<Vec<_>>(), ["estimated", "190.0000", "190.0000", "-"]);
        assert!(lines[8].ends_with(&"█".repeat(40)) && lines[9].ends_with(&format!(" {}", "█".repeat(20))));
        // What pages said of a provider that had given them nothing.
        view.sums[1].1.counted = gb("10");
        let mut out = Vec::new();
        view.show(gb("1000"), &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(
            text.lines().any(|line| line.split_whitespace().eq(["unknown", "200.0000", "200.0000", "-"])),
            "{text}"
        );
    }

    #[test]
    fn a_month_has_its_cost_by_the_prices_that_are_set_and_what_it_would_have_been_elsewhere() {
        let data = tempfile::tempdir().unwrap();
        let settings = [
            ("DATA_DIR", data.path().to_str().unwrap()),
            ("STATIC_TURN_URLS", "turn:relay.example:3478"),
            ("STATIC_TURN_USERNAME", "a"),
            ("STATIC_TURN_CREDENTIAL", "b"),
            ("PROVIDER_PRICES", "static=0.10/GB"),
            ("CURRENCY", "EUR"),
        ];
        let set = |name: &str| settings.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into());
        let (_, config) = Config::read(["tessro".into()], set).unwrap();
        // 2026-11-15T00:00:00Z.
        let (clock, _) = Clock::by_hand(UnixMillis(1_794_700_800_000));
        let mut out = Vec::new();
        assert!(matches!(answer(&config, &clock, Ask::default(), &mut out), Err(ArchiveError::Missing(_))));
        let usage = crate::server::usage::Usage::open(data.path(), ByteCount::new(1), clock.clone()).unwrap();
        usage.hear(crate::server::usage::Said::Relay {
            provider: "static".parse().unwrap(),
            participant: None,
            bytes: ByteCount::parse_gb("150").unwrap(),
        });
        let text = loop {
            out.clear();
            answer(&config, &clock, Ask::default(), &mut out).unwrap();
            let text = String::from_utf8(out.clone()).unwrap();
            if !text.contains("Nothing was relayed") {
                break text;
            }
        };
        for words in
            ["150.00 of 1000 GB relayed", "Cost so far: 15.00 EUR", "By the end of the month: about ", "Twilio"]
        {
            assert!(text.contains(words), "{words} is missing:\n{text}");
        }
    }
}
