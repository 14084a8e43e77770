//! Who runs a cluster, and where, as far as its address and its name say so.

use super::naming::Parts;

/// What is known of a cluster's home without asking anybody.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Home {
    pub(super) provider: Option<&'static str>,
    pub(super) region: Option<String>,
}

/// Ends of API servers' names. A region stands in front of them where `true`.
const DOMAINS: [(&str, &str, bool); 7] = [
    (".eks.amazonaws.com", "aws", true),
    (".eks.amazonaws.com.cn", "aws", true),
    (".azmk8s.io", "azure", true),
    (".gke.goog", "gcp", true),
    (".k8s.ondigitalocean.com", "digitalocean", false),
    (".containers.cloud.ibm.com", "ibm", true),
    (".linodelke.net", "linode", false),
];

/// Contexts that tools make for clusters on this machine.
const LOCAL: [(&str, &str); 6] = [
    ("kind-", "kind"),
    ("k3d-", "k3d"),
    ("minikube", "minikube"),
    ("docker-desktop", "docker-desktop"),
    ("rancher-desktop", "rancher-desktop"),
    ("orbstack", "orbstack"),
];

impl Home {
    pub(super) fn of(context: &str, server: &str) -> Self {
        let host = host(server);
        let domain = DOMAINS.iter().find_map(|(end, provider, has_region)| {
            let front = host.strip_suffix(end)?;
            let region = front.rsplit('.').next().filter(|region| *has_region && !region.is_empty());
            Some(Self { provider: Some(provider), region: region.map(str::to_owned) })
        });
        domain.or_else(|| Self::of_name(context)).unwrap_or_else(|| Self::local(context))
    }

    fn of_name(context: &str) -> Option<Self> {
        let parts = Parts::of(context)?;
        let region = parts.place.map(|place| region(place).to_owned());
        parts.provider.map(|provider| Self { provider: Some(provider), region })
    }

    fn local(context: &str) -> Self {
        let known = LOCAL.iter().find(|(name, _)| match name.strip_suffix('-') {
            Some(_) => context.starts_with(name),
            None => context == *name,
        });
        Self { provider: known.map(|(_, provider)| *provider), region: None }
    }
}

/// `europe-west1` of `europe-west1-b`: Google's zones end with a letter.
fn region(place: &str) -> &str {
    match place.rsplit_once('-') {
        Some((region, zone)) if zone.len() == 1 && zone.bytes().all(|byte| byte.is_ascii_lowercase()) => {
            region
        }
        _ => place,
    }
}

fn host(server: &str) -> &str {
    let rest = server.split_once("://").map_or(server, |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or_default();
    authority.rsplit_once(':').map_or(authority, |(host, _)| host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_names_say_where_a_cluster_runs() {
        for (context, server, provider, region) in [
            ("x", "https://0A1B.gr7.eu-central-1.eks.amazonaws.com", Some("aws"), Some("eu-central-1")),
            ("x", "https://shop-1a2b.hcp.westeurope.azmk8s.io:443", Some("azure"), Some("westeurope")),
            ("x", "https://gke-0a1b.us-central1.gke.goog", Some("gcp"), Some("us-central1")),
            ("x", "https://0a1b.k8s.ondigitalocean.com", Some("digitalocean"), None),
            ("gke_acme_europe-west1-b_prod", "https://34.1.2.3", Some("gcp"), Some("europe-west1")),
            ("gke_acme_europe-west1_prod", "https://34.1.2.3", Some("gcp"), Some("europe-west1")),
            ("arn:aws:eks:us-east-1:1:cluster/p", "https://proxy.corp/eks", Some("aws"), Some("us-east-1")),
            ("kubernetes-admin@lab", "https://10.0.0.1:6443", None, None),
            ("kind-dev", "https://127.0.0.1:34567", Some("kind"), None),
            ("minikube", "https://127.0.0.1:8443", Some("minikube"), None),
            ("minikube-2", "https://127.0.0.1:8443", None, None),
            ("prod", "https://eks.amazonaws.com.example.com", None, None),
        ] {
            let home = Home { provider, region: region.map(str::to_owned) };
            assert_eq!(Home::of(context, server), home, "{context} at {server}");
        }
    }
}
