//! The section `limits`.

use std::time::Duration;

use super::super::raw::RawLimits;
use super::Mistakes;
use crate::limits::{LINK_STREAMS, Limits, MAX_TIMEOUT_S, Rates};

const LONGEST_CALL: Duration = Duration::from_secs(MAX_TIMEOUT_S);

impl Mistakes {
    pub(super) fn limits(&mut self, raw: &RawLimits, rates: Rates) -> Limits {
        let default = Limits::default();
        let limits = Limits {
            request_bytes: self.positive("request_bytes", raw.request_bytes, default.request_bytes),
            calls_in_flight: self.positive("calls_in_flight", raw.calls_in_flight, default.calls_in_flight),
            requests_in_flight: self.positive(
                "requests_in_flight",
                raw.requests_in_flight,
                default.requests_in_flight,
            ),
            requests_per_caller: self.positive(
                "requests_per_caller",
                raw.requests_per_caller,
                default.requests_per_caller,
            ),
            rates,
            legs_in_flight: self.positive("legs_in_flight", raw.legs_in_flight, default.legs_in_flight),
            legs_per_call: self.positive("legs_per_call", raw.legs_per_call, default.legs_per_call),
            answer_bytes: self.positive("answer_bytes", raw.answer_bytes, default.answer_bytes),
            result_cache_bytes: raw.result_cache_bytes.unwrap_or(default.result_cache_bytes),
            legs_per_cluster: self.positive(
                "legs_per_cluster",
                raw.legs_per_cluster,
                default.legs_per_cluster,
            ),
            sessions: self.positive("sessions", raw.sessions, default.sessions),
            sessions_per_caller: self.positive(
                "sessions_per_caller",
                raw.sessions_per_caller,
                default.sessions_per_caller,
            ),
            session_idle: self.duration("session_idle_ms", raw.session_idle_ms, default.session_idle),
            connections: self.positive("connections", raw.connections, default.connections),
            connections_per_address: self.positive(
                "connections_per_address",
                raw.connections_per_address,
                default.connections_per_address,
            ),
            request_head: self.duration("request_head_ms", raw.request_head_ms, default.request_head),
            request_body: self.duration("request_body_ms", raw.request_body_ms, default.request_body),
            connection_idle: self.duration(
                "connection_idle_ms",
                raw.connection_idle_ms,
                default.connection_idle,
            ),
            slow_reader: self.duration("slow_reader_ms", raw.slow_reader_ms, default.slow_reader),
            drain: self.duration("drain_ms", raw.drain_ms, default.drain),
        };
        if limits.session_idle <= LONGEST_CALL {
            let (idle, longest) = (limits.session_idle.as_millis(), LONGEST_CALL.as_millis());
            let problem = format!(
                "{idle} is too short: a call may take {longest}, and its session must outlive it; write more than that"
            );
            self.add("limits.session_idle_ms", problem);
        }
        if limits.legs_per_cluster >= LINK_STREAMS {
            let (legs, most) = (limits.legs_per_cluster, LINK_STREAMS - 1);
            let problem = format!(
                "{legs} is too many: a link has {LINK_STREAMS} streams, and needs one; write at most {most}"
            );
            self.add("limits.legs_per_cluster", problem);
        }
        limits
    }

    fn positive<T: PartialEq + From<u8>>(&mut self, key: &str, value: Option<T>, default: T) -> T {
        if value.as_ref() == Some(&T::from(0)) {
            self.add(format!("limits.{key}"), "0 would refuse everything; write at least 1");
        }
        value.unwrap_or(default)
    }

    fn duration(&mut self, key: &str, value_ms: Option<u64>, default: Duration) -> Duration {
        self.positive(key, value_ms, 1);
        value_ms.map_or(default, Duration::from_millis)
    }
}
