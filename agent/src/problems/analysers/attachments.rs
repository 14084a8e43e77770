//! Volumes that can't be attached to a node, or detached from it.
//!
//! The driver's word stands in the status of the VolumeAttachment: <https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/volume-attachment-v1/>

use serde_json::Value;

use super::found::time_ms;
use super::{Cause, Severity, Subject, Verdict, World};
use crate::columns::field::{at, text};
use crate::problems::thresholds::NOT_MOUNTED_MS;
use crate::problems::{Evidence, Finding};

pub(super) const CAUSES: &[Cause] = &[Cause {
    name: "AttachmentFailed",
    severities: &[Severity::Warning],
    looks_at: "the errors in the status of VolumeAttachments",
    when: "for a minute a driver fails to attach a volume to its node, or to detach it",
}];

pub(super) fn judge(subject: &Subject<'_>, world: &dyn World, verdict: &mut Verdict) {
    let attachment = subject.object;
    for (field, words) in [("attachError", "attached"), ("detachError", "detached")] {
        let Some(error) = at(attachment, &format!("/status/{field}")).filter(|error| error.is_object())
        else {
            continue;
        };
        let created_ms = time_ms(attachment, "/metadata/creationTimestamp").unwrap_or_default();
        if world.now_ms() - created_ms < NOT_MOUNTED_MS {
            verdict.look_again(created_ms + NOT_MOUNTED_MS);
            continue;
        }
        verdict.add(finding(attachment, field, words, error));
    }
}

fn finding(attachment: &Value, field: &str, words: &str, error: &Value) -> Finding {
    let attacher = text(attachment, "/spec/attacher");
    let message = format!("the driver {attacher} fails: its volume can't be {words}");
    let volume = text(attachment, "/spec/source/persistentVolumeName");
    let at_ms = time_ms(error, "/time");
    let told = Evidence { at_ms, ..Evidence::field(&format!("status.{field}"), text(error, "/message")) };
    let node =
        Evidence::field("volume and node", format!("{volume}, {}", text(attachment, "/spec/nodeName")));
    Finding::new("AttachmentFailed", Severity::Warning, message).shown_by([told, node]).last_seen(at_ms)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::problems::world::fixture::{Fixture, ago};

    #[track_caller]
    fn check(status: Value, minutes: i64, expected: &[&str]) {
        let attachment = json!({
            "metadata": {"name": "csi-1", "creationTimestamp": ago(minutes)}, "status": status,
            "spec": {"attacher": "csi.example.com", "nodeName": "n1", "source": {"persistentVolumeName": "pv1"}},
        });
        let judged = Fixture::new().judge(judge, "volumeattachments.storage.k8s.io", &attachment);
        assert_eq!(judged.0, expected);
    }

    #[test]
    fn drivers_that_fail() {
        let line = "Warning AttachmentFailed: the driver csi.example.com fails: its volume can't be";
        check(
            json!({"attached": false, "attachError": {"message": "timeout", "time": ago(1)}}),
            5,
            &[&format!("{line} attached")],
        );
        check(
            json!({"attached": true, "detachError": {"message": "busy"}}),
            5,
            &[&format!("{line} detached")],
        );
        check(json!({"attached": false, "attachError": {"message": "timeout"}}), 0, &[]);
        check(json!({"attached": true}), 5, &[]);
    }
}
