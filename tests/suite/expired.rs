//! `kubeplex local` while the credentials of a context expire: its plugin is asked for others, and says why where there are
//! none. The other context does not notice.

use kubeplex_cli::client::Client;
use kubeplex_tests::program::{Folder, Program};
use kubeplex_tests::rows;
use kubeplex_tests::wait;
use serde_json::{Map, Value, json};
use simcluster::{Policy, Rule, SimCluster, SimConfig, Subject, User};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

const ANY: &str = "127.0.0.1:0";

/// A laptop with two contexts: one wants to see a token, which its plugin reads from a file.
struct Laptop {
    folder: Folder,
    expires: SimCluster,
    kubeconfig: String,
    _servers: JoinSet<()>,
}

impl Laptop {
    async fn new() -> Self {
        let (folder, mut servers) = (Folder::new(), JoinSet::new());
        let mut clusters = Vec::new();
        let sims = ["expires", "steady"]
            .map(|name| SimCluster::new(SimConfig { pods: 20, nodes: 2, ..SimConfig::named(name, 1) }));
        for sim in sims.clone() {
            let listener = TcpListener::bind(ANY).await.expect("a port");
            let server = format!("http://{}", listener.local_addr().expect("its address"));
            clusters.push(json!({"name": sim.config().name, "cluster": {"server": server}}));
            servers
                .spawn(async move { sim.serve(listener, std::future::pending()).await.expect("it serves") });
        }
        let path = |name: &str| folder.path(name).to_str().expect("a path in UTF-8").to_owned();
        let script = format!(
            "echo run >> {runs}\n[ -e {token} ] || {{ echo 'please log in again' >&2; exit 4; }}\n\
             printf '{{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1beta1\",\
             \"status\":{{\"token\":\"%s\"}}}}' \"$(cat {token})\"\n",
            runs = path("runs"),
            token = path("token"),
        );
        let script = folder.write("plugin.sh", &script);
        // Run by the shell: a file that was just written may still be open in another child of this process.
        let exec =
            json!({"apiVersion": "client.authentication.k8s.io/v1beta1", "command": "sh", "args": [script]});
        let context = |name: &str| json!({"name": name, "context": {"cluster": name, "user": name}});
        let kubeconfig = json!({
            "apiVersion": "v1", "kind": "Config", "clusters": clusters,
            "users": [{"name": "steady", "user": {}}, {"name": "expires", "user": {"exec": exec}}],
            "contexts": [context("expires"), context("steady")],
        });
        let kubeconfig = folder.write("kubeconfig", &kubeconfig.to_string());
        let [expires, _] = sims;
        Self { folder, expires, kubeconfig, _servers: servers }
    }

    /// From now on the server wants to see this token, and no watch is left from before.
    fn wants(&self, token: &str) {
        let policy = Policy::enforced().user(token, User::new("me", &[]));
        self.expires.set_policy(policy.grant(Subject::User("me".to_owned()), Rule::new("*", "*")));
        self.expires.end_watches();
    }

    /// How often the plugin was run.
    fn runs(&self) -> usize {
        std::fs::read_to_string(self.folder.path("runs")).unwrap_or_default().lines().count()
    }

    /// A pod that came to be after whatever happened before.
    fn add_pod(&self, name: &str) {
        let containers = json!([{"name": "c", "image": "registry.example.com/c:1"}]);
        let metadata = json!({"name": name, "namespace": "default"});
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": containers}});
        self.expires.apply(pod).expect("pods are served");
    }
}

async fn pods_until(client: &Client, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    wait::until(what, async || {
        let arguments = [("limit".to_owned(), json!(1_000)), ("maxBytes".to_owned(), json!(1 << 20))];
        let exchange = client.call("pods_list", Map::from_iter(arguments), false).await.expect("an answer");
        let answer = exchange.structured().map_err(Clone::clone)?.clone();
        if wanted(&answer) { Ok(answer) } else { Err(answer["clusters"].clone()) }
    })
    .await
}

fn shows(answer: &Value, pod: &str) -> bool {
    rows::of(answer).iter().any(|row| row.name() == pod)
}

fn is_whole(answer: &Value) -> bool {
    answer.get("partial").is_none()
}

#[tokio::test(flavor = "multi_thread")]
async fn expired_credentials_are_replaced_and_what_the_plugin_says_is_told() {
    let laptop = Laptop::new().await;
    laptop.wants("first");
    laptop.folder.write("token", "first");
    let arguments = ["local", "--kubeconfig", &laptop.kubeconfig, "--listen", ANY, "--admin", ANY, "--json"];
    let mut local = Program::start("kubeplex", &arguments, &[], &laptop.folder);
    let ready: Value = serde_json::from_str(&local.line().await).expect("a line of JSON");
    let client = Client::new(ready["endpoint"].as_str().expect("an endpoint")).expect("a client");
    let before = pods_until(&client, "both clusters", is_whole).await;
    let steady = |answer: &Value| rows::of(answer).iter().filter(|row| row.cluster == "steady").count();
    assert_eq!((before["clusters"]["answered"].as_u64(), laptop.runs()), (Some(2), 1), "{before}");

    laptop.folder.write("token", "second");
    laptop.wants("second");
    wait::until("the plugin to be asked again", async || if laptop.runs() > 1 { Ok(()) } else { Err(()) })
        .await;
    laptop.add_pod("seen-with-the-second");
    pods_until(&client, "the pod", |answer| is_whole(answer) && shows(answer, "seen-with-the-second")).await;
    assert_eq!(laptop.runs(), 2, "one run for all requests that were refused");

    std::fs::remove_file(laptop.folder.path("token")).expect("it is there");
    laptop.wants("third");
    let told = |answer: &Value| answer["clusters"]["problems"].to_string().contains("please log in again");
    let partial = pods_until(&client, "what the plugin says", told).await;
    let problem = &partial["clusters"]["problems"][0];
    assert_eq!((&problem["cluster"], &problem["rowsShown"]), (&json!("expires"), &json!("old")), "{problem}");
    assert!(!is_whole(&partial), "{}", partial["clusters"]);
    assert_eq!(steady(&partial), steady(&before), "the other cluster does not notice");

    laptop.add_pod("seen-with-the-third");
    laptop.folder.write("token", "third");
    pods_until(&client, "the pod", |answer| is_whole(answer) && shows(answer, "seen-with-the-third")).await;
    assert!(local.terminate().await.success(), "{}", local.log());
}
