//! The clusters of the demo: a small company in three regions.

use std::collections::BTreeMap;

use simcluster::{Scenario, SimConfig, Troubles};

/// Stage and region of each cluster, in the order in which they are added; more clusters go round again with a number.
const PLACES: [(&str, &str, &str); 6] = [
    ("prod", "eu", "eu-central-1"),
    ("prod", "us", "us-east-1"),
    ("prod", "ap", "ap-southeast-2"),
    ("staging", "eu", "eu-central-1"),
    ("staging", "us", "us-east-1"),
    ("dev", "eu", "eu-central-1"),
];

/// Fleets are rarely all of one version.
const VERSIONS: [&str; 3] = ["v1.35.2", "v1.34.5", "v1.33.9"];

/// One cluster of the demo.
#[derive(Debug, Clone)]
pub(super) struct DemoCluster {
    pub(super) name: String,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) config: SimConfig,
}

/// `count` clusters of about `pods` pods each; the same every time.
pub(super) fn clusters(count: u16, pods: u32) -> Vec<DemoCluster> {
    (0..usize::from(count)).map(|index| cluster(index, pods as usize)).collect()
}

fn cluster(index: usize, pods: usize) -> DemoCluster {
    let (stage, short_region, region) = PLACES[index % PLACES.len()];
    let round = index / PLACES.len();
    let number = if round == 0 { String::new() } else { format!("-{}", round + 1) };
    let name = format!("{stage}-{short_region}{number}");
    let labels: BTreeMap<_, _> =
        [("env", stage), ("region", region)].map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    let config = SimConfig {
        region: region.to_owned(),
        labels: labels.clone(),
        pods,
        nodes: (pods / 30).clamp(3, 200),
        troubles: Troubles::None,
        scenario: Scenario::ShopDay,
        kubernetes_version: VERSIONS[index % VERSIONS.len()].to_owned(),
        ..SimConfig::named(&name, index as u64 + 1)
    };
    DemoCluster { name, labels, config }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::clusters;

    #[test]
    fn names_are_distinct_and_labels_tell_stage_and_region() {
        let fleet = clusters(200, 20);
        let names: BTreeSet<_> = fleet.iter().map(|cluster| &cluster.name).collect();
        assert_eq!(names.len(), 200);
        assert_eq!(fleet[0].name, "prod-eu");
        assert_eq!(fleet[7].name, "prod-us-2");
        assert_eq!(fleet[7].labels["region"], "us-east-1");
    }
}
