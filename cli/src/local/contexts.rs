//! The contexts of a kubeconfig, as clusters.

use std::path::Path;

use anyhow::{anyhow, bail};
use kube::config::{Kubeconfig, KubeconfigError};
use kubeplex_proto::ids::ClusterId;
use kubeplex_proto::nearest::nearest;

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
        Some(file) => Kubeconfig::read_from(file),
        None => Kubeconfig::read(),
    };
    let kubeconfig = kubeconfig.map_err(|error| unreadable(file, error))?;
    if kubeconfig.contexts.is_empty() {
        let file = file.map(|file| format!(" {}", file.display())).unwrap_or_default();
        bail!("the kubeconfig{file} names no context; `kubectl config get-contexts` should list some");
    }
    Ok(kubeconfig)
}

/// Which file it is, what is wrong with it, and the way out.
fn unreadable(file: Option<&Path>, error: KubeconfigError) -> anyhow::Error {
    let instead = match file {
        Some(_) => "",
        None => "; name one with --kubeconfig or KUBECONFIG, or try `kubeplex demo`, which needs none",
    };
    match error {
        KubeconfigError::ReadConfig(source, path) => {
            anyhow!("the kubeconfig {} can't be read: {source}{instead}", path.display())
        }
        KubeconfigError::FindPath => anyhow!("there is no kubeconfig: no home directory is known{instead}"),
        other => {
            let file = file.map(|file| format!(" {}", file.display())).unwrap_or_default();
            anyhow::Error::new(other).context(format!("the kubeconfig{file} can't be understood"))
        }
    }
}

/// The clusters of the contexts `wanted`; of all where none is named.
///
/// # Errors
/// When a wanted context does not exist: with the names that do.
pub(super) fn select(kubeconfig: &Kubeconfig, wanted: &[String]) -> anyhow::Result<Vec<LocalCluster>> {
    let known: Vec<&str> = kubeconfig.contexts.iter().map(|context| context.name.as_str()).collect();
    if let Some(missing) = wanted.iter().find(|name| !known.contains(&name.as_str())) {
        let near = nearest(missing, known.iter().copied());
        let guess =
            if near.is_empty() { String::new() } else { format!("did you mean {}? ", near.join(" or ")) };
        bail!("the kubeconfig has no context \"{missing}\"; {guess}it has {}", known.join(", "));
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
