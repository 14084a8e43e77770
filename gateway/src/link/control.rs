//! The conversation on a link: hello and welcome, then heartbeats one way and reports the other, until one end leaves.

use std::fmt;
use std::time::Duration;

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
use tokio_util::sync::CancellationToken;

use super::Links;
use crate::carrier::{Carrier, CarrierError, Frames};
use crate::registry::{Candidate, LinkId, Registry, Taken};

/// Frames to the agent that may wait for it: it either reads, or is lost soon.
const OUTBOX: usize = 4;

/// How long an agent is asked to wait whose cluster is served by another one.
const RETRY_TAKEN: Duration = Duration::from_secs(5);

/// One conversation, before it begins.
pub(super) struct Control {
    registry: Registry,
    timings: Timings,
    stop: CancellationToken,
    cluster: ClusterId,
    carrier: Carrier,
    activity: Activity,
    /// Held until the first report is in, or should be.
    syncing: Option<OwnedSemaphorePermit>,
}

/// Why a conversation ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// The gateway stops.
    Stopping,
    /// The agent closed the conversation.
    Closed,
    /// Another link of the same cluster took over.
    Replaced,
    /// The agent was silent for too long.
    Lost(Duration),
    /// The agent did not introduce itself in time.
    NoHello,
    /// The link was not accepted.
    Refused(Refusal),
    /// What came could not be read, or nothing came.
    Broken(CarrierError),
}

impl Control {
    /// A conversation with the agent behind `carrier`, who may speak for `cluster`.
    pub(super) fn new(links: &Links, cluster: ClusterId, carrier: Carrier, activity: Activity) -> Self {
        let Links { registry, timings, stop, .. } = links.clone();
        Self { registry, timings, stop, cluster, carrier, activity, syncing: None }
    }

    /// Gives `permit` back when the first report is in, the first heartbeat due, or the conversation over.
    pub(super) fn syncing(self, permit: OwnedSemaphorePermit) -> Self {
        Self { syncing: Some(permit), ..self }
    }

    /// Holds the conversation.
    pub(super) async fn run(mut self) -> Ended {
        let (mut writer, body) = frames::channel(OUTBOX);
        let opening = async {
            let mut frames = self.carrier.open(paths::CONTROL, body, CONTROL_FRAME).await?;
            let first = frames.next::<AgentFrame>().await;
            Ok::<_, CarrierError>((frames, first.transpose()?))
        };
        let opened = tokio::select! {
            opened = timeout(self.timings.hello, opening) => opened,
            () = self.stop.cancelled() => return Ended::Stopping,
        };
        let (frames, hello) = match opened {
            Ok(Ok((frames, Some(AgentFrame::Hello(hello))))) => (frames, *hello),
            Ok(Ok((_, Some(AgentFrame::Report(_))))) | Err(_) => return Ended::NoHello,
            Ok(Ok((_, None))) => return Ended::Closed,
            Ok(Err(error)) => return Ended::Broken(error),
        };
        match self.welcome(hello).await {
            Ok((place, welcome)) => {
                writer.offer(&GatewayFrame::Welcome(welcome));
                self.listen(place, writer, frames).await
            }
            Err(refusal) => {
                writer.offer(&GatewayFrame::Refused(refusal.clone()));
                drop(writer);
                hang_up(frames, self.timings.probe).await;
                Ended::Refused(refusal)
            }
        }
    }

    async fn welcome(&self, hello: Hello) -> Result<(Place, Welcome), Refusal> {
        let Some(protocol) = PROTOCOL.common(hello.protocol) else {
            return Err(refusal(format!(
                "the agent speaks protocol {} to {}, this gateway {} to {}: upgrade the older of the two",
                hello.protocol.min, hello.protocol.max, PROTOCOL.min, PROTOCOL.max
            )));
        };
        if hello.cluster != self.cluster {
            return Err(refusal(format!(
                "the agent says that it is in the cluster {}, its token belongs to {}: give it the token or the name that fits",
                hello.cluster, self.cluster
            )));
        }
        let place = self.take_place(hello).await?;
        Ok((place, self.timings.welcome(protocol)))
    }

    /// Enters the registry. Another process that is there already keeps its place as long as it answers.
    async fn take_place(&self, hello: Hello) -> Result<Place, Refusal> {
        let replaced = CancellationToken::new();
        let (carrier, activity) = (self.carrier.clone(), self.activity.clone());
        let candidate = Candidate { hello, carrier, activity, replaced: replaced.clone() };
        let mut attached = self.registry.attach(&self.cluster, candidate.clone(), None);
        if let Err(Taken::Other { link, carrier, .. }) = &attached
            && !answers(carrier, self.timings.probe).await
        {
            attached = self.registry.attach(&self.cluster, candidate, Some(*link));
        }
        let link = attached.map_err(|taken| self.taken(&taken))?;
        let (registry, cluster) = (self.registry.clone(), self.cluster.clone());
        Ok(Place { registry, cluster, link, replaced })
    }

    fn taken(&self, taken: &Taken) -> Refusal {
        let retry_after_ms = u64::try_from(RETRY_TAKEN.as_millis()).ok();
        let message = match taken {
            Taken::Unexpected => {
                return refusal(format!("the cluster {} is not expected here", self.cluster));
            }
            Taken::Newer => "a newer link of the same agent is in place".to_owned(),
            Taken::Other { instance, .. } => {
                format!(
                    "another agent, instance {}, serves the cluster {} and answers",
                    instance.0, self.cluster
                )
            }
        };
        Refusal { message, retry_after_ms }
    }

    async fn listen(&mut self, place: Place, mut writer: FrameWriter, mut frames: Frames) -> Ended {
        tracing::info!("linked");
        let mut liveness = LivenessWatch::new(self.activity.clone(), &self.timings);
        let mut beat = Box::pin(tokio::time::sleep(self.next_beat()));
        loop {
            tokio::select! {
                frame = frames.next::<AgentFrame>() => match frame {
                    Some(Ok(frame)) => self.heard(&place, frame),
                    Some(Err(error)) => return Ended::Broken(error),
                    None => return Ended::Closed,
                },
                () = &mut beat => {
                    writer.offer(&GatewayFrame::Heartbeat);
                    self.syncing = None;
                    beat.set(tokio::time::sleep(self.next_beat()));
                }
                judgement = liveness.changed() => {
                    place.registry.judge(&place.cluster, place.link, judgement);
                    match judgement {
                        Liveness::Alive => tracing::info!("the agent is heard again"),
                        Liveness::Suspect => tracing::warn!("the agent has been silent for {:?}", self.activity.silence()),
                        Liveness::Lost => return Ended::Lost(self.activity.silence()),
                    }
                }
                () = place.replaced.cancelled() => return Ended::Replaced,
                () = self.stop.cancelled() => return Ended::Stopping,
            }
        }
    }

    fn heard(&mut self, place: &Place, frame: AgentFrame) {
        // In process there is no socket whose bytes would count.
        self.activity.touch();
        if let AgentFrame::Report(report) = frame {
            place.registry.report(&place.cluster, place.link, *report);
            self.syncing = None;
        }
    }

    fn next_beat(&self) -> Duration {
        jittered(self.timings.heartbeat, rand::random())
    }
}

/// A link's place in the registry, left when dropped.
struct Place {
    registry: Registry,
    cluster: ClusterId,
    link: LinkId,
    replaced: CancellationToken,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.registry.detach(&self.cluster, self.link);
    }
}

fn refusal(message: String) -> Refusal {
    Refusal { message, retry_after_ms: None }
}

async fn answers(carrier: &Carrier, patience: Duration) -> bool {
    matches!(timeout(patience, carrier.probe()).await, Ok(Ok(())))
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
            Self::Replaced => f.write_str("another link of the same cluster took over"),
            Self::Lost(silence) => write!(f, "the agent was silent for {} s", silence.as_secs()),
            Self::NoHello => f.write_str("the agent did not introduce itself"),
            Self::Refused(refusal) => write!(f, "refused: {}", refusal.message),
            Self::Broken(error) => f.write_str(&kubeplex_link::reason(error)),
        }
    }
}
