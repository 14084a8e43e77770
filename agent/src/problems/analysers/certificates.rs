//! Certificates that expire, or are not issued.
//!
//! cert-manager writes `status.notAfter` and the condition Ready (<https://cert-manager.io/docs/reference/api-docs/>); of Secrets of
//! the type `kubernetes.io/tls` the agent tells the dates where it was told to (`tls_dates`), in a field of their own.

use serde_json::Value;

use super::found::time_ms;
use super::{Cause, Severity, Subject, Verdict, World};
use crate::columns::field::{condition, is_deleted, list, text};
use crate::problems::thresholds::{EXPIRES_NOW_MS, EXPIRES_SOON_MS, NOT_ISSUED_MS};
use crate::problems::{Evidence, Finding};

pub(super) const CAUSES: &[Cause] = &[
    Cause {
        name: "CertificateExpiring",
        severities: &[Severity::Critical, Severity::Warning, Severity::Info],
        looks_at: "the dates of cert-manager's certificates, and of TLS Secrets where the agent tells them",
        when: "a certificate has expired (critical), or does within three days (warning) or three weeks; of cert-manager's only when its renewal is late",
    },
    Cause {
        name: "CertificateNotIssued",
        severities: &[Severity::Warning],
        looks_at: "the condition Ready of cert-manager's certificates",
        when: "cert-manager does not have the certificate for five minutes",
    },
];

pub(super) fn judge(subject: &Subject<'_>, world: &dyn World, verdict: &mut Verdict) {
    let object = subject.object;
    if is_deleted(object) {
        return;
    }
    if subject.kind.resource == "secrets" {
        return expiry(time_ms(object, "/tls/notAfter"), None, "tls.notAfter", world, verdict);
    }
    let ready = condition(object, "Ready").filter(|ready| ready["status"] != "True");
    if let Some(ready) = ready {
        not_issued(object, ready, world, verdict);
    }
    let renewal_ms = time_ms(object, "/status/renewalTime");
    expiry(time_ms(object, "/status/notAfter"), renewal_ms, "status.notAfter", world, verdict);
}

/// What is renewed in time is no matter: cert-manager begins at a third of a certificate's life before its end.
fn expiry(
    not_after_ms: Option<i64>,
    renewal_ms: Option<i64>,
    field: &str,
    world: &dyn World,
    verdict: &mut Verdict,
) {
    let Some(not_after_ms) = not_after_ms else { return };
    let left_ms = not_after_ms - world.now_ms();
    let steps = [EXPIRES_SOON_MS, EXPIRES_NOW_MS, 0].map(|left| not_after_ms - left);
    steps.into_iter().filter(|at_ms| *at_ms > world.now_ms()).for_each(|at_ms| verdict.look_again(at_ms));
    let is_renewed_in_time =
        renewal_ms.is_some_and(|renewal_ms| world.now_ms() < renewal_ms + EXPIRES_NOW_MS);
    let (severity, message) = if left_ms <= 0 {
        (Severity::Critical, "its certificate has expired")
    } else if is_renewed_in_time || left_ms > EXPIRES_SOON_MS {
        return;
    } else if left_ms > EXPIRES_NOW_MS {
        (Severity::Info, "its certificate expires within three weeks")
    } else {
        (Severity::Warning, "its certificate expires within three days")
    };
    let at = jiff::Timestamp::from_millisecond(not_after_ms).map(|at| at.to_string()).unwrap_or_default();
    let shown = Evidence { at_ms: Some(not_after_ms), ..Evidence::field(field, at) };
    let since_ms = (left_ms <= 0).then_some(not_after_ms);
    verdict.add(Finding::new("CertificateExpiring", severity, message).shown_by([shown]).since(since_ms));
}

fn not_issued(certificate: &Value, ready: &Value, world: &dyn World, verdict: &mut Verdict) {
    let Some(since_ms) = time_ms(ready, "/lastTransitionTime") else { return };
    if world.now_ms() - since_ms < NOT_ISSUED_MS {
        return verdict.look_again(since_ms + NOT_ISSUED_MS);
    }
    let names = list(certificate, "/spec/dnsNames").iter().filter_map(Value::as_str);
    let names = Evidence::field("spec.dnsNames", names.collect::<Vec<_>>().join(", "));
    let issuer = text(certificate, "/spec/issuerRef/name");
    let message = format!("the issuer {issuer} does not issue its certificate");
    let finding = Finding::new("CertificateNotIssued", Severity::Warning, message);
    verdict.add(finding.shown_by([Evidence::condition(ready), names]).since(Some(since_ms)));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::problems::world::fixture::{Fixture, ago};

    const DAY: i64 = 24 * 60;

    #[track_caller]
    fn check(kind: &str, object: &Value, expected: &[&str]) -> Verdict {
        let (lines, verdict) = Fixture::new().judge(judge, kind, object);
        assert_eq!(lines, expected);
        verdict
    }

    #[test]
    fn secrets_whose_dates_are_told() {
        let secret = |days: i64| json!({"metadata": {"name": "web-tls"}, "type": "kubernetes.io/tls", "tls": {"notAfter": ago(-days * DAY)}});
        check("secrets", &secret(-1), &["Critical CertificateExpiring: its certificate has expired"]);
        check(
            "secrets",
            &secret(2),
            &["Warning CertificateExpiring: its certificate expires within three days"],
        );
        check(
            "secrets",
            &secret(20),
            &["Info CertificateExpiring: its certificate expires within three weeks"],
        );
        let verdict = check("secrets", &secret(40), &[]);
        assert_eq!(verdict.look_again_ms, Some(Fixture::new().now_ms() + 19 * DAY * 60_000));
        check("secrets", &json!({"metadata": {"name": "other"}, "type": "Opaque"}), &[]);
    }

    #[test]
    fn what_cert_manager_renews_in_time_is_well() {
        let certificate = |ready: &str, left: i64, renewal: i64| {
            json!({
                "metadata": {"name": "web"}, "spec": {"issuerRef": {"name": "le"}, "dnsNames": ["a.example.com"]},
                "status": {"notAfter": ago(-left * DAY), "renewalTime": ago(-renewal * DAY),
                           "conditions": [{"type": "Ready", "status": ready, "reason": "Failed", "lastTransitionTime": ago(10)}]},
            })
        };
        let kind = "certificates.cert-manager.io";
        check(kind, &certificate("True", 15, 1), &[]);
        check(
            kind,
            &certificate("True", 15, -5),
            &["Info CertificateExpiring: its certificate expires within three weeks"],
        );
        check(
            kind,
            &certificate("False", 60, 30),
            &["Warning CertificateNotIssued: the issuer le does not issue its certificate"],
        );
    }
}
