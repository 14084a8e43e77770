//! A question for rows.

use kubeplex_proto::kind::GroupResource;
use kubeplex_proto::list::{ColumnChoice, ListRequest};
use kubeplex_proto::pattern::Pattern;
use kubeplex_proto::selector::{FieldSelector, LabelSelector};

use crate::fleet::ClusterView;

use super::{CallOptions, Field, LegContext, PageQuery, Target};

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
    pub page: PageQuery,
    pub options: CallOptions,
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
            sort: self.page.order.terms(cluster),
            after: self.page.resume.as_ref().map(|resume| resume.after.clone()),
            limit: self.page.limit,
        }
    }

    fn columns(&self) -> ColumnChoice {
        if self.page.fields.is_empty() {
            return ColumnChoice::Usual;
        }
        let of_objects = self.page.fields.iter().filter_map(|field| match field {
            Field::Object(path) => Some(path.clone()),
            Field::Cluster | Field::ClusterLabel(_) | Field::Namespace => None,
        });
        ColumnChoice::Fields(of_objects.collect())
    }
}
