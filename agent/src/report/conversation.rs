//! The conversation on one link, from the agent's side.

use std::time::Duration;

use bytes::Bytes;
use futures::Stream;
use kubeplex_link::frames::{FrameReader, encode};
use kubeplex_link::limits::HEARTBEAT;
use kubeplex_link::timings::jittered;
use kubeplex_proto::control::{AgentFrame, GatewayFrame, Hello, Report, Welcome};
use tokio::time::{Instant, sleep_until, timeout};

use super::ReportSource;
use super::delta::{Occasion, Told};

/// How the agent paces what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReportTimings {
    /// How long the gateway may take to answer a hello.
    pub welcome: Duration,
    /// A change is reported at once, and those that follow within so long of it together, at the end of that time.
    pub coalesce: Duration,
}

impl Default for ReportTimings {
    fn default() -> Self {
        Self { welcome: Duration::from_secs(10), coalesce: Duration::from_millis(20) }
    }
}

/// What a conversation needs.
pub struct Conversation {
    pub hello: Hello,
    pub source: ReportSource,
    pub timings: ReportTimings,
    /// A number from 0 to 1 for each heartbeat, so that many agents do not beat in step.
    pub jitter: fn() -> f64,
}

/// The lines that the agent says, while it listens to `gateway`. Ends when the gateway refuses the link, ends its side, or
/// says what can't be understood. Nothing happens, and nothing is gathered, while nobody asks for the next line.
pub fn conversation(conversation: Conversation, gateway: FrameReader) -> impl Stream<Item = Bytes> + Send {
    let Conversation { hello, source, timings, jitter } = conversation;
    let opening = Stage::Hello(Box::new(hello));
    let started = Instant::now();
    let talk =
        Talk { gateway, source, timings, jitter, told: Told::default(), started, next_report: started };
    futures::stream::unfold((opening, talk), |(stage, mut talk)| async move {
        let (frame, next) = talk.next(stage).await?;
        match encode(&frame) {
            Ok(line) => Some((line, (next, talk))),
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "a report can't be written as JSON"
                );
                None
            }
        }
    })
}

enum Stage {
    Hello(Box<Hello>),
    AwaitWelcome,
    Reporting { heartbeat: Duration, next_beat: Instant },
}

struct Talk {
    gateway: FrameReader,
    source: ReportSource,
    timings: ReportTimings,
    jitter: fn() -> f64,
    told: Told,
    started: Instant,
    /// When the next change may be reported.
    next_report: Instant,
}

impl Talk {
    /// The next frame, and what comes after it; `None` at the end of the conversation.
    async fn next(&mut self, stage: Stage) -> Option<(AgentFrame, Stage)> {
        match stage {
            Stage::Hello(hello) => Some((AgentFrame::Hello(hello), Stage::AwaitWelcome)),
            Stage::AwaitWelcome => {
                let welcome = self.welcome().await?;
                // Whatever changes from here on is told after the first report.
                self.source.changed.mark_unchanged();
                let report = self.news(Occasion::Change);
                let heartbeat = Duration::from_millis(welcome.heartbeat_ms).clamp(HEARTBEAT.0, HEARTBEAT.1);
                Some((AgentFrame::Report(Box::new(report)), self.reporting(heartbeat)))
            }
            Stage::Reporting { heartbeat, next_beat } => {
                let (report, occasion) = self.report(next_beat).await?;
                let next = match occasion {
                    // However much changes: the kinds in which nothing does have ages to tell, too.
                    Occasion::Change => Stage::Reporting { heartbeat, next_beat },
                    Occasion::Heartbeat => self.reporting(heartbeat),
                };
                Some((AgentFrame::Report(Box::new(report)), next))
            }
        }
    }

    fn reporting(&self, heartbeat: Duration) -> Stage {
        Stage::Reporting { heartbeat, next_beat: Instant::now() + jittered(heartbeat, (self.jitter)()) }
    }

    async fn welcome(&mut self) -> Option<Welcome> {
        loop {
            match timeout(self.timings.welcome, self.gateway.next::<GatewayFrame>()).await {
                Ok(Some(Ok(GatewayFrame::Welcome(welcome)))) => return Some(welcome),
                Ok(Some(Ok(GatewayFrame::Heartbeat))) => {}
                Ok(Some(Ok(GatewayFrame::Refused(refusal)))) => {
                    tracing::warn!(
                        error = &refusal as &dyn std::error::Error,
                        "the gateway does not accept this link"
                    );
                    return None;
                }
                Ok(Some(Err(error))) => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "the gateway's answer can't be read"
                    );
                    return None;
                }
                Ok(None) => return None,
                Err(_) => {
                    tracing::warn!("the gateway did not answer the hello within {:?}", self.timings.welcome);
                    return None;
                }
            }
        }
    }

    /// Waits for something to report, the next heartbeat at the latest.
    async fn report(&mut self, next_beat: Instant) -> Option<(Report, Occasion)> {
        let mut changed = self.source.changed.clone();
        let mut pending: Option<Instant> = None;
        loop {
            tokio::select! {
                heard = self.gateway.next::<GatewayFrame>() => if !goes_on(heard) { return None },
                // A source that is gone changes no more; heartbeats go on until the link ends.
                Ok(()) = changed.changed(), if pending.is_none() => {
                    pending = Some(self.next_report);
                }
                () = sleep_until(pending.unwrap_or(next_beat)), if pending.is_some() => {
                    pending = None;
                    self.settle(&mut changed);
                    let report = self.news(Occasion::Change);
                    if report != Report::default() {
                        self.next_report = Instant::now() + self.timings.coalesce;
                        return Some((report, Occasion::Change));
                    }
                }
                () = sleep_until(next_beat) => {
                    self.settle(&mut changed);
                    return Some((self.news(Occasion::Heartbeat), Occasion::Heartbeat));
                }
            }
        }
    }

    /// Everything up to now is about to be told.
    fn settle(&mut self, changed: &mut tokio::sync::watch::Receiver<u64>) {
        changed.mark_unchanged();
        self.source.changed = changed.clone();
    }

    fn news(&mut self, occasion: Occasion) -> Report {
        let snapshot = (self.source.snapshot)();
        let now_ms = i64::try_from(self.started.elapsed().as_millis()).unwrap_or(i64::MAX);
        self.told.update(snapshot, occasion, now_ms)
    }
}

/// Whether what the gateway said leaves the conversation open.
fn goes_on(heard: Option<Result<GatewayFrame, kubeplex_link::frames::FrameError>>) -> bool {
    match heard {
        Some(Ok(GatewayFrame::Heartbeat | GatewayFrame::Welcome(_))) => true,
        Some(Ok(GatewayFrame::Refused(refusal))) => {
            tracing::warn!(error = &refusal as &dyn std::error::Error, "the gateway ends this link");
            false
        }
        Some(Err(error)) => {
            tracing::info!(error = &error as &dyn std::error::Error, "the control stream broke");
            false
        }
        None => false,
    }
}

#[cfg(test)]
mod tests;
