//! What workloads say of their pods: templates, what these mount, by which labels they are found.

use serde_json::Value;

/// Kinds that control others, and those they control: `kind`, group, resource.
pub(crate) const KINDS: [(&str, &str, &str); 9] = [
    ("Pod", "", "pods"),
    ("ReplicaSet", "apps", "replicasets"),
    ("Deployment", "apps", "deployments"),
    ("StatefulSet", "apps", "statefulsets"),
    ("DaemonSet", "apps", "daemonsets"),
    ("ControllerRevision", "apps", "controllerrevisions"),
    ("Job", "batch", "jobs"),
    ("CronJob", "batch", "cronjobs"),
    ("ReplicationController", "", "replicationcontrollers"),
];

/// What a pod takes of its namespace: a resource of core, and a name.
pub(crate) type Reference = (&'static str, String);

/// The template of an object's pods: of a CronJob that of its Jobs', of a Pod itself.
pub(crate) fn template(object: &Value) -> Option<&Value> {
    match object["kind"].as_str() {
        Some("Pod") => Some(object),
        Some("CronJob") => Some(&object["spec"]["jobTemplate"]["spec"]["template"]),
        _ => object["spec"].get("template"),
    }
}

/// Config maps, secrets, claims and the service account that the pods of a template name.
pub(crate) fn references(template: &Value) -> Vec<Reference> {
    let mut found = Vec::new();
    let spec = &template["spec"];
    for volume in items(&spec["volumes"]) {
        add(&mut found, "configmaps", &volume["configMap"]["name"]);
        add(&mut found, "secrets", &volume["secret"]["secretName"]);
        add(&mut found, "persistentvolumeclaims", &volume["persistentVolumeClaim"]["claimName"]);
        for source in items(&volume["projected"]["sources"]) {
            add(&mut found, "configmaps", &source["configMap"]["name"]);
            add(&mut found, "secrets", &source["secret"]["name"]);
        }
    }
    for list in ["containers", "initContainers"] {
        for container in items(&spec[list]) {
            for from in items(&container["envFrom"]) {
                add(&mut found, "configmaps", &from["configMapRef"]["name"]);
                add(&mut found, "secrets", &from["secretRef"]["name"]);
            }
            for variable in items(&container["env"]) {
                add(&mut found, "configmaps", &variable["valueFrom"]["configMapKeyRef"]["name"]);
                add(&mut found, "secrets", &variable["valueFrom"]["secretKeyRef"]["name"]);
            }
        }
    }
    for pull in items(&spec["imagePullSecrets"]) {
        add(&mut found, "secrets", &pull["name"]);
    }
    add(&mut found, "serviceaccounts", &spec["serviceAccountName"]);
    found
}

fn add(found: &mut Vec<Reference>, resource: &'static str, name: &Value) {
    if let Some(name) = name.as_str().filter(|name| !name.is_empty())
        && !found.iter().any(|(known, of)| *known == resource && of == name)
    {
        found.push((resource, name.to_owned()));
    }
}

/// Whether a selector of plain labels picks what carries `labels`; an empty one picks nothing.
pub(crate) fn selects(selector: &Value, labels: &Value) -> bool {
    let wanted = selector.as_object().filter(|wanted| !wanted.is_empty());
    wanted.is_some_and(|wanted| wanted.iter().all(|(key, value)| labels.get(key) == Some(value)))
}

/// Where an ingress leads: what takes all else first, then each path.
pub(crate) fn backends(ingress: &Value) -> impl Iterator<Item = &Value> {
    let spec = &ingress["spec"];
    let paths = items(&spec["rules"]).iter().flat_map(|rule| items(&rule["http"]["paths"]));
    spec.get("defaultBackend").into_iter().chain(paths.filter_map(|path| path.get("backend")))
}

/// Whether an ingress leads to a service of its namespace.
pub(crate) fn leads_to(ingress: &Value, service: &str) -> bool {
    backends(ingress).any(|backend| backend["service"]["name"] == service)
}

/// Whether an endpoint of a slice takes requests. One of which nobody knows does:
/// <https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/#conditions>.
pub(crate) fn is_ready(endpoint: &Value) -> bool {
    endpoint.pointer("/conditions/ready") != Some(&Value::Bool(false))
}

/// Whether an autoscaler scales an object of its namespace, by the name of its kind as in `Deployment`.
pub(crate) fn scales(autoscaler: &Value, kind_name: &str, name: &str) -> bool {
    let target = &autoscaler["spec"]["scaleTargetRef"];
    target["kind"] == kind_name && target["name"] == name
}

pub(crate) fn items(list: &Value) -> &[Value] {
    list.as_array().map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_pods_take_of_their_namespace_is_found_wherever_it_is_named() {
        let template = json!({"spec": {
            "serviceAccountName": "shop",
            "imagePullSecrets": [{"name": "registry"}],
            "volumes": [
                {"configMap": {"name": "app"}}, {"secret": {"secretName": "tls"}},
                {"persistentVolumeClaim": {"claimName": "data"}}, {"emptyDir": {}},
                {"projected": {"sources": [{"configMap": {"name": "ca"}}, {"secret": {"name": "token"}}]}},
            ],
            "initContainers": [{"envFrom": [{"secretRef": {"name": "init"}}]}],
            "containers": [{
                "envFrom": [{"configMapRef": {"name": "app"}}],
                "env": [{"valueFrom": {"secretKeyRef": {"name": "db"}}}, {"valueFrom": {"configMapKeyRef": {"name": "flags"}}}],
            }],
        }});
        let found: Vec<String> =
            references(&template).into_iter().map(|(resource, name)| format!("{resource}/{name}")).collect();
        assert_eq!(
            found.join(" "),
            "configmaps/app secrets/tls persistentvolumeclaims/data configmaps/ca secrets/token secrets/db \
             configmaps/flags secrets/init secrets/registry serviceaccounts/shop"
        );
    }

    #[test]
    fn selectors_mean_labels_that_have_all_of_them() {
        let labels = json!({"app": "cart", "tier": "web"});
        for (selector, expected) in [
            (json!({"app": "cart"}), true),
            (json!({"app": "cart", "tier": "web"}), true),
            (json!({"app": "cart", "tier": "db"}), false),
            (json!({"app": "cart", "x": "y"}), false),
            (json!({}), false),
            (Value::Null, false),
        ] {
            assert_eq!(selects(&selector, &labels), expected, "{selector}");
        }
        assert!(!selects(&json!({"a": "b"}), &Value::Null));
    }
}
