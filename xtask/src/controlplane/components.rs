//! The components of a cluster: which there are, in which order they start, and with which arguments.

use super::paths;
use super::state::Cluster;

/// A program of a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Etcd,
    ApiServer,
    ControllerManager,
    Scheduler,
    Kwok,
    MetricsServer,
}

impl Kind {
    /// What the API server needs to be ready, and it itself.
    pub(crate) const SERVERS: [Self; 2] = [Self::Etcd, Self::ApiServer];
    /// What gives up where the API server is not ready.
    pub(crate) fn clients(cluster: &Cluster) -> Vec<Self> {
        let measured = cluster.ports.metrics.map(|_| Self::MetricsServer);
        [Self::ControllerManager, Self::Scheduler, Self::Kwok].into_iter().chain(measured).collect()
    }

    /// The name by which it is recorded, and of its log.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Etcd => "etcd",
            Self::ApiServer => "kube-apiserver",
            Self::ControllerManager => "kube-controller-manager",
            Self::Scheduler => "kube-scheduler",
            Self::Kwok => "kwok",
            Self::MetricsServer => "metrics-server",
        }
    }

    /// The program and its arguments.
    pub(crate) fn command(self, cluster: &Cluster) -> Vec<String> {
        let (program, arguments) = match self {
            Self::Etcd => (paths::controlplane(), etcd(cluster)),
            Self::ApiServer => (paths::controlplane(), apiserver(cluster)),
            Self::ControllerManager => (paths::controlplane(), controller_manager(cluster)),
            Self::Scheduler => (paths::controlplane(), scheduler(cluster)),
            Self::Kwok => (paths::kwok(), kwok(cluster)),
            Self::MetricsServer => (paths::metrics_server(), metrics_server(cluster)),
        };
        let subcommand = (program == paths::controlplane()).then(|| self.name().to_owned());
        [program.display().to_string()].into_iter().chain(subcommand).chain(arguments).collect()
    }
}

fn etcd(cluster: &Cluster) -> Vec<String> {
    vec![
        format!("--data-dir={}", cluster.dir().data()),
        format!("--listen-client-url=http://127.0.0.1:{}", cluster.ports.etcd),
    ]
}

fn apiserver(cluster: &Cluster) -> Vec<String> {
    let mut arguments = apiserver_serving(cluster);
    arguments.extend(apiserver_trust(cluster));
    arguments.extend(apiserver_front_proxy(cluster));
    arguments
}

/// Where it listens and stores, and what it writes down.
fn apiserver_serving(cluster: &Cluster) -> Vec<String> {
    let dir = cluster.dir();
    vec![
        "--bind-address=127.0.0.1".to_owned(),
        format!("--secure-port={}", cluster.ports.apiserver),
        format!("--etcd-servers=http://127.0.0.1:{}", cluster.ports.etcd),
        "--service-cluster-ip-range=10.96.0.0/16".to_owned(),
        // A loopback address may not be an endpoint of the service `kubernetes`.
        "--endpoint-reconciler-type=none".to_owned(),
        format!("--audit-policy-file={}", dir.config("audit-policy.yaml")),
        format!("--audit-log-path={}", dir.audit_log().display()),
        // Ends open watches when it is stopped, instead of waiting a minute for them to end by themselves.
        "--shutdown-watch-termination-grace-period=1s".to_owned(),
        "--allow-privileged=true".to_owned(),
        "--profiling=false".to_owned(),
    ]
}

/// Whom it trusts, and what it shows of itself.
fn apiserver_trust(cluster: &Cluster) -> Vec<String> {
    let dir = cluster.dir();
    vec![
        "--authorization-mode=RBAC".to_owned(),
        format!("--authentication-config={}", dir.config("authentication.yaml")),
        format!("--client-ca-file={}", dir.pki("ca.crt")),
        format!("--tls-cert-file={}", dir.pki("apiserver.crt")),
        format!("--tls-private-key-file={}", dir.pki("apiserver.key")),
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local".to_owned(),
        format!("--service-account-key-file={}", dir.pki("service-account.key")),
        format!("--service-account-signing-key-file={}", dir.pki("service-account.key")),
        // The kubelet of every node is kwok, which each node's InternalDNS name leads to.
        "--kubelet-preferred-address-types=InternalDNS".to_owned(),
        format!("--kubelet-certificate-authority={}", dir.pki("ca.crt")),
        format!("--kubelet-client-certificate={}", dir.pki("apiserver-kubelet-client.crt")),
        format!("--kubelet-client-key={}", dir.pki("apiserver-kubelet-client.key")),
    ]
}

/// What an aggregated API server needs to believe this one.
fn apiserver_front_proxy(cluster: &Cluster) -> Vec<String> {
    let dir = cluster.dir();
    vec![
        format!("--requestheader-client-ca-file={}", dir.pki("front-proxy-ca.crt")),
        "--requestheader-allowed-names=front-proxy-client".to_owned(),
        "--requestheader-extra-headers-prefix=X-Remote-Extra-".to_owned(),
        "--requestheader-group-headers=X-Remote-Group".to_owned(),
        "--requestheader-username-headers=X-Remote-User".to_owned(),
        format!("--proxy-client-cert-file={}", dir.pki("front-proxy-client.crt")),
        format!("--proxy-client-key-file={}", dir.pki("front-proxy-client.key")),
    ]
}

fn controller_manager(cluster: &Cluster) -> Vec<String> {
    let dir = cluster.dir();
    vec![
        format!("--kubeconfig={}", dir.kubeconfig("controller-manager")),
        "--leader-elect=false".to_owned(),
        "--secure-port=0".to_owned(),
        "--profiling=false".to_owned(),
        // Every controller under its own name, as in a cluster made by kubeadm.
        "--use-service-account-credentials=true".to_owned(),
        format!("--service-account-private-key-file={}", dir.pki("service-account.key")),
        format!("--root-ca-file={}", dir.pki("ca.crt")),
        format!("--cluster-signing-cert-file={}", dir.pki("ca.crt")),
        format!("--cluster-signing-key-file={}", dir.pki("ca.key")),
        "--kube-api-qps=200".to_owned(),
        "--kube-api-burst=400".to_owned(),
    ]
}

fn scheduler(cluster: &Cluster) -> Vec<String> {
    vec![
        format!("--kubeconfig={}", cluster.dir().kubeconfig("scheduler")),
        "--leader-elect=false".to_owned(),
        "--secure-port=0".to_owned(),
        "--profiling=false".to_owned(),
    ]
}

fn kwok(cluster: &Cluster) -> Vec<String> {
    let dir = cluster.dir();
    vec![
        format!("--kubeconfig={}", dir.kubeconfig("kwok")),
        format!("--config={}", dir.config("kwok.yaml")),
        "--manage-all-nodes=true".to_owned(),
        "--node-lease-duration-seconds=40".to_owned(),
        format!("--node-port={}", cluster.ports.kwok),
        format!("--server-address=127.0.0.1:{}", cluster.ports.kwok),
        format!("--tls-cert-file={}", dir.pki("kubelet.crt")),
        format!("--tls-private-key-file={}", dir.pki("kubelet.key")),
    ]
}

/// Reads of kwok what it would read of kubelets, as often as it can be told to.
fn metrics_server(cluster: &Cluster) -> Vec<String> {
    let dir = cluster.dir();
    let kubeconfig = dir.kubeconfig("metrics-server");
    vec![
        format!("--kubeconfig={kubeconfig}"),
        format!("--authentication-kubeconfig={kubeconfig}"),
        format!("--authorization-kubeconfig={kubeconfig}"),
        "--bind-address=127.0.0.1".to_owned(),
        format!("--secure-port={}", cluster.ports.metrics.unwrap_or_default()),
        format!("--cert-dir={}", dir.pki("metrics-server")),
        "--metric-resolution=10s".to_owned(),
        "--kubelet-request-timeout=5s".to_owned(),
        "--kubelet-use-node-status-port".to_owned(),
        "--kubelet-preferred-address-types=InternalDNS".to_owned(),
        format!("--kubelet-certificate-authority={}", dir.pki("ca.crt")),
        format!("--kubelet-client-certificate={}", dir.pki("apiserver-kubelet-client.crt")),
        format!("--kubelet-client-key={}", dir.pki("apiserver-kubelet-client.key")),
    ]
}
