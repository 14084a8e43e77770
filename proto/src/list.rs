//! Lists: the question, and the frames of its answer.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::call::CallContext;
use crate::column::Column;
use crate::events::EventQuestion;
use crate::group::{Group, Grouping};
use crate::ids::InstanceId;
use crate::kind::{GroupResource, Scope};
use crate::paths;
use crate::pattern::Pattern;
use crate::search::{Search, SearchHead};
use crate::selector::{FieldSelector, LabelSelector};
use crate::sort::{RowKey, SortTerm};
use crate::status::{LegStatus, Source};

/// Rows of one kind, filtered, sorted and projected at the edge.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListRequest {
    pub context: CallContext,
    pub kind: GroupResource,
    /// Set where the caller named a version: a cluster that does not serve it answers `absent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Empty: all that are visible.
    #[serde(default)]
    pub namespaces: Vec<Pattern>,
    #[serde(default)]
    pub names: Vec<Pattern>,
    #[serde(default)]
    pub label_selector: LabelSelector,
    #[serde(default)]
    pub field_selector: FieldSelector,
    /// For core/v1 Events alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events: Option<EventQuestion>,
    /// Rows of all kinds that match are wanted instead of those of one kind; sent to a path of its own, and `kind` does not
    /// count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<Search>,
    /// What the objects [use](crate::usage) is wanted, beside what they asked for; sent to a path of its own, and `kind` is
    /// core's pods or nodes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub usage: bool,
    /// Groups are wanted instead of rows. All of them are sent, in no order that matters; columns, order and page do not
    /// count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<Grouping>,
    #[serde(default)]
    pub columns: ColumnChoice,
    /// The leading terms of the order; namespace, name and uid always follow.
    #[serde(default)]
    pub sort: Vec<SortTerm>,
    /// Only rows whose key comes after this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<RowKey>,
    pub limit: u32,
    /// An answer to this question that the gateway still has: where it is still right, it is not sent again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known: Option<Known>,
}

impl ListRequest {
    /// Where an agent answers it.
    pub fn path(&self) -> &'static str {
        match (&self.search, self.usage) {
            (Some(_), _) => paths::SEARCH,
            (None, true) => paths::USAGE,
            (None, false) => paths::LIST,
        }
    }
}

/// What an answer showed, and of which process: another one's revisions are not comparable with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    pub instance: InstanceId,
    pub revision: u64,
}

/// Which columns a row shows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ColumnChoice {
    /// What `kubectl get` shows.
    #[default]
    Usual,
    /// What `kubectl get -o wide` shows.
    Wide,
    /// Columns by name, or paths into the object (`spec.nodeName`, `metadata.labels['app.kubernetes.io/name']`).
    Fields(Vec<String>),
}

/// One line of the answer: a head, then rows, then the end. A stream that closes without an end was cut. Or one line alone,
/// which says that there is nothing new.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ListFrame {
    Head(Box<ListHead>),
    /// At most [`ROWS_PER_FRAME`](crate::ROWS_PER_FRAME) rows, in order.
    Rows(Vec<Row>),
    /// As many groups, in place of rows, where those were asked for.
    Groups(Vec<Group>),
    End(ListEnd),
    /// Only for a request that says what is known.
    Unchanged(Unchanged),
}

/// The answer that the gateway has is still right: status `ok`, from the cache, with nothing to say of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Unchanged {
    /// As in [`ListHead`].
    pub age_ms: u64,
    pub cluster_now_ms: i64,
    #[serde(default)]
    pub clock_offset_ms: i64,
}

/// What is known before the first row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListHead {
    pub status: LegStatus,
    /// Why, in a sentence, where the status is not `ok`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    pub source: Source,
    /// The version that the cluster serves the kind in: `apps/v1`. Empty where it has no such kind.
    #[serde(default)]
    pub api_version: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
    /// Of rows; of groups the columns of their keys.
    pub columns: Vec<Column>,
    /// Rows that match, on this page or not, before `after` or not.
    pub total: u64,
    /// The same rows by the value of their `status` column, for kinds that have one.
    #[serde(default)]
    pub status_counts: BTreeMap<String, u64>,
    /// How long ago the cache was last known to be current.
    pub age_ms: u64,
    /// The cluster's own time, in milliseconds since 1970: what ages of this answer are relative to.
    pub cluster_now_ms: i64,
    /// The cluster's clock less the agent's, in milliseconds.
    #[serde(default)]
    pub clock_offset_ms: i64,
    /// The kind's revision that these rows show.
    pub revision: u64,
    /// Of a search.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<SearchHead>,
}

/// One row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    #[serde(rename = "k")]
    pub key: RowKey,
    /// As many as the head has columns.
    #[serde(rename = "c")]
    pub cells: Vec<Value>,
}

/// How the answer ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListEnd {
    /// Whether rows follow after the last one sent.
    pub more: bool,
    /// Set where the reply broke off: deadline, a failing fill, the byte budget.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut: Option<Cut>,
}

/// Why rows are missing that should have been sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cut {
    /// `timeout`, `error`, …
    pub status: LegStatus,
    pub message: String,
}
