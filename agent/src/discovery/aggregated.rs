//! Discovery in one reply: `APIGroupDiscoveryList`, versions v2 and v2beta1, which agree in what is used here.
//!
//! <https://kubernetes.io/docs/reference/using-api/api-concepts/#aggregated-discovery>

use bytes::Bytes;
use serde::Deserialize;

use super::{Described, Found, GroupKinds, body_kind, or_empty};

#[derive(Deserialize)]
struct GroupList {
    #[serde(default, deserialize_with = "or_empty")]
    items: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    #[serde(default)]
    metadata: GroupName,
    #[serde(default, deserialize_with = "or_empty")]
    versions: Vec<Version>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct GroupName {
    name: String,
}

#[derive(Deserialize)]
struct Version {
    version: String,
    #[serde(default, deserialize_with = "or_empty")]
    resources: Vec<Resource>,
    #[serde(default)]
    freshness: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Resource {
    resource: String,
    response_kind: Option<ResponseKind>,
    #[serde(default)]
    scope: String,
    #[serde(default)]
    singular_resource: String,
    #[serde(default, deserialize_with = "or_empty")]
    verbs: Vec<String>,
    #[serde(default, deserialize_with = "or_empty")]
    short_names: Vec<String>,
    #[serde(default, deserialize_with = "or_empty")]
    categories: Vec<String>,
}

#[derive(Deserialize)]
struct ResponseKind {
    #[serde(default)]
    kind: String,
}

/// `None` where the body is of the older form.
pub(super) fn parse(body: &Bytes) -> Option<serde_json::Result<Found>> {
    (body_kind(body)? == "APIGroupDiscoveryList").then(|| {
        let list: GroupList = serde_json::from_slice(body)?;
        let mut found = Found::default();
        for group in list.items {
            take_group(group, &mut found);
        }
        Ok(found)
    })
}

fn take_group(group: Group, found: &mut Found) {
    let name = group.metadata.name;
    let stale: Vec<&str> =
        group.versions.iter().filter(|v| v.freshness == "Stale").map(|v| v.version.as_str()).collect();
    if !stale.is_empty() {
        let message = format!("the API server of {name}/{} does not answer", stale.join(","));
        found.failed_groups.push((name.clone(), message));
    }
    let mut kinds = GroupKinds::default();
    for version in group.versions {
        for resource in version.resources {
            kinds.add(Described::from(resource).into_info(&name, &version.version));
        }
    }
    found.kinds.append(&mut kinds.kinds);
}

impl From<Resource> for Described {
    fn from(resource: Resource) -> Self {
        Self {
            resource: resource.resource,
            kind: resource.response_kind.map(|kind| kind.kind).unwrap_or_default(),
            singular: resource.singular_resource,
            namespaced: resource.scope == "Namespaced",
            verbs: resource.verbs,
            short_names: resource.short_names,
            categories: resource.categories,
        }
    }
}
