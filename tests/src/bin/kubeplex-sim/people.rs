//! People who ask, and what they may see.

use std::sync::Arc;

use kubeplex_tests::caller;
use serde_json::Value;
use simcluster::Rule;

use crate::ask::Asked;
use crate::cluster::Cluster;
use crate::world::World;

/// Somebody with a token.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Person {
    pub(crate) name: &'static str,
    clusters: &'static [&'static str],
    namespaces: &'static [&'static str],
    rights: Rights,
}

/// What the clusters themselves let somebody read.
#[derive(Debug, Clone, Copy)]
enum Rights {
    Everywhere,
    /// Nothing in this cluster.
    NotIn(&'static str),
    /// What is in this namespace.
    Within(&'static str),
}

/// Everybody.
pub(crate) fn all() -> [Person; 3] {
    let everything = &["*"];
    let person = |name, rights| Person { name, clusters: everything, namespaces: everything, rights };
    [
        person("anna", Rights::Everywhere),
        person("bert", Rights::NotIn("bravo")),
        Person {
            clusters: &["alpha", "bravo"],
            namespaces: &["shop"],
            ..person("clara", Rights::Within("shop"))
        },
    ]
}

impl Person {
    /// As the configuration of the gateway has them.
    pub(crate) fn section(&self) -> String {
        caller::section(self.name, &self.token(), self.clusters, self.namespaces)
    }

    /// As the API server of a cluster has them.
    pub(crate) fn rule(&self, cluster: &str) -> Option<Rule> {
        let rule = Rule::new("get,list", "*");
        match self.rights {
            Rights::Everywhere => Some(rule),
            Rights::NotIn(other) => (cluster != other).then_some(rule),
            Rights::Within(namespace) => Some(rule.in_namespace(namespace)),
        }
    }

    fn token(&self) -> String {
        format!("the-token-of-{}", self.name)
    }

    /// The clusters that exist for them.
    pub(crate) fn clusters<'a>(&self, world: &'a World) -> impl Iterator<Item = &'a Arc<Cluster>> {
        world.clusters.iter().filter(|cluster| reaches(self.clusters, cluster.name))
    }

    /// Whether the gateway shows them what is in a namespace.
    pub(crate) fn sees(&self, namespace: &str) -> bool {
        reaches(self.namespaces, namespace)
    }

    /// Whether a cluster lets them read what is in a namespace, or in all that the gateway shows them: no others are read.
    pub(crate) fn may_read(&self, cluster: &str, namespace: Option<&str>) -> bool {
        match self.rights {
            Rights::Everywhere => true,
            Rights::NotIn(other) => cluster != other,
            Rights::Within(only) => namespace.is_none_or(|namespace| namespace == only),
        }
    }

    pub(crate) async fn ask(&self, world: &World, tool: &str, arguments: Value) -> Asked {
        let (site, call) = (world.front.site(), world.next_call());
        let asked = Asked::ask(&site, call, &self.token(), tool, arguments).await;
        world.trail.step(format_args!("{} {tool}: {}", self.name, asked.told()));
        asked
    }
}

fn reaches(patterns: &[&str], name: &str) -> bool {
    patterns.iter().any(|pattern| *pattern == "*" || *pattern == name)
}
