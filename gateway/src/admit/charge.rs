//! What a call costs: an upper bound that is known before anything is done.

use std::num::NonZeroU32;

use kubeplex_proto::call::Freshness;
use kubeplex_proto::ids::ClusterId;

use crate::fleet::ClusterView;
use crate::limits::OBJECTS_PER_CHARGE;
use crate::rates::Charge;
use crate::request::Request;
use crate::tools::Class;

/// Whose share of what is charged: a caller's, of one cluster.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Cell {
    user: String,
    /// `None` for what the gateway answers by itself.
    cluster: Option<ClusterId>,
}

/// The charges of a call by a tool of `class`: in each cluster it asks one, and one more for every [`OBJECTS_PER_CHARGE`]
/// objects of the kind that the cluster reported. A call that asks no cluster is charged once, at the gateway.
pub(super) fn charges(class: Class, user: &str, request: &Request) -> Vec<Charge<Cell>> {
    let mut charges: Vec<_> = request.legs().map(|(_, cluster)| leg(class, user, request, cluster)).collect();
    if charges.is_empty() {
        charges.push(Charge::at_gateway(user));
    }
    charges
}

fn leg(class: Class, user: &str, request: &Request, cluster: &ClusterView) -> Charge<Cell> {
    let held = request.kind().and_then(|kind| cluster.caches.get(kind));
    let objects = if is_search(request) {
        cluster.caches.reports().map(|report| report.objects).sum()
    } else {
        held.map_or(0, |report| report.objects)
    };
    // Its agent has to ask the API server for what it does not hold.
    let live = request.options().freshness == Freshness::Live || (request.kind().is_some() && held.is_none());
    let class = if live { Class::Live } else { class };
    let amount = u32::try_from(objects / OBJECTS_PER_CHARGE).unwrap_or(u32::MAX).saturating_add(1);
    let key = Cell { user: user.to_owned(), cluster: Some(cluster.id.clone()) };
    Charge { rate: class.index(), key, amount: NonZeroU32::new(amount).unwrap_or(NonZeroU32::MIN) }
}

/// What it looks through is all that there is.
fn is_search(request: &Request) -> bool {
    match request {
        Request::List(query) => query.search.is_some(),
        Request::Diff(query) => query.kinds.is_empty(),
        _ => false,
    }
}

impl Charge<Cell> {
    /// For what the gateway does by itself.
    pub(super) fn at_gateway(user: &str) -> Self {
        let key = Cell { user: user.to_owned(), cluster: None };
        Self { rate: Class::Fleet.index(), key, amount: NonZeroU32::MIN }
    }
}

impl Cell {
    pub(super) fn cluster(&self) -> Option<&ClusterId> {
        self.cluster.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use kubeplex_proto::control::{KindReport, SyncState};
    use kubeplex_proto::kind::GroupResource;
    use serde_json::{Value, json};

    use super::*;
    use crate::fleet::{Caches, Fleet};
    use crate::request::fixtures::{cluster, fleet, resolved};
    use crate::tools;

    /// A cluster whose agent holds so many pods; and none at all.
    fn holding(name: &str, pods: Option<u64>) -> ClusterView {
        let mut view = cluster(name, &[]);
        view.caches = Caches::default();
        if let Some(objects) = pods {
            let (kind, state) = (GroupResource::new("", "pods"), SyncState::Synced);
            let report = KindReport { kind, state, revision: 1, objects, age_ms: Some(1), message: None };
            view.caches.insert(report);
        }
        view
    }

    fn check(fleet: &Fleet, tool: &str, arguments: &Value, expected: &[(Class, Option<&str>, u32)]) {
        let request = resolved(fleet, tool, arguments).unwrap();
        let class = tools::catalogue().get(tool).unwrap().class;
        let charged = charges(class, "anna", &request);
        let charged: Vec<_> = charged
            .iter()
            .map(|charge| {
                let class = Class::ALL[charge.rate];
                (class, charge.key.cluster().map(ClusterId::as_str), charge.amount.get())
            })
            .collect();
        assert_eq!(charged, expected, "{tool} {arguments}");
    }

    #[test]
    fn a_call_is_charged_where_it_costs_by_what_is_known_of_it() {
        let fleet = fleet(vec![holding("a", Some(999)), holding("b", Some(41_000)), holding("c", None)]);
        check(&fleet, "clusters_list", &json!({}), &[(Class::Fleet, None, 1)]);
        let (a, b, c) = (Some("a"), Some("b"), Some("c"));
        let all = [(Class::Cached, a, 1), (Class::Cached, b, 42), (Class::Live, c, 1)];
        check(&fleet, "pods_list", &json!({}), &all);
        check(&fleet, "pods_list", &json!({"cluster": "b"}), &[(Class::Cached, b, 42)]);
        let searched = [(Class::Cached, a, 1), (Class::Cached, b, 42), (Class::Cached, c, 1)];
        check(&fleet, "fleet_search", &json!({"query": "cart"}), &searched);
        let live = [(Class::Live, a, 1), (Class::Live, b, 42), (Class::Live, c, 1)];
        check(&fleet, "pods_list", &json!({"freshness": "live"}), &live);
        let described = |logs| json!({"cluster": "a", "name": "pod/cart-0", "logs": logs});
        check(&fleet, "resources_describe", &described(false), &[(Class::Cached, a, 1)]);
        check(&fleet, "resources_describe", &described(true), &[(Class::Live, a, 1)]);
    }
}
