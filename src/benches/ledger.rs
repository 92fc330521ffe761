//! What ten million rows of evidence cost those who look at them, and what it takes to make their sums anew.
//!
//! The rows go into a ledger of the real layout; its sums are made by `tessro usage --rebuild`, beside somebody who writes; and it is
//! looked at through the binary itself: `tessro serve` over HTTP, and `tessro usage --csv`, whose memory is read from `/proc`. A hundred
//! rows are of one session, sessions overlap, and five relays share them. Three ledgers: a small one to compare with, one whose rows are
//! spread over a year, and the worst, whose rows are all in the month that is looked at.
//!
//! `cargo bench --features ssr --bench ledger -- [rows] [months]`: how many rows, and over how many months up to this one they are
//! spread, 12 where none are named. `TESSRO` names another binary to be measured, such as an older one.
//!
//! Everything is measured and printed, and then it fails where what is promised is not held: status in 5 ms and the operator's page in
//! 200 ms, half of the time at least, and an export of much in as much memory as one of little, within 6 MB.

use rusqlite::{Connection, params};
use std::{
    env,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};
use tessro::{
    domain::{ByteCount, UnixMillis},
    server::{
        clock::Clock,
        usage::{Month, Usage},
    },
};

/// The binary of this build.
const BUILT: &str = env!("CARGO_BIN_EXE_tessro");
const TOKEN: &str = "a-token-of-a-benchmark-and-of-nothing-else";
const RELAYS: [&str; 5] = ["coturn:one", "coturn:two", "coturn:three", "coturn:four", "coturn:five"];

/// Rows of one transaction.
const AT_ONCE: u64 = 1_000_000;

/// Somebody who writes beside a rebuild does so with this pause, and waits this long before it is a failure.
const WRITES_EVERY: Duration = Duration::from_millis(20);
const WAITS_FOR: Duration = Duration::from_mins(30);

/// A look that is younger than this is answered from memory, which is not what is measured here.
const FRESH_FOR: Duration = Duration::from_millis(850);

/// Twenty sessions at a time take turns, a hundred rows each. `?1` to `?2` are numbered rows; the first of all was written at `?3`,
/// the last `?4` later, of `?5`.
const ROWS: &str = "
    WITH RECURSIVE
        number (row) AS (SELECT ?1 UNION ALL SELECT row + 1 FROM number WHERE row + 1 < ?2),
        drawn AS (
            SELECT row, ?3 + ?4 / 1000 * row / ?5 * 1000 AS at_ms, row / 2000 * 20 + row % 20 AS session, row / 20 % 3 AS person,
                row % 10 >= 7 AS is_other_end, 1500000 + row * 7919 % 2000000 AS bytes
            FROM number
        )
    INSERT INTO evidence (node, seq, at_ms, day, kind, bytes, counted, provider, session, participant, connection)
    SELECT 0, row + 1, at_ms, at_ms / 86400000,
        CASE WHEN row % 5000 = 0 THEN 'estimate' WHEN row % 1000 = 1 THEN 'provider' WHEN session % 5 = 4 THEN 'relay'
            WHEN is_other_end THEN 'other_end' ELSE 'browser' END,
        bytes,
        iif(row % 1000 = 1 OR (is_other_end AND session % 5 < 4 AND row % 5000 > 0), 0, bytes),
        CASE WHEN row % 5000 = 0 THEN NULL WHEN session % 5 = 0 THEN 'coturn:one' WHEN session % 5 = 1 THEN 'coturn:two'
            WHEN session % 5 = 2 THEN 'coturn:three' WHEN session % 5 = 3 THEN 'coturn:four' ELSE 'coturn:five' END,
        iif(row % 1000 = 1, NULL, printf('%08x%08x', session * 2654435761 % 4294967296, session)),
        iif(row % 1000 = 1 OR row % 5000 = 0, NULL, printf('%08x%08x', (session * 3 + person) * 2654435761 % 4294967296, session)),
        iif(row % 1000 = 1 OR session % 5 = 4, NULL, printf('%08x%08x', (session * 3 + person) * 40503 % 4294967296, session))
    FROM drawn";

/// What half of the answers may take at most.
const STATUS_WITHIN: Duration = Duration::from_millis(5);
const VIEW_WITHIN: Duration = Duration::from_millis(200);

/// By how much the memory of exports of any size may differ, in kB.
const EXPORTS_WITHIN: u32 = 6_000;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    // What cargo says to every harness.
    let arguments: Vec<_> = env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let ledgers = match arguments.iter().map(|argument| argument.parse()).collect::<Result<Vec<u64>, _>>()?[..] {
        [] => vec![(100_000, 1), (10_000_000, 12), (10_000_000, 1)],
        [rows] => vec![(rows, 12)],
        [rows, months, ..] => vec![(rows, months)],
    };
    let (mut exports, mut broken) = (Vec::new(), Vec::new());
    for (rows, months) in ledgers {
        exports.push(measure(rows, months, &mut broken)?);
    }
    let (least, most) = (exports.iter().min().copied(), exports.iter().max().copied());
    let apart = most.unwrap_or_default() - least.unwrap_or_default();
    if apart > EXPORTS_WITHIN {
        broken.push(format!("the memory of exports differs by {:.1} MB", f64::from(apart) / 1_000.0));
    }
    if broken.is_empty() { Ok(()) } else { Err(broken.join("; ").into()) }
}

/// Prints what it finds, and adds what does not hold to `broken`. Gives the most memory that the export had, in kB.
fn measure(rows: u64, months: u64, broken: &mut Vec<String>) -> Result<u32, Failure> {
    let mut out = std::io::stdout();
    let over = if months == 1 { "in this month".to_owned() } else { format!("over {months} months") };
    writeln!(out, "{rows} rows {over}")?;
    let (dir, clock) = (tempfile::tempdir()?, Clock::system());
    let month = fill(dir.path(), rows, months)?;
    let mut say = |what: &str, figure: String| writeln!(out, "  {what:<34} {figure:>28}");
    let file = dir.path().join("usage.db");
    say("the file", format!("{} MB", file.metadata()?.len() / 1_000_000))?;

    // The first time there are no sums, the second time they are right already.
    for what in ["every sum made", "every sum made anew"] {
        let begun = clock.now();
        let waits = rebuild(dir.path())?;
        say(what, seconds(clock.now().since(begun)))?;
        say("  who writes meanwhile waits", median_and_worst(&waits))?;
    }
    say("the file with its sums", format!("{} MB", file.metadata()?.len() / 1_000_000))?;

    let begun = clock.now();
    let server = Server::start(dir.path())?;
    say("the server's start", seconds(clock.now().since(begun)))?;
    let status = times(200, Duration::ZERO, || server.get("/api/bandwidth-status"))?;
    say("status", median_and_worst(&status))?;
    let view = times(20, FRESH_FOR, || server.get("/api/admin/view"))?;
    say("the operator's page", median_and_worst(&view))?;
    for (what, times, within) in [("status", &status, STATUS_WITHIN), ("the operator's page", &view, VIEW_WITHIN)] {
        if median(times) > within {
            broken.push(format!("{what} of {rows} rows {over}: {}", median_and_worst(times)));
        }
    }
    say("the server's memory at most", format!("{} MB", memory(server.process.id())? / 1_000))?;
    drop(server);

    let begun = clock.now();
    let export = export(dir.path(), month)?;
    let took = clock.now().since(begun);
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    let pace = export.rows as f64 / took.as_secs_f64();
    say(&format!("export of {month}, {} rows", export.rows), format!("{}, {pace:.0} rows/s", seconds(took)))?;
    say("its memory at most", format!("{:.1} MB", f64::from(export.memory) / 1_000.0))?;
    Ok(export.memory)
}

/// A ledger of so many rows, the last of which is from now. Gives the month that it ends in.
fn fill(dir: &Path, rows: u64, months: u64) -> Result<Month, Failure> {
    let now = Clock::system().wall();
    let month = Month::of(now);
    let mut first = month;
    for _ in 1..months {
        first = Month::of(UnixMillis(first.starts_at().0 - 1));
    }
    // What makes the layout is what always makes it.
    drop(Usage::open(dir, ByteCount::parse_gb("1000000")?, Clock::system())?);
    let mut ledger = Connection::open(dir.join("usage.db"))?;
    // What is lost with the power is made again.
    ledger.pragma_update(None, "synchronous", "off")?;
    let (begins, lasts) = (first.starts_at().0, now.0 - first.starts_at().0);
    for from in (0..rows).step_by(usize::try_from(AT_ONCE)?) {
        let transaction = ledger.transaction()?;
        let numbers = [from, rows.min(from + AT_ONCE), begins, lasts, rows];
        let [from, to, begins, lasts, rows] = numbers.map(|number| i64::try_from(number).unwrap_or(i64::MAX));
        transaction.execute(ROWS, params![from, to, begins, lasts, rows])?;
        transaction.commit()?;
    }
    ledger.pragma_update(None, "wal_checkpoint", "truncate")?;
    Ok(month)
}

/// Makes every sum anew. Gives, in order, how long somebody waited who wrote meanwhile, again and again.
fn rebuild(dir: &Path) -> Result<Vec<Duration>, Failure> {
    let writer = Connection::open(dir.join("usage.db"))?;
    writer.busy_timeout(WAITS_FOR)?;
    // As the server does it, so that each of its writes is on the disk.
    writer.pragma_update(None, "synchronous", "full")?;
    let (mut waits, clock) = (Vec::new(), Clock::system());
    let mut process = tessro(dir, &["usage", "--rebuild"]).stdout(Stdio::null()).spawn()?;
    let status = loop {
        if let Some(status) = process.try_wait()? {
            break status;
        }
        let begun = clock.now();
        writer.execute("INSERT OR REPLACE INTO promise VALUES (?1, 0, 0)", params![RELAYS[0]])?;
        waits.push(clock.now().since(begun));
        thread::sleep(WRITES_EVERY);
    };
    waits.sort_unstable();
    if status.success() { Ok(waits) } else { Err("the sums cannot be made anew".into()) }
}

/// The program, with nothing set but what it takes.
fn tessro(dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env::var_os("TESSRO").unwrap_or_else(|| BUILT.into()));
    command.args(arguments).current_dir(dir).env_clear().env("DATA_DIR", dir).env("TURN_PROVIDERS", RELAYS.join(","));
    for relay in RELAYS {
        let label = relay.trim_start_matches("coturn:").to_uppercase();
        command.env(format!("COTURN_URLS_{label}"), "turn:127.0.0.1:3478");
        command.env(format!("COTURN_SHARED_SECRET_{label}"), "of-a-benchmark");
    }
    command.env("ADMIN_TOKEN", TOKEN).env("PORT", "0").env("MONTHLY_BANDWIDTH_LIMIT_GB", "1000000");
    command.env("TURN_RELAY", "off").env("TURN_CHECK_EVERY", "off").env("PROVIDER_USAGE_EVERY", "off");
    command.stdin(Stdio::null());
    command
}

struct Server {
    process: Child,
    port: u16,
}

impl Server {
    fn start(dir: &Path) -> Result<Self, Failure> {
        let mut process = tessro(dir, &["serve"]).stdout(Stdio::piped()).spawn()?;
        let mut lines = BufReader::new(process.stdout.take().ok_or("no output")?).lines();
        let port = loop {
            let line = lines.next().ok_or("the server does not start")??;
            if let Some((_, port)) = line.split_once("listening on port ") {
                break port.trim().parse()?;
            }
        };
        // What it says later is read, so that it never waits for a reader.
        thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        Ok(Self { process, port })
    }

    /// Asks on a connection of its own, and reads the whole answer.
    fn get(&self, address: &str) -> Result<(), Failure> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_nodelay(true)?;
        write!(
            stream,
            "GET {address} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\nConnection: close\r\n\r\n"
        )?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        if answer.starts_with(b"HTTP/1.1 200") { Ok(()) } else { Err(format!("{address} is not answered").into()) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn times(
    count: usize,
    pause: Duration,
    mut ask: impl FnMut() -> Result<(), Failure>,
) -> Result<Vec<Duration>, Failure> {
    // The first one finds nothing in memory; it counts like all others.
    let (mut times, clock) = (Vec::with_capacity(count), Clock::system());
    for _ in 0..count {
        let begun = clock.now();
        ask()?;
        times.push(clock.now().since(begun));
        thread::sleep(pause);
    }
    times.sort_unstable();
    Ok(times)
}

fn median(sorted: &[Duration]) -> Duration {
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

fn median_and_worst(sorted: &[Duration]) -> String {
    let millis = |time: Duration| time.as_secs_f64() * 1e3;
    format!("{:.1} ms, at worst {:.1} ms", millis(median(sorted)), millis(sorted.last().copied().unwrap_or_default()))
}

fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}

struct Export {
    rows: u64,
    /// At most, in kB.
    memory: u32,
}

/// Reads a whole export, and looks at the memory of whoever writes it on the way.
fn export(dir: &Path, month: Month) -> Result<Export, Failure> {
    let mut process = tessro(dir, &["usage", "--csv", "--month", &month.to_string()]).stdout(Stdio::piped()).spawn()?;
    let mut output = process.stdout.take().ok_or("no output")?;
    let mut export = Export { rows: 0, memory: 0 };
    let mut part = vec![0; 1 << 20];
    loop {
        let length = output.read(&mut part)?;
        if length == 0 {
            break;
        }
        export.rows += u64::try_from(part[..length].split(|byte| *byte == b'\n').count() - 1)?;
        // The last part is read while it still runs, or has just ended and has no memory left to speak of.
        export.memory = export.memory.max(memory(process.id()).unwrap_or_default());
    }
    if !process.wait()?.success() {
        return Err("the export failed".into());
    }
    // The heading is no row.
    export.rows -= 1;
    Ok(export)
}

/// The most that a process has had in memory, in kB.
fn memory(process: u32) -> Result<u32, Failure> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no memory is told")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse()?)
}
