//! A crowd at this server and at others, in the same run: the same people, the same messages, at the same pace.
//!
//! Each server is a process of its own whose processor time and memory are read from `/proc`; the crowd is in this process, on the
//! same machine, and shares its processors with them. The others are a relay of ten lines written with socket.io, the signaling
//! servers of `PeerJS` and of matchbox: each passes a host's offers on to a guest. They are looked for in the folder that
//! `NEIGHBOURS` names, where `script/bench load` installs them; without it this server is alone.
//!
//! - `idle`: 10,000 people who say nothing, eight to a session, and what they cost; 2,000 in pairs at each server.
//! - `talk`: 1,000 pairs, one offer a second and five.
//! - `http`: kept credentials and the month's status, beside an axum handler that does nothing.
//! - `restart`: 10,000 people whose server is started anew, and 5,000 who come back while 5,000 others talk.
//!
//! `cargo bench --features ssr --bench load -- [idle] [talk] [http] [restart]`; prints Markdown.

mod crowds;
mod http;
mod neighbours;
mod servers;

use std::{env, error::Error, io::Write as _};

type Failure = Box<dyn Error>;

/// What can be measured.
const PARTS: [&str; 4] = ["idle", "talk", "http", "restart"];

fn main() -> Result<(), Failure> {
    // What cargo says to every harness.
    let arguments: Vec<_> = env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    if let [what, port] = &arguments[..]
        && what == servers::EMPTY
    {
        return runtime.block_on(http::serve_nothing(port.parse()?));
    }
    if let Some(unknown) = arguments.iter().find(|argument| !PARTS.contains(&argument.as_str())) {
        return Err(format!("`{unknown}` is not measured here: it is one of {}", PARTS.join(", ")).into());
    }
    let wanted = |part: &str| arguments.is_empty() || arguments.iter().any(|argument| argument == part);
    runtime.block_on(async {
        if wanted("idle") {
            crowds::idle().await?;
        }
        if wanted("talk") {
            crowds::talk().await?;
        }
        if wanted("http") {
            http::measure().await?;
        }
        if wanted("restart") {
            crowds::restart().await?;
        }
        Ok(())
    })
}

/// One line of what is printed.
fn print(line: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}
