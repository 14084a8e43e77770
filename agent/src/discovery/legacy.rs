//! Discovery as servers before 1.26, and some proxies in front of newer ones, tell it: a list of groups, then one reply for
//! each version of each.

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use kubeplex_link::reason;
use serde::Deserialize;

use super::{Described, Found, GroupKinds, TIMEOUT, or_empty};
use crate::api::{Api, ApiError};

/// Group versions asked for at once; the budget may allow fewer.
const AT_ONCE: usize = 8;

#[derive(Deserialize)]
struct Versions {
    versions: Vec<String>,
}

#[derive(Deserialize)]
struct Groups {
    groups: Vec<Group>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Group {
    name: String,
    #[serde(default, deserialize_with = "or_empty")]
    versions: Vec<GroupVersion>,
    preferred_version: Option<GroupVersion>,
}

#[derive(Deserialize, PartialEq)]
struct GroupVersion {
    version: String,
}

#[derive(Deserialize)]
struct ResourceList {
    #[serde(default, deserialize_with = "or_empty")]
    resources: Vec<Resource>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Resource {
    name: String,
    #[serde(default)]
    singular_name: String,
    #[serde(default)]
    namespaced: bool,
    #[serde(default)]
    kind: String,
    #[serde(default, deserialize_with = "or_empty")]
    verbs: Vec<String>,
    #[serde(default, deserialize_with = "or_empty")]
    short_names: Vec<String>,
    #[serde(default, deserialize_with = "or_empty")]
    categories: Vec<String>,
}

/// One version of one group, and what its server said.
type Answer = (String, String, Result<ResourceList, String>);

/// Follows the reply of a root path.
///
/// # Errors
/// `Decode` where the root is neither form; failures below it are failed groups.
pub(super) async fn discover(api: &Api, root: &Bytes) -> Result<Found, ApiError> {
    let wanted = group_versions(root)?;
    let answers: Vec<Answer> = stream::iter(wanted)
        .map(|(group, version)| async move {
            let resources = resources(api, &group, &version).await;
            Ok::<_, ApiError>((group, version, resources))
        })
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    Ok(assemble(answers))
}

/// In the order of lookup: as the server lists the groups, the preferred version of each first.
fn group_versions(root: &Bytes) -> Result<Vec<(String, String)>, ApiError> {
    if let Ok(core) = serde_json::from_slice::<Versions>(root) {
        return Ok(core.versions.into_iter().map(|version| (String::new(), version)).collect());
    }
    let groups: Groups =
        serde_json::from_slice(root).map_err(|source| ApiError::Decode { what: "discovery", source })?;
    let mut wanted = Vec::new();
    for group in groups.groups {
        let preferred = group.preferred_version;
        let (first, rest): (Vec<_>, Vec<_>) =
            group.versions.into_iter().partition(|version| Some(version) == preferred.as_ref());
        wanted.extend(first.into_iter().chain(rest).map(|version| (group.name.clone(), version.version)));
    }
    Ok(wanted)
}

async fn resources(api: &Api, group: &str, version: &str) -> Result<ResourceList, String> {
    let path = if group.is_empty() { format!("/api/{version}") } else { format!("/apis/{group}/{version}") };
    let body = api.get_bytes(&path, TIMEOUT).await.map_err(|error| reason(&error))?;
    serde_json::from_slice(&body).map_err(|error| format!("{path} can't be read: {error}"))
}

fn assemble(answers: Vec<Answer>) -> Found {
    let mut found = Found::default();
    let mut kinds = GroupKinds::default();
    for (group, version, resources) in answers {
        match resources {
            Ok(list) => {
                list.resources
                    .into_iter()
                    .for_each(|resource| kinds.add(Described::from(resource).into_info(&group, &version)));
            }
            Err(message) => found.failed_groups.push((group, message)),
        }
    }
    found.kinds = kinds.kinds;
    found
}

impl From<Resource> for Described {
    fn from(resource: Resource) -> Self {
        Self {
            resource: resource.name,
            kind: resource.kind,
            singular: resource.singular_name,
            namespaced: resource.namespaced,
            verbs: resource.verbs,
            short_names: resource.short_names,
            categories: resource.categories,
        }
    }
}
