//! The small company: which workloads it runs where, how large, and what is wrong with some of them.

/// A workload and its shape.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) namespace: &'static str,
    pub(crate) name: &'static str,
    pub(crate) kind: PlanKind,
    pub(crate) image: &'static str,
    pub(crate) tag: &'static str,
    pub(crate) port: u16,
    /// Its share of the cluster's pods.
    pub(crate) weight: u64,
    pub(crate) sidecar: Sidecar,
    pub(crate) trouble: Trouble,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PlanKind {
    Deployment,
    StatefulSet,
    DaemonSet,
}

/// What runs beside the main container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sidecar {
    None,
    /// An ordinary second container.
    Proxy,
    /// An init container that keeps running, after one that ends.
    Restartable,
}

/// What is wrong, in ways that tests and people recognise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    None,
    /// Some pods are in CrashLoopBackOff.
    CrashLoop,
    /// A pod is killed for its memory again and again.
    OutOfMemory,
    /// A pod fits on no node.
    Unschedulable,
    /// A new image can't be pulled, and the rollout is past its deadline.
    StuckRollout,
}

const fn deployment(
    namespace: &'static str,
    name: &'static str,
    image: &'static str,
    tag: &'static str,
    weight: u64,
) -> Plan {
    let (kind, sidecar, trouble) = (PlanKind::Deployment, Sidecar::None, Trouble::None);
    Plan { namespace, name, kind, image, tag, port: 8080, weight, sidecar, trouble }
}

impl Plan {
    const fn kind(self, kind: PlanKind) -> Self {
        Self { kind, ..self }
    }

    const fn with(self, sidecar: Sidecar) -> Self {
        Self { sidecar, ..self }
    }

    const fn port(self, port: u16) -> Self {
        Self { port, ..self }
    }

    const fn troubled(self, trouble: Trouble) -> Self {
        Self { trouble, ..self }
    }
}

const OWN: &str = "602401143452.dkr.ecr.eu-central-1.amazonaws.com";

/// The company's namespaces beside those that every cluster has.
pub(crate) const NAMESPACES: [&str; 5] = ["shop", "payments", "search", "platform", "monitoring"];

/// Every workload.
pub(crate) const PLANS: &[Plan] = &[
    deployment("shop", "frontend", "registry.example.com/shop/frontend", "2026.11.4", 14)
        .with(Sidecar::Proxy)
        .port(3000),
    deployment("shop", "cart", "registry.example.com/shop/cart", "1.42.0", 10).with(Sidecar::Proxy),
    deployment("shop", "checkout", "registry.example.com/shop/checkout", "1.8.1", 10)
        .with(Sidecar::Proxy)
        .troubled(Trouble::StuckRollout),
    deployment("shop", "catalog", "registry.example.com/shop/catalog", "3.11.2", 8),
    deployment("shop", "recommendations", "registry.example.com/shop/recommendations", "0.9.17", 8)
        .troubled(Trouble::Unschedulable),
    deployment("shop", "session-cache", "docker.io/library/redis", "8.2.1", 3)
        .kind(PlanKind::StatefulSet)
        .port(6379),
    deployment("payments", "payments-api", "registry.example.com/payments/api", "5.3.0", 8)
        .with(Sidecar::Restartable),
    deployment("payments", "ledger", "registry.example.com/payments/ledger", "2.20.4", 5)
        .with(Sidecar::Restartable),
    deployment("payments", "fraud-detector", "registry.example.com/payments/fraud-detector", "0.31.0", 6)
        .troubled(Trouble::CrashLoop),
    deployment("payments", "card-vault", "registry.example.com/payments/card-vault", "1.0.9", 2),
    deployment("payments", "postgres", "docker.io/library/postgres", "17.6", 2)
        .kind(PlanKind::StatefulSet)
        .port(5432),
    deployment("search", "query", "registry.example.com/search/query", "7.4.1", 8),
    deployment("search", "indexer", "registry.example.com/search/indexer", "7.4.1", 6)
        .troubled(Trouble::OutOfMemory),
    deployment("search", "suggest", "registry.example.com/search/suggest", "2.0.3", 4),
    deployment("search", "opensearch-data", "docker.io/opensearchproject/opensearch", "3.2.0", 4)
        .kind(PlanKind::StatefulSet)
        .port(9200),
    deployment(
        "platform",
        "ingress-nginx-controller",
        "registry.k8s.io/ingress-nginx/controller",
        "v1.13.2",
        3,
    )
    .port(443),
    deployment("platform", "cert-manager", "quay.io/jetstack/cert-manager-controller", "v1.18.2", 1)
        .port(9402),
    deployment("platform", "cert-manager-webhook", "quay.io/jetstack/cert-manager-webhook", "v1.18.2", 1)
        .port(10250),
    deployment("platform", "external-dns", "registry.k8s.io/external-dns/external-dns", "v0.19.0", 1)
        .port(7979),
    deployment("platform", "argocd-repo-server", "quay.io/argoproj/argocd", "v3.1.5", 2).port(8081),
    deployment("monitoring", "grafana", "docker.io/grafana/grafana", "12.1.1", 1).port(3000),
    deployment(
        "monitoring",
        "kube-state-metrics",
        "registry.k8s.io/kube-state-metrics/kube-state-metrics",
        "v2.17.0",
        1,
    ),
    deployment("monitoring", "prometheus", "quay.io/prometheus/prometheus", "v3.6.0", 2)
        .kind(PlanKind::StatefulSet)
        .with(Sidecar::Proxy)
        .port(9090),
    deployment("monitoring", "loki", "docker.io/grafana/loki", "3.5.5", 3)
        .kind(PlanKind::StatefulSet)
        .port(3100),
    deployment("monitoring", "node-exporter", "quay.io/prometheus/node-exporter", "v1.9.1", 0)
        .kind(PlanKind::DaemonSet)
        .port(9100),
    deployment("kube-system", "coredns", OWN, "v1.12.3", 2).port(53),
    deployment("kube-system", "metrics-server", "registry.k8s.io/metrics-server/metrics-server", "v0.8.0", 1)
        .port(10250),
    deployment(
        "kube-system",
        "ebs-csi-controller",
        "public.ecr.aws/ebs-csi-driver/aws-ebs-csi-driver",
        "v1.48.0",
        2,
    )
    .with(Sidecar::Proxy)
    .port(9808),
    deployment("kube-system", "aws-node", OWN, "v1.20.3", 0).kind(PlanKind::DaemonSet).port(61678),
    deployment("kube-system", "kube-proxy", OWN, "v1.35.2-eksbuild.2", 0)
        .kind(PlanKind::DaemonSet)
        .port(10249),
];

/// How many pods each workload gets so that there are about `pods` in all.
pub(crate) fn shares(pods: usize, nodes: usize) -> Vec<(Plan, usize)> {
    let daemons = PLANS.iter().filter(|plan| plan.kind == PlanKind::DaemonSet).count() * nodes;
    let rest = pods.saturating_sub(daemons) as u64;
    let total: u64 = PLANS.iter().map(|plan| plan.weight).sum();
    let share = |plan: &Plan| match plan.kind {
        PlanKind::DaemonSet => nodes,
        // Small clusters still run one of everything, as far as the number goes.
        _ => (rest * plan.weight / total).max(u64::from(rest > 0)) as usize,
    };
    PLANS.iter().map(|plan| (*plan, share(plan))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up_to_about_what_was_asked() {
        for (pods, nodes) in [(200, 6), (1000, 20), (5000, 60)] {
            let sum: usize = shares(pods, nodes).iter().map(|(_, count)| count).sum();
            assert!(sum.abs_diff(pods) <= pods / 8, "{sum} for {pods}");
        }
    }
}
