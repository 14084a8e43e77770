//! What of a new configuration has to wait until the gateway is started again.

use kubeplex_link::certificate::CertificateFiles;

use super::{GatewayConfig, Protection};
use crate::limits::Limits;

impl GatewayConfig {
    /// The keys in which `new` differs and that a running gateway can't take over. Clusters, callers and rates it can.
    pub(crate) fn waiting_for_restart(&self, new: &Self) -> Vec<&'static str> {
        // Named one by one, so that whoever adds a key has to say here what becomes of it.
        let Self {
            listen,
            protection,
            admin,
            admin_audience,
            clusters: _,
            dialled: _,
            callers: _,
            allowed_hosts,
            allowed_origins,
            limits,
            timings,
            arrivals,
            cursor_key,
            health,
            fixtures,
        } = self;
        let differences = [
            ("gateway.listen", *listen != new.listen),
            ("gateway.tls", protection.files() != new.protection.files()),
            ("gateway.behind_tls_proxy", protection.is_proxy() != new.protection.is_proxy()),
            ("gateway.admin", *admin != new.admin),
            ("gateway.admin_on_network", *admin_audience != new.admin_audience),
            ("gateway.cursor_key_file", *cursor_key != new.cursor_key),
            ("mcp.allowed_hosts", *allowed_hosts != new.allowed_hosts),
            ("mcp.allowed_origins", *allowed_origins != new.allowed_origins),
            ("mcp.conformance_fixtures", *fixtures != new.fixtures),
            ("link.arrivals", *arrivals != new.arrivals),
            ("health", *health != new.health),
            ("link", *timings != new.timings),
        ];
        let differences = differences.into_iter().chain(limits.differences(&new.limits));
        differences.filter_map(|(key, differs)| differs.then_some(key)).collect()
    }

    /// This, with what a running gateway can take over from `new`.
    pub(crate) fn with_reloadable(self, new: Self) -> Self {
        let limits = Limits { rates: new.limits.rates, ..self.limits };
        Self { clusters: new.clusters, dialled: new.dialled, callers: new.callers, limits, ..self }
    }
}

impl Protection {
    fn files(&self) -> Option<&CertificateFiles> {
        match self {
            Self::Tls(files) => Some(files),
            Self::None | Self::TlsProxy => None,
        }
    }

    fn is_proxy(&self) -> bool {
        *self == Self::TlsProxy
    }
}

impl Limits {
    fn differences(&self, new: &Self) -> impl Iterator<Item = (&'static str, bool)> {
        let Self {
            request_bytes,
            calls_in_flight,
            requests_in_flight,
            requests_per_caller,
            rates: _,
            legs_in_flight,
            legs_per_call,
            answer_bytes,
            result_cache_bytes,
            legs_per_cluster,
            sessions,
            sessions_per_caller,
            session_idle,
            connections,
            connections_per_address,
            request_head,
            request_body,
            connection_idle,
            slow_reader,
            drain,
        } = self;
        [
            ("limits.request_bytes", *request_bytes != new.request_bytes),
            ("limits.calls_in_flight", *calls_in_flight != new.calls_in_flight),
            ("limits.requests_in_flight", *requests_in_flight != new.requests_in_flight),
            ("limits.requests_per_caller", *requests_per_caller != new.requests_per_caller),
            ("limits.legs_in_flight", *legs_in_flight != new.legs_in_flight),
            ("limits.legs_per_call", *legs_per_call != new.legs_per_call),
            ("limits.answer_bytes", *answer_bytes != new.answer_bytes),
            ("limits.result_cache_bytes", *result_cache_bytes != new.result_cache_bytes),
            ("limits.legs_per_cluster", *legs_per_cluster != new.legs_per_cluster),
            ("limits.sessions", *sessions != new.sessions),
            ("limits.sessions_per_caller", *sessions_per_caller != new.sessions_per_caller),
            ("limits.session_idle_ms", *session_idle != new.session_idle),
            ("limits.connections", *connections != new.connections),
            ("limits.connections_per_address", *connections_per_address != new.connections_per_address),
            ("limits.request_head_ms", *request_head != new.request_head),
            ("limits.request_body_ms", *request_body != new.request_body),
            ("limits.connection_idle_ms", *connection_idle != new.connection_idle),
            ("limits.slow_reader_ms", *slow_reader != new.slow_reader),
            ("limits.drain_ms", *drain != new.drain),
        ]
        .into_iter()
    }
}
