//! Tables of volumes, claims, classes and what attaches them.

use serde_json::Value;

use super::cell::{Column, View, age, joined, name, or_none};
use crate::json::{flag, items, text};

pub(super) const VOLUMES: View = View {
    columns: &[
        Column::name(),
        Column::text("Capacity"),
        Column::text("Access Modes"),
        Column::text("Reclaim Policy"),
        Column::text("Status"),
        Column::text("Claim"),
        Column::text("StorageClass"),
        Column::text("VolumeAttributesClass"),
        Column::text("Reason"),
        Column::age(),
        Column::text("VolumeMode").wide(),
    ],
    cells: |object, now| {
        let claim = object
            .pointer("/spec/claimRef")
            .map_or(String::new(), |claim| format!("{}/{}", text(claim, "/namespace"), text(claim, "/name")));
        vec![
            name(object),
            capacity(text(object, "/spec/capacity/storage")),
            modes(object, "/spec/accessModes"),
            text(object, "/spec/persistentVolumeReclaimPolicy").into(),
            phase(object),
            claim.into(),
            text(object, "/spec/storageClassName").into(),
            or_unset(object, "/spec/volumeAttributesClassName"),
            text(object, "/status/reason").into(),
            age(object, now),
            or_unset(object, "/spec/volumeMode"),
        ]
    },
};

pub(super) const CLAIMS: View = View {
    columns: &[
        Column::name(),
        Column::text("Status"),
        Column::text("Volume"),
        Column::text("Capacity"),
        Column::text("Access Modes"),
        Column::text("StorageClass"),
        Column::text("VolumeAttributesClass"),
        Column::age(),
        Column::text("VolumeMode").wide(),
    ],
    cells: |object, now| {
        let volume = text(object, "/spec/volumeName");
        let (size, access) = match volume {
            "" => (Value::from(""), Value::from("")),
            _ => (capacity(text(object, "/status/capacity/storage")), modes(object, "/status/accessModes")),
        };
        vec![
            name(object),
            phase(object),
            volume.into(),
            size,
            access,
            text(object, "/spec/storageClassName").into(),
            or_unset(object, "/spec/volumeAttributesClassName"),
            age(object, now),
            or_unset(object, "/spec/volumeMode"),
        ]
    },
};

/// A missing quantity prints as zero.
fn capacity(quantity: &str) -> Value {
    if quantity.is_empty() { "0".into() } else { quantity.into() }
}

fn phase(object: &Value) -> Value {
    let is_deleted = !text(object, "/metadata/deletionTimestamp").is_empty();
    if is_deleted { "Terminating".into() } else { text(object, "/status/phase").into() }
}

fn or_unset(object: &Value, pointer: &str) -> Value {
    match text(object, pointer) {
        "" => "<unset>".into(),
        given => given.into(),
    }
}

/// Short names of access modes, in the server's order.
fn modes(object: &Value, pointer: &str) -> Value {
    let given: Vec<&str> = items(object, pointer).iter().filter_map(Value::as_str).collect();
    let known = [
        ("ReadWriteOnce", "RWO"),
        ("ReadOnlyMany", "ROX"),
        ("ReadWriteMany", "RWX"),
        ("ReadWriteOncePod", "RWOP"),
    ];
    known
        .iter()
        .filter(|(mode, _)| given.contains(mode))
        .map(|(_, short)| *short)
        .collect::<Vec<_>>()
        .join(",")
        .into()
}

pub(super) const CLASSES: View = View {
    columns: &[
        Column::name(),
        Column::text("Provisioner"),
        Column::text("ReclaimPolicy"),
        Column::text("VolumeBindingMode"),
        Column::text("AllowVolumeExpansion"),
        Column::age(),
    ],
    cells: |object, now| {
        let default =
            text(object, "/metadata/annotations/storageclass.kubernetes.io~1is-default-class") == "true";
        let or = |pointer: &str, otherwise: &str| match text(object, pointer) {
            "" => Value::from(otherwise),
            given => given.into(),
        };
        vec![
            format!("{}{}", text(object, "/metadata/name"), if default { " (default)" } else { "" }).into(),
            text(object, "/provisioner").into(),
            or("/reclaimPolicy", "Delete"),
            or("/volumeBindingMode", "Immediate"),
            flag(object, "/allowVolumeExpansion").into(),
            age(object, now),
        ]
    },
};

pub(super) const ATTACHMENTS: View = View {
    columns: &[
        Column::name(),
        Column::text("Attacher").formatted("name"),
        Column::text("PV"),
        Column::text("Node"),
        Column::boolean("Attached"),
        Column::age(),
    ],
    cells: |object, now| {
        vec![
            name(object),
            text(object, "/spec/attacher").into(),
            text(object, "/spec/source/persistentVolumeName").into(),
            text(object, "/spec/nodeName").into(),
            flag(object, "/status/attached").into(),
            age(object, now),
        ]
    },
};

pub(super) const ATTRIBUTES_CLASSES: View = View {
    columns: &[Column::name(), Column::text("DriverName"), Column::age()],
    cells: |object, now| vec![name(object), text(object, "/driverName").into(), age(object, now)],
};

pub(super) const CSI_NODES: View = View {
    columns: &[Column::name(), Column::integer("Drivers"), Column::age()],
    cells: |object, now| vec![name(object), items(object, "/spec/drivers").len().into(), age(object, now)],
};

pub(super) const CSI_DRIVERS: View = View {
    columns: &[
        Column::name(),
        Column::boolean("AttachRequired"),
        Column::boolean("PodInfoOnMount"),
        Column::boolean("StorageCapacity"),
        Column::text("TokenRequests"),
        Column::boolean("RequiresRepublish"),
        Column::text("Modes"),
        Column::age(),
    ],
    cells: |object, now| {
        let attach = object.pointer("/spec/attachRequired").and_then(Value::as_bool).unwrap_or(true);
        let tokens = object.pointer("/spec/tokenRequests").map_or("<unset>".to_owned(), |_| {
            let requests = items(object, "/spec/tokenRequests").iter();
            requests.map(|request| text(request, "/audience")).collect::<Vec<_>>().join(",")
        });
        vec![
            name(object),
            attach.into(),
            flag(object, "/spec/podInfoOnMount").into(),
            flag(object, "/spec/storageCapacity").into(),
            tokens.into(),
            flag(object, "/spec/requiresRepublish").into(),
            or_none(&joined(object, "/spec/volumeLifecycleModes")),
            age(object, now),
        ]
    },
};
