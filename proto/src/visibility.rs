//! What a caller may see of a cluster. Every read takes one, and applies it before it counts, sorts or pages.

use serde::{Deserialize, Serialize};

use crate::kind::GroupResource;
use crate::pattern::Pattern;

/// An object is visible when at least one rule allows it. No rule: nothing is visible.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Visibility {
    rules: Vec<VisibilityRule>,
}

/// Objects of these kinds, in these namespaces, with these names.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct VisibilityRule {
    /// Patterns over `pods`, `deployments.apps`.
    pub kinds: Reach,
    /// A rule that is limited to namespaces shows no cluster-scoped object.
    pub namespaces: Reach,
    pub names: Reach,
}

/// Everything, or what a pattern matches.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reach {
    All,
    Only(Vec<Pattern>),
}

impl Reach {
    fn contains(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(patterns) => patterns.iter().any(|pattern| pattern.matches(name)),
        }
    }
}

impl Visibility {
    pub fn everything() -> Self {
        Self::of(vec![VisibilityRule { kinds: Reach::All, namespaces: Reach::All, names: Reach::All }])
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

    /// The part of this visibility that concerns one kind. Resolve it once per read, then ask it per object.
    pub fn for_kind(&self, kind: &GroupResource) -> KindVisibility<'_> {
        let kind = kind.to_string();
        let rules: Vec<_> = self.rules.iter().filter(|rule| rule.kinds.contains(&kind)).collect();
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
                    None => rule.namespaces == Reach::All,
                };
                in_reach && rule.names.contains(name)
            })
    }

    /// Whether the Namespace object `name` is visible: where the rule reaches into it.
    pub fn shows_namespace(&self, name: &str) -> bool {
        self.unrestricted
            || self.rules.iter().any(|rule| rule.namespaces.contains(name) && rule.names.contains(name))
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
        let rule = VisibilityRule { kinds: Reach::All, namespaces: only(&["shop"]), names: Reach::All };
        let visibility = Visibility::of(vec![rule]);
        let namespaces = GroupResource::new("", "namespaces");
        let seen = visibility.for_kind(&namespaces);
        assert!(!seen.shows(None, "shop"));
        assert!(seen.shows_namespace("shop"));
        assert!(!seen.shows_namespace("payments"));
    }
}
