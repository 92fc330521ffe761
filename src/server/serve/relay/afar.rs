//! Leads a relay that is a process of its own: tells it whom to end and how much it may relay, and takes what it counts into the
//! books.
//!
//! While it is heard its count is what counts, and it is cut where the limits are, as the relay in this process would be. Whatever it
//! relayed while this app was stopped it tells afterwards. If it is silent for a while, what browsers report counts, and what it
//! says of that time does not.

use super::wire::{self, Wire};
use crate::{
    domain::{ByteCount, Now, ProviderKind, ProviderName},
    server::{
        clock::Clock,
        config::{Config, ControlPlace},
        providers::RelayDesk,
        relay::{Errands, Mint, Orders, Report, Side},
        usage::{Said, Usage},
    },
};
use std::{io, time::Duration};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

/// How often they speak when there is nobody to end.
const EVERY: Duration = Duration::from_millis(500);

/// How long after a connection was lost another one is tried.
const AGAIN: Duration = Duration::from_millis(500);

/// How long a relay may be silent before browsers' reports count.
const SILENT: Duration = Duration::from_secs(5);

/// Reports of a time that browsers have counted: one that was under way when the connection was lost, and the one after it.
const ON_RETURN: u8 = 2;

/// Whose count is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Counts {
    /// Browsers': it was not heard yet.
    NotYet,
    /// Its own.
    Itself,
    /// Browsers': it is silent.
    NoMore,
}

/// Leads a relay elsewhere, until it is stopped.
pub struct FarRelay {
    place: ControlPlace,
    mint: Mint,
    errands: Errands,
    desk: RelayDesk,
    usage: Usage,
    clock: Clock,
    /// The relay's process, and the last of its reports.
    process: u64,
    heard: u64,
    /// The last one whom that process has ended.
    ended: u64,
    counts: Counts,
    /// When it was heard last; before that, when it was first tried.
    heard_at: Now,
    /// What is in the books of it, or will be, as [`Usage::relay_booked`] counts.
    booked: ByteCount,
    /// How many more of its reports are of a time that is counted already.
    passed_over: u8,
    /// That it is not heard was said.
    has_complained: bool,
}

impl FarRelay {
    /// For the relay that was configured.
    pub(super) fn new(
        config: &Config,
        mint: Mint,
        errands: Errands,
        desk: RelayDesk,
        usage: Usage,
        clock: Clock,
    ) -> Self {
        let heard_at = clock.now();
        Self {
            place: config.relay.control(&config.app.data_dir),
            mint,
            errands,
            desk,
            usage,
            clock,
            process: 0,
            heard: 0,
            ended: 0,
            counts: Counts::NotYet,
            heard_at,
            booked: ByteCount::ZERO,
            passed_over: 0,
            has_complained: false,
        }
    }

    /// Leads until it is stopped.
    pub async fn lead(mut self, stopping: CancellationToken) {
        while !stopping.is_cancelled() {
            if let Err(lost) = self.lead_once(&stopping).await {
                self.lose(&lost);
                let _stopped = stopping.run_until_cancelled(tokio::time::sleep(AGAIN)).await;
            }
        }
    }

    /// Over one connection, until that is lost. Without a fault once it is stopped.
    async fn lead_once(&mut self, stopping: &CancellationToken) -> io::Result<()> {
        let stream = wire::connect(&self.place).await?;
        let (mut wire, process) = Wire::greet(stream, self.mint.clone(), Side::App, 0).await?;
        if std::mem::replace(&mut self.process, process) != process {
            (self.heard, self.ended) = (0, 0);
        }
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = self.errands.wait() => {}
                () = stopping.cancelled() => {}
            }
            // The last word is that what it said before was heard. What it says to that it will say again.
            let is_last = stopping.is_cancelled();
            let orders = self.orders();
            wire.say(&orders).await?;
            let report: Report = wire.hear().await?;
            if let Some(end) = orders.ends.last() {
                self.ended = end.number;
                self.errands.done(end.number);
            }
            if is_last {
                return Ok(());
            }
            self.take(&report);
        }
    }

    fn orders(&self) -> Orders {
        // Before it counts for itself nothing is promised there, and it looks at neither.
        Orders {
            heard: self.heard,
            left: self.usage.relay_bound().minus(self.booked).get(),
            alone: self.usage.relay_alone().get(),
            ends: self.errands.after(self.ended),
        }
    }

    /// It was heard.
    fn take(&mut self, report: &Report) {
        let was_silent = self.clock.now().since(self.heard_at) >= SILENT;
        // What was relayed while this app was stopped for a moment nobody else has counted.
        let is_counted_already = match self.counts {
            Counts::Itself => false,
            Counts::NotYet => was_silent,
            Counts::NoMore => true,
        };
        if self.counts != Counts::Itself {
            self.counts = Counts::Itself;
            self.usage.relays_elsewhere(name());
            self.booked = self.usage.relay_booked();
            self.passed_over = if is_counted_already { ON_RETURN } else { 0 };
            tracing::info!("The built-in relay, a process of its own, is led by this app and counts for itself");
        }
        self.heard_at = self.clock.now();
        self.has_complained = false;
        let is_passed_over = self.passed_over > 0;
        self.passed_over = self.passed_over.saturating_sub(1);
        if report.number <= self.heard {
            return;
        }
        self.heard = report.number;
        if is_passed_over {
            return;
        }
        for (holder, bytes) in &report.relayed {
            let (participant, bytes) = (self.desk.known(*holder), ByteCount::new(*bytes));
            self.booked = self.booked.plus(bytes);
            self.usage.hear(Said::Relay { provider: name(), participant, bytes });
        }
    }

    /// It was not heard.
    fn lose(&mut self, why: &io::Error) {
        let is_silent = self.clock.now().since(self.heard_at) >= SILENT;
        if !is_silent || std::mem::replace(&mut self.has_complained, true) {
            return;
        }
        tracing::warn!(
            "The built-in relay, a process of its own, is not heard at {} ({why}): whoever leaves is not cut there, and what \
             browsers report of it counts. See that tessro relay runs with the same TURN_RELAY_CONTROL and TURN_RELAY_SECRET",
            self.place
        );
        if self.counts == Counts::Itself {
            self.counts = Counts::NoMore;
            self.usage.hear(Said::Speaks { provider: name(), speaks: false });
        }
    }
}

fn name() -> ProviderName {
    ProviderKind::Relay.into()
}
