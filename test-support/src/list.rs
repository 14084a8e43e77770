//! Answers of agents, as far as their tests do not care what they say.

use std::collections::BTreeMap;

use kubeplex_proto::column::{CellFormat, Column};
use kubeplex_proto::kind::Scope;
use kubeplex_proto::list::ListHead;
use kubeplex_proto::status::{LegStatus, Source};

/// Columns without a format of their own.
pub fn columns(names: &[&str]) -> Vec<Column> {
    names.iter().map(|name| Column { name: (*name).to_owned(), format: CellFormat::Plain }).collect()
}

/// Of a cache, current at time 0, of a kind in namespaces that is served as `v1`.
pub fn head(columns: Vec<Column>, total: u64) -> ListHead {
    ListHead {
        status: LegStatus::Ok,
        message: None,
        source: Source::Cache,
        api_version: "v1".to_owned(),
        scope: Some(Scope::Namespaced),
        columns,
        total,
        status_counts: BTreeMap::new(),
        age_ms: 0,
        cluster_now_ms: 0,
        clock_offset_ms: 0,
        revision: 1,
        search: None,
    }
}
