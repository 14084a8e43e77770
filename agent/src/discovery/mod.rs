//! What the cluster serves: its groups, versions and kinds, in the order in which kubectl looks a name up.
//!
//! Current servers tell it in two replies (core and the rest), with a tag each, so that asking again is cheap. Older ones
//! are asked group by group. A group whose own server does not answer fails alone.

mod aggregated;
mod legacy;

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use kubeplex_proto::kind::{GroupResource, KindInfo, KindTable, Scope};
use serde::{Deserialize, Deserializer};

use crate::api::{Api, ApiError, Ask, Reply};

/// One discovery reply.
const TIMEOUT: Duration = Duration::from_secs(30);

const ACCEPT: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,\
                      application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";

/// What was last discovered, and the tags to ask again with.
#[derive(Debug, Default)]
pub(crate) struct Discovery {
    core: Half,
    groups: Half,
}

/// The reply to one of the two root paths.
#[derive(Debug, Default)]
struct Half {
    etag: Option<String>,
    found: Found,
}

/// Kinds and failed groups, in the server's order.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Found {
    kinds: Vec<KindInfo>,
    failed_groups: Vec<(String, String)>,
}

impl Discovery {
    /// Asks the server what it serves now.
    ///
    /// # Errors
    /// Any [`ApiError`] of the root paths; what was known before stays then.
    pub(crate) async fn refresh(&mut self, api: &Api) -> Result<KindTable, ApiError> {
        self.core.refresh(api, "/api").await?;
        self.groups.refresh(api, "/apis").await?;
        let kinds = self.core.found.kinds.iter().chain(&self.groups.found.kinds).cloned().collect();
        let failed_groups = self.core.found.failed_groups.iter().chain(&self.groups.found.failed_groups);
        Ok(KindTable { kinds, failed_groups: failed_groups.cloned().collect() })
    }
}

impl Half {
    async fn refresh(&mut self, api: &Api, root: &str) -> Result<(), ApiError> {
        let ask = Ask { accept: ACCEPT, if_none_match: self.etag.as_deref(), timeout: TIMEOUT };
        let Reply::Body { body, etag, .. } = api.get(root, ask).await? else { return Ok(()) };
        match aggregated::parse(&body) {
            Some(found) => {
                self.found = found.map_err(|source| ApiError::Decode { what: "discovery", source })?;
                self.etag = etag;
            }
            None => {
                self.found = legacy::discover(api, &body).await?;
                self.etag = None;
            }
        }
        Ok(())
    }
}

/// Collects the versions of each kind of one group; they arrive with the preferred version first.
#[derive(Default)]
struct GroupKinds {
    kinds: Vec<KindInfo>,
    places: HashMap<GroupResource, usize>,
}

impl GroupKinds {
    /// The first version that has a resource is the one the group prefers for it; later ones are noted beside it.
    fn add(&mut self, kind: KindInfo) {
        // A subresource, `pods/log`, is no kind.
        if kind.id.resource.is_empty() || kind.id.resource.contains('/') {
            return;
        }
        match self.places.get(&kind.id) {
            Some(place) => self.kinds[*place].versions.push(kind.version),
            None => {
                self.places.insert(kind.id.clone(), self.kinds.len());
                self.kinds.push(kind);
            }
        }
    }
}

/// What both forms of discovery say of a resource, beside its place.
struct Described {
    resource: String,
    kind: String,
    singular: String,
    namespaced: bool,
    verbs: Vec<String>,
    short_names: Vec<String>,
    categories: Vec<String>,
}

impl Described {
    fn into_info(self, group: &str, version: &str) -> KindInfo {
        KindInfo {
            id: GroupResource::new(group, self.resource),
            version: version.to_owned(),
            versions: vec![version.to_owned()],
            kind: self.kind,
            singular: self.singular,
            short_names: self.short_names,
            categories: self.categories,
            scope: if self.namespaced { Scope::Namespaced } else { Scope::Cluster },
            verbs: self.verbs,
        }
    }
}

/// What is left out and what is null is empty: servers written in Go send null for a list without items.
fn or_empty<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(value: D) -> Result<T, D::Error> {
    Option::deserialize(value).map(Option::unwrap_or_default)
}

/// A body in which `kind` says what it is.
fn body_kind(body: &Bytes) -> Option<String> {
    #[derive(Deserialize)]
    struct Kind {
        kind: String,
    }
    serde_json::from_slice::<Kind>(body).ok().map(|body| body.kind)
}

#[cfg(test)]
mod tests;
