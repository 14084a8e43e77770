//! The third stage: may this caller do this? Pure: values in, a [`Permit`] or a refusal out.
//!
//! [`decide`] is the only place where it is decided. What `tools/list` shows and what `tools/call` lets through both come
//! from it, so a tool that a caller can't use is a tool that does not exist for them.
//!
//! What a caller may see enters in two places, and both are here: [`visible`] narrows the fleet before anything is looked up
//! in it, so that a cluster out of reach is like one that there is not; [`Permit`] carries the visibility that goes with
//! every leg. What a cluster's own RBAC shows of it to the caller will narrow the same two: the fleet by what each agent says
//! of the caller, and in the agent the visibility that came with the leg.

use std::sync::Arc;

use kubeplex_proto::kind::{GroupResource, Scope};
use kubeplex_proto::pattern::Pattern;
use kubeplex_proto::visibility::{KindVisibility, Reach};

use crate::error::{CallError, ErrorCode};
use crate::fleet::{ClusterView, Fleet};
use crate::identify::Caller;
use crate::request::{Objects, Request};

/// A request that its caller may make. Only [`authorize`] makes one.
#[derive(Debug)]
pub struct Permit {
    caller: Caller,
    request: Arc<Request>,
}

impl Permit {
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    pub fn request(&self) -> &Request {
        &self.request
    }

    /// The same request, for who has to know it again.
    pub(crate) fn share(&self) -> Arc<Request> {
        Arc::clone(&self.request)
    }

    /// Whether it is for this very request, and not for one that reads the same.
    pub(crate) fn is_for(&self, request: &Arc<Request>) -> bool {
        Arc::ptr_eq(&self.request, request)
    }
}

/// What a tool does, as far as it matters to who may use it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deed {
    pub tool: &'static str,
    pub annotations: Annotations,
}

/// MCP's hints about a tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Annotations {
    pub read_only: bool,
    pub destructive: bool,
    pub idempotent: bool,
    /// Whether the tool reaches beyond the clusters that this gateway serves.
    pub open_world: bool,
}

impl Annotations {
    /// Reads the clusters of this gateway, and changes nothing.
    pub const READ: Self = Self { read_only: true, destructive: false, idempotent: true, open_world: false };
}

/// Whether a caller may use a tool at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    Allow,
    /// For this caller there is no such tool.
    Hide,
}

/// The one decision about tools.
///
/// Whoever may see nothing, or no cluster, has no use for a tool that reads. A tool that changes clusters is shown to nobody
/// yet: the consent that it needs does not exist.
pub fn decide(caller: &Caller, deed: Deed) -> Decision {
    let sees_something = !caller.visibility().rules().is_empty() && !caller.clusters().is_empty();
    if deed.annotations.read_only && sees_something { Decision::Allow } else { Decision::Hide }
}

/// The fleet as it is for a caller: the clusters that they may see, and of these what they may know.
pub fn visible(caller: &Caller, fleet: Fleet) -> Fleet {
    let nodes = GroupResource::new("", "nodes");
    let sees_nodes = caller.visibility().for_kind(&nodes).shows_all_cluster_scoped();
    let sees_all = caller.visibility().is_unrestricted();
    if *caller.clusters() == Reach::All && sees_nodes && sees_all {
        return fleet;
    }
    let known = |cluster: &Arc<ClusterView>| {
        let mut known = Arc::clone(cluster);
        // How many nodes there are is known to those who may see them all, and how many problems to those who may see all else.
        if !sees_nodes && cluster.nodes.is_some() {
            Arc::make_mut(&mut known).nodes = None;
        }
        if !sees_all && cluster.report.problems.is_some() {
            Arc::make_mut(&mut Arc::make_mut(&mut known).report).problems = None;
        }
        known
    };
    Fleet::new(fleet.clusters().iter().filter(|cluster| caller.sees(&cluster.id)).map(known).collect())
}

/// Lets a request through to the clusters.
///
/// What a caller sees of a kind is the agents' to decide, object by object; here a request is refused that could only
/// come back empty, or without a namespace that it names, because the refusal says why.
///
/// # Errors
/// `forbidden`, when the tool or the kind is not the caller's to use.
pub fn authorize(caller: Caller, deed: Deed, request: Arc<Request>) -> Result<Permit, CallError> {
    if decide(&caller, deed) == Decision::Hide {
        return Err(forbidden(format!("{} may not use {}", caller.user(), deed.tool)));
    }
    let measured_by = request.measured_by();
    let asked = request.objects();
    let beside = asked.zip(measured_by.as_ref()).map(|(asked, kind)| Objects { kind: Some(kind), ..asked });
    if let Some(what) = asked.into_iter().chain(beside).find_map(|objects| unseen(&caller, &objects)) {
        return Err(forbidden(format!("{} may not see {what}", caller.user())));
    }
    Ok(Permit { caller, request })
}

/// What of these objects the caller can see nothing of, in words.
fn unseen(caller: &Caller, objects: &Objects<'_>) -> Option<String> {
    match *objects {
        Objects { kind: Some(kind), scope, namespaces } => {
            out_of_reach(&caller.visibility().for_kind(kind), kind, scope, namespaces)
                .map(|where_not| format!("{kind} {where_not}"))
        }
        Objects { kind: None, namespaces, .. } => {
            let reaches_into = |namespace: &str| caller.visibility().reaches_into(namespace);
            hidden(namespaces, &reaches_into).map(|where_not| format!("anything {where_not}"))
        }
    }
}

/// Where the caller can see nothing of what they ask for, however much there is.
fn out_of_reach(
    seen: &KindVisibility<'_>,
    kind: &GroupResource,
    scope: Option<Scope>,
    namespaces: &[Pattern],
) -> Option<String> {
    // Of namespaces, those are shown into which a rule reaches.
    let is_namespaces = kind.group.is_empty() && kind.resource == "namespaces";
    let scope = if is_namespaces { None } else { scope };
    if seen.is_empty() || scope == Some(Scope::Namespaced) && !seen.reaches_scope(Scope::Namespaced) {
        return Some("in any cluster".to_owned());
    }
    if scope == Some(Scope::Cluster) && !seen.reaches_scope(Scope::Cluster) {
        return Some(
            "in any cluster: they are in no namespace, and only some namespaces are visible".to_owned(),
        );
    }
    hidden(namespaces, &|namespace| seen.reaches_into(namespace))
}

/// The namespaces that are asked for by their names and that nothing is visible of.
fn hidden(namespaces: &[Pattern], reaches_into: &dyn Fn(&str) -> bool) -> Option<String> {
    let named = namespaces.iter().filter_map(Pattern::literal);
    let hidden: Vec<_> = named.filter(|namespace| !reaches_into(namespace)).collect();
    (!hidden.is_empty()).then(|| format!("in the namespace {}", hidden.join(", ")))
}

fn forbidden(message: String) -> CallError {
    CallError::new(ErrorCode::Forbidden, message)
}

#[cfg(test)]
mod tests {
    use kubeplex_proto::ids::ClusterId;
    use kubeplex_proto::problems::ProblemCounts;
    use kubeplex_proto::visibility::{Visibility, VisibilityRule};
    use serde_json::{Value, json};

    use super::*;
    use crate::identify::{somebody, somebody_in};
    use crate::request::fixtures::{cluster, fleet, resolved};
    use crate::tools;

    fn only(pattern: &str) -> Reach {
        Reach::Only(vec![Pattern::new(pattern)])
    }

    fn only_kinds(kind: &str) -> Visibility {
        Visibility::of(vec![VisibilityRule::of(only(kind), Reach::All)])
    }

    fn only_nodes() -> Visibility {
        Visibility::of(vec![VisibilityRule::of_cluster_scoped(only("nodes"))])
    }

    fn refusal(visibility: Visibility, tool: &str, arguments: &Value) -> Option<String> {
        let fleet = fleet(vec![cluster("a", &[])]);
        let request = resolved(&fleet, tool, arguments).unwrap();
        let deed = tools::catalogue().get(tool).unwrap().deed();
        let error = authorize(somebody(visibility), deed, request.into()).err()?;
        assert_eq!(error.code, ErrorCode::Forbidden);
        Some(error.message)
    }

    #[test]
    fn a_caller_who_may_see_nothing_has_no_tools() {
        for tool in tools::catalogue().tools() {
            assert_eq!(
                decide(&somebody(Visibility::everything()), tool.deed()),
                Decision::Allow,
                "{}",
                tool.name
            );
            assert_eq!(
                decide(&somebody(Visibility::nothing()), tool.deed()),
                Decision::Hide,
                "{}",
                tool.name
            );
        }
    }

    #[test]
    fn what_is_listed_and_what_is_let_through_agree() {
        for (visibility, wanted) in [
            (Visibility::everything(), None),
            (only_kinds("pods"), None),
            (only_kinds("deployments.apps"), Some("somebody may not see pods in any cluster")),
            (Visibility::nothing(), Some("somebody may not use pods_list")),
        ] {
            assert_eq!(refusal(visibility, "pods_list", &json!({})).as_deref(), wanted);
        }
    }

    #[test]
    fn usage_is_for_who_may_see_both_the_pods_and_what_is_measured_of_them() {
        let seen = |kind: &str, namespace: &str| VisibilityRule::of(only(kind), only(namespace));
        let measured = "pods.metrics.k8s.io";
        for (rules, arguments, wanted) in [
            (vec![seen("pods*", "shop")], json!({}), None),
            (vec![seen("pods", "*")], json!({}), Some("pods.metrics.k8s.io in any cluster")),
            (vec![seen(measured, "*")], json!({}), Some("pods in any cluster")),
            (
                vec![seen("pods", "*"), seen(measured, "shop")],
                json!({"namespace": "pay"}),
                Some("pods.metrics.k8s.io in the namespace pay"),
            ),
            (vec![seen("*", "shop")], json!({"kind": "nodes"}), Some("nodes in any cluster")),
        ] {
            let told = refusal(Visibility::of(rules), "top", &arguments);
            let wanted = wanted.map(|wanted| format!("somebody may not see {wanted}"));
            assert!(
                told.as_deref().unwrap_or_default().starts_with(wanted.as_deref().unwrap_or_default())
                    && told.is_some() == wanted.is_some(),
                "{arguments}: {told:?}"
            );
        }
    }

    #[test]
    fn what_could_only_come_back_empty_is_refused_with_the_reason() {
        let shop = || VisibilityRule::of(Reach::All, only("shop"));
        let in_shop = Visibility::of(vec![shop()]);
        let with_nodes = Visibility::of(vec![shop(), VisibilityRule::of_cluster_scoped(only("nodes"))]);
        let only_nodes = Visibility::of(vec![VisibilityRule::of_cluster_scoped(Reach::All)]);
        for (visibility, arguments, wanted) in [
            (&in_shop, json!({"kind": "pods"}), None),
            (&in_shop, json!({"kind": "pods", "namespace": "shop"}), None),
            // A pattern means those that there are, and for this caller there are no others.
            (&in_shop, json!({"kind": "pods", "namespace": "*"}), None),
            (&in_shop, json!({"kind": "pods", "namespace": "pay"}), Some("pods in the namespace pay")),
            (&in_shop, json!({"kind": "pods", "namespace": "shop,pay"}), Some("pods in the namespace pay")),
            (&in_shop, json!({"kind": "nodes"}), Some("nodes in any cluster: they are in no namespace")),
            (&with_nodes, json!({"kind": "nodes"}), None),
            (&with_nodes, json!({"kind": "pods"}), None),
            (&only_nodes, json!({"kind": "nodes"}), None),
            (&only_nodes, json!({"kind": "pods"}), Some("pods in any cluster")),
        ] {
            let told = refusal(visibility.clone(), "resources_list", &arguments);
            match wanted {
                None => assert_eq!(told, None, "{arguments}"),
                Some(wanted) => assert!(
                    told.as_ref()
                        .is_some_and(|told| told.starts_with(&format!("somebody may not see {wanted}"))),
                    "{arguments}: {told:?}"
                ),
            }
        }
    }

    #[test]
    fn a_namespace_out_of_reach_is_refused_whatever_kinds_are_asked_for() {
        let in_shop = Visibility::of(vec![VisibilityRule::of(Reach::All, only("shop"))]);
        for (tool, arguments) in [
            ("fleet_search", json!({"query": "cart"})),
            ("problems_list", json!({})),
            ("changes_list", json!({})),
        ] {
            for (namespace, wanted) in [
                ("shop", None),
                ("sh*", None),
                ("pay,shop", Some("somebody may not see anything in the namespace pay")),
            ] {
                let mut arguments = arguments.clone();
                arguments["namespace"] = namespace.into();
                assert_eq!(
                    refusal(in_shop.clone(), tool, &arguments).as_deref(),
                    wanted,
                    "{tool} {arguments}"
                );
            }
        }
    }

    #[test]
    fn a_fleet_is_narrowed_to_what_a_caller_may_know() {
        let with_problems = |name| {
            let mut view = cluster(name, &[]);
            Arc::make_mut(&mut view.report).problems = Some(ProblemCounts::default());
            view
        };
        let all = || fleet(["prod-eu", "prod-us", "test"].map(with_problems).into());
        for (clusters, visibility, names, nodes_told, problems_told) in [
            (Reach::All, Visibility::everything(), vec!["prod-eu", "prod-us", "test"], true, true),
            (only("prod-*"), Visibility::everything(), vec!["prod-eu", "prod-us"], true, true),
            (only("prod-*"), only_kinds("pods"), vec!["prod-eu", "prod-us"], false, false),
            (Reach::All, only_kinds("nodes"), vec!["prod-eu", "prod-us", "test"], true, false),
            (only("test"), only_nodes(), vec!["test"], true, false),
            (Reach::of([]), Visibility::everything(), vec![], true, true),
        ] {
            let seen = visible(&somebody_in(clusters, visibility), all());
            let found: Vec<_> = seen.clusters().iter().map(|cluster| cluster.id.as_str()).collect();
            assert_eq!(found, names);
            assert!(seen.clusters().iter().all(|cluster| cluster.nodes.is_some() == nodes_told));
            assert!(seen.clusters().iter().all(|cluster| cluster.report.problems.is_some() == problems_told));
            assert_eq!(seen.get(&ClusterId::new("test").unwrap()).is_some(), names.contains(&"test"));
        }
    }
}
