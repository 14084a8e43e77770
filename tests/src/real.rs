//! Real API servers, where there are some: the project's own control planes, and clusters that the person running the
//! tests names. Those are foreign: they are only read, and nothing is known of what they hold.

use std::env;
use std::fs;
use std::path::PathBuf;

use http::Method;
use kube::config::{KubeConfigOptions, Kubeconfig};
use serde::Deserialize;

/// The variable with the path of the control planes' record; `cargo xtask test` sets it.
const CONTROLPLANE: &str = "KUBEPLEX_TEST_CONTROLPLANE";

/// A comma list of contexts of the usual kubeconfig (`KUBECONFIG`): foreign clusters.
const CONTEXTS: &str = "KUBEPLEX_TEST_CONTEXTS";

/// The project's own control planes: seeded, and to be stopped and started at will.
#[derive(Debug, Clone, Deserialize)]
pub struct ControlPlanes {
    pub kubeconfig: PathBuf,
    pub clusters: Vec<ControlPlane>,
}

/// One of them.
#[derive(Debug, Clone, Deserialize)]
pub struct ControlPlane {
    pub name: String,
    pub context: String,
    pub server: String,
    pub kubeconfig: PathBuf,
    pub audit_log: PathBuf,
    pub components: Vec<Component>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Component {
    pub name: String,
    pub pid: u32,
}

impl ControlPlanes {
    /// The program whose subcommand `kubectl` is kubectl.
    pub fn kubectl(&self) -> PathBuf {
        self.kubeconfig.with_file_name("bin").join("controlplane")
    }
}

/// The control planes that are up; `None` where the tests run without them.
///
/// # Panics
/// When the record is named and can't be read.
pub fn control_planes() -> Option<ControlPlanes> {
    let path = env::var_os(CONTROLPLANE)?;
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("reading {path:?}: {error}"));
    Some(serde_json::from_str(&text).unwrap_or_else(|error| panic!("understanding {path:?}: {error}")))
}

/// The contexts of the foreign clusters; `None` where none are named.
pub fn foreign_contexts() -> Option<Vec<String>> {
    let names = env::var(CONTEXTS).ok()?;
    let names: Vec<_> =
        names.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect();
    (!names.is_empty()).then_some(names)
}

/// A client of a foreign cluster that can't change it: whatever is neither a GET nor a review, which a server answers and does
/// not keep, fails before it is sent.
///
/// # Panics
/// When there is no kubeconfig, or no such context in it.
pub async fn foreign_client(context: &str) -> kube::Client {
    let kubeconfig =
        Kubeconfig::read().unwrap_or_else(|error| panic!("{CONTEXTS} needs KUBECONFIG: {error}"));
    read_only(client(kubeconfig, context).await)
}

fn read_only(client: kube::Client) -> kube::Client {
    let send = move |request: http::Request<kube::client::Body>| {
        let client = client.clone();
        async move {
            if is_harmless(&request) {
                client.send(request).await.map_err(tower::BoxError::from)
            } else {
                Err(format!("{} {} would change a foreign cluster", request.method(), request.uri()).into())
            }
        }
    };
    kube::Client::new(tower::service_fn(send), "default")
}

fn is_harmless<B>(request: &http::Request<B>) -> bool {
    match *request.method() {
        Method::GET => true,
        Method::POST => request.uri().path().starts_with("/apis/authorization.k8s.io/"),
        _ => false,
    }
}

/// A client with the rights of a context.
///
/// # Panics
/// When the kubeconfig has no such context, or what it says of it is wrong.
pub async fn client(kubeconfig: Kubeconfig, context: &str) -> kube::Client {
    let options = KubeConfigOptions { context: Some(context.to_owned()), ..KubeConfigOptions::default() };
    let config = kube::Config::from_custom_kubeconfig(kubeconfig, &options).await;
    let config = config.unwrap_or_else(|error| panic!("the context {context}: {error}"));
    kube::Client::try_from(config).unwrap_or_else(|error| panic!("a client for {context}: {error}"))
}

/// What to say where a test has no control planes to run on, so that it is not mistaken for one that passed.
pub fn skipped(test: &str) {
    eprintln!(
        "{test}: not run. It changes clusters, or knows what they hold, so it needs the project's own control planes \
         ({CONTROLPLANE}, which `cargo xtask test` sets); those that {CONTEXTS} names are only read"
    );
}

/// What to say where a test has no foreign clusters to run on.
pub fn skipped_foreign(test: &str) {
    eprintln!("{test}: not run on foreign clusters: {CONTEXTS} names none");
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use http::{Request, Response};
    use kube::client::Body;

    use super::read_only;

    #[tokio::test]
    async fn foreign_clusters_are_only_read() {
        let answer =
            |_: Request<Body>| async { Ok::<_, Infallible>(Response::new(Body::from(b"{}".to_vec()))) };
        let client = read_only(kube::Client::new(tower::service_fn(answer), "default"));
        let send = async |method: &str, path: &str| {
            let request = Request::builder().method(method).uri(path).body(Body::empty());
            client.send(request.expect("a request")).await
        };
        let (namespace, review) =
            ("/api/v1/namespaces/shop", "/apis/authorization.k8s.io/v1/subjectaccessreviews");
        assert!(send("GET", namespace).await.is_ok());
        assert!(send("POST", review).await.is_ok());
        let changes = ["POST", "PUT", "PATCH", "DELETE"].map(|method| (method, namespace));
        for (method, path) in changes.into_iter().chain([("DELETE", review)]) {
            let error = format!("{:?}", send(method, path).await.err());
            assert!(error.contains("would change"), "{method} {path}: {error}");
        }
    }
}
