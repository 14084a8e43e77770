//! The conversation on a link: hello and welcome, then heartbeats one way and reports the other, until one end leaves.

use std::fmt;
use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::FusedFuture as _;
use kubeplex_link::activity::Activity;
use kubeplex_link::frames::{self, FrameWriter};
use kubeplex_link::limits::CONTROL_FRAME;
use kubeplex_link::liveness::{Liveness, LivenessWatch};
use kubeplex_link::timings::{Timings, jittered};
use kubeplex_proto::control::{AgentFrame, GatewayFrame, Hello, Refusal, Welcome};
use kubeplex_proto::ids::ClusterId;
use kubeplex_proto::{PROTOCOL, paths};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::Links;
use super::credentials::Believed;
use super::inflow::Inflow;
use super::metrics::LinkMetrics;
use super::place::Place;
use super::said::Said;
use crate::carrier::{Carrier, CarrierError, Frames};
use crate::registry::{Candidate, Registry, Standing};

/// Frames to the agent that may wait for it: it either reads, or is lost soon.
const OUTBOX: usize = 4;

/// Of the version that an agent says it is, in characters.
const VERSION_SHOWN: usize = 40;

/// One conversation, before it begins.
pub(super) struct Control {
    registry: Registry,
    timings: Timings,
    stop: CancellationToken,
    metrics: LinkMetrics,
    said: Said,
    cluster: ClusterId,
    carrier: Carrier,
    activity: Activity,
    /// Held until the first report is in, or should be.
    syncing: Option<OwnedSemaphorePermit>,
    leaving: Leaving,
    believed: Option<Believed>,
    refused: Arc<OnceLock<Refusal>>,
}

/// When a link is left that nothing is wrong with.
#[derive(Default)]
pub(super) struct Leaving {
    /// Ends this one.
    pub(super) told: CancellationToken,
    /// Ends the links before it when it is dropped: when the first report is in, or should be.
    pub(super) before: Option<DropGuard>,
}

/// Why a conversation ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// The gateway stops.
    Stopping,
    /// The agent closed the conversation.
    Closed,
    /// A newer link of the same agent took over.
    Replaced,
    /// Another agent took over, because this one did not answer.
    Displaced,
    /// Its credential is not believed any more, or its cluster not expected.
    Dismissed,
    /// The gateway dials the agent another way now, or not at all.
    Left,
    /// The agent was silent for too long.
    Lost(Duration),
    /// The agent did not introduce itself in time.
    NoHello,
    /// The link was not accepted.
    Refused(Refusal),
    /// The agent told more than one can have to tell.
    Flooding,
    /// What came could not be read, or nothing came.
    Broken(CarrierError),
}

impl Control {
    /// A conversation with the agent behind `carrier`, who may speak for `cluster`.
    pub(super) fn new(links: &Links, cluster: ClusterId, carrier: Carrier, activity: Activity) -> Self {
        let Links { registry, timings, stop, metrics, said, .. } = links.clone();
        let (syncing, leaving, believed, refused) = (None, Leaving::default(), None, Arc::default());
        Self {
            registry,
            timings,
            stop,
            metrics,
            said,
            cluster,
            carrier,
            activity,
            syncing,
            leaving,
            believed,
            refused,
        }
    }

    /// The cluster that the agent may speak for.
    pub(super) fn cluster(&self) -> &ClusterId {
        &self.cluster
    }

    /// Why the link was not accepted, once it is known: an agent that is told so may close the connection before the
    /// conversation has ended.
    pub(super) fn refused(&self) -> Arc<OnceLock<Refusal>> {
        Arc::clone(&self.refused)
    }

    /// Gives `permit` back when the first report is in, the first heartbeat due, or the conversation over.
    pub(super) fn syncing(self, permit: OwnedSemaphorePermit) -> Self {
        Self { syncing: Some(permit), ..self }
    }

    /// By the credential that the agent has shown: once it is taken back, the link gets no place.
    pub(super) fn believed(self, believed: Believed) -> Self {
        Self { believed: Some(believed), ..self }
    }

    /// Ends when it is told to, and ends those before it.
    pub(super) fn leaving(self, leaving: Leaving) -> Self {
        Self { leaving, ..self }
    }

    /// Holds the conversation.
    pub(super) async fn run(mut self) -> Ended {
        let ended = self.converse().await;
        self.metrics.ended(&ended);
        ended
    }

    async fn converse(&mut self) -> Ended {
        let (mut writer, body) = frames::channel(OUTBOX);
        let opening = async {
            let mut frames = self.carrier.open(paths::CONTROL, body, CONTROL_FRAME).await?;
            let first = frames.next::<AgentFrame>().await;
            Ok::<_, CarrierError>((frames, first.transpose()?))
        };
        let opened = tokio::select! {
            opened = timeout(self.timings.hello, opening) => opened,
            () = self.leaving.told.cancelled() => return Ended::Left,
            () = self.stop.cancelled() => return Ended::Stopping,
        };
        let (frames, hello) = match opened {
            Ok(Ok((frames, Some(AgentFrame::Hello(hello))))) => (frames, *hello),
            Ok(Ok((_, Some(AgentFrame::Report(_))))) | Err(_) => return Ended::NoHello,
            Ok(Ok((_, None))) => return Ended::Closed,
            Ok(Err(error)) => return Ended::Broken(error),
        };
        match self.admit(hello).await {
            Ok((place, protocol)) => self.listen(place, protocol, writer, frames).await,
            Err(refusal) => {
                // It is refused once.
                let _ = self.refused.set(refusal.clone());
                writer.offer(&GatewayFrame::Refused(refusal.clone()));
                drop(writer);
                hang_up(frames, self.timings.probe).await;
                Ended::Refused(refusal)
            }
        }
    }

    /// The link's place with its cluster, and the protocol that both ends speak.
    async fn admit(&self, hello: Hello) -> Result<(Place, u32), Refusal> {
        let protocol = PROTOCOL.with_agent(hello.protocol).map_err(|mismatch| {
            let agent: String = hello.agent_version.chars().take(VERSION_SHOWN).collect();
            refusal(format!(
                "{mismatch} (the agent is version {agent}, this gateway {})",
                env!("CARGO_PKG_VERSION")
            ))
        })?;
        if hello.cluster != self.cluster {
            return Err(refusal(self.contradicted(&hello.cluster)));
        }
        let (carrier, activity) = (self.carrier.clone(), self.activity.clone());
        let candidate = |standing| Candidate { hello, carrier, activity, standing };
        let place = Place::take(&self.registry, &self.cluster, candidate, &self.timings).await?;
        // Only now: a credential that is taken back from here on takes the place with it.
        if self.believed.as_ref().is_some_and(|believed| !believed.holds()) {
            return Err(refusal("the token was taken back".to_owned()));
        }
        Ok((place, protocol))
    }

    /// What an agent is told that says another cluster than its own.
    fn contradicted(&self, said: &ClusterId) -> String {
        let own = &self.cluster;
        match self.believed {
            Some(_) => format!(
                "the agent says that it is in the cluster {said}, its credential belongs to {own}: give it the token of {said}, \
                 or write cluster = \"{own}\" into its configuration"
            ),
            None => format!(
                "the agent says that it is in the cluster {said}, where the gateway dials that of {own}: put the url of {own} \
                 right in the gateway's configuration, or write cluster = \"{own}\" into the agent's"
            ),
        }
    }

    async fn listen(
        &mut self,
        mut place: Place,
        protocol: u32,
        mut writer: FrameWriter,
        mut frames: Frames,
    ) -> Ended {
        let terms = self.timings.welcome(protocol);
        let welcome = |standing| {
            let standby = standing == Standing::Standby;
            GatewayFrame::Welcome(Welcome { standby, ..terms })
        };
        let standing = place.standing();
        writer.offer(&welcome(standing));
        self.metrics.welcomed(standing == Standing::Standby);
        tracing::info!(?standing, "linked");
        self.said.forget(self.cluster.as_str());
        let mut liveness = LivenessWatch::new(self.activity.clone(), &self.timings);
        let mut beat = Box::pin(tokio::time::sleep(self.next_beat()));
        let (mut inflow, told) = (Inflow::new(), self.leaving.told.clone());
        let mut vigil = pin!(place.vigil(self.timings).keep().fuse());
        loop {
            tokio::select! {
                frame = frames.next::<AgentFrame>() => match frame {
                    Some(Ok(_)) if !inflow.bears(frames.received()) => return Ended::Flooding,
                    Some(Ok(frame)) => self.heard(&place, frame),
                    Some(Err(error)) => return Ended::Broken(error),
                    None => return Ended::Closed,
                },
                () = &mut beat => {
                    writer.offer(&GatewayFrame::Heartbeat);
                    self.arrived();
                    beat.set(tokio::time::sleep(self.next_beat()));
                }
                judgement = liveness.changed() => {
                    place.judge(judgement);
                    match judgement {
                        Liveness::Alive => tracing::info!("the agent is heard again"),
                        Liveness::Suspect => tracing::warn!("the agent has been silent for {:?}", self.activity.silence()),
                        Liveness::Lost => return Ended::Lost(self.activity.silence()),
                    }
                }
                standing = place.changed() => match standing {
                    Standing::Serving => {
                        tracing::info!("the agent that stood by serves the cluster now");
                        writer.offer(&welcome(standing));
                    }
                    Standing::Standby => {}
                    Standing::Replaced => return Ended::Replaced,
                    Standing::Displaced => return Ended::Displaced,
                    Standing::Dismissed => return Ended::Dismissed,
                },
                () = &mut vigil, if !vigil.is_terminated() => {}
                () = told.cancelled() => return Ended::Left,
                () = self.stop.cancelled() => return Ended::Stopping,
            }
        }
    }

    fn heard(&mut self, place: &Place, frame: AgentFrame) {
        // In process there is no socket whose bytes would count.
        self.activity.touch();
        if let AgentFrame::Report(report) = frame {
            place.report(*report);
            self.arrived();
        }
    }

    fn arrived(&mut self) {
        (self.syncing, self.leaving.before) = (None, None);
    }

    fn next_beat(&self) -> Duration {
        jittered(self.timings.heartbeat, rand::random())
    }
}

pub(super) fn refusal(message: String) -> Refusal {
    Refusal { message, retry_after_ms: None }
}

/// Leaves the agent the time to read what it was told before the connection goes.
async fn hang_up(mut frames: Frames, patience: Duration) {
    let rest = async { while let Some(Ok(_)) = frames.next::<serde::de::IgnoredAny>().await {} };
    // What the agent still sends does not matter, nor whether it stops in time.
    let _ = timeout(patience, rest).await;
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stopping => f.write_str("the gateway stops"),
            Self::Closed => f.write_str("the agent closed the link"),
            Self::Replaced => f.write_str("a newer link of the same agent took over"),
            Self::Displaced => f.write_str("the agent did not answer, and another one took over"),
            Self::Dismissed => {
                f.write_str("the configuration does not expect its cluster any more, or not with its token")
            }
            Self::Left => f.write_str("the gateway does not dial this agent any more"),
            Self::Lost(silence) => write!(f, "the agent was silent for {} s", silence.as_secs()),
            Self::NoHello => f.write_str("the agent did not introduce itself"),
            Self::Flooding => f.write_str("the agent reported more than a cluster can have to tell"),
            Self::Refused(refusal) => write!(f, "refused: {}", refusal.message),
            Self::Broken(error) => f.write_str(&kubeplex_link::reason(error)),
        }
    }
}
