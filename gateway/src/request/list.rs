//! A question for rows.

use kubeplex_proto::column::CellFormat;
use kubeplex_proto::events::EventQuestion;
use kubeplex_proto::kind::{GroupResource, Scope};
use kubeplex_proto::list::{ColumnChoice, ListRequest};
use kubeplex_proto::pattern::Pattern;
use kubeplex_proto::search::Search;
use kubeplex_proto::selector::{FieldSelector, LabelSelector};
use kubeplex_proto::sort::{RowKey, SortBy, SortTerm};
use kubeplex_proto::usage;

use crate::fleet::ClusterView;
use crate::resolve::Understood;

use super::page::NAMESPACE;
use super::{CallOptions, Field, GroupBy, LegContext, PageQuery, Target};

/// In place of fields: all columns of a kind, those among them that are not usual.
pub const ALL_COLUMNS: &str = "*";

/// A page of rows of one kind over the targets.
#[derive(Debug)]
#[cfg_attr(test, derive(Clone))]
pub struct ListQuery {
    pub targets: Vec<Target>,
    pub kind: GroupResource,
    /// `None` where nobody said it.
    pub scope: Option<Scope>,
    /// Set where the caller named one.
    pub version: Option<String>,
    pub namespaces: Vec<Pattern>,
    pub label_selector: LabelSelector,
    pub field_selector: FieldSelector,
    /// Set where it is events, and what they tell of.
    pub events: Option<Box<EventQuestion>>,
    /// Set where it is whatever matches, of all kinds; `kind` is then none.
    pub search: Option<Box<Search>>,
    /// Whether it is what the objects use; they are pods or nodes then.
    pub usage: bool,
    pub page: PageQuery,
    pub options: CallOptions,
    pub understood: Understood,
}

impl ListQuery {
    /// A request of one leg, for so many rows after a key, and no more bytes than that.
    pub fn leg_request(
        &self,
        cluster: &ClusterView,
        rows: u32,
        bytes: u64,
        after: Option<RowKey>,
        context: LegContext,
    ) -> ListRequest {
        ListRequest {
            context: context.into_call(bytes, self.options.freshness),
            kind: self.kind.clone(),
            version: self.version.clone(),
            namespaces: self.namespaces.clone(),
            names: Vec::new(),
            label_selector: self.label_selector.clone(),
            field_selector: self.field_selector.clone(),
            events: self.events.as_deref().cloned(),
            search: self.search.as_deref().cloned(),
            usage: self.usage,
            group: self.page.group.as_ref().map(|by| by.at_the_edge(self.namespace())),
            columns: self.columns(),
            sort: self.sort(cluster),
            after,
            limit: rows,
            known: None,
        }
    }

    /// How each sum of groups is shown.
    pub fn sum_formats(&self, by: &GroupBy) -> Vec<CellFormat> {
        let column = |word: &String| usage::find(&self.kind, word).filter(|_| self.usage);
        by.sums.iter().map(|word| column(word).map_or(CellFormat::Plain, |column| column.format)).collect()
    }

    /// Events are in the namespace of what they tell of.
    fn namespace(&self) -> &'static str {
        if self.events.is_some() { "involvedObject.namespace" } else { NAMESPACE }
    }

    /// Groups are put in order when all of them are known.
    fn sort(&self, cluster: &ClusterView) -> Vec<SortTerm> {
        if self.page.group.is_some() {
            return Vec::new();
        }
        let mut terms = self.page.order.terms(cluster);
        for term in &mut terms {
            if matches!(&term.by, SortBy::Field(path) if path == NAMESPACE) {
                term.by = SortBy::Field(self.namespace().to_owned());
            }
        }
        terms
    }

    fn columns(&self) -> ColumnChoice {
        if self.page.fields.is_empty() {
            return ColumnChoice::Usual;
        }
        if self.page.fields == [Field::Object(ALL_COLUMNS.to_owned())] {
            return ColumnChoice::Wide;
        }
        let of_objects = self.page.fields.iter().filter_map(|field| match field {
            Field::Object(path) => Some(path.clone()),
            Field::Cluster | Field::ClusterLabel(_) | Field::Namespace => None,
        });
        ColumnChoice::Fields(of_objects.collect())
    }
}
