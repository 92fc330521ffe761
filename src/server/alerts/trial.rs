//! `tessro alerts test`: an alert on every way that is set, and how each went.

use super::{Way, WayKind, desk::trial, way::NoWay};
use crate::server::{clock::Clock, config::Config};
use lettre::transport::smtp::client::Certificate;
use std::io::Write;

/// Sends one every way, and says to `told` how each went. True if nothing is broken; `trusted` are certificates beside the
/// system's.
pub async fn run(config: &Config, trusted: &[Certificate], told: &mut impl Write) -> Result<bool, NoWay> {
    let ways = Way::all(config, trusted)?;
    let clock = Clock::system();
    let alert = trial(&clock);
    let mut is_well = true;
    for kind in [WayKind::Webhook, WayKind::Mail] {
        let line = match ways.iter().find(|way| way.kind() == kind) {
            None => format!("skipped  {kind}: not set; see {} in .env.example", first_variable(kind)),
            Some(way) => match way.send(&alert, clock.wall().0 / 1_000).await {
                Ok(()) => format!("ok       {kind}: the test alert was taken"),
                Err(why) => {
                    is_well = false;
                    format!("BROKEN   {kind}: {why}.")
                }
            },
        };
        // A reader that has gone away is no reason to stop: the exit code still tells.
        drop(writeln!(told, "{line}"));
    }
    drop(writeln!(told, "ok       log: every alert stands there too, with 🔔"));
    Ok(is_well)
}

const fn first_variable(kind: WayKind) -> &'static str {
    match kind {
        WayKind::Webhook => "ALERT_WEBHOOK_URL",
        WayKind::Mail => "ALERT_SMTP_URL",
    }
}
