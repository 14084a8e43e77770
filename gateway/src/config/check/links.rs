//! The section `link`.

use std::time::Duration;

use kubeplex_link::limits::HEARTBEAT;
use kubeplex_link::timings::Timings;

use super::super::raw::RawLink;
use super::Mistakes;

impl Mistakes {
    pub(super) fn timings(&mut self, raw: &RawLink) -> Timings {
        let default = Timings::default();
        let duration = |value: Option<u64>, default: Duration| value.map_or(default, Duration::from_millis);
        let timings = Timings {
            heartbeat: duration(raw.heartbeat_ms, default.heartbeat),
            suspect_after: duration(raw.suspect_after_ms, default.suspect_after),
            lost_after: duration(raw.lost_after_ms, default.lost_after),
            ..default
        };
        let (beat, suspect) = (timings.heartbeat.as_millis(), timings.suspect_after.as_millis());
        let (fastest, slowest) = HEARTBEAT;
        if !(fastest..=slowest).contains(&timings.heartbeat) {
            let (fastest, slowest) = (fastest.as_millis(), slowest.as_millis());
            self.add("link.heartbeat_ms", format!("{beat} is no heartbeat; write {fastest} to {slowest}"));
        } else if timings.heartbeat.mul_f64(1.2) >= timings.suspect_after {
            // With jitter a heartbeat may come a fifth late, and one of them may get lost.
            let problem = format!(
                "{beat} is too slow: with jitter, one must come well within suspect_after_ms, which is {suspect}; \
                 write about half of that"
            );
            self.add("link.heartbeat_ms", problem);
        }
        if timings.suspect_after >= timings.lost_after {
            let (suspect, lost) = (timings.suspect_after.as_millis(), timings.lost_after.as_millis());
            self.add(
                "link.suspect_after_ms",
                format!("{suspect} is not below lost_after_ms, which is {lost}; raise that or lower this"),
            );
        }
        timings
    }
}
