//! The contexts of a kubeconfig, as clusters.
//!
//! Contexts that lead to one server as one user differ only in the namespace that kubectl would take: they are one cluster
//! from the start, called after the first of them and answering to the names of all. Contexts of one server with different
//! users may see different things, and some front ends lead different users to different clusters. So they are clusters of
//! their own until their agents have seen that it is the same one ([`unite`](super::unite)).

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use kube::config::{Cluster, Kubeconfig, NamedContext};
use kubeplex_agent::access::kubeconfig::{self, Places, ReadError};
use kubeplex_proto::ids::ClusterId;
use kubeplex_proto::nearest::nearest;

use super::naming;
use super::provider::Home;

/// The cluster label that says which context's user it is read as, where the cluster's name does not.
pub(super) const CONTEXT_LABEL: &str = "context";

/// The cluster label that says which contexts lead to it, where there are several.
pub(super) const CONTEXTS_LABEL: &str = "contexts";

/// A kubeconfig, and the files it was read from.
pub(crate) struct Read {
    pub(crate) files: Vec<PathBuf>,
    pub(crate) kubeconfig: Kubeconfig,
}

/// One or more contexts of one server and one user, and the cluster that they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LocalCluster {
    pub(crate) id: ClusterId,
    /// In the order in which they are preferred; the first is connected with.
    pub(crate) contexts: Vec<String>,
    /// `None` where the kubeconfig has no such cluster.
    pub(super) address: Option<Address>,
    home: Home,
    /// Whether nobody checks the server's certificate.
    unchecked: bool,
}

/// Where a context leads. As the kubeconfig writes it: what it is worth is seen only when it is used.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Address {
    server: String,
    proxy: Option<String>,
    tls_server_name: Option<String>,
}

impl LocalCluster {
    /// The context that is connected with.
    pub(crate) fn context(&self) -> &str {
        self.contexts.first().map(String::as_str).unwrap_or_default()
    }

    /// What the kubeconfig says of it that its name does not.
    pub(super) fn labels(&self) -> BTreeMap<String, String> {
        let several = self.contexts.len() > 1;
        let context = (several || self.id.as_str() != self.context()).then(|| self.context().to_owned());
        let contexts = several.then(|| self.contexts.join(", "));
        let unchecked = self.unchecked.then(|| "unchecked".to_owned());
        let labels = [
            (CONTEXT_LABEL, context),
            (CONTEXTS_LABEL, contexts),
            ("provider", self.home.provider.map(str::to_owned)),
            ("region", self.home.region.clone()),
            ("certificate", unchecked),
        ];
        let known = labels.into_iter().filter_map(|(label, value)| Some((label.to_owned(), value?)));
        known.collect()
    }

    /// What it is called beside its name.
    pub(super) fn aliases(&self) -> Vec<String> {
        self.contexts.iter().filter(|context| context.as_str() != self.id.as_str()).cloned().collect()
    }
}

/// Reads `file`, or what kubectl would read.
///
/// # Errors
/// When there is no kubeconfig, it can't be read, or it names no context.
pub(crate) fn read(file: Option<&Path>) -> anyhow::Result<Read> {
    let instead = match file {
        Some(_) => "",
        None => "; name one with --kubeconfig or KUBECONFIG, or try `kubeplex demo`, which needs none",
    };
    let files = Places::of_environment().files(file);
    let read = files.and_then(|files| kubeconfig::read(&files).map(|kubeconfig| Read { files, kubeconfig }));
    let read = read.map_err(|error| match error {
        // Which file, and why, in one line: this is what somebody sees who has no kubeconfig yet.
        ReadError::Unreadable { ref source, .. } => anyhow::anyhow!("{error}: {source}{instead}"),
        ReadError::NoHome | ReadError::AllMissing { .. } => anyhow::anyhow!("{error}{instead}"),
        ReadError::Malformed { .. } => error.into(),
    })?;
    if read.kubeconfig.contexts.is_empty() {
        let files = read.files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>().join(", ");
        bail!("the kubeconfig {files} names no context; `kubectl config get-contexts` should list some");
    }
    Ok(read)
}

/// The clusters of the contexts `wanted`, preferred in that order; of all, in the order of the file, where none is named.
///
/// # Errors
/// When a wanted context does not exist: with the names that do.
pub(crate) fn select(kubeconfig: &Kubeconfig, wanted: &[String]) -> anyhow::Result<Vec<LocalCluster>> {
    let known = distinct(kubeconfig);
    let names: Vec<&str> = known.iter().map(|context| context.name.as_str()).collect();
    if let Some(missing) = wanted.iter().find(|name| !names.contains(&name.as_str())) {
        let near = nearest(missing, names.iter().copied());
        let guess =
            if near.is_empty() { String::new() } else { format!("did you mean {}? ", near.join(" or ")) };
        bail!("the kubeconfig has no context \"{missing}\"; {guess}it has {}", names.join(", "));
    }
    // Contexts that nobody wants are named too, so that a cluster is called the same whatever is selected.
    let ids = naming::names(&names).context("naming the clusters")?;
    let mut selected: Vec<_> = known.into_iter().zip(ids).collect();
    if !wanted.is_empty() {
        let place = |name: &str| wanted.iter().position(|wanted| wanted == name);
        selected.retain(|(context, _)| place(&context.name).is_some());
        selected.sort_by_key(|(context, _)| place(&context.name));
    }
    Ok(grouped(kubeconfig, selected))
}

/// Of two contexts with one name the first counts.
fn distinct(kubeconfig: &Kubeconfig) -> Vec<&NamedContext> {
    let mut seen = HashSet::new();
    let mut contexts = Vec::new();
    for context in &kubeconfig.contexts {
        if seen.insert(&context.name) {
            contexts.push(context);
        } else {
            let context = &context.name;
            tracing::warn!(context, "the kubeconfig has this context twice: the first one is used");
        }
    }
    contexts
}

/// Makes one cluster of contexts with one server and one user.
fn grouped(kubeconfig: &Kubeconfig, contexts: Vec<(&NamedContext, ClusterId)>) -> Vec<LocalCluster> {
    let mut users: Vec<Option<&String>> = Vec::new();
    let mut clusters: Vec<LocalCluster> = Vec::new();
    for (context, id) in contexts {
        let user = context.context.as_ref().and_then(|context| context.user.as_ref());
        let cluster = cluster_of(kubeconfig, context);
        let address = cluster.and_then(Address::of);
        let same = clusters
            .iter()
            .zip(&users)
            .position(|(known, its_user)| address.is_some() && known.address == address && *its_user == user);
        if let Some(same) = same {
            clusters[same].contexts.push(context.name.clone());
            continue;
        }
        let server = address.as_ref().map(|address| address.server.as_str()).unwrap_or_default();
        users.push(user);
        clusters.push(LocalCluster {
            id,
            contexts: vec![context.name.clone()],
            home: Home::of(&context.name, server),
            unchecked: cluster.is_some_and(|cluster| cluster.insecure_skip_tls_verify == Some(true)),
            address,
        });
    }
    clusters
}

fn cluster_of<'k>(kubeconfig: &'k Kubeconfig, context: &NamedContext) -> Option<&'k Cluster> {
    let name = &context.context.as_ref()?.cluster;
    kubeconfig.clusters.iter().find(|cluster| cluster.name == *name)?.cluster.as_ref()
}

impl Address {
    fn of(cluster: &Cluster) -> Option<Self> {
        let stated = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let server = stated(&cluster.server)?.trim_end_matches('/').to_ascii_lowercase();
        let (proxy, tls_server_name) = (stated(&cluster.proxy_url), stated(&cluster.tls_server_name));
        Some(Self { server, proxy, tls_server_name })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kubeconfig() -> Kubeconfig {
        let text = "
apiVersion: v1
kind: Config
current-context: prod/shop
clusters:
- {name: a, cluster: {server: 'https://Prod.example.com/', insecure-skip-tls-verify: true}}
- {name: a-again, cluster: {server: 'https://prod.example.com'}}
- {name: a-named, cluster: {server: 'https://prod.example.com', tls-server-name: other}}
- {name: b, cluster: {server: 'https://1.gr7.eu-central-1.eks.amazonaws.com'}}
contexts:
- {name: prod/web, context: {cluster: a, user: me, namespace: web}}
- {name: prod/shop, context: {cluster: a-again, user: me, namespace: shop}}
- {name: root@prod, context: {cluster: a, user: root}}
- {name: me@other, context: {cluster: a-named, user: me}}
- {name: 'arn:aws:eks:eu-central-1:1:cluster/kind a', context: {cluster: b, user: me}}
- {name: lost, context: {cluster: nowhere, user: me}}
- {name: lost-too, context: {cluster: nowhere, user: me}}
- {name: lost, context: {cluster: b, user: me}}
";
        Kubeconfig::from_yaml(text).unwrap()
    }

    fn selected(wanted: &[&str]) -> Vec<LocalCluster> {
        let wanted: Vec<_> = wanted.iter().map(|name| (*name).to_owned()).collect();
        select(&kubeconfig(), &wanted).unwrap()
    }

    fn described(clusters: &[LocalCluster]) -> Vec<String> {
        clusters.iter().map(|cluster| format!("{} = {}", cluster.id, cluster.contexts.join(" "))).collect()
    }

    #[test]
    fn contexts_with_one_server_and_one_user_are_one_cluster() {
        assert_eq!(
            described(&selected(&[])),
            [
                "prod/web = prod/web prod/shop",
                "root@prod = root@prod",
                "me@other = me@other",
                "arn:aws:eks:eu-central-1:1:cluster/kind-a = arn:aws:eks:eu-central-1:1:cluster/kind a",
                "lost = lost",
                "lost-too = lost-too",
            ]
        );
        // In the order in which they are wanted.
        assert_eq!(
            described(&selected(&["root@prod", "prod/shop", "prod/web"])),
            ["root@prod = root@prod", "prod/shop = prod/shop prod/web"]
        );
    }

    #[test]
    fn labels_say_what_the_name_does_not() {
        let clusters = selected(&[]);
        let labels = |at: usize| {
            let labels = clusters[at].labels();
            labels.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join("; ")
        };
        assert_eq!(labels(0), "certificate=unchecked; context=prod/web; contexts=prod/web, prod/shop");
        assert_eq!(clusters[0].aliases(), ["prod/shop"]);
        assert_eq!(labels(2), "");
        assert_eq!(
            labels(3),
            "context=arn:aws:eks:eu-central-1:1:cluster/kind a; provider=aws; region=eu-central-1"
        );
        assert_eq!(clusters[3].aliases(), ["arn:aws:eks:eu-central-1:1:cluster/kind a"]);
    }

    #[test]
    fn a_context_that_is_not_there_is_said_with_those_that_are() {
        let error = select(&kubeconfig(), &["root@prd".to_owned()]).unwrap_err().to_string();
        assert!(error.contains("did you mean root@prod?") && error.contains("me@other"), "{error}");
    }

    #[test]
    fn a_name_does_not_hang_on_what_is_selected() {
        let kubeconfig = Kubeconfig::from_yaml("contexts: [{name: a b}, {name: a-b}]").unwrap();
        let selected = select(&kubeconfig, &["a b".to_owned()]).unwrap();
        assert_eq!(selected.iter().map(|cluster| cluster.id.as_str()).collect::<Vec<_>>(), ["a-b-2"]);
    }
}
