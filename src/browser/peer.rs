//! One `RTCPeerConnection`: carries out its commands one after the other, and takes everything that belongs to it along
//! when it goes.

use super::event::{Event, Events};
use super::senders::Senders;
use super::side::Side;
use super::sys::{property, set_configuration, set_property};
use super::use_webrtc::WebRtc;
use super::{codecs, stats};
use crate::domain::ConnectionId;
use crate::protocol::Signal;
use crate::stream::{Input, PeerCommand, PeerConfig, PeerEvent, PeerState, sdp};
use futures::StreamExt;
use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    MediaStreamTrack, RtcIceCandidate, RtcIceCandidateInit, RtcOfferOptions, RtcPeerConnection,
    RtcPeerConnectionIceEvent, RtcPeerConnectionState, RtcSdpType, RtcSessionDescriptionInit,
};

/// The film's tracks, shared by all of a host's peers. Never stopped by one of them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tracks {
    /// The picture.
    pub video: Option<MediaStreamTrack>,
    /// The sound.
    pub audio: Option<MediaStreamTrack>,
}

enum Work {
    Command(PeerCommand),
    Tracks(Tracks),
}

/// A handle on one peer connection. It lives on after the handle is dropped until its last command is carried out.
pub struct Peer {
    work: UnboundedSender<Work>,
    pc: RtcPeerConnection,
}

impl Peer {
    /// Builds the connection; `tracks` are what a host sends.
    pub fn open(
        id: ConnectionId,
        config: PeerConfig,
        tracks: &Tracks,
        webrtc: &WebRtc,
        events: &Events,
    ) -> Result<Self, JsValue> {
        let pc = webrtc.connect(config)?;
        let side = Side::open(id, &pc, events);
        let senders = if config.sends { Some(Senders::add(&pc, tracks)) } else { None };
        let (work, queue) = unbounded();
        let listeners = Listeners::attach(id, &pc, events);
        let webrtc = webrtc.clone();
        let worker = Worker { id, pc: pc.clone(), config, webrtc, senders, side, events: events.clone(), listeners };
        leptos::task::spawn_local(worker.run(queue));
        Ok(Self { work, pc })
    }

    /// The next thing to do.
    pub fn command(&self, command: PeerCommand) {
        let _ = self.work.unbounded_send(Work::Command(command));
    }

    /// Sends these tracks from now on, without a new negotiation.
    pub fn set_tracks(&self, tracks: Tracks) {
        let _ = self.work.unbounded_send(Work::Tracks(tracks));
    }

    /// The tracks that the other end sends.
    pub fn remote_tracks(&self) -> Vec<MediaStreamTrack> {
        let receivers = self.pc.get_receivers();
        receivers.iter().filter_map(|receiver| property(&receiver, "track")).map(JsCast::unchecked_into).collect()
    }
}

struct Worker {
    id: ConnectionId,
    pc: RtcPeerConnection,
    config: PeerConfig,
    webrtc: WebRtc,
    senders: Option<Senders>,
    side: Side,
    events: Events,
    listeners: Listeners,
}

impl Worker {
    async fn run(self, mut queue: UnboundedReceiver<Work>) {
        while let Some(work) = queue.next().await {
            let carried_out = match work {
                Work::Command(PeerCommand::Close) => break,
                Work::Command(command) => self.carry_out(command).await,
                Work::Tracks(tracks) => self.replace_tracks(&tracks).await,
            };
            if carried_out.is_err() {
                self.tell(PeerEvent::Broken);
            }
        }
        self.sample().await;
        self.side.close();
        self.listeners.detach(&self.pc);
        self.pc.close();
    }

    async fn carry_out(&self, command: PeerCommand) -> Result<(), JsValue> {
        match command {
            PeerCommand::Offer { generation, restart } => {
                let options = RtcOfferOptions::new();
                options.set_ice_restart(restart);
                let offer = self.pc.create_offer_with_rtc_offer_options(&options);
                let sdp = self.describe(RtcSdpType::Offer, &JsFuture::from(offer).await?).await?;
                self.tell(PeerEvent::Described(Signal::Offer { sdp, generation }));
            }
            PeerCommand::AcceptOffer { sdp, generation } => {
                self.accept(RtcSdpType::Offer, &sdp).await?;
                codecs::answer_smooth(&self.pc, sdp::first_picture_codec(&sdp));
                let answer = JsFuture::from(self.pc.create_answer()).await?;
                let sdp = self.describe(RtcSdpType::Answer, &answer).await?;
                self.tell(PeerEvent::Described(Signal::Answer { sdp, generation }));
            }
            // A configuration that the browser refuses leaves the connection with its old one.
            PeerCommand::Configure => {
                let _ = set_configuration(&self.pc, &self.webrtc.configuration(self.config));
            }
            PeerCommand::Tell(text) => self.side.tell(&text),
            PeerCommand::AcceptAnswer(sdp) => {
                self.accept(RtcSdpType::Answer, &sdp::with_sharp_start(&sdp)).await?;
            }
            // A candidate that the browser does not take costs that candidate, not the connection.
            PeerCommand::AddCandidate(candidate) => {
                let _ = self.add_candidate(candidate).await;
            }
            PeerCommand::Encode(encoding) => {
                if let Some(senders) = &self.senders {
                    senders.encode(encoding).await;
                }
            }
            PeerCommand::KeyFrame => {
                if let Some(senders) = &self.senders {
                    senders.key_frame().await;
                }
            }
            PeerCommand::Sample => self.sample().await,
            // Opening is the worker's beginning and closing its end.
            PeerCommand::Open(_) | PeerCommand::Close => {}
        }
        Ok(())
    }

    async fn describe(&self, kind: RtcSdpType, description: &JsValue) -> Result<String, JsValue> {
        let sdp = property(description, "sdp").and_then(|sdp| sdp.as_string()).unwrap_or_default();
        let sdp = sdp::with_film_sound(&sdp);
        let init = RtcSessionDescriptionInit::new(kind);
        init.set_sdp(&sdp);
        JsFuture::from(self.pc.set_local_description(&init)).await?;
        Ok(sdp)
    }

    async fn accept(&self, kind: RtcSdpType, sdp: &str) -> Result<(), JsValue> {
        let init = RtcSessionDescriptionInit::new(kind);
        init.set_sdp(sdp);
        JsFuture::from(self.pc.set_remote_description(&init)).await.map(drop)
    }

    async fn add_candidate(&self, signal: Signal) -> Result<(), JsValue> {
        let Signal::Candidate { candidate, sdp_mid, sdp_m_line_index, username_fragment } = signal else {
            return Ok(());
        };
        let init = RtcIceCandidateInit::new(&candidate);
        init.set_sdp_mid(sdp_mid.as_deref());
        init.set_sdp_m_line_index(sdp_m_line_index);
        if let Some(fragment) = username_fragment {
            set_property(&init, "usernameFragment", &fragment.into());
        }
        let added = self.pc.add_ice_candidate_with_opt_rtc_ice_candidate_init(Some(&init));
        JsFuture::from(added).await.map(drop)
    }

    async fn replace_tracks(&self, tracks: &Tracks) -> Result<(), JsValue> {
        match &self.senders {
            Some(senders) => senders.replace(tracks).await,
            None => Ok(()),
        }
    }

    async fn sample(&self) {
        if let Some(sample) = stats::sample(&self.pc).await {
            self.tell(PeerEvent::Sampled(sample));
        }
    }

    fn tell(&self, event: PeerEvent) {
        self.events.input(Input::Peer(self.id, event));
    }
}

/// The connection's listeners: they live as long as it does.
struct Listeners {
    _closures: [Closure<dyn FnMut(JsValue)>; 3],
}

impl Listeners {
    fn attach(id: ConnectionId, pc: &RtcPeerConnection, events: &Events) -> Self {
        let candidate = events.listener(move |event| {
            let event: RtcPeerConnectionIceEvent = event.dyn_into().ok()?;
            Some(Event::Core(Input::Peer(id, PeerEvent::Candidate(candidate_signal(&event.candidate()?)))))
        });
        let connection = pc.clone();
        #[expect(clippy::wildcard_enum_match_arm, reason = "the browser may know states that we do not")]
        let state = events.listener(move |_| {
            let state = match connection.connection_state() {
                RtcPeerConnectionState::Connected => PeerState::Connected,
                RtcPeerConnectionState::Failed => PeerState::Failed,
                RtcPeerConnectionState::Closed => return None,
                // New, connecting, disconnected, and whatever a later browser adds.
                _ => PeerState::Connecting,
            };
            Some(Event::Core(Input::Peer(id, PeerEvent::State(state))))
        });
        let track = events.listener(move |_| Some(Event::Track(id)));
        pc.set_onicecandidate(Some(candidate.as_ref().unchecked_ref()));
        pc.set_onconnectionstatechange(Some(state.as_ref().unchecked_ref()));
        pc.set_ontrack(Some(track.as_ref().unchecked_ref()));
        Self { _closures: [candidate, state, track] }
    }

    /// The last events of a closing connection must not reach closures that are gone.
    fn detach(self, pc: &RtcPeerConnection) {
        pc.set_onicecandidate(None);
        pc.set_onconnectionstatechange(None);
        pc.set_ontrack(None);
        drop(self);
    }
}

fn candidate_signal(candidate: &RtcIceCandidate) -> Signal {
    Signal::Candidate {
        candidate: candidate.candidate(),
        sdp_mid: candidate.sdp_mid(),
        sdp_m_line_index: candidate.sdp_m_line_index(),
        username_fragment: property(candidate, "usernameFragment").and_then(|fragment| fragment.as_string()),
    }
}
