//! The section `link`, and the agents that the gateway dials.

use std::time::Duration;

use kubeplex_link::credential::Credential;
use kubeplex_link::direct::Route;
use kubeplex_link::limits::HEARTBEAT;
use kubeplex_link::timings::Timings;
use kubeplex_link::trust::Trust;
use kubeplex_link::url::AgentUrl;

use super::super::raw::{RawCluster, RawLink};
use super::Mistakes;
use crate::limits::ARRIVALS;

impl Mistakes {
    pub(super) fn timings(&mut self, raw: &RawLink) -> Timings {
        let default = Timings::default();
        let timings = Timings {
            // It has bounds of its own.
            heartbeat: raw.heartbeat_ms.map_or(default.heartbeat, Duration::from_millis),
            suspect_after: self.link_ms("suspect_after_ms", raw.suspect_after_ms, default.suspect_after),
            lost_after: self.link_ms("lost_after_ms", raw.lost_after_ms, default.lost_after),
            dial: self.link_ms("dial_ms", raw.dial_ms, default.dial),
            hello: self.link_ms("hello_ms", raw.hello_ms, default.hello),
            probe: self.link_ms("probe_ms", raw.probe_ms, default.probe),
            drain: self.link_ms("drain_ms", raw.drain_ms, default.drain),
            max_age: self.link_ms("max_age_ms", raw.max_age_ms, default.max_age),
            retire: self.link_ms("retire_ms", raw.retire_ms, default.retire),
            two_agents: self.link_ms("two_agents_ms", raw.two_agents_ms, default.two_agents),
            retry_after: self.link_ms("retry_after_ms", raw.retry_after_ms, default.retry_after),
            reconnect_max: self.link_ms("reconnect_max_ms", raw.reconnect_max_ms, default.reconnect_max),
            stable_after: self.link_ms("stable_after_ms", raw.stable_after_ms, default.stable_after),
        };
        self.silence(&timings);
        timings
    }

    pub(super) fn arrivals(&mut self, raw: &RawLink) -> usize {
        if raw.arrivals == Some(0) {
            self.add("link.arrivals", "0 would let nobody in; write at least 1");
        }
        raw.arrivals.unwrap_or(ARRIVALS)
    }

    fn link_ms(&mut self, key: &str, value_ms: Option<u64>, default: Duration) -> Duration {
        if value_ms == Some(0) {
            self.add(format!("link.{key}"), "0 is no time at all; write at least 1");
        }
        value_ms.map_or(default, Duration::from_millis)
    }

    fn silence(&mut self, timings: &Timings) {
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
    }

    /// How the agent of a cluster is dialled; `None` where it dials.
    pub(super) fn route(&mut self, at: impl Fn(&str) -> String, cluster: &RawCluster) -> Option<Route> {
        let Some(url) = &cluster.url else {
            let stray =
                [("token_file", cluster.token_file.is_some()), ("ca_file", cluster.ca_file.is_some())];
            for (key, _) in stray.into_iter().filter(|(_, is_set)| *is_set) {
                self.add(at(key), "is for an agent that is dialled; write its url, or leave this out");
            }
            return None;
        };
        if cluster.token_sha256.is_some() {
            let problem = "an agent that is dialled does not dial: leave this out, or url";
            self.add(at("token_sha256"), problem);
        }
        let url = self.keep(at("url"), url.parse::<AgentUrl>());
        let credential = self.credential(&at("token_file"), cluster);
        let trust = match &cluster.ca_file {
            Some(path) => self.keep(at("ca_file"), Trust::ca_file(path)),
            None => {
                let transport = url.as_ref()?.transport();
                self.keep(at("ca_file"), Trust::of_transport(transport))
            }
        };
        Some(Route { url: url?, credential: credential?, trust: trust? })
    }

    fn credential(&mut self, key: &str, cluster: &RawCluster) -> Option<Credential> {
        let Some(path) = &cluster.token_file else {
            self.add(key, "is missing: an agent that is dialled wants to see a token");
            return None;
        };
        self.keep(key.to_owned(), Credential::in_file(path))
    }

    fn keep<T, E: std::error::Error>(&mut self, key: String, value: Result<T, E>) -> Option<T> {
        value.map_err(|error| self.add(key, kubeplex_link::reason(&error))).ok()
    }
}
