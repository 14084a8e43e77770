//! How a kind is watched: in which version, with which columns.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use kubeplex_link::reason;
use kubeplex_proto::control::SyncState;
use kubeplex_proto::kind::{GroupResource, KindInfo, Scope};
use serde::Deserialize;

use super::Shared;
use super::builtin;
use crate::api::{ApiError, Query, Representation, collection_path, object_path};
use crate::cache::KindShape;
use crate::columns::table::{TableError, lasting_columns};
use crate::columns::{ColumnDef, Columns, PrinterColumn};
use crate::limits::DECLARED_COLUMNS;
use crate::watch::{Place, Right, Verb};

/// For the one CRD that says a kind's columns.
const CRD_TIMEOUT: Duration = Duration::from_secs(10);

/// For a Table of one row. Somebody waits for the kind, and can do without its columns.
const TABLE_TIMEOUT: Duration = Duration::from_secs(3);

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
    /// As the server's Table of the kind has them: only it knows.
    Served(Vec<ColumnDef>),
    /// Nobody says: name and age.
    Generic,
    /// The server could not say when it was asked: name and age until it does.
    Unknown,
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
            ColumnSource::Served(defs) => Columns::served(defs),
            ColumnSource::Generic | ColumnSource::Unknown => Columns::generic(),
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

    /// Whether it says which columns the kind has, and not only which every kind has.
    pub(super) fn tells_columns(&self) -> bool {
        matches!(self.columns, ColumnSource::Builtin | ColumnSource::Declared(_))
    }

    /// Whether there is nothing left to ask.
    pub(super) fn is_settled(&self) -> bool {
        self.columns != ColumnSource::Unknown
    }

    /// Whether a store that is made from the one can be kept for the other.
    pub(super) fn makes_the_same(&self, other: &Self) -> bool {
        let plain = |one: &Self| matches!(one.columns, ColumnSource::Generic | ColumnSource::Unknown);
        self.info == other.info && (self.columns == other.columns || plain(self) && plain(other))
    }

    /// Decides how to watch a kind, as far as what is cached tells; `None` where the server would have to be asked.
    pub(super) fn from_cache(shared: &Shared, info: &KindInfo) -> Option<Self> {
        let columns = if Columns::builtin(&info.id).is_some() {
            ColumnSource::Builtin
        } else {
            ColumnSource::of_crd(&cached_crd(shared, &info.id)??, &info.version)
        };
        Some(Self { info: info.clone(), columns })
    }

    /// Decides how to watch a kind, with two requests at most: for its CRD, and for the columns of a kind that has none or
    /// whose CRD can't be read.
    pub(super) async fn of(shared: &Shared, info: &KindInfo) -> Self {
        if let Some(blueprint) = Self::from_cache(shared, info) {
            return blueprint;
        }
        let crd = match cached_crd(shared, &info.id) {
            Some(crd) => crd,
            None => fetch_crd(shared, &info.id).await,
        };
        let columns = match crd {
            Some(crd) => ColumnSource::of_crd(&crd, &info.version),
            None => fetch_columns(shared, info).await,
        };
        Self { info: info.clone(), columns }
    }
}

impl ColumnSource {
    fn of_crd(crd: &[u8], version: &str) -> Self {
        let Ok(crd) = serde_json::from_slice::<Crd>(crd) else { return Self::Generic };
        match crd.spec.versions.into_iter().find(|served| served.name == version) {
            Some(served) => Self::Declared(served.additional_printer_columns),
            None => Self::Generic,
        }
    }

    /// Name and age need no Table: they are in every object.
    fn of_table(table: &serde_json::Value) -> Result<Self, TableError> {
        let narrow = lasting_columns(table)?.into_iter().filter(|def| !def.wide);
        let narrow: Vec<ColumnDef> = narrow.take(DECLARED_COLUMNS).collect();
        let names: Vec<&str> = narrow.iter().map(|def| def.column.name.as_str()).collect();
        Ok(if matches!(names.as_slice(), [] | ["name"] | ["name", "age"]) {
            Self::Generic
        } else {
            Self::Served(narrow)
        })
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

/// What the server's own Table of a kind shows. Not every aggregated server makes Tables: then name and age have to do. A
/// server that fails now is another matter.
async fn fetch_columns(shared: &Shared, info: &KindInfo) -> ColumnSource {
    let failure = match fetch_table(shared, info).await {
        Ok(body) => match serde_json::from_slice(&body) {
            Ok(table) => {
                return ColumnSource::of_table(&table).unwrap_or_else(|no_table| generic(info, &no_table));
            }
            Err(malformed) => malformed.to_string(),
        },
        Err(refusal @ ApiError::Invalid { .. }) => return generic(info, &refusal),
        Err(error) => reason(&error),
    };
    tracing::debug!(kind = %info.id, reason = failure, "the server could not tell the columns of a kind");
    ColumnSource::Unknown
}

/// A Table of one row, from where the agent may list.
async fn fetch_table(shared: &Shared, info: &KindInfo) -> Result<Bytes, ApiError> {
    let ask = async |place: Place<'_>| {
        if !may_ask(shared, Verb::List, info, place).await {
            let message = format!("the agent cannot list {}: no role grants it", info.id);
            return Err(ApiError::Forbidden { message });
        }
        let namespace = match place {
            Place::Namespace(namespace) => Some(namespace),
            Place::Cluster | Place::Object(_) => None,
        };
        let path = Query::of(collection_path(info, namespace)).with("limit", "1").build();
        shared.api.table(&path, Representation::TableOfMetadata, TABLE_TIMEOUT).await
    };
    let mut answer = ask(Place::Cluster).await;
    if info.scope == Scope::Namespaced {
        for namespace in shared.config.namespaces().names() {
            if !matches!(answer, Err(ApiError::Forbidden { .. })) {
                break;
            }
            answer = ask(Place::Namespace(namespace)).await;
        }
    }
    answer
}

/// Whether a request is worth making. An agent that is told to watch single namespaces would often be refused.
async fn may_ask(shared: &Shared, verb: Verb, info: &KindInfo, place: Place<'_>) -> bool {
    shared.config.namespaces().names().is_empty()
        || shared.context.rights.to(verb, info, place).await != Right::Denied
}

fn generic(info: &KindInfo, error: &(dyn std::error::Error + 'static)) -> ColumnSource {
    tracing::info!(kind = %info.id, error, "the server makes no Table of a kind: it shows name and age");
    ColumnSource::Generic
}

/// Not every kind has a CRD, and not every agent may read it.
async fn fetch_crd(shared: &Shared, id: &GroupResource) -> Option<Vec<u8>> {
    let crds = shared.discovered.borrow().table.get(&builtin::crds())?.clone();
    let name = id.to_string();
    if !may_ask(shared, Verb::Get, &crds, Place::Object(&name)).await {
        return None;
    }
    match shared.api.get_bytes(&object_path(&crds, None, &name), CRD_TIMEOUT).await {
        Ok(body) => Some(body.to_vec()),
        Err(ApiError::NotFound { .. }) => None,
        Err(error) => {
            tracing::debug!(kind = %id, error = &error as &dyn std::error::Error, "its CRD can't be read: the server is asked for its columns");
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
            (&crd[..], "v1", ColumnSource::Declared(vec![phase])),
            (&crd[..], "v1alpha1", ColumnSource::Declared(vec![])),
            (&crd[..], "v2", ColumnSource::Generic),
            (&b"<html>"[..], "v1", ColumnSource::Generic),
        ] {
            assert_eq!(ColumnSource::of_crd(crd, version), expected);
        }
    }

    #[test]
    fn a_table_is_worth_it_where_it_shows_more_than_every_object_tells() {
        let table =
            |columns: &str| format!(r#"{{"kind":"Table","columnDefinitions":[{columns}],"rows":[]}}"#);
        let of =
            |columns: &str| ColumnSource::of_table(&serde_json::from_str(&table(columns)).unwrap()).unwrap();
        assert_eq!(
            of(r#"{"name":"Name"},{"name":"Age"},{"name":"Wide","priority":1}"#),
            ColumnSource::Generic
        );
        assert_eq!(of(""), ColumnSource::Generic);
        let ColumnSource::Served(defs) =
            of(r#"{"name":"Name"},{"name":"State"},{"name":"Wide","priority":1}"#)
        else {
            panic!("these columns are the server's")
        };
        let names: Vec<_> = defs.iter().map(|def| def.column.name.as_str()).collect();
        assert_eq!(names, ["name", "state"]);
        let list = serde_json::json!({"kind": "WidgetList", "items": []});
        assert!(ColumnSource::of_table(&list).is_err());
    }
}
