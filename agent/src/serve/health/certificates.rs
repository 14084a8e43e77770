//! Certificates of cert-manager: which are not there, and which end first.

use kubeplex_proto::health::{CertificateFacts, Expiry, Named};
use kubeplex_proto::quantity::parse_time_ms;
use serde_json::Value;

use super::{condition, text};
use crate::limits::HEALTH_NAMED;

#[derive(Default)]
pub(super) struct Certificates(CertificateFacts);

impl Certificates {
    pub(super) fn see(&mut self, certificate: &Value) {
        let Self(facts) = self;
        let (namespace, name) =
            (text(certificate, "/metadata/namespace"), text(certificate, "/metadata/name"));
        facts.total += 1;
        let ready = condition(certificate, "Ready");
        if ready.is_some_and(|ready| ready["status"] == "False") {
            facts.not_ready_total += 1;
            if facts.not_ready.len() < HEALTH_NAMED {
                let why = ready.and_then(|ready| ready["reason"].as_str()).unwrap_or_default();
                facts.not_ready.push(Named { name: format!("{namespace}/{name}"), why: why.to_owned() });
            }
        }
        if let Some(not_after_ms) = parse_time_ms(text(certificate, "/status/notAfter")) {
            let expiry = Expiry { not_after_ms, namespace: namespace.to_owned(), name: name.to_owned() };
            facts.soonest.push(expiry);
            facts.soonest.sort();
            facts.soonest.truncate(HEALTH_NAMED);
        }
    }

    pub(super) fn facts(self) -> CertificateFacts {
        self.0
    }
}
