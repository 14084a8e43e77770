//! What an answer costs a model, beside what `kubectl get pods -A` costs for the same pods.

use super::*;

/// Long names as managed clusters have them: generated, so that nobody tunes them to the tokenizer.
fn fixture() -> Vec<Pod> {
    const CLUSTERS: [&str; 3] = ["eks-prod-eu-west-1", "eks-prod-us-east-2", "eks-staging-eu-west-1"];
    const WORKLOADS: [(&str, &str, bool); 10] = [
        ("kube-system", "aws-node", true),
        ("kube-system", "ebs-csi-controller", false),
        ("kube-system", "aws-load-balancer-controller", false),
        ("amazon-cloudwatch", "cloudwatch-agent", true),
        ("amazon-cloudwatch", "amazon-cloudwatch-observability-controller-manager", false),
        ("payments", "payment-authorization-service", false),
        ("payments", "fraud-detection-worker", false),
        ("shop-frontend", "storefront-web", false),
        ("shop-backend", "inventory-reservation-api", false),
        ("karpenter", "karpenter", false),
    ];
    let mut random = Random(0x5eed);
    let mut pods = Vec::new();
    for cluster in CLUSTERS {
        for (namespace, workload, is_daemon_set) in WORKLOADS {
            let hash = random.text(if is_daemon_set { 0 } else { 10 });
            for _ in 0..7 {
                let suffix = random.text(5);
                let name = if is_daemon_set {
                    format!("{workload}-{suffix}")
                } else {
                    format!("{workload}-{hash}-{suffix}")
                };
                let mut pod = pod(cluster, namespace, &name, random.below(4) / 3 * random.below(40));
                pod.age_s = i64::try_from(random.below(9_000_000)).unwrap();
                if random.below(20) == 0 {
                    pod.status = "CrashLoopBackOff".to_owned();
                }
                pods.push(pod);
            }
        }
    }
    pods.sort_by(|a, b| (&a.cluster, &a.namespace, &a.name).cmp(&(&b.cluster, &b.namespace, &b.name)));
    pods
}

/// The alphabet of Kubernetes' own suffixes, drawn by a small linear congruential generator.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    fn text(&mut self, length: usize) -> String {
        const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
        (0..length).map(|_| char::from(ALPHABET[self.below(ALPHABET.len() as u64) as usize])).collect()
    }
}

/// What `kubectl get pods -A` prints: three spaces between columns as wide as their widest cell.
fn kubectl(pods: &[&Pod]) -> String {
    let header = ["NAMESPACE", "NAME", "READY", "STATUS", "RESTARTS", "AGE"].map(str::to_owned);
    let rows = pods.iter().map(|pod| {
        let age = human_duration(pod.age_s * 1_000);
        [
            pod.namespace.clone(),
            pod.name.clone(),
            "1/1".to_owned(),
            pod.status.clone(),
            pod.restarts.to_string(),
            age,
        ]
    });
    let table: Vec<_> = std::iter::once(header).chain(rows).collect();
    let widths: Vec<_> = (0..6).map(|at| table.iter().map(|row| row[at].len()).max().unwrap()).collect();
    let line = |row: &[String; 6]| {
        let padded: Vec<_> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        padded.join("   ").trim_end().to_owned() + "\n"
    };
    table.iter().map(line).collect()
}

#[test]
fn a_pod_costs_no_more_than_in_kubectls_table() {
    let pods = fixture();
    let clusters = ["eks-prod-eu-west-1", "eks-prod-us-east-2", "eks-staging-eu-west-1"];
    let fleet = fleet(clusters.map(|name| cluster(name, &[])).to_vec());
    let query = list_query(&fleet, "pods_list", &json!({"limit": 1000, "maxBytes": 4_194_304}));
    let structured = rendered(&query, &page(&query, &pods)).structured;
    assert_eq!(structured["shown"], pods.len());

    let tokenizer = tiktoken_rs::o200k_base().unwrap();
    let tokens = |text: &str| tokenizer.encode_ordinary(text).len();
    let ours = tokens(&structured.to_string());
    // One kubectl call a cluster: the name of the cluster is not even in its output.
    let tables =
        clusters.map(|name| kubectl(&pods.iter().filter(|pod| pod.cluster == name).collect::<Vec<_>>()));
    let theirs: usize = tables.iter().map(|table| tokens(table)).sum();
    let per_pod = |tokens: usize| tokens as f64 / pods.len() as f64;
    println!(
        "{} pods: {ours} tokens of structuredContent ({:.1} a pod), {theirs} of kubectl get pods -A ({:.1}); ratio {:.3}",
        pods.len(),
        per_pod(ours),
        per_pod(theirs),
        ours as f64 / theirs as f64
    );
    assert!(ours <= theirs, "{ours} > {theirs}");
}
