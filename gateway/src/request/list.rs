//! A question for rows.

use kubeplex_proto::kind::GroupResource;
use kubeplex_proto::list::{ColumnChoice, ListRequest};
use kubeplex_proto::pattern::Pattern;
use kubeplex_proto::selector::{FieldSelector, LabelSelector};
use kubeplex_proto::sort::{Direction, KeyValue, SortBy, SortTerm};
use serde::Serialize;

use crate::cursor::{Fingerprint, Resume};
use crate::fleet::ClusterView;

use super::{CallOptions, LegContext, Target};

/// A page of rows of one kind over the targets.
#[derive(Debug, Clone)]
pub struct ListQuery {
    pub targets: Vec<Target>,
    pub kind: GroupResource,
    /// Set where the caller named one.
    pub version: Option<String>,
    pub namespaces: Vec<Pattern>,
    pub label_selector: LabelSelector,
    pub field_selector: FieldSelector,
    /// Empty: the kind's usual columns.
    pub fields: Vec<Field>,
    pub order: Order,
    pub limit: u32,
    /// Where an earlier page ended.
    pub resume: Option<Resume>,
    /// What a cursor of this question is bound to.
    pub fingerprint: Fingerprint,
    pub options: CallOptions,
}

/// A thing to show or to sort by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub enum Field {
    /// The cluster's name.
    Cluster,
    /// One of the cluster's labels.
    ClusterLabel(String),
    Namespace,
    /// A column of the kind, or a path into the object; the agent knows which.
    Object(String),
}

/// The one order over all clusters. It is complete: cluster, namespace, name and uid end every key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub enum Order {
    /// Cluster, namespace, name.
    Usual,
    By(Vec<OrderTerm>),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct OrderTerm {
    pub field: Field,
    pub direction: Direction,
}

impl ListQuery {
    /// The request of one leg.
    pub fn leg_request(&self, cluster: &ClusterView, context: LegContext) -> ListRequest {
        ListRequest {
            // A page never holds more than its budget, but a row of the wire carries its key, too.
            context: context.into_call(4 * self.options.max_bytes as u64 + 65_536),
            kind: self.kind.clone(),
            version: self.version.clone(),
            namespaces: self.namespaces.clone(),
            names: Vec::new(),
            label_selector: self.label_selector.clone(),
            field_selector: self.field_selector.clone(),
            columns: self.columns(),
            sort: self.order.terms(cluster),
            after: self.resume.as_ref().map(|resume| resume.after.clone()),
            limit: self.limit,
        }
    }

    fn columns(&self) -> ColumnChoice {
        if self.fields.is_empty() {
            return ColumnChoice::Usual;
        }
        let of_objects = self.fields.iter().filter_map(|field| match field {
            Field::Object(path) => Some(path.clone()),
            Field::Cluster | Field::ClusterLabel(_) | Field::Namespace => None,
        });
        ColumnChoice::Fields(of_objects.collect())
    }
}

impl Order {
    /// One direction for each value of a key.
    pub fn directions(&self) -> Vec<Direction> {
        let mut directions: Vec<_> = self.leading().iter().map(|term| term.direction).collect();
        if !self.names_cluster() {
            directions.push(Direction::Ascending);
        }
        directions
    }

    /// The terms that one cluster's agent sorts by; what belongs to the cluster is filled in.
    pub fn terms(&self, cluster: &ClusterView) -> Vec<SortTerm> {
        let mut terms: Vec<_> = self
            .leading()
            .iter()
            .map(|term| SortTerm { by: sort_by(&term.field, cluster), direction: term.direction })
            .collect();
        if !self.names_cluster() {
            terms.push(SortTerm { by: sort_by(&Field::Cluster, cluster), direction: Direction::Ascending });
        }
        terms
    }

    /// What is sorted by, beside what ends every key.
    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        self.leading().iter().map(|term| &term.field)
    }

    fn leading(&self) -> &[OrderTerm] {
        match self {
            Self::Usual => &[],
            Self::By(terms) => terms,
        }
    }

    fn names_cluster(&self) -> bool {
        self.leading().iter().any(|term| term.field == Field::Cluster)
    }
}

fn sort_by(field: &Field, cluster: &ClusterView) -> SortBy {
    match field {
        Field::Cluster => SortBy::Constant(KeyValue::Text(cluster.id.as_str().to_owned())),
        Field::ClusterLabel(label) => {
            let value =
                cluster.labels.get(label).map_or(KeyValue::Missing, |value| KeyValue::by_value(value));
            SortBy::Constant(value)
        }
        Field::Namespace => SortBy::Field("metadata.namespace".to_owned()),
        Field::Object(path) => SortBy::Field(path.clone()),
    }
}
