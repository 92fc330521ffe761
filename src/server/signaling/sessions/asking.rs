//! What is asked of a session from outside its sockets: whose a token is, a page's last reports, the operator's wishes. Where the session is
//! at another server, that one is asked.

use super::Sessions;
use crate::domain::{ParticipantId, ParticipantToken, ProviderName, SessionCode};
use crate::protocol::{RelayOver, UsageBeacon, WireToken, limits};
use crate::server::signaling::session::Input;
use crate::server::signaling::shared::{Answer, Question};
use crate::server::usage;
use serde::{Deserialize, Serialize};

/// Why a page's last reports were not taken.
#[derive(Debug, Clone, Serialize, Deserialize, thiserror::Error)]
pub enum BeaconError {
    /// The token is nobody's, or no report in it can be used.
    #[error("No report in this beacon can be used as one of yours. Join the session again to report.")]
    NotYours,
    /// No report in it can be used, and this is wrong with the first.
    #[error("No report in this beacon can be used: {0}.")]
    BadReport(usage::ReportError),
    /// More reports than connections can be.
    #[error("A beacon has at most {} reports. Send fewer.", limits::REPORTS_PER_BEACON)]
    TooMany,
}

impl Sessions {
    /// Answers another server, where this one can.
    pub(in super::super) fn answer(&self, question: Question) -> Option<Answer> {
        match question {
            Question::WhoIs(WireToken(token)) => {
                Some(Answer::Host(self.find(token.code).and_then(|session| session.authenticate(&token))))
            }
            Question::Beacon(beacon) => Some(Answer::Beacon(self.report_here(beacon))),
            Question::End(host) => self.end_here(host).then_some(Answer::Done),
            Question::WhereIs(participant) => self.is_in(participant).map(Answer::Session),
            Question::EndRelay(code, participant, providers) => {
                self.relays_nothing(code, Some(participant));
                self.end_relay_here(code, participant, &providers).then_some(Answer::Done)
            }
            Question::Door(code, invite) => Some(Answer::Door(self.shows(code, invite))),
        }
    }

    /// The host of the session that the token's holder is in; `None` where it is nobody's token, and where the server that has the
    /// session does not answer.
    pub async fn authenticate(&self, token: &ParticipantToken) -> Option<ParticipantId> {
        let here = || self.find(token.code).map(|session| session.authenticate(token));
        if let Some(known) = here() {
            return known;
        }
        let shared = self.0.around.shared.as_ref()?;
        match shared.ask(self, token.code, Question::WhoIs(WireToken(*token))).await {
            Some(Answer::Host(host)) => host,
            _ => here().flatten(),
        }
    }

    /// Takes the last reports of a page that went away, without those that are not its own or cannot be. There is no second
    /// beacon, so one bad report must not cost the others.
    /// Reports are counted where the session is, so that one which comes twice is known.
    pub async fn report_beacon(&self, beacon: UsageBeacon) -> Result<(), BeaconError> {
        let code = beacon.token.0.code;
        if let Some(shared) = &self.0.around.shared
            && !self.is_here(code)
            && let Some(Answer::Beacon(taken)) = shared.ask(self, code, Question::Beacon(beacon.clone())).await
        {
            return taken;
        }
        self.report_here(beacon)
    }

    fn report_here(&self, beacon: UsageBeacon) -> Result<(), BeaconError> {
        if beacon.reports.len() > limits::REPORTS_PER_BEACON {
            return Err(BeaconError::TooMany);
        }
        let token = beacon.token.0;
        let session = self.find(token.code).ok_or(BeaconError::NotYours)?;
        let sent = beacon.reports.len();
        let (mut taken, mut wrong) = (0, None);
        for report in beacon.reports {
            let Some(reporter) = session.reporter(&token, report.connection) else { continue };
            if let Err(error) = usage::check(&report) {
                wrong = wrong.or(Some(error));
                continue;
            }
            if reporter.open {
                self.0.around.usage.alive(report.connection);
            }
            self.0.around.paths.reported(reporter.participant, &report);
            self.0.around.usage.report(reporter.participant, report, || ());
            taken += 1;
        }
        if taken < sent {
            tracing::debug!(reports.sent = sent, reports.taken = taken, "Reports in a beacon could not be used");
        }
        match wrong {
            _ if taken > 0 || sent == 0 => Ok(()),
            Some(error) => Err(BeaconError::BadReport(error)),
            None => Err(BeaconError::NotYours),
        }
    }

    /// Ends the session of this host for everyone in it, as whoever runs the server wants it. False where there is none.
    pub async fn end(&self, host: ParticipantId) -> bool {
        self.end_here(host) || self.ask_all(Question::End(host)).await.is_some()
    }

    fn end_here(&self, host: ParticipantId) -> bool {
        let found = self.everyone().into_iter().find(|(_, session)| session.host() == Some(host));
        if let Some((_, session)) = &found {
            session.handle(Input::EndedByOperator, &self.0.around);
        }
        found.is_some()
    }

    /// The session that a participant is in.
    pub async fn of(&self, participant: ParticipantId) -> Option<SessionCode> {
        if let Some(code) = self.is_in(participant) {
            return Some(code);
        }
        match self.ask_all(Question::WhereIs(participant)).await {
            Some(Answer::Session(code)) => Some(code),
            _ => None,
        }
    }

    async fn ask_all(&self, question: Question) -> Option<Answer> {
        self.0.around.shared.as_ref()?.ask_all(question).await
    }

    fn is_in(&self, participant: ParticipantId) -> Option<SessionCode> {
        self.everyone().into_iter().find(|(_, session)| session.includes(participant)).map(|(code, _)| code)
    }

    /// Ends relaying for somebody: their page is told to leave the relays of these providers, and the built-in relay of this server
    /// and of every other carries nothing more for them. A page may have its relay at another server than the one that has its
    /// session.
    pub async fn end_relay(&self, code: SessionCode, participant: ParticipantId, providers: &[ProviderName]) {
        self.relays_nothing(code, Some(participant));
        if self.end_relay_here(code, participant, providers) {
            if let Some(shared) = &self.0.around.shared {
                shared.left(code, participant);
            }
        } else {
            self.ask_all(Question::EndRelay(code, participant, providers.to_vec())).await;
        }
    }

    fn end_relay_here(&self, code: SessionCode, participant: ParticipantId, providers: &[ProviderName]) -> bool {
        let Some(session) = self.find(code) else { return false };
        for provider in providers {
            let reason = RelayOver::Ended;
            session.handle(Input::RelayOver { participant, provider: provider.clone(), reason }, &self.0.around);
        }
        true
    }

    /// Whoever is named, or everybody in the session, has left: the built-in relay carries nothing more for them.
    pub(in super::super) fn relays_nothing(&self, code: SessionCode, participant: Option<ParticipantId>) {
        let Some(bouncer) = &self.0.around.bouncer else { return };
        match participant {
            Some(participant) => bouncer.participant_left(code, participant),
            None => bouncer.session_ended(code),
        }
    }

    /// Every session that is open: its host, and how many people are in it.
    pub fn roll(&self) -> Vec<(ParticipantId, usize)> {
        let open = self.everyone().into_iter();
        open.filter_map(|(_, session)| Some((session.host()?, session.headcount().0))).collect()
    }
}
