//! What every question for a page says: what to show, in which order, and where the page before ended.

use std::fmt;

use kubeplex_proto::sort::{Direction, KeyValue, SortBy, SortTerm};
use serde::Serialize;

use crate::fleet::ClusterView;

use super::{Fingerprint, GroupBy, Resume};

/// The path of an object's namespace.
pub(super) const NAMESPACE: &str = "metadata.namespace";

/// A page of something.
#[derive(Debug, Clone)]
pub struct PageQuery {
    /// Empty: the usual columns.
    pub fields: Vec<Field>,
    /// Set where counts are wanted instead of rows.
    pub group: Option<GroupBy>,
    pub order: Order,
    pub limit: u32,
    /// Where an earlier page ended.
    pub resume: Option<Resume>,
    /// What a cursor of this question is bound to.
    pub fingerprint: Fingerprint,
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

    /// What leads the keys of all rows of a cluster, as far as that is the same for all of them.
    pub fn leading_constants(&self, cluster: &ClusterView) -> Vec<KeyValue> {
        let constant = |term: SortTerm| match term.by {
            SortBy::Constant(value) => Some(value),
            SortBy::Field(_) => None,
        };
        self.terms(cluster).into_iter().map_while(constant).collect()
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

/// As callers write it.
impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cluster => f.write_str("cluster"),
            Self::ClusterLabel(label) => write!(f, "cluster.labels.{label}"),
            Self::Namespace => f.write_str("namespace"),
            Self::Object(word) => f.write_str(word),
        }
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
        Field::Namespace => SortBy::Field(NAMESPACE.to_owned()),
        Field::Object(path) => SortBy::Field(path.clone()),
    }
}
