//! A relay that is a process of its own, as it is led by its app: ends whom it is told to, relays no more than it may, and tells
//! what it relayed.
//!
//! While no app leads it, it relays on: what was left when the app was heard last, with what could still have been promised then;
//! before any was heard, and again from the first of each month, as much as `MONTHLY_BANDWIDTH_LIMIT_GB`.

use super::wire::{Port, Wire};
use crate::{
    domain::{ByteCount, Now},
    server::{
        clock::Clock,
        config::Config,
        relay::{Mint, Orders, Relay, Report, Side, Telling},
        usage::Month,
    },
};
use futures::{StreamExt as _, future::join_all, stream::FuturesUnordered};
use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::io::{AsyncRead, AsyncWrite};

/// An app that says nothing for this long leads no more.
const SILENT: Duration = Duration::from_secs(3);

/// How often it is looked whether it does.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The first report over a connection may be an old one. With the second an app knows what was relayed before it came.
const NEWS: u64 = 2;

/// How many may be connected. One of them leads.
const MOST_CONNECTIONS: usize = 8;

/// What an app leads a relay by.
pub struct Led {
    relay: Arc<Relay>,
    mint: Mint,
    clock: Clock,
    /// `None` where the place cannot be taken.
    port: Option<Port>,
    /// The number of this process.
    process: u64,
    /// What a month may bring without an app.
    of_a_month: ByteCount,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    telling: Telling,
    /// The connection that leads: the last one over which something was heard.
    leads: u64,
    /// When it was heard last; `None`: nobody leads.
    heard_at: Option<Now>,
    /// Up to where the relay may relay without an app, counted from its start.
    alone: ByteCount,
    month: Month,
}

impl Led {
    /// Waits for an app where that was set. From here on the relay is bounded.
    pub(super) async fn by(config: &Config, relay: Arc<Relay>, mint: Mint, clock: Clock) -> Self {
        let place = config.relay.control(&config.app.data_dir);
        let port = Port::open(&place).await;
        let port = port.inspect_err(|error| {
            tracing::warn!("No app can lead this relay: {place} cannot be taken ({error}): see TURN_RELAY_CONTROL");
        });
        let of_a_month = config.limits.monthly_bandwidth_limit_gb;
        relay.meter().bound(of_a_month);
        let state = State {
            telling: Telling::default(),
            leads: 0,
            heard_at: None,
            alone: of_a_month,
            month: Month::of(clock.wall()),
        };
        Self { relay, mint, clock, port: port.ok(), process: rand::random(), of_a_month, state: Mutex::new(state) }
    }

    /// Never ends. May be dropped at any moment.
    pub async fn run(&self) {
        let looking = async {
            let mut ticks = tokio::time::interval(LOOK_EVERY);
            loop {
                ticks.tick().await;
                self.look();
            }
        };
        tokio::join!(looking, self.receive());
    }

    async fn receive(&self) {
        let Some(port) = &self.port else { return };
        let mut connections = FuturesUnordered::new();
        loop {
            tokio::select! {
                came = port.accept() => match came {
                    Ok(stream) if connections.len() < MOST_CONNECTIONS => connections.push(self.serve(stream)),
                    Ok(_) => tracing::debug!("Too many are connected to lead the relay"),
                    Err(error) => {
                        tracing::debug!("Somebody who would lead the relay cannot be taken: {error}");
                        tokio::time::sleep(LOOK_EVERY).await;
                    }
                },
                Some(()) = connections.next(), if !connections.is_empty() => {}
            }
        }
    }

    async fn serve(&self, stream: impl AsyncRead + AsyncWrite + Unpin) {
        if let Err(error) = self.be_led(stream).await {
            tracing::debug!("A connection to lead the relay ended: {error}");
        }
    }

    /// Obeys until the connection ends, or another one leads.
    async fn be_led(&self, stream: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<()> {
        let (mut wire, _) = Wire::greet(stream, self.mint.clone(), Side::Relay, self.process).await?;
        let mut number = None;
        let mut reports = 0_u64;
        loop {
            let orders: Orders = wire.hear().await?;
            let number = *number.get_or_insert_with(|| self.lead());
            let Some(report) = self.obey(&orders, number, reports >= NEWS).await else { return Ok(()) };
            wire.say(&report).await?;
            reports += 1;
        }
    }

    /// A connection over which something was heard leads from now on.
    fn lead(&self) -> u64 {
        let mut state = self.state();
        state.leads += 1;
        state.leads
    }

    /// Does what the app says; what it is told. `None`: it leads no more. Whether it knows what was relayed before it came.
    async fn obey(&self, orders: &Orders, connection: u64, knows: bool) -> Option<Report> {
        // Each thread of the relay gets all of them at once.
        join_all(orders.ends.iter().map(|end| self.relay.carry_out(*end))).await;
        let relayed: BTreeMap<_, _> = self
            .relay
            .meter()
            .read_all()
            .into_iter()
            .map(|(holder, traffic)| (holder, traffic.sent.plus(traffic.received)))
            .collect();
        let mut state = self.state();
        if state.leads != connection {
            return None;
        }
        let heard = state.telling.heard(orders.heard);
        // An app that has just come does not, and would cut what was relayed without it out of what may be relayed from now on.
        if knows {
            let led = heard.plus(ByteCount::new(orders.left));
            state.alone = led.plus(ByteCount::new(orders.alone));
            self.relay.meter().bound(led);
            state.month = Month::of(self.clock.wall());
            if state.heard_at.replace(self.clock.now()).is_none() {
                tracing::info!("An app leads this relay");
            }
        }
        let is_heard = orders.heard >= state.telling.last();
        Some(state.telling.report(&relayed, is_heard).clone())
    }

    fn look(&self) {
        let (now, month) = (self.clock.now(), Month::of(self.clock.wall()));
        let total = self.relay.meter().total();
        let mut state = self.state();
        if state.heard_at.is_some_and(|at| now.since(at) >= SILENT) {
            state.heard_at = None;
            self.relay.meter().bound(state.alone);
            let left = self.relay.meter().left().gb_text(1);
            tracing::warn!("No app leads this relay any more: it goes on for {left} GB at most");
        }
        if state.heard_at.is_none() && std::mem::replace(&mut state.month, month) != month {
            state.alone = total.plus(self.of_a_month);
            self.relay.meter().bound(state.alone);
        }
    }

    /// Held for a few lines at a time, none of which waits or panics.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
