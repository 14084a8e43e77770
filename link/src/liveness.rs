//! Judges the other end of a link by its silence.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::activity::Activity;
use crate::timings::Timings;

/// What the silence of the other end means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Liveness {
    Alive,
    /// Silent for longer than heartbeats leave between them.
    Suspect,
    /// Silent for so long that the link is given up. Final.
    Lost,
}

/// Tells when the judgement about one link changes.
#[derive(Debug)]
pub struct LivenessWatch {
    activity: Activity,
    suspect_after: Duration,
    lost_after: Duration,
    state: Liveness,
}

impl LivenessWatch {
    /// Judges what `activity` records; starts out [`Liveness::Alive`].
    pub fn new(activity: Activity, timings: &Timings) -> Self {
        let Timings { suspect_after, lost_after, .. } = *timings;
        Self { activity, suspect_after, lost_after, state: Liveness::Alive }
    }

    /// Waits for the next change and returns the new judgement. Never resolves again after [`Liveness::Lost`]. May be
    /// dropped and called again without missing anything.
    pub async fn changed(&mut self) -> Liveness {
        loop {
            let next = self.judge();
            if next != self.state {
                self.state = next;
                return next;
            }
            match self.state {
                Liveness::Alive => sleep_until(self.deadline(self.suspect_after)).await,
                Liveness::Suspect => tokio::select! {
                    () = sleep_until(self.deadline(self.lost_after)) => {}
                    () = self.activity.heard_after(Instant::now() - self.suspect_after) => {}
                },
                Liveness::Lost => std::future::pending().await,
            }
        }
    }

    /// Resolves when the link is to be given up.
    pub async fn lost(&mut self) {
        while self.changed().await != Liveness::Lost {}
    }

    fn judge(&self) -> Liveness {
        let silence = self.activity.silence();
        if self.state == Liveness::Lost || silence >= self.lost_after {
            Liveness::Lost
        } else if silence >= self.suspect_after {
            Liveness::Suspect
        } else {
            Liveness::Alive
        }
    }

    fn deadline(&self, patience: Duration) -> Instant {
        self.activity.heard_at() + patience
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn silence_makes_suspect_then_lost_and_a_byte_revives() {
        let activity = Activity::start();
        let mut watch = LivenessWatch::new(activity.clone(), &Timings::default());
        let started = Instant::now();
        assert_eq!(watch.changed().await, Liveness::Suspect);
        assert_eq!(started.elapsed().as_secs(), 8);

        let (judgement, ()) = tokio::join!(watch.changed(), async {
            tokio::time::sleep(Duration::from_secs(2)).await;
            activity.touch();
        });
        assert_eq!(judgement, Liveness::Alive);
        assert_eq!(started.elapsed().as_secs(), 10);

        assert_eq!(watch.changed().await, Liveness::Suspect);
        assert_eq!(watch.changed().await, Liveness::Lost);
        assert_eq!(started.elapsed().as_secs(), 22);
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_beats_is_never_suspected() {
        let activity = Activity::start();
        let mut watch = LivenessWatch::new(activity.clone(), &Timings::default());
        let beats = async {
            for _ in 0..100 {
                tokio::time::sleep(Duration::from_millis(4800)).await;
                activity.touch();
            }
        };
        tokio::select! {
            judgement = watch.changed() => panic!("{judgement:?} in spite of heartbeats"),
            () = beats => {}
        }
    }
}
