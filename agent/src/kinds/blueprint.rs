//! How a kind is watched: in which version, with which columns.

use std::sync::Arc;
use std::time::Duration;

use kubeplex_proto::control::SyncState;
use kubeplex_proto::kind::{GroupResource, KindInfo};
use serde::Deserialize;

use super::Shared;
use super::builtin;
use crate::api::{ApiError, object_path};
use crate::cache::KindShape;
use crate::columns::{Columns, PrinterColumn};

/// For the one CRD that says a kind's columns.
const CRD_TIMEOUT: Duration = Duration::from_secs(10);

/// What a store and its watch are made from. A different one means a new store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Blueprint {
    pub(super) info: KindInfo,
    pub(super) columns: ColumnSource,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ColumnSource {
    Builtin,
    /// As the kind's CRD declares them for the watched version.
    Declared(Vec<PrinterColumn>),
    /// Nobody says: name and age.
    Generic,
}

#[derive(Deserialize)]
struct Crd {
    spec: CrdSpec,
}

#[derive(Deserialize)]
struct CrdSpec {
    #[serde(default)]
    versions: Vec<CrdVersion>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CrdVersion {
    name: String,
    #[serde(default)]
    additional_printer_columns: Vec<PrinterColumn>,
}

impl Blueprint {
    pub(super) fn shape(&self, shared: &Shared) -> KindShape {
        let columns = match &self.columns {
            ColumnSource::Builtin => Columns::builtin(&self.info.id).unwrap_or_else(Columns::generic),
            ColumnSource::Declared(columns) => Columns::from_printer_columns(columns),
            ColumnSource::Generic => Columns::generic(),
        };
        KindShape {
            id: self.info.id.clone(),
            api_version: self.info.api_version(),
            kind: self.info.kind.clone(),
            scope: self.info.scope,
            columns: Arc::new(columns),
            digest_key: shared.digest_key.clone(),
        }
    }

    /// Decides how to watch a kind, as far as what is cached tells; `None` where a CRD would have to be asked for.
    pub(super) fn from_cache(shared: &Shared, info: &KindInfo) -> Option<Self> {
        let columns = if Columns::builtin(&info.id).is_some() {
            ColumnSource::Builtin
        } else {
            ColumnSource::of_crd(cached_crd(shared, &info.id)?.as_deref(), &info.version)
        };
        Some(Self { info: info.clone(), columns })
    }

    /// Decides how to watch a kind, with one request at most.
    pub(super) async fn of(shared: &Shared, info: &KindInfo) -> Self {
        match Self::from_cache(shared, info) {
            Some(blueprint) => blueprint,
            None => {
                let crd = fetch_crd(shared, &info.id).await;
                Self { info: info.clone(), columns: ColumnSource::of_crd(crd.as_deref(), &info.version) }
            }
        }
    }
}

impl ColumnSource {
    fn of_crd(crd: Option<&[u8]>, version: &str) -> Self {
        let Some(crd) = crd.and_then(|json| serde_json::from_slice::<Crd>(json).ok()) else {
            return Self::Generic;
        };
        match crd.spec.versions.into_iter().find(|served| served.name == version) {
            Some(served) => Self::Declared(served.additional_printer_columns),
            None => Self::Generic,
        }
    }
}

/// The CRD of a kind from the cache; the outer `None` where CRDs are not cached.
fn cached_crd(shared: &Shared, id: &GroupResource) -> Option<Option<Vec<u8>>> {
    let crds = shared.handle(&builtin::crds())?;
    if !matches!(crds.status().state, SyncState::Synced | SyncState::Stale) {
        return None;
    }
    let store = crds.store.read();
    let Some(row) = store.get(None, &id.to_string()) else { return Some(None) };
    let mut json = Vec::new();
    row.object(&mut json).then_some(Some(json))
}

/// Not every kind has a CRD, and not every agent may read it: then its columns are generic.
async fn fetch_crd(shared: &Shared, id: &GroupResource) -> Option<Vec<u8>> {
    let crds = shared.discovered.borrow().table.get(&builtin::crds())?.clone();
    match shared.api.get_bytes(&object_path(&crds, None, &id.to_string()), CRD_TIMEOUT).await {
        Ok(body) => Some(body.to_vec()),
        Err(ApiError::NotFound { .. }) => None,
        Err(error) => {
            tracing::info!(kind = %id, error = &error as &dyn std::error::Error, "its CRD can't be read: it shows name and age");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_those_of_the_watched_version() {
        let crd = br#"{"spec":{"versions":[{"name":"v1","additionalPrinterColumns":[{"name":"Phase","type":"string","jsonPath":".status.phase"}]},
            {"name":"v1alpha1"}]}}"#;
        let phase = PrinterColumn {
            name: "Phase".into(),
            column_type: "string".into(),
            json_path: ".status.phase".into(),
            priority: 0,
        };
        for (crd, version, expected) in [
            (Some(&crd[..]), "v1", ColumnSource::Declared(vec![phase])),
            (Some(&crd[..]), "v1alpha1", ColumnSource::Declared(vec![])),
            (Some(&crd[..]), "v2", ColumnSource::Generic),
            (Some(&b"<html>"[..]), "v1", ColumnSource::Generic),
            (None, "v1", ColumnSource::Generic),
        ] {
            assert_eq!(ColumnSource::of_crd(crd, version), expected);
        }
    }
}
