//! What a context is called as a cluster: short, where tools have made its name long.

use std::collections::HashSet;

use kubeplex_proto::ids::ClusterId;

/// How much of a context's name goes into a name that had to be altered, in bytes: a number has to fit behind it.
const MOST_OF_A_NAME: usize = 230;

/// What the name of a context says, where a tool has put more than a name into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Parts<'a> {
    pub(super) name: &'a str,
    pub(super) provider: Option<&'static str>,
    /// A region, or a zone in one.
    pub(super) place: Option<&'a str>,
    /// An account or a project.
    owner: Option<&'a str>,
}

impl<'a> Parts<'a> {
    /// Reads a name as the command lines of clouds and kubeadm write it.
    pub(super) fn of(context: &'a str) -> Option<Self> {
        let parts = Self::eks(context).or_else(|| Self::eksctl(context));
        let parts = parts.or_else(|| Self::gke(context)).or_else(|| Self::kubeadm(context));
        parts.filter(|parts| !parts.name.is_empty())
    }

    /// `arn:aws:eks:eu-central-1:123456789012:cluster/prod`
    fn eks(context: &'a str) -> Option<Self> {
        let mut fields = context.splitn(6, ':');
        let (arn, partition, service) = (fields.next()?, fields.next()?, fields.next()?);
        let (region, account, resource) = (fields.next()?, fields.next()?, fields.next()?);
        let name = resource.strip_prefix("cluster/")?;
        let is_eks = arn == "arn" && partition.starts_with("aws") && service == "eks";
        is_eks.then_some(Self { name, provider: Some("aws"), place: Some(region), owner: Some(account) })
    }

    /// `me@prod.eu-central-1.eksctl.io`
    fn eksctl(context: &'a str) -> Option<Self> {
        let (_, cluster) = context.rsplit_once('@')?;
        let (name, region) = cluster.strip_suffix(".eksctl.io")?.split_once('.')?;
        Some(Self { name, provider: Some("aws"), place: Some(region), owner: None })
    }

    /// `gke_project_europe-west1-b_prod`, `connectgateway_project_global_prod`
    fn gke(context: &'a str) -> Option<Self> {
        let rest = context.strip_prefix("gke_").or_else(|| context.strip_prefix("connectgateway_"))?;
        let mut fields = rest.splitn(3, '_');
        let (project, place, name) = (fields.next()?, fields.next()?, fields.next()?);
        Some(Self { name, provider: Some("gcp"), place: Some(place), owner: Some(project) })
    }

    /// `kubernetes-admin@prod`
    fn kubeadm(context: &'a str) -> Option<Self> {
        let name = context.strip_prefix("kubernetes-admin@")?;
        Some(Self { name, provider: None, place: None, owner: None })
    }

    /// From short to unmistakable.
    fn candidates(self) -> impl Iterator<Item = String> {
        let short = self.name.to_owned();
        let placed = self.place.map(|place| format!("{short}-{place}"));
        let owned = placed.as_ref().zip(self.owner).map(|(placed, owner)| format!("{placed}-{owner}"));
        [Some(short), placed, owned].into_iter().flatten()
    }
}

/// A name for each context, in their order: its own, unless a shorter one says as much and is free. A name that can stand
/// as it is belongs to its context, wherever in the file that is.
pub(super) fn names(contexts: &[&str]) -> anyhow::Result<Vec<ClusterId>> {
    let own = |context: &&&str| Parts::of(context).is_none();
    let own = contexts.iter().filter(own).filter_map(|context| ClusterId::new(context).ok());
    let mut taken: HashSet<ClusterId> = own.collect();
    contexts.iter().map(|context| name(context, &mut taken)).collect()
}

fn name(context: &str, taken: &mut HashSet<ClusterId>) -> anyhow::Result<ClusterId> {
    let Some(parts) = Parts::of(context) else {
        return ClusterId::new(context).or_else(|_| altered(context, taken));
    };
    let own = [context.to_owned()];
    let candidates = parts.candidates().chain(own).filter_map(|name| ClusterId::new(name).ok());
    for candidate in candidates {
        if taken.insert(candidate.clone()) {
            return Ok(candidate);
        }
    }
    altered(context, taken)
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

    #[track_caller]
    fn check(contexts: &[&str], expected: &[&str]) {
        let names = names(contexts).unwrap();
        assert_eq!(names.iter().map(ClusterId::as_str).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn awkward_names_become_short_ones_that_are_free() {
        let eu = "arn:aws:eks:eu-central-1:123456789012:cluster/prod";
        let us = "arn:aws:eks:us-east-1:123456789012:cluster/prod";
        let other = "arn:aws:eks:eu-central-1:210987654321:cluster/prod";
        check(&[eu], &["prod"]);
        check(&[eu, us, other], &["prod", "prod-us-east-1", "prod-eu-central-1"]);
        check(&[us, eu, other], &["prod", "prod-eu-central-1", "prod-eu-central-1-210987654321"]);
        check(&[eu, "prod"], &["prod-eu-central-1", "prod"]);
        check(
            &["gke_acme-1_europe-west1-b_shop", "gke_acme-2_europe-west1-b_shop"],
            &["shop", "shop-europe-west1-b"],
        );
        check(
            &["connectgateway_acme_global_edge", "me@edge.eu-west-1.eksctl.io"],
            &["edge", "edge-eu-west-1"],
        );
        check(&["kubernetes-admin@kubernetes", "kubernetes-admin@lab"], &["kubernetes", "lab"]);
        check(
            &["arn:aws:eks:cluster/x", "gke_a_b", "kubernetes-admin@"],
            &["arn:aws:eks:cluster/x", "gke_a_b", "kubernetes-admin@"],
        );
        check(
            &["aks-admin", "kind-dev", "shop/api.example.com:6443/me"],
            &["aks-admin", "kind-dev", "shop/api.example.com:6443/me"],
        );
    }

    #[test]
    fn every_context_has_a_name_of_its_own() {
        let long = "\u{e9}".repeat(200);
        check(
            &["a b", "a-b", "a,b", "a-b-3", "", "unnamed", &long],
            &["a-b-2", "a-b", "a-b-4", "a-b-3", "unnamed-2", "unnamed", &long[..MOST_OF_A_NAME]],
        );
        check(&["kubernetes-admin@a b", "a-b"], &["kubernetes-admin@a-b", "a-b"]);
    }
}
