//! Agents with few rights on a real API server: live reads in the name of callers, and single namespaces. RBAC decides, and
//! its words are the truth.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use http::Request;
use kube::config::Kubeconfig;
use kubeplex_agent::Agent;
use kubeplex_agent::config::{AgentConfig, WatchMode, WatchedNamespaces};
use kubeplex_agent::watch::WatchTimings;
use kubeplex_proto::get::GetFrame;
use kubeplex_proto::ids::ClusterId;
use kubeplex_proto::list::ListFrame;
use kubeplex_proto::paths;
use kubeplex_proto::visibility::Visibility;
use kubeplex_tests::real;
use kubeplex_tests::server::{Server, text};
use kubeplex_tests::wait;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

use crate::ground;

const CLUSTER: &str = "eu-1";
const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";
const NAMESPACE: &str = "kubeplex-rights";
const ELSEWHERE: &str = "kubeplex-rights-elsewhere";

/// A namespace with two service accounts and what they may do, until it is dropped from the cluster again.
struct Site {
    server: Server,
    kubeconfig: Kubeconfig,
}

/// What an agent says of a question.
struct Answer {
    head: Value,
    /// Rows, or objects.
    found: Vec<Value>,
}

struct RunningAgent {
    agent: Agent,
    stop: CancellationToken,
}

impl Site {
    async fn start(planes: &real::ControlPlanes) -> Self {
        let plane =
            planes.clusters.iter().find(|plane| plane.name == CLUSTER).expect("the cluster of this test");
        let kubeconfig = Kubeconfig::read_from(&plane.kubeconfig).expect("the kubeconfig of the cluster");
        let site = Self { server: Server::new(CLUSTER, ground::client(CLUSTER).await), kubeconfig };
        site.clear().await;
        for namespace in [NAMESPACE, ELSEWHERE] {
            let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}});
            site.server.create("/api/v1/namespaces", object).await;
            for (name, value) in [("colours", "blue"), ("shapes", "round")] {
                let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"a": value}});
                site.server.create(&format!("/api/v1/namespaces/{namespace}/configmaps"), map).await;
            }
        }
        for account in ["acting", "narrow"] {
            let object = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": account}});
            site.server.create(&format!("/api/v1/namespaces/{NAMESPACE}/serviceaccounts"), object).await;
        }
        site
    }

    async fn clear(&self) {
        for role in ["kubeplex-rights-acting", "kubeplex-rights-metrics"] {
            self.server.delete(&format!("{RBAC}/clusterroles/{role}")).await;
            self.server.delete(&format!("{RBAC}/clusterrolebindings/{role}")).await;
        }
        for namespace in [NAMESPACE, ELSEWHERE] {
            self.server.delete(&format!("/api/v1/namespaces/{namespace}")).await;
        }
        wait::until("the namespaces to be gone", async || {
            for namespace in [NAMESPACE, ELSEWHERE] {
                if let Ok(there) = self.server.try_get(&format!("/api/v1/namespaces/{namespace}")).await {
                    return Err(there["status"].to_string());
                }
            }
            Ok(())
        })
        .await;
    }

    /// A role, bound to somebody: in a namespace, or everywhere.
    async fn grant(&self, namespace: Option<&str>, name: &str, rules: Value, subject: Value) {
        let (path, kind) = match namespace {
            Some(namespace) => (format!("{RBAC}/namespaces/{namespace}/"), ""),
            None => (format!("{RBAC}/"), "Cluster"),
        };
        let (roles, bindings) = match namespace {
            Some(_) => ("roles", "rolebindings"),
            None => ("clusterroles", "clusterrolebindings"),
        };
        let version = "rbac.authorization.k8s.io/v1";
        let role = json!({"apiVersion": version, "kind": format!("{kind}Role"), "metadata": {"name": name}, "rules": rules});
        self.server.create(&format!("{path}{roles}"), role).await;
        let reference =
            json!({"apiGroup": "rbac.authorization.k8s.io", "kind": format!("{kind}Role"), "name": name});
        let binding = json!({
            "apiVersion": version, "kind": format!("{kind}RoleBinding"), "metadata": {"name": name}, "roleRef": reference,
            "subjects": [subject],
        });
        self.server.create(&format!("{path}{bindings}"), binding).await;
    }

    /// An agent with the rights of a service account.
    async fn agent(&self, account: &str, config: AgentConfig) -> RunningAgent {
        let request = json!({
            "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3_600},
        });
        let path = format!("/api/v1/namespaces/{NAMESPACE}/serviceaccounts/{account}/token");
        let granted = self.server.create(&path, request).await;
        let cluster = self.kubeconfig.clusters.first().expect("its cluster");
        let kubeconfig = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "agent",
            "clusters": [cluster],
            "users": [{"name": "agent", "user": {"token": granted["status"]["token"]}}],
            "contexts": [{"name": "agent", "context": {"cluster": cluster.name, "user": "agent"}}],
        });
        let client = real::client(serde_json::from_value(kubeconfig).expect("a kubeconfig"), "agent").await;
        let stop = CancellationToken::new();
        let agent = Agent::start(config, client, TaskTracker::new(), stop.clone());
        RunningAgent { agent, stop }
    }
}

impl Drop for RunningAgent {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl RunningAgent {
    async fn ask(&self, path: &str, question: &Value) -> Answer {
        let request = Request::post(path).header("content-type", "application/json");
        let request = request.body(Body::from(question.to_string())).expect("a request");
        let answer = self.agent.router().oneshot(request).await.expect("an answer");
        assert!(answer.status().is_success(), "{}", answer.status());
        let body = to_bytes(answer.into_body(), 1 << 24).await.expect("its body");
        let (mut head, mut found) = (Value::Null, Vec::new());
        for line in body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            if path == paths::GET {
                match serde_json::from_slice(line).expect("a frame") {
                    GetFrame::Head(first) => head = json!(first),
                    GetFrame::Object(object) => found.push(object.object),
                    GetFrame::End(_) => {}
                }
            } else {
                match serde_json::from_slice(line).expect("a frame") {
                    ListFrame::Head(first) => head = json!(first),
                    ListFrame::Rows(rows) => {
                        found.extend(rows.into_iter().map(|row| json!({"name": row.key.name})));
                    }
                    _ => {}
                }
            }
        }
        Answer { head, found }
    }
}

impl Answer {
    fn status(&self) -> &str {
        self.head["status"].as_str().expect("a status")
    }

    fn message(&self) -> String {
        text(&self.head["message"])
    }
}

fn config() -> AgentConfig {
    AgentConfig::of_cluster(ClusterId::new(CLUSTER).expect("a name")).with_watch(WatchMode::OnDemand)
}

fn question(kind: &str, namespace: &str, name: &str, user: &str, groups: &[&str], freshness: &str) -> Value {
    let patterns = |text: &str| if text.is_empty() { json!([]) } else { json!([text]) };
    let (resource, group) = kind.split_once('.').unwrap_or((kind, ""));
    json!({
        "context": {
            "callId": format!("{user} {kind} {namespace} {name}"), "deadlineMs": 20_000, "maxBytes": 1 << 20,
            "caller": {"user": user, "groups": groups}, "freshness": freshness, "visibility": Visibility::everything(),
        },
        "kind": {"group": group, "resource": resource}, "namespaces": patterns(namespace), "names": patterns(name),
        "limit": 1_000,
    })
}

fn account(name: &str) -> Value {
    json!({"kind": "ServiceAccount", "namespace": NAMESPACE, "name": name})
}

fn person(kind: &str, name: &str) -> Value {
    json!({"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name})
}

#[tokio::test(flavor = "multi_thread")]
async fn live_reads_are_decided_by_the_server_for_each_caller() {
    let Some(planes) = real::control_planes() else {
        return real::skipped("live_reads_are_decided_by_the_server_for_each_caller");
    };
    let _alone = ground::changing().await;
    let site = Site::start(&planes).await;
    let acting = json!([
        {"apiGroups": [""], "resources": ["configmaps", "services"], "verbs": ["list", "watch"]},
        {"apiGroups": ["authorization.k8s.io"], "resources": ["subjectaccessreviews"], "verbs": ["create"]},
        {"apiGroups": [""], "resources": ["users"], "resourceNames": ["ann", "bob"], "verbs": ["impersonate"]},
        {"apiGroups": [""], "resources": ["groups"], "resourceNames": ["developers"], "verbs": ["impersonate"]},
    ]);
    site.grant(None, "kubeplex-rights-acting", acting, account("acting")).await;
    let one = json!([{"apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["colours"], "verbs": ["get"]}]);
    site.grant(Some(NAMESPACE), "ann", one, person("User", "ann")).await;
    let all = json!([{"apiGroups": [""], "resources": ["configmaps", "services"], "verbs": ["get", "list"]}]);
    site.grant(Some(ELSEWHERE), "developers", all.clone(), person("Group", "developers")).await;
    site.grant(Some(NAMESPACE), "carol", all, person("User", "carol")).await;
    let agent = site.agent("acting", config()).await;

    let get = async |namespace: &str, name: &str, user: &str, groups: &[&str], freshness: &str| {
        agent.ask(paths::GET, &question("configmaps", namespace, name, user, groups, freshness)).await
    };
    for freshness in ["cache", "live"] {
        let ann = get(NAMESPACE, "colours", "ann", &[], freshness).await;
        assert_eq!((ann.status(), ann.found.len()), ("ok", 1), "{}", ann.head);
        assert_eq!(ann.found[0]["data"]["a"], "blue");
        let other = get(NAMESPACE, "shapes", "ann", &[], freshness).await;
        assert_eq!((other.status(), other.found.len()), ("forbidden", 0), "{}", other.head);
        assert!(other.message().contains("ann may not get configmaps \"shapes\""), "{}", other.message());
        let bob = get(ELSEWHERE, "shapes", "bob", &["developers"], freshness).await;
        assert_eq!((bob.status(), bob.found.len()), ("ok", 1), "{}", bob.head);
        let alone = get(ELSEWHERE, "shapes", "bob", &[], freshness).await;
        assert_eq!(alone.status(), "forbidden", "{}", alone.head);
        // Who may read, but whom the agent may not act as: user, and group.
        for (user, groups) in [("carol", &[][..]), ("ann", &["auditors"])] {
            let refused = get(NAMESPACE, "colours", user, groups, freshness).await;
            assert_eq!((refused.status(), refused.found.len()), ("forbidden", 0), "{}", refused.head);
            assert!(refused.message().contains("the agent may not act as"), "{}", refused.message());
        }
        for (user, groups) in [("system:admin", &[][..]), ("ann", &["system:masters"])] {
            let refused = get(NAMESPACE, "colours", user, groups, freshness).await;
            assert_eq!((refused.status(), refused.found.len()), ("forbidden", 0), "{}", refused.head);
        }
    }
    // A list that is asked for live is the caller's; the cache has the agent's.
    let list = async |namespace: &str, freshness: &str| {
        agent.ask(paths::LIST, &question("services", namespace, "", "bob", &["developers"], freshness)).await
    };
    let (live, cached) = (list(ELSEWHERE, "live").await, list(ELSEWHERE, "cache").await);
    assert_eq!((live.status(), &live.found), ("ok", &cached.found), "{}", live.head);
    assert_eq!(list("", "live").await.status(), "forbidden");
    assert_eq!(list("", "cache").await.status(), "ok");
    site.clear().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn usage_is_read_with_the_rights_of_each_caller() {
    let Some(planes) = real::control_planes() else {
        return real::skipped("usage_is_read_with_the_rights_of_each_caller");
    };
    let _alone = ground::changing().await;
    let site = Site::start(&planes).await;
    let acting = json!([
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["list", "watch"]},
        {"apiGroups": ["authorization.k8s.io"], "resources": ["subjectaccessreviews"], "verbs": ["create"]},
        {"apiGroups": [""], "resources": ["users"], "resourceNames": ["ann", "bob"], "verbs": ["impersonate"]},
        {"apiGroups": [""], "resources": ["groups"], "resourceNames": ["kubeplex-test:shop"], "verbs": ["impersonate"]},
    ]);
    site.grant(None, "kubeplex-rights-acting", acting, account("acting")).await;
    let agent = site.agent("acting", config()).await;
    let usage = async |namespace: &str, user: &str, groups: &[&str]| {
        let mut asked = question("pods", namespace, "", user, groups, "cache");
        asked["usage"] = true.into();
        agent.ask(paths::USAGE, &asked).await
    };
    // Who may view the shop may see what it uses, as metrics-server's own role has it.
    let shop = wait::until("what the shop uses to be measured", async || {
        let shop = usage("shop", "bob", &["kubeplex-test:shop"]).await;
        if shop.status() == "ok" && shop.found.len() > 3 { Ok(shop) } else { Err(shop.head) }
    })
    .await;
    assert_eq!((shop.message(), shop.head["source"].as_str()), (String::new(), Some("live")));
    for (namespace, user, groups) in [
        ("", "bob", &["kubeplex-test:shop"][..]),
        ("payments", "bob", &["kubeplex-test:shop"]),
        ("shop", "ann", &[]),
    ] {
        let refused = usage(namespace, user, groups).await;
        assert_eq!((refused.status(), refused.found.len()), ("forbidden", 0), "{}", refused.head);
        let said = format!("{user} may not list pods.metrics.k8s.io");
        assert!(refused.message().contains(&said), "{}", refused.message());
    }
    site.clear().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_of_one_namespace_shows_that_namespace_and_says_so() {
    let Some(planes) = real::control_planes() else {
        return real::skipped("an_account_of_one_namespace_shows_that_namespace_and_says_so");
    };
    let _alone = ground::changing().await;
    let site = Site::start(&planes).await;
    let rules = json!([
        {"apiGroups": [""], "resources": ["configmaps", "services", "pods"], "verbs": ["list", "watch"]},
        {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["list", "watch"]},
    ]);
    site.grant(Some(NAMESPACE), "narrow", rules.clone(), account("narrow")).await;
    let namespaces = WatchedNamespaces::new([NAMESPACE, ELSEWHERE].map(str::to_owned)).expect("names");
    let timings = WatchTimings { settled_retry: Duration::from_secs(5), ..WatchTimings::default() };
    let config = config().with_watch(WatchMode::Builtin).with_namespaces(namespaces).with_timings(timings);
    let agent = site.agent("narrow", config).await;
    wait::until("the agent to be ready", async || {
        if agent.agent.kinds().cluster().ready {
            Ok(())
        } else {
            Err(format!("{:?}", agent.agent.kinds().snapshot()))
        }
    })
    .await;

    let list = async |kind: &str, namespace: &str| {
        agent.ask(paths::LIST, &question(kind, namespace, "", "ann", &[], "cache")).await
    };
    let maps = list("configmaps", NAMESPACE).await;
    let names: Vec<_> = maps.found.iter().map(|key| text(&key["name"])).collect();
    assert_eq!((maps.status(), maps.message()), ("ok", String::new()), "{}", maps.head);
    assert!(names.contains(&"colours".to_owned()) && names.contains(&"shapes".to_owned()), "{names:?}");
    let all = list("configmaps", "").await;
    assert_eq!((all.status(), &all.found), ("ok", &maps.found));
    assert!(
        all.message().contains(&format!("only the namespaces {NAMESPACE} are seen")),
        "{}",
        all.message()
    );
    for (kind, namespace) in
        [("configmaps", ELSEWHERE), ("configmaps", "kube-system"), ("nodes", ""), ("jobs.batch", "")]
    {
        let refused = list(kind, namespace).await;
        assert_eq!(
            (refused.status(), refused.found.len()),
            ("forbidden", 0),
            "{kind} {namespace}: {}",
            refused.head
        );
    }

    // Rights that are granted are picked up by themselves.
    site.grant(Some(ELSEWHERE), "narrow", rules, account("narrow")).await;
    let there = wait::until("the other namespace to be seen", async || {
        let there = list("configmaps", ELSEWHERE).await;
        if there.status() == "ok" { Ok(there) } else { Err(there.head) }
    })
    .await;
    assert!(there.found.iter().any(|key| key["name"] == "shapes"), "{:?}", there.found);
    site.clear().await;
}
