//! What the API server wrote down of one account, held against what roles allow.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;

use kubeplex_tests::real::ControlPlane;
use kubeplex_tests::server::{Server, text};
use serde_json::Value;

/// The part of a server's audit log that was not there yet when this was made.
pub(super) struct AuditLog {
    path: PathBuf,
    from: u64,
}

/// Rules of RBAC, each with where it holds.
#[derive(Default)]
pub(super) struct Rules(Vec<(Scope, Value)>);

#[derive(Clone)]
enum Scope {
    Cluster,
    Namespace(String),
}

impl AuditLog {
    pub(super) fn from_here(plane: &ControlPlane) -> Self {
        let from = std::fs::metadata(&plane.audit_log).expect("an audit log").len();
        Self { path: plane.audit_log.clone(), from }
    }

    /// The requests that were made with the account's credential, each in the last of its stages that is written.
    pub(super) fn of(&self, account: &str) -> Vec<Value> {
        let mut file = File::open(&self.path).expect("the audit log");
        file.seek(SeekFrom::Start(self.from)).expect("its new part");
        let mut log = String::new();
        file.read_to_string(&mut log).expect("text");
        // The server may be writing the last line now.
        let whole = log.rsplit_once('\n').map_or("", |(whole, _)| whole);
        let events = whole.lines().map(|line| serde_json::from_str::<Value>(line).expect("an event"));
        events.filter(|event| event["user"]["username"] == account).collect()
    }
}

impl Rules {
    /// What the roles that `applied` binds the account to allow, as the server has them: an aggregated one is filled there.
    pub(super) async fn of(applied: &[Value], server: &Server) -> Self {
        let mut rules = Self::default();
        for binding in applied.iter().filter(|object| !object["roleRef"].is_null()) {
            let name = text(&binding["roleRef"]["name"]);
            match binding["metadata"]["namespace"].as_str() {
                None => rules.add_cluster_role(&name, server).await,
                Some(namespace) => {
                    let path =
                        format!("/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/roles/{name}");
                    rules.add(&Scope::Namespace(namespace.to_owned()), &server.get(&path).await);
                }
            }
        }
        rules
    }

    pub(super) async fn add_cluster_role(&mut self, name: &str, server: &Server) {
        let role = server.get(&format!("/apis/rbac.authorization.k8s.io/v1/clusterroles/{name}")).await;
        self.add(&Scope::Cluster, &role);
    }

    fn add(&mut self, scope: &Scope, role: &Value) {
        self.0
            .extend(role["rules"].as_array().into_iter().flatten().map(|rule| (scope.clone(), rule.clone())));
    }

    /// Whether objects of a kind can be listed in the whole cluster.
    pub(super) fn lists(&self, group: &str, resource: &str) -> bool {
        self.0.iter().any(|(scope, rule)| {
            matches!(scope, Scope::Cluster)
                && holds(&rule["apiGroups"], group)
                && holds(&rule["resources"], resource)
                && holds(&rule["verbs"], "list")
        })
    }

    /// Whether a request was within the rules. For one in another's name that is the right to do so.
    pub(super) fn allow(&self, event: &Value) -> bool {
        let names = |key: &str| event["impersonatedUser"][key].clone();
        if event["impersonatedUser"].is_null() {
            return self.0.iter().any(|(scope, rule)| scope.covers(event) && rule_allows(rule, event));
        }
        let groups = names("groups").as_array().cloned().unwrap_or_default();
        // The API server adds these itself.
        let groups = groups.iter().map(text).filter(|group| !group.starts_with("system:"));
        self.impersonates("users", &text(&names("username")))
            && groups.into_iter().all(|group| self.impersonates("groups", &group))
    }

    fn impersonates(&self, what: &str, name: &str) -> bool {
        self.0.iter().any(|(_, rule)| {
            holds(&rule["verbs"], "impersonate") && holds(&rule["resources"], what) && is_named(rule, name)
        })
    }
}

impl Scope {
    fn covers(&self, event: &Value) -> bool {
        match self {
            Self::Cluster => true,
            Self::Namespace(namespace) => event["objectRef"]["namespace"] == namespace.as_str(),
        }
    }
}

fn rule_allows(rule: &Value, event: &Value) -> bool {
    if !holds(&rule["verbs"], &text(&event["verb"])) {
        return false;
    }
    let object = &event["objectRef"];
    if object.is_null() {
        let uri = text(&event["requestURI"]);
        let path = uri.split('?').next().unwrap_or_default();
        return rule["nonResourceURLs"]
            .as_array()
            .is_some_and(|urls| urls.iter().any(|url| covers(&text(url), path)));
    }
    let resource = match object["subresource"].as_str() {
        None => text(&object["resource"]),
        Some(subresource) => format!("{}/{subresource}", text(&object["resource"])),
    };
    holds(&rule["apiGroups"], &text(&object["apiGroup"]))
        && holds(&rule["resources"], &resource)
        && is_named(rule, &text(&object["name"]))
}

fn is_named(rule: &Value, name: &str) -> bool {
    rule["resourceNames"].is_null() || holds(&rule["resourceNames"], name)
}

fn covers(url: &str, path: &str) -> bool {
    url.strip_suffix('*').map_or(url == path, |prefix| path.starts_with(prefix))
}

fn holds(list: &Value, wanted: &str) -> bool {
    list.as_array().is_some_and(|list| list.iter().any(|word| word == wanted || word == "*"))
}

/// A request, for messages.
pub(super) fn told(event: &Value) -> String {
    let whose = event["impersonatedUser"]["username"].as_str().map(|user| format!(" as {user}"));
    format!(
        "{} {}{} {}",
        text(&event["verb"]),
        text(&event["requestURI"]),
        whose.unwrap_or_default(),
        event["responseStatus"]["code"]
    )
}
