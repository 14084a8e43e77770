//! What an API server says itself, asked directly and with an administrator's rights: the truth that answers are compared
//! with. It is asked in plain HTTP, so that nothing of the agent's reading is trusted.

use http::header::{ACCEPT, CONTENT_TYPE};
use http::{Method, Request};
use serde_json::{Value, json};

use crate::wait;

/// The server prints the rows itself, and adds the objects that it printed.
const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io";

/// One cluster's API server.
#[derive(Clone)]
pub struct Server {
    /// The cluster's name in the fleet.
    pub name: String,
    client: kube::Client,
}

/// A kind that a server can list, in the version that it prefers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServedKind {
    pub group: String,
    pub version: String,
    pub resource: String,
    pub namespaced: bool,
    pub watchable: bool,
}

/// The rows that the server prints.
#[derive(Debug, Clone)]
pub struct Table {
    /// Every column: its name as the server writes it, and whether only `-o wide` shows it.
    pub columns: Vec<(String, bool)>,
    pub rows: Vec<TableRow>,
}

/// One of them.
#[derive(Debug, Clone)]
pub struct TableRow {
    /// As many as there are columns.
    pub cells: Vec<Value>,
    /// The object that the server printed, whole.
    pub object: Value,
}

impl Server {
    pub fn new(name: impl Into<String>, client: kube::Client) -> Self {
        Self { name: name.into(), client }
    }

    /// What a GET answers.
    ///
    /// # Errors
    /// What the server or the connection says.
    pub async fn try_get(&self, path: &str) -> Result<Value, kube::Error> {
        self.send(Method::GET, path, None, "application/json").await
    }

    /// As [`try_get`](Self::try_get).
    ///
    /// # Panics
    /// When the server refuses.
    pub async fn get(&self, path: &str) -> Value {
        self.try_get(path).await.unwrap_or_else(|error| panic!("{} GET {path}: {error}", self.name))
    }

    /// What a GET answers that is no JSON: a log.
    ///
    /// # Panics
    /// When the server refuses.
    pub async fn text(&self, path: &str) -> String {
        let request = Request::get(path).body(Vec::new()).expect("a request");
        let answer = self.client.request_text(request).await;
        answer.unwrap_or_else(|error| panic!("{} GET {path}: {error}", self.name))
    }

    /// The objects of a list.
    pub async fn list(&self, path: &str) -> Vec<Value> {
        items(self.get(path).await, "items")
    }

    /// The rows of a list, with whole objects.
    pub async fn table(&self, path: &str) -> Table {
        let separator = if path.contains('?') { '&' } else { '?' };
        let path = format!("{path}{separator}includeObject=Object");
        let answer = self.send(Method::GET, &path, None, TABLE).await;
        let answer = answer.unwrap_or_else(|error| panic!("{} table of {path}: {error}", self.name));
        Table::of(answer)
    }

    /// Creates an object at the path of its kind.
    ///
    /// # Panics
    /// When the server refuses.
    pub async fn create(&self, path: &str, object: Value) -> Value {
        let created = self.try_create(path, object).await;
        created.unwrap_or_else(|error| panic!("{} POST {path}: {error}", self.name))
    }

    /// As [`create`](Self::create).
    ///
    /// # Errors
    /// What the server or the connection says.
    pub async fn try_create(&self, path: &str, object: Value) -> Result<Value, kube::Error> {
        self.send(Method::POST, path, Some(object), "application/json").await
    }

    /// Changes an object by a JSON merge patch.
    ///
    /// # Panics
    /// When the server refuses.
    pub async fn merge(&self, path: &str, patch: &Value) -> Value {
        let request = Request::patch(path)
            .header(CONTENT_TYPE, "application/merge-patch+json")
            .body(patch.to_string().into_bytes())
            .expect("a request");
        let patched = self.client.request(request).await;
        patched.unwrap_or_else(|error| panic!("{} PATCH {path}: {error}", self.name))
    }

    /// Deletes an object at once; that there is none is as good.
    pub async fn delete(&self, path: &str) {
        let options = json!({"gracePeriodSeconds": 0, "propagationPolicy": "Background"});
        match self.send(Method::DELETE, path, Some(options), "application/json").await {
            Ok(_) => {}
            Err(kube::Error::Api(status)) if status.code == 404 => {}
            Err(error) => panic!("{} DELETE {path}: {error}", self.name),
        }
    }

    /// Creates a namespace, in somebody's name where one is given; one of an earlier run may still be on its way out.
    pub async fn make_namespace(&self, name: &str, manager: Option<&str>) {
        let path = format!("/api/v1/namespaces/{name}");
        wait::until("the namespace to be free", async || match self.try_get(&path).await {
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
            Ok(there) => {
                self.delete(&path).await;
                Err(there["status"].to_string())
            }
            Err(error) => Err(error.to_string()),
        })
        .await;
        let manager = manager.map(|manager| format!("?fieldManager={manager}")).unwrap_or_default();
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        self.create(&format!("/api/v1/namespaces{manager}"), namespace).await;
    }

    /// Every kind that can be listed, each once.
    pub async fn kinds(&self) -> Vec<ServedKind> {
        let mut kinds: Vec<ServedKind> = Vec::new();
        for (group, version) in self.versions().await {
            let path = version_path(&group, &version);
            // A group whose own server does not answer has no kinds to compare.
            let Ok(resources) = self.try_get(&path).await else { continue };
            for resource in items(resources, "resources") {
                let Some(kind) = ServedKind::of(&group, &version, &resource) else { continue };
                if !kinds.iter().any(|known| (&known.group, &known.resource) == (&kind.group, &kind.resource))
                {
                    kinds.push(kind);
                }
            }
        }
        kinds
    }

    /// Groups with their versions, each group's preferred version first.
    async fn versions(&self) -> Vec<(String, String)> {
        let mut versions = vec![(String::new(), "v1".to_owned())];
        for group in items(self.get("/apis").await, "groups") {
            let name = text(&group["name"]);
            let mut served: Vec<_> =
                items(group.clone(), "versions").iter().map(|version| text(&version["version"])).collect();
            let preferred = text(&group["preferredVersion"]["version"]);
            served.sort_by_key(|version| *version != preferred);
            versions.extend(served.into_iter().map(|version| (name.clone(), version)));
        }
        versions
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        accept: &str,
    ) -> Result<Value, kube::Error> {
        let body = body.map(|body| body.to_string().into_bytes()).unwrap_or_default();
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(ACCEPT, accept)
            .header(CONTENT_TYPE, "application/json")
            .body(body)
            .expect("a request");
        self.client.request(request).await
    }
}

impl ServedKind {
    fn of(group: &str, version: &str, resource: &Value) -> Option<Self> {
        let verbs = resource["verbs"].as_array()?;
        let has = |wanted: &str| verbs.iter().any(|verb| verb == wanted);
        let name = text(&resource["name"]);
        (has("list") && !name.contains('/')).then(|| Self {
            group: group.to_owned(),
            version: version.to_owned(),
            resource: name,
            namespaced: resource["namespaced"] == true,
            watchable: has("watch"),
        })
    }

    /// Where its objects of all namespaces are listed.
    pub fn path(&self) -> String {
        format!("{}/{}", version_path(&self.group, &self.version), self.resource)
    }
}

/// As kubectl writes it: `pods`, `deployments.apps`.
impl std::fmt::Display for ServedKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.group.as_str() {
            "" => f.write_str(&self.resource),
            group => write!(f, "{}.{group}", self.resource),
        }
    }
}

impl Table {
    fn of(answer: Value) -> Self {
        let columns = items(answer.clone(), "columnDefinitions");
        let columns = columns
            .iter()
            .map(|column| (text(&column["name"]), column["priority"].as_i64().unwrap_or_default() > 0));
        let rows = items(answer, "rows")
            .into_iter()
            .map(|mut row| TableRow { cells: items(row.clone(), "cells"), object: row["object"].take() });
        Self { columns: columns.collect(), rows: rows.collect() }
    }
}

/// Namespace (empty for what has none) and name.
pub fn key(object: &Value) -> (String, String) {
    (text(&object["metadata"]["namespace"]), text(&object["metadata"]["name"]))
}

/// A string, or nothing.
pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn version_path(group: &str, version: &str) -> String {
    if group.is_empty() { format!("/api/{version}") } else { format!("/apis/{group}/{version}") }
}

fn items(mut answer: Value, field: &str) -> Vec<Value> {
    match answer[field].take() {
        Value::Array(items) => items,
        _ => Vec::new(),
    }
}
