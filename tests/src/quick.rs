//! Links and watches that notice within seconds what takes longer otherwise, for tests whose matter is what is noticed.

use std::time::Duration;

use kubeplex_agent::watch::WatchTimings;
use kubeplex_link::timings::Timings;

/// Links that notice silence within two seconds, and come back at once.
pub fn brisk() -> Timings {
    Timings {
        heartbeat: Duration::from_millis(200),
        suspect_after: Duration::from_secs(1),
        lost_after: Duration::from_secs(2),
        reconnect_max: Duration::from_millis(300),
        ..Timings::default()
    }
}

/// Watches that notice within seconds what takes minutes otherwise.
pub fn alert() -> WatchTimings {
    WatchTimings {
        nudge: Duration::from_millis(500),
        silence: Duration::from_secs(2),
        initial_silence: Duration::from_secs(2),
        open: Duration::from_secs(2),
        explain: Duration::from_millis(500),
        page: Duration::from_secs(2),
        retry_first: Duration::from_millis(50),
        retry_most: Duration::from_millis(400),
        ..WatchTimings::default()
    }
}
