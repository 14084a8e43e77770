//! Volumes, claims and classes of storage.

use serde_json::Value;

use super::field::{
    NONE, UNSET, annotation, count, flag, has, is_deleted, join, joined, list, or, quantity, text, text_or,
};
use super::{AGE, Cell, DEFAULT, Entry, NAME, narrow, wide};

const VOLUME_MODE: Entry = wide("VolumeMode", |object| text_or(object, "/spec/volumeMode", UNSET).into());
const ATTRIBUTES_CLASS: Entry = narrow("VolumeAttributesClass", |object| {
    text_or(object, "/spec/volumeAttributesClassName", UNSET).into()
});
const STORAGE_CLASS: Entry = narrow("StorageClass", |object| class_of(object).into());
const STATUS: Entry = narrow("Status", |object| phase(object).into());

const CLAIMS: &[Entry] = &[
    NAME,
    STATUS,
    narrow("Volume", |claim| text(claim, "/spec/volumeName").into()),
    narrow("Capacity", |claim| {
        if is_bound(claim) { quantity(claim, "/status/capacity/storage").into() } else { "".into() }
    }),
    narrow("Access Modes", |claim| {
        if is_bound(claim) { access_modes(claim, "/status/accessModes") } else { "".into() }
    }),
    STORAGE_CLASS,
    ATTRIBUTES_CLASS,
    AGE,
    VOLUME_MODE,
];

const VOLUMES: &[Entry] = &[
    NAME,
    narrow("Capacity", |volume| quantity(volume, "/spec/capacity/storage").into()),
    narrow("Access Modes", |volume| access_modes(volume, "/spec/accessModes")),
    narrow("Reclaim Policy", |volume| text(volume, "/spec/persistentVolumeReclaimPolicy").into()),
    STATUS,
    narrow("Claim", |volume| claim(volume).into()),
    STORAGE_CLASS,
    ATTRIBUTES_CLASS,
    narrow("Reason", |volume| text(volume, "/status/reason").into()),
    AGE,
    VOLUME_MODE,
];

const STORAGE_CLASSES: &[Entry] = &[
    narrow("Name", |class| class_name(class).into()),
    narrow("Provisioner", |class| text(class, "/provisioner").into()),
    narrow("ReclaimPolicy", |class| text_or(class, "/reclaimPolicy", "Delete").into()),
    narrow("VolumeBindingMode", |class| text_or(class, "/volumeBindingMode", "Immediate").into()),
    narrow("AllowVolumeExpansion", |class| flag(class, "/allowVolumeExpansion", false).into()),
    AGE,
];

const VOLUME_ATTACHMENTS: &[Entry] = &[
    NAME,
    narrow("Attacher", |attachment| text(attachment, "/spec/attacher").into()),
    narrow("PV", |attachment| text(attachment, "/spec/source/persistentVolumeName").into()),
    narrow("Node", |attachment| text(attachment, "/spec/nodeName").into()),
    narrow("Attached", |attachment| flag(attachment, "/status/attached", false).into()),
    AGE,
];

const ATTRIBUTES_CLASSES: &[Entry] =
    &[NAME, narrow("DriverName", |class| text(class, "/driverName").into()), AGE];

const CSI_NODES: &[Entry] = &[NAME, narrow("Drivers", |node| count(node, "/spec/drivers").into()), AGE];

const CSI_DRIVERS: &[Entry] = &[
    NAME,
    narrow("AttachRequired", |driver| flag(driver, "/spec/attachRequired", true).into()),
    narrow("PodInfoOnMount", |driver| flag(driver, "/spec/podInfoOnMount", false).into()),
    narrow("StorageCapacity", |driver| flag(driver, "/spec/storageCapacity", false).into()),
    narrow("TokenRequests", |driver| token_requests(driver).into()),
    narrow("RequiresRepublish", |driver| flag(driver, "/spec/requiresRepublish", false).into()),
    narrow("Modes", |driver| or(&joined(driver, "/spec/volumeLifecycleModes"), NONE).into()),
    AGE,
];

const BETA_CLASS: &str = "volume.beta.kubernetes.io/storage-class";
const DEFAULT_CLASS: [&str; 2] =
    ["storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"];

/// In the order in which they are shown.
const ACCESS_MODES: [(&str, &str); 4] = [
    ("ReadWriteOnce", "RWO"),
    ("ReadOnlyMany", "ROX"),
    ("ReadWriteMany", "RWX"),
    ("ReadWriteOncePod", "RWOP"),
];

pub(super) fn entries(group: &str, resource: &str) -> Option<&'static [Entry]> {
    Some(match (group, resource) {
        ("", "persistentvolumeclaims") => CLAIMS,
        ("", "persistentvolumes") => VOLUMES,
        ("storage.k8s.io", "storageclasses") => STORAGE_CLASSES,
        ("storage.k8s.io", "volumeattachments") => VOLUME_ATTACHMENTS,
        ("storage.k8s.io", "volumeattributesclasses") => ATTRIBUTES_CLASSES,
        ("storage.k8s.io", "csinodes") => CSI_NODES,
        ("storage.k8s.io", "csidrivers") => CSI_DRIVERS,
        ("storage.k8s.io", "csistoragecapacities") => DEFAULT,
        _ => return None,
    })
}

fn phase(object: &Value) -> &str {
    if is_deleted(object) { "Terminating" } else { text(object, "/status/phase") }
}

fn is_bound(claim: &Value) -> bool {
    !text(claim, "/spec/volumeName").is_empty()
}

/// The class of a volume or a claim: an old annotation wins.
fn class_of(object: &Value) -> &str {
    annotation(object, BETA_CLASS).unwrap_or_else(|| text(object, "/spec/storageClassName"))
}

fn access_modes(object: &Value, pointer: &str) -> Cell {
    let modes = list(object, pointer);
    join(
        ACCESS_MODES
            .iter()
            .filter(|(mode, _)| modes.iter().any(|known| known == mode))
            .map(|(_, short)| *short),
    )
    .into()
}

/// `namespace/name` of the claim that a volume is bound to.
fn claim(volume: &Value) -> String {
    if !has(volume, "/spec/claimRef") {
        return String::new();
    }
    format!("{}/{}", text(volume, "/spec/claimRef/namespace"), text(volume, "/spec/claimRef/name"))
}

/// Of several default classes the server marks only the one in effect, which a single object does not tell.
fn class_name(class: &Value) -> String {
    let name = text(class, "/metadata/name");
    let default = DEFAULT_CLASS.iter().any(|key| annotation(class, key) == Some("true"));
    if default { format!("{name} (default)") } else { name.to_owned() }
}

fn token_requests(driver: &Value) -> String {
    if !has(driver, "/spec/tokenRequests") {
        return UNSET.to_owned();
    }
    join(list(driver, "/spec/tokenRequests").iter().map(|request| text(request, "/audience")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{check, check_names, named};

    #[test]
    fn columns_are_the_servers() {
        check_names(
            "persistentvolumeclaims",
            "Name, Status, Volume, Capacity, Access Modes, StorageClass, VolumeAttributesClass, Age, [VolumeMode]",
        );
        check_names(
            "persistentvolumes",
            "Name, Capacity, Access Modes, Reclaim Policy, Status, Claim, StorageClass, VolumeAttributesClass, Reason, \
             Age, [VolumeMode]",
        );
        check_names(
            "storageclasses.storage.k8s.io",
            "Name, Provisioner, ReclaimPolicy, VolumeBindingMode, AllowVolumeExpansion, Age",
        );
        check_names("volumeattachments.storage.k8s.io", "Name, Attacher, PV, Node, Attached, Age");
        check_names("csinodes.storage.k8s.io", "Name, Drivers, Age");
        check_names(
            "csidrivers.storage.k8s.io",
            "Name, AttachRequired, PodInfoOnMount, StorageCapacity, TokenRequests, RequiresRepublish, Modes, Age",
        );
        check_names("csistoragecapacities.storage.k8s.io", "Name, Created At");
        check_names("volumeattributesclasses.storage.k8s.io", "Name, DriverName, Age");
    }

    #[test]
    fn claims() {
        let pending = named(
            "c",
            json!({"spec": {"resources": {"requests": {"storage": "1Gi"}}}, "status": {"phase": "Pending"}}),
        );
        let shown = json!({"status": "Pending", "volume": "", "capacity": "", "accessModes": "", "storageclass": "",
                           "volumeattributesclass": "<unset>", "volumemode": "<unset>"});
        check("persistentvolumeclaims", &pending, &shown);
        let bound = named(
            "c",
            json!({
                "spec": {"volumeName": "pv-1", "storageClassName": "fast", "volumeMode": "Filesystem"},
                "status": {"phase": "Bound", "capacity": {"storage": "2Gi"},
                           "accessModes": ["ReadWriteMany", "ReadWriteOnce", "ReadWriteMany"]},
            }),
        );
        let shown = json!({"status": "Bound", "volume": "pv-1", "capacity": "2Gi", "accessModes": "RWO,RWX",
                           "storageclass": "fast", "volumemode": "Filesystem"});
        check("persistentvolumeclaims", &bound, &shown);
        let without_capacity =
            named("c", json!({"spec": {"volumeName": "pv-1"}, "status": {"phase": "Lost"}}));
        check("persistentvolumeclaims", &without_capacity, &json!({"status": "Lost", "capacity": "0"}));
        let annotated = named(
            "c",
            json!({
                "metadata": {"deletionTimestamp": "1970-01-01T00:02:00Z",
                             "annotations": {"volume.beta.kubernetes.io/storage-class": "old"}},
                "spec": {"storageClassName": "fast"}, "status": {"phase": "Bound"},
            }),
        );
        check("persistentvolumeclaims", &annotated, &json!({"status": "Terminating", "storageclass": "old"}));
    }

    #[test]
    fn volumes() {
        let volume = named(
            "v",
            json!({
                "spec": {"capacity": {"storage": "10Gi"}, "accessModes": ["ReadWriteOncePod", "ReadOnlyMany"],
                         "persistentVolumeReclaimPolicy": "Retain", "claimRef": {"namespace": "shop", "name": "db"},
                         "storageClassName": "slow", "volumeAttributesClassName": "gold"},
                "status": {"phase": "Failed", "reason": "Recycle"},
            }),
        );
        check(
            "persistentvolumes",
            &volume,
            &json!({"capacity": "10Gi", "accessModes": "ROX,RWOP", "reclaimPolicy": "Retain", "status": "Failed",
                    "claim": "shop/db", "storageclass": "slow", "volumeattributesclass": "gold", "reason": "Recycle"}),
        );
        check(
            "persistentvolumes",
            &named("v", json!({})),
            &json!({"capacity": "0", "claim": "", "volumemode": "<unset>"}),
        );
    }

    #[test]
    fn classes_and_attachments() {
        let class = named(
            "fast",
            json!({"metadata": {"annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
                   "provisioner": "ebs", "allowVolumeExpansion": true, "volumeBindingMode": "WaitForFirstConsumer"}),
        );
        check(
            "storageclasses.storage.k8s.io",
            &class,
            &json!({"name": "fast (default)", "provisioner": "ebs", "reclaimpolicy": "Delete",
                    "volumebindingmode": "WaitForFirstConsumer", "allowvolumeexpansion": true}),
        );
        let bare = json!({"name": "x", "volumebindingmode": "Immediate", "allowvolumeexpansion": false});
        check("storageclasses.storage.k8s.io", &named("x", json!({})), &bare);
        let attachment = named(
            "a",
            json!({"spec": {"attacher": "ebs", "nodeName": "n1", "source": {"persistentVolumeName": "pv-1"}},
                   "status": {"attached": true}}),
        );
        let shown = json!({"attacher": "ebs", "pv": "pv-1", "node": "n1", "attached": true});
        check("volumeattachments.storage.k8s.io", &attachment, &shown);
    }

    #[test]
    fn drivers() {
        let driver = named(
            "d",
            json!({"spec": {"attachRequired": false, "volumeLifecycleModes": ["Persistent", "Ephemeral"],
                            "tokenRequests": [{"audience": "a"}, {"audience": "b"}]}}),
        );
        let shown = json!({"attachrequired": false, "podinfoonmount": false, "tokenrequests": "a,b", "modes": "Persistent,Ephemeral"});
        check("csidrivers.storage.k8s.io", &driver, &shown);
        let bare = json!({"attachrequired": true, "tokenrequests": "<unset>", "modes": "<none>"});
        check("csidrivers.storage.k8s.io", &named("d", json!({})), &bare);
        check(
            "csinodes.storage.k8s.io",
            &named("n", json!({"spec": {"drivers": [{}, {}]}})),
            &json!({"drivers": 2}),
        );
    }
}
