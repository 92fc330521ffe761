//! The guides in `docs/` say what the code says: their tables are made from it, the log lines that they explain are ours, and
//! links lead somewhere.

use crate::{
    domain::{ByteCount, ProviderKind},
    server::{
        money::{Money, Paid, Plan, Prices, Tariff, published},
        providers::{AtExpiry, Terms, UsageAsked},
        usage::Billing,
    },
    stream::Rung,
};
use std::{collections::BTreeSet, fmt::Write as _, fs, path::PathBuf};

/// Steps of a month, in GB of film.
const STEPS: [u64; 7] = [10, 100, 500, 1_000, 2_000, 5_000, 10_000];

/// What is no `.md` of ours and has links of ours all the same.
const README: &str = "README.md";

/// Set to write the tables into the guides.
const WRITE: &str = "TESSRO_WRITE_GUIDES";

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn guides() -> Vec<(String, String)> {
    let names =
        fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut guides: Vec<_> = names.filter(|name| name.contains(".md")).map(|name| format!("docs/{name}")).collect();
    guides.sort();
    guides.push(README.to_owned());
    guides.into_iter().map(|name| (name.clone(), fs::read_to_string(root().join(name)).unwrap())).collect()
}

/// How often one GB of film is counted where both ends use the relay.
fn counted(billing: Billing) -> u64 {
    match billing {
        // The guest's end gets it.
        Billing::ClientEgress => 1,
        // And the host's end brings it.
        Billing::ClientBoth => 2,
    }
}

fn life(terms: &Terms) -> String {
    terms.longest_life.map_or("as you set it".into(), |life| format!("{} h", life.as_secs() / 3_600))
}

/// Without cents where there are none.
fn dollars(cost: Money) -> String {
    let text = cost.to_string();
    format!("{} $", text.strip_suffix(".00").unwrap_or(&text))
}

fn terms() -> String {
    let mut table = String::from(
        "| | bills what passes | longest life of a credential | a relayed call when it expires | taken back early | tells \
         what was used |\n|---|---|---|---|---|---|\n",
    );
    for kind in ProviderKind::ALL {
        let terms = Terms::of(kind);
        let billing = match terms.billing {
            Billing::ClientEgress => "from the relay to its client",
            Billing::ClientBoth => "between relay and client, both ways",
        };
        let at_expiry = match terms.at_expiry {
            AtExpiry::CutOff => "is cut off soon afterwards",
            AtExpiry::GoesOn => "goes on",
            AtExpiry::NotKnown => "not known",
        };
        let revocable = if terms.revocable { "yes" } else { "no" };
        let usage = match terms.usage {
            UsageAsked::EachCredential => "for each credential",
            UsageAsked::Account => "for the account",
            UsageAsked::Nothing => "no",
        };
        let row = [&format!("`{kind}`"), billing, &life(&terms), at_expiry, revocable, usage].join(" | ");
        writeln!(table, "| {row} |").unwrap();
    }
    table
}

/// What so many GB of film in a month cost.
fn bill(kind: ProviderKind, film: u64) -> String {
    let counted = film * counted(Billing::of(kind));
    let cost = match published(kind).paid {
        Paid::By(..) => Prices::default().cost(&kind.into(), gigabytes(counted)),
        Paid::OwnLine | Paid::NotKnown => None,
    };
    cost.map_or_else(|| format!("{counted} GB"), dollars)
}

fn gigabytes(count: u64) -> ByteCount {
    ByteCount::new(count * 1_000_000_000)
}

/// The only plan of what is published.
fn plan(tariff: &Tariff) -> &Plan {
    let [plan] = tariff.plans() else { panic!("a table has to be made of several plans") };
    plan
}

fn prices() -> String {
    let mut table = String::from(
        "| | a GB costs | free each month | 1 GB of film counts as | as of | from |\n|---|---|---|---|---|---|\n",
    );
    for kind in ProviderKind::ALL {
        let published = published(kind);
        let (price, free) = match &published.paid {
            Paid::By(tariff, _) => {
                let Plan { included, beyond, .. } = plan(tariff);
                let price = beyond.map_or("what your plan says".into(), |rate| dollars(rate.price));
                let free = included.gb_text(0).to_string();
                (price, if free == "0" { "nothing".into() } else { format!("{free} GB") })
            }
            Paid::OwnLine => ("what your line costs".to_owned(), "what your line costs".to_owned()),
            Paid::NotKnown => ("what your plan says".to_owned(), "what your plan says".to_owned()),
        };
        let (as_of, source) = (published.as_of, published.source);
        let counted = counted(Billing::of(kind));
        writeln!(table, "| `{kind}` | {price} | {free} | {counted} GB | {as_of} | {source} |").unwrap();
    }
    table
}

fn months() -> String {
    let mut table = String::from("| film over relays in a month |");
    for kind in ProviderKind::ALL {
        write!(table, " `{kind}` |").unwrap();
    }
    writeln!(table, "\n|---|{}", "---|".repeat(ProviderKind::ALL.len())).unwrap();
    for film in STEPS {
        write!(table, "| {film} GB |").unwrap();
        for kind in ProviderKind::ALL {
            write!(table, " {} |", bill(kind, film)).unwrap();
        }
        table.push('\n');
    }
    table
}

/// What those cost roughly who publish nothing that could be reckoned with.
fn roughly() -> String {
    let mut table = String::from("| | a month of at most | costs about |\n|---|---|---|\n");
    for kind in [ProviderKind::Xirsys, ProviderKind::Coturn] {
        for Plan { fee, included, .. } in published(kind).roughly.unwrap().plans() {
            writeln!(table, "| `{kind}` | {} GB | {} |", included.gb_text(0), dollars(*fee)).unwrap();
        }
    }
    table
}

/// Two hours of film at most, for one guest.
fn films() -> String {
    let mut table = String::from("| picture | at most | two hours for one guest | for seven |\n|---|---|---|---|\n");
    for rung in Rung::ALL {
        let bits = u64::from(rung.most_bits());
        // Tenths of a GB, of 7,200 seconds.
        let tenths = |guests: u64| guests * bits * 7_200 / 8 / 100_000_000;
        let text = |tenths: u64| format!("{}.{} GB", tenths / 10, tenths % 10);
        let (lines, kilobits) = (rung.lines(), bits / 1_000);
        writeln!(table, "| {lines} lines | {kilobits} kbps | {} | {} |", text(tenths(1)), text(tenths(7))).unwrap();
    }
    table
}

#[test]
fn tables_are_what_the_code_says() {
    let tables = [
        ("docs/relays.md", "terms", terms()),
        ("docs/costs.md", "prices", prices()),
        ("docs/costs.md", "months", months()),
        ("docs/costs.md", "roughly", roughly()),
        ("docs/costs.md", "films", films()),
    ];
    for (guide, name, table) in tables {
        let path = root().join(guide);
        let text = fs::read_to_string(&path).unwrap();
        let (begin, end) = (format!("<!-- {name}: made by a test -->\n"), format!("<!-- end of {name} -->"));
        let (before, rest) = text.split_once(&begin).unwrap_or_else(|| panic!("{guide} has no place for {name}"));
        let (there, after) = rest.split_once(&end).unwrap();
        if std::env::var_os(WRITE).is_some() {
            fs::write(&path, format!("{before}{begin}{table}{end}{after}")).unwrap();
        } else {
            assert!(there == table, "{guide} is out of date: run this test once with {WRITE}=1");
        }
    }
}

#[test]
fn prices_that_are_shown_can_be_read() {
    let mut shown = 0;
    for (guide, text) in guides() {
        for written in text.lines().filter_map(|line| line.strip_prefix("PROVIDER_PRICES=")) {
            shown += 1;
            assert!(Prices::parse(written).is_ok(), "{guide}: {written}");
            let dot_env = format!("PROVIDER_PRICES={written}\n");
            let read = dotenvy::from_read_iter(dot_env.as_bytes()).next().unwrap().unwrap();
            assert_eq!(read.1, written, "{guide}: .env has it differently");
        }
    }
    assert!(shown > 0, "the example is gone");
}

#[test]
fn a_bill_begins_where_the_free_part_ends() {
    let of = bill;
    assert_eq!(of(ProviderKind::Cloudflare, 1_000), "0 $");
    assert_eq!(of(ProviderKind::Cloudflare, 2_000), "50 $");
    assert_eq!(of(ProviderKind::Twilio, 100), "80 $");
    assert_eq!((of(ProviderKind::Metered, 10), of(ProviderKind::Metered, 100)), ("0 $".into(), "200 GB".into()));
}

/// A source without the tests at its end.
fn without_tests(source: &str) -> &str {
    let begin = source.match_indices("#[cfg(test)]\n").map(|(place, _)| place);
    let of_tests = |place: &usize| source[*place..].lines().nth(1).is_some_and(|line| line.ends_with("mod tests {"));
    begin.filter(of_tests).last().map_or(source, |place| &source[..place])
}

/// All that is built, without line breaks inside of texts. What a test expects proves nothing of what is said.
fn sources() -> String {
    fn walk(folder: PathBuf, text: &mut String) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("tests") {
                walk(path, text);
            } else if path.extension().is_some_and(|ending| ending == "rs") && !path.ends_with("tests.rs") {
                text.push_str(without_tests(&fs::read_to_string(path).unwrap()));
            }
        }
    }
    let mut text = String::new();
    walk(root().join("src"), &mut text);
    let mut joined = String::new();
    for (place, part) in text.split("\\\n").enumerate() {
        joined.push_str(if place == 0 { part } else { part.trim_start() });
    }
    joined
}

/// The parts of a log line that stand in the code as they are: what is between variables, numbers and names of providers.
fn fixed_parts(line: &str) -> Vec<String> {
    let mut line = line.to_owned();
    for kind in ProviderKind::ALL {
        line = line.replace(&format!("{} API", kind.title()), "<> API");
    }
    let between = line.split(['<', '>']).step_by(2).flat_map(|part| part.split(|c: char| c.is_ascii_digit()));
    between.map(|part| part.trim_matches([' ', ':', '(', ')']).to_owned()).filter(|part| part.len() > 3).collect()
}

#[test]
fn what_stands_in_tests_alone_is_nothing_that_is_said() {
    let sources = sources();
    assert!(sources.contains("Tessro server listening on port"));
    for test in ["fn what_stands_in_tests_alone", "fn a_limit_is_printed_as_it_was_set"] {
        assert!(!sources.contains(test), "{test}");
    }
}

#[test]
fn the_log_lines_that_are_explained_are_ours() {
    let guide = fs::read_to_string(root().join("docs/troubleshooting.md")).unwrap();
    let cells = guide.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` |").map(|(cell, _)| cell));
    let sources = sources();
    let mut lines = 0;
    for line in cells {
        lines += 1;
        for part in fixed_parts(line) {
            assert!(sources.contains(&part), "docs/troubleshooting.md explains `{line}`, and nothing says `{part}`");
        }
    }
    assert!(lines > 15, "the tables are not where they should be");
}

#[test]
fn links_lead_to_files_and_headings_that_are_there() {
    let guides = guides();
    let anchor = |heading: &str| {
        let kept = heading.chars().filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c));
        kept.collect::<String>().to_lowercase().replace(' ', "-")
    };
    for (name, text) in &guides {
        let folder = root().join(name).parent().unwrap().to_owned();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.contains("://") {
                continue;
            }
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { root().join(name) } else { folder.join(file) };
            assert!(target.exists(), "{name} links to {link}");
            let headings = || fs::read_to_string(&target).unwrap();
            let there = heading.is_empty()
                || headings()
                    .lines()
                    .any(|line| line.starts_with('#') && anchor(line.trim_start_matches(['#', ' '])) == heading);
            assert!(there, "{name} links to {link}, which has no such heading");
        }
    }
    let linked: BTreeSet<_> = guides.iter().filter(|(name, _)| name != README).map(|(name, _)| name).collect();
    let (_, readme) = guides.iter().find(|(name, _)| name == README).unwrap();
    for guide in linked {
        assert!(readme.contains(&format!("({guide}")), "the README does not link to {guide}");
    }
}
