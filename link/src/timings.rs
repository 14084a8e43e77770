//! Every duration of a link. Configuration sets them, tests shorten them.

use std::time::Duration;

use kubeplex_proto::control::Welcome;

/// How patient the ends of a link are with each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timings {
    /// How often each end says that it is alive, before jitter.
    pub heartbeat: Duration,
    /// Silence after which the other end is suspected to be gone.
    pub suspect_after: Duration,
    /// Silence after which it is gone, and the link with it.
    pub lost_after: Duration,
    /// For TCP, TLS and the WebSocket handshake together.
    pub dial: Duration,
    /// From the WebSocket handshake to the other end's first word on the control stream.
    pub hello: Duration,
    /// How long an agent that is asked "are you there?" may take, before another process may have its place.
    pub probe: Duration,
    /// How long calls under way may take to end when the process stops.
    pub drain: Duration,
    /// How long a link is used, before jitter, until another is opened in its place.
    pub max_age: Duration,
    /// How long calls under way may take to end on a link that another one replaced: longer than any call, because nobody
    /// is in a hurry.
    pub retire: Duration,
    /// How long two agents may serve one cluster side by side before it is no rolling update any more.
    pub two_agents: Duration,
    /// How long an agent is asked to wait that finds no room.
    pub retry_after: Duration,
    /// The longest pause between two attempts to connect.
    pub reconnect_max: Duration,
    /// A link that held so long starts the pauses anew when it breaks.
    pub stable_after: Duration,
}

impl Default for Timings {
    fn default() -> Self {
        Self {
            heartbeat: Duration::from_secs(4),
            suspect_after: Duration::from_secs(8),
            lost_after: Duration::from_secs(12),
            dial: Duration::from_secs(10),
            hello: Duration::from_secs(5),
            probe: Duration::from_secs(2),
            drain: Duration::from_secs(10),
            max_age: Duration::from_secs(30 * 60),
            retire: Duration::from_secs(150),
            two_agents: Duration::from_secs(60),
            retry_after: Duration::from_secs(3),
            reconnect_max: Duration::from_secs(60),
            stable_after: Duration::from_secs(60),
        }
    }
}

impl Timings {
    /// The terms under which a gateway with these timings accepts a link.
    pub fn welcome(&self, protocol: u32) -> Welcome {
        let ms = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        Welcome {
            protocol,
            heartbeat_ms: ms(self.heartbeat),
            suspect_after_ms: Some(ms(self.suspect_after)),
            lost_after_ms: Some(ms(self.lost_after)),
            max_age_ms: Some(ms(self.max_age)),
            standby: false,
        }
    }

    /// These timings of an agent under the terms of its gateway. What the gateway does not say stays as it is.
    pub fn under(self, terms: &Welcome) -> Self {
        let said = |ms: Option<u64>, own| ms.map_or(own, Duration::from_millis);
        let lost_after = said(terms.lost_after_ms, self.lost_after);
        // A gateway may say only one of both.
        let suspect_after = said(terms.suspect_after_ms, self.suspect_after).min(lost_after);
        let (heartbeat, max_age) =
            (Duration::from_millis(terms.heartbeat_ms), said(terms.max_age_ms, self.max_age));
        Self { heartbeat, suspect_after, lost_after, max_age, ..self }
    }
}

/// `base` shifted by up to a fifth of itself, so that many links do not beat in step. `sample` is from 0 to 1.
pub fn jittered(base: Duration, sample: f64) -> Duration {
    shifted(base, 0.2, sample)
}

/// The age at which one link is replaced: up to a tenth off, so that links of one start do not all end together.
pub fn age(base: Duration, sample: f64) -> Duration {
    shifted(base, 0.1, sample)
}

fn shifted(base: Duration, share: f64, sample: f64) -> Duration {
    base.mul_f64(1.0 - share + 2.0 * share * sample.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_stays_within_a_fifth() {
        let base = Duration::from_secs(4);
        for (sample, expected_ms) in [(0.0, 3200), (0.5, 4000), (1.0, 4800), (7.0, 4800)] {
            assert_eq!(jittered(base, sample).as_millis(), expected_ms);
        }
    }

    #[test]
    fn links_of_one_start_are_replaced_within_a_tenth_of_their_age() {
        let base = Duration::from_secs(1_800);
        for (sample, expected_s) in [(0.0, 1_620), (0.5, 1_800), (1.0, 1_980)] {
            assert_eq!(age(base, sample).as_secs(), expected_s);
        }
    }

    #[test]
    fn both_ends_keep_to_the_gateways_terms() {
        let gateway = Timings {
            heartbeat: Duration::from_secs(15),
            suspect_after: Duration::from_secs(30),
            lost_after: Duration::from_secs(45),
            max_age: Duration::from_secs(600),
            ..Timings::default()
        };
        assert_eq!(Timings::default().under(&gateway.welcome(1)), gateway);
    }

    #[test]
    fn what_a_gateway_does_not_say_is_the_agents_to_judge() {
        let own = Timings::default();
        let terms =
            Welcome { suspect_after_ms: None, lost_after_ms: None, max_age_ms: None, ..own.welcome(1) };
        assert_eq!(own.under(&terms), own);
        let half = own.under(&Welcome { lost_after_ms: Some(5_000), ..terms });
        assert_eq!((half.suspect_after.as_secs(), half.lost_after.as_secs()), (5, 5));
    }

    #[test]
    fn two_heartbeats_fit_into_the_patience_before_a_link_is_lost() {
        let timings = Timings::default();
        assert!(jittered(timings.heartbeat, 1.0) * 2 < timings.lost_after);
        assert!(jittered(timings.heartbeat, 1.0) < timings.suspect_after);
    }
}
