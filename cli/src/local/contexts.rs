//! The contexts of a kubeconfig, as clusters.

use std::path::Path;

use anyhow::{Context as _, bail};
use kube::config::Kubeconfig;
use kubeplex_proto::ids::ClusterId;

/// A context, and the cluster name that it stands under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LocalCluster {
    pub(super) id: ClusterId,
    pub(super) context: String,
}

/// Reads `file`, or what kubectl would read.
///
/// # Errors
/// When there is no kubeconfig, or it can't be read.
pub(super) fn read(file: Option<&Path>) -> anyhow::Result<Kubeconfig> {
    let kubeconfig = match file {
        Some(file) => Kubeconfig::read_from(file)
            .with_context(|| format!("reading the kubeconfig {}", file.display()))?,
        None => {
            Kubeconfig::read().context("reading the kubeconfig (name one with --kubeconfig or KUBECONFIG)")?
        }
    };
    if kubeconfig.contexts.is_empty() {
        bail!("the kubeconfig names no context; `kubectl config get-contexts` should list some");
    }
    Ok(kubeconfig)
}

/// The clusters of the contexts `wanted`; of all where none is named.
///
/// # Errors
/// When a wanted context does not exist: with the names that do.
pub(super) fn select(kubeconfig: &Kubeconfig, wanted: &[String]) -> anyhow::Result<Vec<LocalCluster>> {
    let known: Vec<&str> = kubeconfig.contexts.iter().map(|context| context.name.as_str()).collect();
    if let Some(missing) = wanted.iter().find(|name| !known.contains(&name.as_str())) {
        bail!("the kubeconfig has no context \"{missing}\"; it has {}", known.join(", "));
    }
    let selected =
        known.into_iter().filter(|name| wanted.is_empty() || wanted.iter().any(|want| want == name));
    selected.map(local_cluster).collect()
}

/// A context's name is the cluster's; characters that a `cluster` argument gives a meaning become hyphens.
fn local_cluster(context: &str) -> anyhow::Result<LocalCluster> {
    let id = ClusterId::new(context).or_else(|_| {
        let allowed =
            |c: char| if c.is_whitespace() || c.is_control() || ",*\"'".contains(c) { '-' } else { c };
        ClusterId::new(context.chars().map(allowed).take(200).collect::<String>())
    })?;
    Ok(LocalCluster { id, context: context.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kubeconfig() -> Kubeconfig {
        let text = "
apiVersion: v1
kind: Config
contexts:
- name: prod-eu
  context: {cluster: a, user: a}
- name: kind a,b
  context: {cluster: b, user: b}
";
        Kubeconfig::from_yaml(text).unwrap()
    }

    #[test]
    fn all_contexts_or_those_that_are_wanted() {
        let names = |wanted: &[&str]| {
            let wanted: Vec<_> = wanted.iter().map(|name| (*name).to_owned()).collect();
            let selected = select(&kubeconfig(), &wanted);
            selected.map(|clusters| clusters.iter().map(|c| c.id.to_string()).collect::<Vec<_>>())
        };
        assert_eq!(names(&[]).unwrap(), ["prod-eu", "kind-a-b"]);
        assert_eq!(names(&["prod-eu"]).unwrap(), ["prod-eu"]);
        let error = names(&["prod-us"]).unwrap_err().to_string();
        assert!(error.contains("prod-us") && error.contains("prod-eu"), "{error}");
    }
}
