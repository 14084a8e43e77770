//! Images that can't be pulled, and why.
//!
//! Reasons: `pkg/kubelet/images/types.go` and `k8s.io/cri-api/pkg/errors`; what a runtime says of a registry is containerd's and
//! CRI-O's wording. While the kubelet backs off, older ones only say so, and the reason is in the event `Failed`.
//! <https://kubernetes.io/docs/concepts/containers/images/#imagepullbackoff>

use super::ending;
use super::event;
use super::pod::{self, Container};
use super::{Cause, Severity, Subject, Verdict, World};
use crate::columns::field::text;
use crate::problems::{Evidence, Finding};

const fn cause(name: &'static str, when: &'static str) -> Cause {
    Cause {
        name,
        severities: &[Severity::Critical],
        looks_at: "why a pod's containers wait, and its events",
        when,
    }
}

pub(super) const CAUSES: &[Cause] = &[
    cause("ImageNotFound", "the registry has no such repository or tag"),
    cause(
        "ImageForbidden",
        "the registry wants credentials, or other ones; some say so of repositories that are not there",
    ),
    cause(
        "ImageArchitecture",
        "the image is not made for the node's processors: no matching manifest, or `exec format error`",
    ),
    cause(
        "RegistryUnreachable",
        "the registry does not answer, or not as it should: names, connections, certificates, errors of its own",
    ),
    cause("RegistryRateLimit", "the registry allows no more pulls for now"),
    cause("ImageNameInvalid", "the image's name can't be one"),
    cause("ImageNeverPulled", "the node does not have the image, and the pull policy is `Never`"),
    cause("ImagePull", "an image can't be pulled for another reason"),
];

const REASONS: [&str; 7] = [
    "ErrImagePull",
    "ImagePullBackOff",
    "ErrImageNeverPull",
    "InvalidImageName",
    "ImageInspectError",
    "RegistryUnavailable",
    "SignatureValidationFailed",
];

pub(super) fn judge(subject: &Subject<'_>, world: &dyn World, verdict: &mut Verdict) {
    let pod = subject.object;
    if pod::is_over(pod) || pod::is_ready(pod) {
        return;
    }
    for container in pod::containers(pod) {
        if REASONS.contains(&container.waits_for()) {
            verdict.add(not_pulled(subject, &container, world));
        } else if is_foreign(&container) {
            verdict.add(foreign(subject, &container));
        }
    }
}

fn is_foreign(container: &Container<'_>) -> bool {
    ending::is_for_other_processors(container.waiting_message())
        || !container.is_running() && ending::is_foreign(container)
}

fn foreign(subject: &Subject<'_>, container: &Container<'_>) -> Finding {
    let message = format!("image {} is not made for the node's processors", image(subject, container));
    Finding::new("ImageArchitecture", Severity::Critical, message)
        .shown_by(ending::evidence(container))
        .shown_by(ending::waiting(container))
}

fn not_pulled(subject: &Subject<'_>, container: &Container<'_>, world: &dyn World) -> Finding {
    let image = image(subject, container);
    let events = event::recent(world, &pod::name_of(subject.object));
    let failed = events.into_iter().find(|event| is_of_pull(event, container));
    let told = failed.as_deref().map_or("", |event| text(event, "/message"));
    let (cause, words) = match container.waits_for() {
        "InvalidImageName" => ("ImageNameInvalid", "is no valid name of an image"),
        "ErrImageNeverPull" => ("ImageNeverPulled", "is not on the node, and is never to be pulled"),
        "SignatureValidationFailed" => ("ImagePull", "has no valid signature"),
        "RegistryUnavailable" => ("RegistryUnreachable", UNREACHABLE),
        _ => {
            why(container.waiting_message()).or_else(|| why(told)).unwrap_or(("ImagePull", "can't be pulled"))
        }
    };
    Finding::new(cause, Severity::Critical, format!("image {image} {words}"))
        .shown_by(ending::waiting(container))
        .shown_by(
            failed.as_deref().filter(|_| why(container.waiting_message()).is_none()).map(Evidence::event),
        )
        .since(pod::condition_since_ms(subject.object, "ContainersReady"))
        .last_seen(failed.as_deref().and_then(event::last_seen_ms))
}

fn is_of_pull(event: &serde_json::Value, container: &Container<'_>) -> bool {
    text(event, "/reason") == "Failed"
        && text(event, "/message").contains("pull")
        && why(text(event, "/message")).is_some()
        && event::is_of_container(event, container.name)
}

const UNREACHABLE: &str = "can't be pulled: its registry can't be reached";

/// By the words of runtimes and registries. What is more certain comes first: a registry that refuses says `not found`, too.
fn why(message: &str) -> Option<(&'static str, &'static str)> {
    let message = message.to_lowercase();
    let table: [(&[&str], &str, &str); 5] = [
        (
            &["toomanyrequests", "too many requests", "rate limit"],
            "RegistryRateLimit",
            "can't be pulled: its registry allows no more pulls for now",
        ),
        (
            &["no matching manifest", "no match for platform", "does not match the specified platform"],
            "ImageArchitecture",
            "is not made for the node's processors",
        ),
        (
            &[
                "unauthorized",
                "authorization failed",
                "access denied",
                "denied:",
                "403 forbidden",
                "insufficient_scope",
                "authentication required",
                "no basic auth",
            ],
            "ImageForbidden",
            "can't be pulled: its registry refuses the credentials, or wants some",
        ),
        (
            &[
                "no such host",
                "connection refused",
                "i/o timeout",
                "tls handshake",
                "x509:",
                "context deadline exceeded",
                "no route to host",
                "network is unreachable",
                "connection reset",
                "503 service unavailable",
                "500 internal server error",
                "502 bad gateway",
                "server misbehaving",
                "client.timeout",
                "unexpected eof",
            ],
            "RegistryUnreachable",
            UNREACHABLE,
        ),
        (
            &["not found", "manifest unknown", "repository does not exist", "name unknown", "manifest for"],
            "ImageNotFound",
            "is not in its registry",
        ),
    ];
    let found = table.iter().find(|(words, ..)| words.iter().any(|word| message.contains(word)))?;
    Some((found.1, found.2))
}

/// As the pod asks for it.
fn image<'a>(subject: &Subject<'a>, container: &Container<'a>) -> &'a str {
    let declared = container.declared(subject.object).map_or("", |declared| text(declared, "/image"));
    if declared.is_empty() { text(container.status, "/image") } else { declared }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::problems::world::fixture::Fixture;

    fn pod(reason: &str, message: &str) -> Value {
        json!({
            "metadata": {"name": "web-0", "namespace": "shop"},
            "spec": {"containers": [{"name": "app", "image": "r.io/app:1"}]},
            "status": {"phase": "Pending", "containerStatuses": [
                {"name": "app", "ready": false, "state": {"waiting": {"reason": reason, "message": message}}}]},
        })
    }

    #[track_caller]
    fn check(world: &Fixture, pod: &Value, expected: &[&str]) {
        assert_eq!(world.judge(judge, "pods", pod).0, expected);
    }

    #[test]
    fn registries_say_why() {
        let nothing = "is not in its registry";
        let refused = "can't be pulled: its registry refuses the credentials, or wants some";
        for (message, cause, words) in [
            (
                "Back-off pulling image \"r.io/app:1\": ErrImagePull: rpc error: code = NotFound desc = failed to pull and unpack image: not found",
                "ImageNotFound",
                nothing,
            ),
            ("manifest unknown: manifest unknown", "ImageNotFound", nothing),
            (
                "pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed",
                "ImageForbidden",
                refused,
            ),
            (
                "failed to authorize: failed to fetch anonymous token: unexpected status: 401 Unauthorized",
                "ImageForbidden",
                refused,
            ),
            (
                "no matching manifest for linux/arm64/v8 in the manifest list entries",
                "ImageArchitecture",
                "is not made for the node's processors",
            ),
            ("dial tcp: lookup r.io on 10.0.0.10:53: no such host", "RegistryUnreachable", UNREACHABLE),
            (
                "tls: failed to verify certificate: x509: certificate signed by unknown authority",
                "RegistryUnreachable",
                UNREACHABLE,
            ),
            (
                "429 Too Many Requests - Server message: toomanyrequests: You have reached your pull rate limit",
                "RegistryRateLimit",
                "can't be pulled: its registry allows no more pulls for now",
            ),
            ("something new", "ImagePull", "can't be pulled"),
        ] {
            check(
                &Fixture::new(),
                &pod("ErrImagePull", message),
                &[&format!("Critical {cause}: image r.io/app:1 {words}")],
            );
        }
    }

    #[test]
    fn while_the_kubelet_backs_off_the_event_says_why() {
        let world =
            Fixture::new().warning("web-0", "Failed", "Failed to pull image \"r.io/app:1\": not found");
        let waiting = pod("ImagePullBackOff", "Back-off pulling image \"r.io/app:1\"");
        check(&world, &waiting, &["Critical ImageNotFound: image r.io/app:1 is not in its registry"]);
        check(&Fixture::new(), &waiting, &["Critical ImagePull: image r.io/app:1 can't be pulled"]);
    }

    #[test]
    fn reasons_of_their_own() {
        let world = Fixture::new();
        check(
            &world,
            &pod("InvalidImageName", ""),
            &["Critical ImageNameInvalid: image r.io/app:1 is no valid name of an image"],
        );
        check(
            &world,
            &pod("ErrImageNeverPull", ""),
            &["Critical ImageNeverPulled: image r.io/app:1 is not on the node, and is never to be pulled"],
        );
        check(
            &world,
            &pod("RegistryUnavailable", "x"),
            &[&format!("Critical RegistryUnreachable: image r.io/app:1 {UNREACHABLE}")],
        );
        check(&world, &pod("ContainerCreating", ""), &[]);
        check(&world, &pod("CrashLoopBackOff", "not found"), &[]);
    }

    #[test]
    fn a_binary_for_other_processors_is_the_images_fault() {
        let mut looping = pod("CrashLoopBackOff", "back-off");
        let last = json!({"terminated": {"exitCode": 255, "reason": "Error", "message": "exec /app: exec format error"}});
        looping["status"]["containerStatuses"][0]["lastState"] = last;
        let expected = "Critical ImageArchitecture: image r.io/app:1 is not made for the node's processors";
        check(&Fixture::new(), &looping, &[expected]);
    }
}
