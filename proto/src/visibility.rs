//! What a caller may see of a cluster. Every read takes one, and applies it before it counts, sorts or pages.

use std::cell::LazyCell;

use serde::{Deserialize, Serialize};

use crate::kind::{GroupResource, KindInfo, Scope};
use crate::pattern::Pattern;

/// An object is visible when at least one rule allows it. No rule: nothing is visible.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Visibility {
    rules: Vec<VisibilityRule>,
}

/// Objects of these kinds, in these namespaces, with these names.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VisibilityRule {
    /// Patterns over `pods`, `deployments.apps`.
    pub kinds: Reach,
    pub namespaces: Reach,
    pub names: Reach,
    /// An agent that does not know this field shows less, never more.
    #[serde(default, skip_serializing_if = "ClusterScoped::is_usual")]
    pub cluster_scoped: ClusterScoped,
}

/// Whether a rule shows objects that are in no namespace.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClusterScoped {
    /// Only where it is not limited to namespaces.
    #[default]
    Usual,
    /// Whatever its namespaces.
    Shown,
}

impl ClusterScoped {
    fn is_usual(&self) -> bool {
        *self == Self::Usual
    }
}

/// Everything, or what a pattern matches.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reach {
    All,
    Only(Vec<Pattern>),
}

impl Reach {
    /// What any of these patterns matches; `*` among them is everything.
    pub fn of(patterns: impl IntoIterator<Item = Pattern>) -> Self {
        let patterns: Vec<_> = patterns.into_iter().collect();
        if patterns.iter().any(|pattern| pattern.as_str() == "*") { Self::All } else { Self::Only(patterns) }
    }

    pub fn contains(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(patterns) => patterns.iter().any(|pattern| pattern.matches(name)),
        }
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Only(patterns) if patterns.is_empty())
    }
}

impl VisibilityRule {
    /// All objects of these kinds in these namespaces; without a limit to namespaces those in none, too.
    pub fn of(kinds: Reach, namespaces: Reach) -> Self {
        Self { kinds, namespaces, names: Reach::All, cluster_scoped: ClusterScoped::Usual }
    }

    /// The objects of these kinds that are in no namespace.
    pub fn of_cluster_scoped(kinds: Reach) -> Self {
        let namespaces = Reach::Only(Vec::new());
        Self { kinds, namespaces, names: Reach::All, cluster_scoped: ClusterScoped::Shown }
    }

    fn shows_cluster_scoped(&self) -> bool {
        self.namespaces == Reach::All || self.cluster_scoped == ClusterScoped::Shown
    }
}

impl Visibility {
    pub fn everything() -> Self {
        Self::of(vec![VisibilityRule::of(Reach::All, Reach::All)])
    }

    pub fn nothing() -> Self {
        Self::default()
    }

    pub fn of(rules: Vec<VisibilityRule>) -> Self {
        Self { rules }
    }

    pub fn rules(&self) -> &[VisibilityRule] {
        &self.rules
    }

    /// Whether nothing is hidden, whatever its kind.
    pub fn is_unrestricted(&self) -> bool {
        let all = |rule: &VisibilityRule| {
            [&rule.kinds, &rule.namespaces, &rule.names].iter().all(|reach| **reach == Reach::All)
        };
        self.rules.iter().any(all)
    }

    /// Whether any object of a kind can be visible. A kind of which none can is like one that there is not.
    pub fn shows_kind(&self, info: &KindInfo) -> bool {
        let seen = self.for_kind(&info.id);
        // Of namespaces, those are shown into which a rule reaches.
        let is_namespaces = info.id.group.is_empty() && info.id.resource == "namespaces";
        !seen.is_empty() && (is_namespaces || seen.reaches_scope(info.scope))
    }

    /// Whether any kind of a group can be visible, were it in it.
    pub fn reaches_group(&self, group: &str) -> bool {
        let may_match = |pattern: &Pattern| {
            let resource = pattern.as_str().split('.').next().unwrap_or_default();
            pattern.matches(&GroupResource::new(group, resource).to_string())
        };
        self.rules.iter().any(|rule| match &rule.kinds {
            Reach::All => true,
            Reach::Only(patterns) => patterns.iter().any(may_match),
        })
    }

    /// Whether any object in this namespace can be visible, whatever its kind.
    pub fn reaches_into(&self, namespace: &str) -> bool {
        self.rules.iter().any(|rule| !rule.kinds.is_empty() && rule.namespaces.contains(namespace))
    }

    /// The part of this visibility that concerns one kind. Resolve it once per read, then ask it per object.
    pub fn for_kind(&self, kind: &GroupResource) -> KindVisibility<'_> {
        let name = LazyCell::new(|| kind.to_string());
        // Written out only for rules that name kinds: this runs for every kind of every search.
        let concerns = |rule: &&VisibilityRule| rule.kinds == Reach::All || rule.kinds.contains(&name);
        let rules: Vec<_> = self.rules.iter().filter(concerns).collect();
        let unrestricted = rules.iter().any(|rule| rule.namespaces == Reach::All && rule.names == Reach::All);
        KindVisibility { rules, unrestricted }
    }
}

/// A visibility narrowed to one kind.
#[derive(Debug, Clone)]
pub struct KindVisibility<'a> {
    rules: Vec<&'a VisibilityRule>,
    unrestricted: bool,
}

impl KindVisibility<'_> {
    /// Whether no object of the kind can be visible.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Whether every object of the kind is visible, whatever its name.
    pub fn is_unrestricted(&self) -> bool {
        self.unrestricted
    }

    /// `namespace` is `None` for a cluster-scoped object. A Namespace itself is cluster-scoped; callers limited to
    /// namespaces see theirs through [`shows_namespace`](Self::shows_namespace).
    pub fn shows(&self, namespace: Option<&str>, name: &str) -> bool {
        self.unrestricted
            || self.rules.iter().any(|rule| {
                let in_reach = match namespace {
                    Some(namespace) => rule.namespaces.contains(namespace),
                    None => rule.shows_cluster_scoped(),
                };
                in_reach && rule.names.contains(name)
            })
    }

    /// Whether the Namespace object `name` is visible: where the rule reaches into it.
    pub fn shows_namespace(&self, name: &str) -> bool {
        let shows = |rule: &&VisibilityRule| {
            let in_reach = rule.namespaces.contains(name) || rule.cluster_scoped == ClusterScoped::Shown;
            in_reach && rule.names.contains(name)
        };
        self.unrestricted || self.rules.iter().any(shows)
    }

    /// Whether every object of the kind that is in no namespace is visible, whatever its name.
    pub fn shows_all_cluster_scoped(&self) -> bool {
        self.rules.iter().any(|rule| rule.shows_cluster_scoped() && rule.names == Reach::All)
    }

    /// Whether any object of the kind can be visible, were they of this scope.
    pub fn reaches_scope(&self, scope: Scope) -> bool {
        self.rules.iter().any(|rule| match scope {
            Scope::Namespaced => !rule.namespaces.is_empty(),
            Scope::Cluster => rule.shows_cluster_scoped(),
        })
    }

    /// Whether any object of the kind in this namespace can be visible.
    pub fn reaches_into(&self, namespace: &str) -> bool {
        self.rules.iter().any(|rule| rule.namespaces.contains(namespace))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(patterns: &[&str]) -> Reach {
        Reach::Only(patterns.iter().copied().map(Pattern::new).collect())
    }

    #[test]
    fn what_no_rule_allows_is_hidden() {
        let pods = GroupResource::new("", "pods");
        let nodes = GroupResource::new("", "nodes");
        let shop = Visibility::of(vec![VisibilityRule {
            kinds: only(&["pods", "*.apps"]),
            namespaces: only(&["shop-*"]),
            names: Reach::All,
            cluster_scoped: ClusterScoped::Usual,
        }]);
        let table = [
            (&Visibility::everything(), &nodes, None, "n1", true),
            (&Visibility::nothing(), &pods, Some("shop-eu"), "p", false),
            (&shop, &pods, Some("shop-eu"), "p", true),
            (&shop, &pods, Some("payments"), "p", false),
            (&shop, &nodes, None, "n1", false),
            (&shop, &GroupResource::new("apps", "deployments"), Some("shop-eu"), "d", true),
        ];
        for (visibility, kind, namespace, name, expected) in table {
            assert_eq!(
                visibility.for_kind(kind).shows(namespace, name),
                expected,
                "{kind} {namespace:?} {name}"
            );
        }
    }

    #[test]
    fn rules_limited_to_namespaces_hide_cluster_scoped_objects() {
        let visibility = Visibility::of(vec![VisibilityRule::of(Reach::All, only(&["shop"]))]);
        let namespaces = GroupResource::new("", "namespaces");
        let seen = visibility.for_kind(&namespaces);
        assert!(!seen.shows(None, "shop"));
        assert!(seen.shows_namespace("shop"));
        assert!(!seen.shows_namespace("payments"));
    }
    #[test]
    fn cluster_scoped_kinds_are_granted_by_name_and_grant_nothing_in_namespaces() {
        let visibility = Visibility::of(vec![
            VisibilityRule::of(Reach::All, only(&["shop"])),
            VisibilityRule::of_cluster_scoped(only(&["nodes", "pods"])),
        ]);
        let kind = |name| GroupResource::new("", name);
        let (nodes, pods, volumes) = (kind("nodes"), kind("pods"), kind("persistentvolumes"));
        for (kind, namespace, expected) in [
            (&nodes, None, true),
            (&volumes, None, false),
            (&pods, Some("shop"), true),
            // Named among those without a namespace by mistake, it is still limited to its namespaces.
            (&pods, Some("payments"), false),
        ] {
            let seen = visibility.for_kind(kind);
            assert_eq!(seen.shows(namespace, "x"), expected, "{kind} {namespace:?}");
            let reached = match namespace {
                Some(namespace) => seen.reaches_into(namespace),
                None => seen.reaches_scope(Scope::Cluster),
            };
            assert_eq!(reached, expected, "{kind} {namespace:?}");
            assert_eq!(seen.shows_all_cluster_scoped(), seen.reaches_scope(Scope::Cluster), "{kind}");
        }
        let only_nodes = Visibility::of(vec![VisibilityRule::of_cluster_scoped(Reach::All)]);
        assert!(!only_nodes.for_kind(&pods).reaches_scope(Scope::Namespaced));
        assert!(only_nodes.for_kind(&kind("namespaces")).shows_namespace("payments"));
    }

    #[test]
    fn a_group_is_reached_where_a_kind_of_it_may_be_named() {
        let of_kinds =
            |patterns: &[&str]| Visibility::of(vec![VisibilityRule::of(only(patterns), Reach::All)]);
        for (patterns, reached) in [
            (&["pods"][..], false),
            (&["pods", "widgets.example.com"], true),
            (&["*.example.com"], true),
            (&["wid*"], true),
            (&["widgets.*"], true),
            (&["*.apps"], false),
            (&[], false),
        ] {
            assert_eq!(of_kinds(patterns).reaches_group("example.com"), reached, "{patterns:?}");
        }
        assert!(Visibility::everything().reaches_group("example.com"));
        assert!(Visibility::everything().is_unrestricted() && !of_kinds(&["*"]).is_unrestricted());
    }

    #[test]
    fn a_star_among_patterns_is_everything() {
        let patterns = |texts: &[&str]| texts.iter().copied().map(Pattern::new).collect::<Vec<_>>();
        assert_eq!(Reach::of(patterns(&["shop", "*"])), Reach::All);
        assert_eq!(Reach::of(patterns(&["shop"])), only(&["shop"]));
        assert!(!Reach::of([]).contains("shop"));
    }

    /// As agents of the version before read it, and as they wrote it.
    #[test]
    fn a_usual_rule_is_on_the_wire_as_it_always_was() {
        let json = r#"[{"kinds":"all","namespaces":{"only":["shop"]},"names":"all"}]"#;
        let visibility = Visibility::of(vec![VisibilityRule::of(Reach::All, only(&["shop"]))]);
        assert_eq!(serde_json::to_string(&visibility).unwrap(), json);
        assert_eq!(serde_json::from_str::<Visibility>(json).unwrap(), visibility);
    }
}
