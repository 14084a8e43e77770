//! The contexts of a kubeconfig, as clusters.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use anyhow::{anyhow, bail};
use kube::config::{Kubeconfig, KubeconfigError};
use kubeplex_proto::ids::ClusterId;
use kubeplex_proto::nearest::nearest;

/// The cluster label that says which context it is, where the cluster's name does not.
const CONTEXT_LABEL: &str = "context";

/// How much of a context's name goes into a name that had to be altered, in bytes: a number has to fit behind it.
const MOST_OF_A_NAME: usize = 230;

/// A context, and the cluster name that it stands under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LocalCluster {
    pub(super) id: ClusterId,
    pub(super) context: String,
}

impl LocalCluster {
    /// The context, where the name had to be altered.
    pub(super) fn labels(&self) -> BTreeMap<String, String> {
        let altered = self.id.as_str() != self.context;
        altered.then(|| (CONTEXT_LABEL.to_owned(), self.context.clone())).into_iter().collect()
    }
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
    let mut clusters = named(&known)?;
    clusters.retain(|cluster| wanted.is_empty() || wanted.contains(&cluster.context));
    Ok(clusters)
}

/// A cluster for each context, in the order of the file. Contexts that nobody wants are named too, so that a cluster is
/// called the same whatever is selected.
fn named(contexts: &[&str]) -> anyhow::Result<Vec<LocalCluster>> {
    // A name that can stand as it is belongs to its context, wherever in the file that is.
    let mut taken: HashSet<ClusterId> =
        contexts.iter().filter_map(|context| ClusterId::new(context).ok()).collect();
    let mut seen = HashSet::new();
    let mut clusters = Vec::new();
    for context in contexts {
        if !seen.insert(context) {
            tracing::warn!(context, "the kubeconfig has this context twice: the first one is used");
            continue;
        }
        let id = ClusterId::new(context).or_else(|_| altered(context, &mut taken))?;
        clusters.push(LocalCluster { id, context: (*context).to_owned() });
    }
    Ok(clusters)
}

/// A name for a context that can't lend its own to a cluster: what a `cluster` argument gives a meaning becomes hyphens,
/// and a number tells it from others.
fn altered(context: &str, taken: &mut HashSet<ClusterId>) -> anyhow::Result<ClusterId> {
    let allowed = |c: char| if ClusterId::new(c.to_string()).is_ok() { c } else { '-' };
    let mut stem: String = context.chars().map(allowed).collect();
    stem.truncate(stem.floor_char_boundary(MOST_OF_A_NAME));
    if stem.is_empty() {
        "unnamed".clone_into(&mut stem);
    }
    let mut id = ClusterId::new(&stem)?;
    let mut number = 1;
    while !taken.insert(id.clone()) {
        number += 1;
        id = ClusterId::new(format!("{stem}-{number}"))?;
    }
    Ok(id)
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

    #[test]
    fn every_context_has_a_name_of_its_own() {
        let long = "\u{e9}".repeat(200);
        let contexts = ["a b", "a-b", "a,b", "a-b-3", "a-b", "", "unnamed", long.as_str()];
        let clusters = named(&contexts).unwrap();
        let names: Vec<_> = clusters.iter().map(|cluster| cluster.id.as_str()).collect();
        assert_eq!(
            names,
            ["a-b-2", "a-b", "a-b-4", "a-b-3", "unnamed-2", "unnamed", &long[..MOST_OF_A_NAME]]
        );
        let told = |at: usize| clusters[at].labels().remove(CONTEXT_LABEL);
        assert_eq!(told(0).as_deref(), Some("a b"));
        assert_eq!(told(1), None, "the name says it");
        assert_eq!(told(6), Some(long.clone()));
    }

    #[test]
    fn a_name_does_not_hang_on_what_is_selected() {
        let kubeconfig = Kubeconfig::from_yaml("contexts: [{name: a b}, {name: a-b}]").unwrap();
        let selected = select(&kubeconfig, &["a b".to_owned()]).unwrap();
        assert_eq!(selected.iter().map(|cluster| cluster.id.as_str()).collect::<Vec<_>>(), ["a-b-2"]);
    }
}
