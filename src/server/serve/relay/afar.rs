//! Leads a relay that is a process of its own: tells it whom to end and how much it may relay, and takes what it counts into the
//! books.
//!
//! While it is heard its count is what counts, and it is cut where the limits are, as the relay in this process would be. Whatever it
//! relayed while this app was stopped it tells afterwards. If it is silent for a while, what browsers report counts, and what it
//! says of that time as far as it is more.

mod count;

use self::count::Count;
use super::{
    kept_out::{KEPT_OUT_FOR, KeptOut},
    wire::{self, Wire},
};
use crate::{
    domain::{Now, ProviderKind, ProviderName},
    server::{
        clock::Clock,
        config::{Config, ControlPlace},
        providers::RelayDesk,
        relay::{Bouncer, Errands, Mint, Orders, Report, Side},
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

/// How long the books are waited for when this app stops, and how often they are looked at.
const LAST_WORD: Duration = Duration::from_secs(1);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Leads a relay elsewhere, until it is stopped.
pub struct FarRelay {
    place: ControlPlace,
    mint: Mint,
    errands: Errands,
    desk: RelayDesk,
    usage: Usage,
    clock: Clock,
    /// The relay's process.
    process: u64,
    /// The last one whom that process has ended.
    ended: u64,
    count: Count,
    kept_out: KeptOut,
    /// When it was heard last; before that, when it was first tried.
    heard_at: Now,
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
        usage.has_a_relay_elsewhere(name());
        let bouncer = Bouncer::afar(errands.clone(), mint.clone(), clock.clone(), KEPT_OUT_FOR);
        let kept_out = KeptOut::at(bouncer, desk.clone(), usage.clone(), clock.clone());
        Self {
            place: config.relay.control(&config.app.data_dir),
            mint,
            errands,
            desk,
            usage,
            clock,
            process: 0,
            ended: 0,
            count: Count::default(),
            kept_out,
            heard_at,
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
        // Another process is believed to be one once it has signed a line; until then it has heard nothing.
        let mut is_new = process != self.process;
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
            if is_last {
                self.finish_the_books().await;
            }
            let mut orders = self.orders();
            if is_new {
                (orders.heard, orders.ends) = (0, self.errands.after(0));
            }
            wire.say(&orders).await?;
            let report: Report = wire.hear().await?;
            if std::mem::take(&mut is_new) {
                (self.process, self.ended) = (process, 0);
                self.count.another_process();
            }
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

    fn orders(&mut self) -> Orders {
        self.count.booked(self.usage.relay_booked());
        let (heard, booked) = self.count.safe();
        // Before it counts for itself nothing is promised there, and it looks at neither.
        Orders {
            heard,
            left: self.usage.relay_bound().minus(booked).get(),
            alone: self.usage.relay_alone().get(),
            ends: self.errands.after(self.ended),
        }
    }

    /// What it said last gets onto the disk, or the next process is told it again.
    async fn finish_the_books(&mut self) {
        let waiting = async {
            loop {
                self.count.booked(self.usage.relay_booked());
                if self.count.is_safe() {
                    return;
                }
                tokio::time::sleep(LOOK_EVERY).await;
            }
        };
        // A full disk is not waited for.
        let _late = tokio::time::timeout(LAST_WORD, waiting).await;
    }

    /// It was heard.
    fn take(&mut self, report: &Report) {
        if !self.count.speaks() {
            self.usage.relays_elsewhere(name());
            self.count.begin(self.usage.relay_booked());
            tracing::info!("The built-in relay, a process of its own, is led by this app and counts for itself");
        }
        self.heard_at = self.clock.now();
        self.has_complained = false;
        for (holder, bytes) in self.count.take(report) {
            let participant = self.desk.known(holder);
            self.usage.hear(Said::Relay { provider: name(), participant, bytes });
        }
        self.kept_out.look(report.relayed.iter().map(|(holder, _)| *holder));
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
        if self.count.speaks() {
            self.count.fall_silent(self.usage.relay_booked());
            self.usage.hear(Said::Speaks { provider: name(), speaks: false });
        }
    }
}

fn name() -> ProviderName {
    ProviderKind::Relay.into()
}
