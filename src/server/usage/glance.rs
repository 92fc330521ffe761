//! `tessro usage`: a month in a terminal.

use super::{Archive, ArchiveError, Month, MonthView, gb_number, rebuild};
use crate::{
    domain::ByteCount,
    server::{clock::Clock, config::Config},
};
use std::{
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
        let view = archive.month(month)?;
        show(month, &view, config.limits.monthly_bandwidth_limit_gb, out).map_err(Into::into)
    };
    match done {
        // Whoever reads, such as `head`, has read enough.
        Err(ArchiveError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => done,
    }
}

fn show(month: Month, view: &MonthView, limit: ByteCount, out: &mut impl Write) -> io::Result<()> {
    let part = |of: ByteCount, all: ByteCount| {
        u64::try_from(u128::from(of.get()) * u128::from(WIDTH) / u128::from(all.get().max(1)))
            .unwrap_or(WIDTH)
            .min(WIDTH)
    };
    let bar = |filled: u64| (0..WIDTH).map(|place| if place < filled { '█' } else { '·' }).collect::<String>();
    writeln!(out, "{month}  {} of {} GB relayed", view.used.gb_text(2), gb_number(limit))?;
    writeln!(out, "{}", bar(part(view.used, limit)))?;
    if view.providers.is_empty() {
        return writeln!(out, "\nNothing was relayed.");
    }
    writeln!(out, "\n{:<20} {:>12} {:>12} {:>14}", "provider", "counts, GB", "ours, GB", "theirs, GB")?;
    for (provider, sum) in &view.providers {
        let name = provider.as_ref().map_or("estimated".to_owned(), ToString::to_string);
        let said = if sum.said == ByteCount::ZERO { "-".to_owned() } else { sum.said.gb_text(4).to_string() };
        let (used, ours) = (sum.used().gb_text(4), sum.counted.plus(sum.estimated).gb_text(4));
        writeln!(out, "{name:<20} {:>12} {:>12} {said:>14}", used.to_string(), ours.to_string())?;
    }
    let most = view.days.values().copied().max().unwrap_or_default();
    writeln!(out, "\n{:<12} {:>10}", "day (UTC)", "GB")?;
    for (day, bytes) in &view.days {
        let bytes_text = bytes.gb_text(4).to_string();
        writeln!(out, "{month}-{day:02}   {bytes_text:>10}  {}", bar(part(*bytes, most)).trim_end_matches('·'))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::usage::ProviderSum;

    #[test]
    fn a_month_is_a_meter_a_table_and_a_bar_for_each_day() {
        let gb = |text: &str| ByteCount::parse_gb(text).unwrap();
        let sum = |counted, said| ProviderSum { counted: gb(counted), said: gb(said), estimated: ByteCount::ZERO };
        let view = MonthView {
            used: gb("500"),
            providers: vec![
                ("cloudflare".parse().ok(), sum("300", "310")),
                (None, ProviderSum { estimated: gb("190"), ..ProviderSum::default() }),
            ],
            days: [(1, gb("300")), (2, gb("150"))].into(),
        };
        let mut out = Vec::new();
        show("2026-11".parse().unwrap(), &view, gb("1000"), &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0], "2026-11  500.00 of 1000 GB relayed");
        assert_eq!(lines[1], format!("{}{}", "█".repeat(20), "·".repeat(20)));
        assert_eq!(lines[4].split_whitespace().collect::<Vec<_>>(), ["cloudflare", "310.0000", "300.0000", "310.0000"]);
        assert_eq!(lines[5].split_whitespace().collect::<Vec<_>>(), ["estimated", "190.0000", "190.0000", "-"]);
        assert!(lines[8].ends_with(&"█".repeat(40)) && lines[9].ends_with(&format!(" {}", "█".repeat(20))));
    }
}
