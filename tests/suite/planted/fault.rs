//! What a planted fault is made of.

use serde_json::{Value, json};

/// A fault, and the cause that must be named first.
pub(super) struct Fault {
    /// A word of its own, of which namespaces are named.
    pub(super) name: &'static str,
    /// What is wrong, for the table.
    pub(super) about: &'static str,
    pub(super) made: Made,
    pub(super) cause: &'static str,
    pub(super) reach: Reach,
    pub(super) plan: fn(&Place) -> Plan,
}

/// How a fault comes about.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Made {
    /// The API server, the controllers and the scheduler do it.
    Caused,
    /// What needs a kubelet is written as a status and events in the kubelet's words.
    Written,
}

/// What it touches beside its own objects.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// Nothing: it is planted alone, and with two others in one namespace.
    Own,
    /// All pods of its namespace, or the whole cluster: it is planted alone only.
    Wide,
}

/// Where it is planted.
pub(super) struct Place {
    pub(super) namespace: String,
    /// Of the objects: the fault's own.
    pub(super) name: &'static str,
}

/// What is done, in this order.
#[derive(Default)]
pub(super) struct Plan {
    pub(super) objects: Vec<Planted>,
    /// Parts of objects that are written as they are: path, patch.
    pub(super) patches: Vec<(String, Value)>,
    /// Deployments that are made once pods of theirs are refused: policies take a moment to be in force.
    pub(super) once_refused: Vec<Planted>,
    /// How many pods must have a node before anything is said of them.
    pub(super) pods: usize,
    pub(super) said: Option<Said>,
    /// What has to last before it is a problem.
    pub(super) lasting: Option<Lasting>,
    /// Paths of objects that are to be deleted.
    pub(super) deleted: Vec<String>,
    /// Which object is asked for, by kind and name; the namespace otherwise.
    pub(super) asked: Option<(&'static str, String)>,
}

/// An object and the path of its kind.
pub(super) struct Planted {
    pub(super) path: String,
    pub(super) object: Value,
}

/// A condition that a controller comes to by itself: how long ago it did is put back.
pub(super) struct Lasting {
    pub(super) path: String,
    pub(super) condition: &'static str,
    pub(super) reason: &'static str,
    pub(super) minutes: i64,
}

/// What a kubelet would say of the pods.
pub(super) struct Said {
    pub(super) status: Value,
    /// Reason and message.
    pub(super) events: Vec<(&'static str, String)>,
}

impl Place {
    /// The path of a kind in the namespace: `v1/configmaps`, `apps/v1/deployments`.
    pub(super) fn path(&self, kind: &str) -> String {
        let (version, resource) = kind.rsplit_once('/').expect("a version and a resource");
        let root = if version.contains('/') { "/apis" } else { "/api" };
        format!("{root}/{version}/namespaces/{}/{resource}", self.namespace)
    }

    /// An object in the namespace, with the fault's name unless it has one.
    pub(super) fn object(&self, kind: &str, mut object: Value) -> Planted {
        if object["metadata"]["name"].is_null() {
            object["metadata"]["name"] = self.name.into();
        }
        Planted { path: self.path(kind), object }
    }

    /// A name for what has no namespace.
    pub(super) fn global(&self) -> String {
        format!("{}-{}", self.namespace, self.name)
    }

    /// Pods that run, unless something is said of them; kwok leaves those with a fate that it does not know alone.
    pub(super) fn deployment(&self, replicas: usize, fate: Option<&str>, spec: Value) -> Planted {
        let mut pods = self.pods(fate, spec);
        pods["metadata"]["labels"] = json!({"app": self.name});
        self.object(
            "apps/v1/deployments",
            json!({"spec": {"replicas": replicas, "selector": {"matchLabels": {"app": self.name}}, "template": pods}}),
        )
    }

    /// A template of pods: one container, and what `spec` has beside it.
    pub(super) fn pods(&self, fate: Option<&str>, spec: Value) -> Value {
        let mut template = json!({
            "metadata": {"annotations": {}},
            "spec": {"terminationGracePeriodSeconds": 1, "containers": [{"name": "app", "image": IMAGE}]},
        });
        for (field, value) in spec.as_object().into_iter().flatten() {
            template["spec"][field] = value.clone();
        }
        if let Some(fate) = fate {
            template["metadata"]["annotations"][FATE] = fate.into();
        }
        template
    }
}

impl Plan {
    pub(super) fn of(objects: impl IntoIterator<Item = Planted>) -> Self {
        Self { objects: objects.into_iter().collect(), ..Self::default() }
    }
}

pub(super) const IMAGE: &str = "registry.kubeplex.dev/planted/app:1.0.0";

/// Pods with a fate that kwok does not know stay as they are.
pub(super) const FATE: &str = "seed.kubeplex.dev/fate";
pub(super) const UNTOUCHED: &str = "planted";

/// So many minutes ago, as the API writes it.
pub(super) fn ago(minutes: i64) -> String {
    let now = jiff::Timestamp::now();
    let at = jiff::Timestamp::from_second(now.as_second() - minutes * 60);
    at.expect("a time in range").to_string()
}
