//! Pod templates of the company's workloads, and the hash that names their ReplicaSets.

use serde_json::{Value, json};

use super::plan::{Plan, Sidecar};

/// The labels that a workload selects its pods by.
pub(crate) fn selector(plan: &Plan) -> Value {
    json!({"app.kubernetes.io/name": plan.name, "app.kubernetes.io/instance": plan.namespace})
}

/// The pod template of a workload.
pub(crate) fn template(plan: &Plan) -> Value {
    let mut labels = selector(plan);
    labels["app.kubernetes.io/version"] = plan.tag.trim_start_matches('v').into();
    labels["app.kubernetes.io/part-of"] = plan.namespace.into();
    labels["app.kubernetes.io/managed-by"] = "Helm".into();
    labels["team"] = format!("team-{}", plan.namespace).into();
    let main = container(plan, plan.name, &format!("{}:{}", plan.image, plan.tag), plan.port);
    let proxy = proxy(plan);
    let (containers, init) = match plan.sidecar {
        Sidecar::None => (json!([main]), json!([])),
        Sidecar::Proxy => (json!([main, proxy]), json!([migrations(plan)])),
        Sidecar::Restartable => {
            let mut sidecar = proxy;
            sidecar["restartPolicy"] = "Always".into();
            (json!([main]), json!([migrations(plan), sidecar]))
        }
    };
    let mut spec = json!({
        "containers": containers,
        "restartPolicy": "Always", "terminationGracePeriodSeconds": 30, "dnsPolicy": "ClusterFirst",
        "serviceAccountName": plan.name, "serviceAccount": plan.name,
        "securityContext": {"runAsNonRoot": true, "runAsUser": 10001, "fsGroup": 10001, "seccompProfile": {"type": "RuntimeDefault"}},
        "schedulerName": "default-scheduler",
        "topologySpreadConstraints": [{
            "maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": selector(plan)},
        }],
        "volumes": [
            {"name": "config", "configMap": {"name": format!("{}-config", plan.name), "defaultMode": 420}},
            {"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}},
        ],
    });
    if plan.sidecar != Sidecar::None {
        spec["initContainers"] = init;
    }
    json!({
        "metadata": {
            "labels": labels,
            "annotations": {
                "prometheus.io/scrape": "true", "prometheus.io/port": plan.port.to_string(), "prometheus.io/path": "/metrics",
                "checksum/config": format!("{:016x}{:016x}", fnv(plan.name), fnv(plan.image)),
            },
        },
        "spec": spec,
    })
}

fn container(plan: &Plan, name: &str, image: &str, port: u16) -> Value {
    let secret = |variable: &str, key: &str| json!({"name": variable, "valueFrom": {"secretKeyRef": {"name": format!("{}-credentials", plan.name), "key": key}}});
    let field = |variable: &str, path: &str| json!({"name": variable, "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": path}}});
    let probe = |path: &str, period: u32| {
        json!({"httpGet": {"path": path, "port": "http", "scheme": "HTTP"}, "initialDelaySeconds": 5,
            "timeoutSeconds": 2, "periodSeconds": period, "successThreshold": 1, "failureThreshold": 3})
    };
    json!({
        "name": name, "image": image, "imagePullPolicy": "IfNotPresent",
        "args": ["--listen", format!(":{port}"), "--config", "/etc/app/config.yaml", "--log-format", "json"],
        "ports": [{"name": "http", "containerPort": port, "protocol": "TCP"}, {"name": "metrics", "containerPort": 9464, "protocol": "TCP"}],
        "env": [
            field("POD_NAME", "metadata.name"), field("POD_NAMESPACE", "metadata.namespace"), field("NODE_NAME", "spec.nodeName"),
            {"name": "LOG_LEVEL", "value": "info"},
            {"name": "OTEL_EXPORTER_OTLP_ENDPOINT", "value": "http://otel-collector.monitoring.svc.cluster.local:4317"},
            {"name": "OTEL_SERVICE_NAME", "value": plan.name},
            {"name": "FEATURE_FLAGS_URL", "value": "http://flags.platform.svc.cluster.local:8080/v1/flags"},
            secret("DATABASE_URL", "database-url"), secret("API_TOKEN", "api-token"),
        ],
        "resources": {"requests": {"cpu": "100m", "memory": "192Mi"}, "limits": {"memory": "384Mi"}},
        "livenessProbe": probe("/livez", 10), "readinessProbe": probe("/readyz", 5),
        "volumeMounts": [{"name": "config", "mountPath": "/etc/app", "readOnly": true}, {"name": "tmp", "mountPath": "/tmp"}],
        "securityContext": {"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]}},
        "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "FallbackToLogsOnError",
    })
}

fn proxy(plan: &Plan) -> Value {
    let mut proxy = container(plan, "linkerd-proxy", "cr.l5d.io/linkerd/proxy:edge-25.9.2", 4143);
    proxy["ports"] = json!([{"name": "linkerd-proxy", "containerPort": 4143, "protocol": "TCP"}, {"name": "linkerd-admin", "containerPort": 4191, "protocol": "TCP"}]);
    proxy["env"] = json!([
        {"name": "LINKERD2_PROXY_LOG", "value": "warn,linkerd=info"},
        {"name": "LINKERD2_PROXY_DESTINATION_SVC_ADDR", "value": "linkerd-dst-headless.linkerd.svc.cluster.local.:8086"},
        {"name": "LINKERD2_PROXY_INBOUND_LISTEN_ADDR", "value": "[::]:4143"},
    ]);
    proxy
}

fn migrations(plan: &Plan) -> Value {
    json!({
        "name": "migrate", "image": format!("{}:{}", plan.image, plan.tag), "imagePullPolicy": "IfNotPresent",
        "command": ["/bin/app", "migrate", "--wait"],
        "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "128Mi"}},
        "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
    })
}

/// The `pod-template-hash` of a template: ten characters of the name alphabet.
pub(crate) fn hash(template: &Value) -> String {
    const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    let mut rest = fnv(&template.to_string());
    let characters = (0..10).map(|_| {
        let character = ALPHABET[(rest % ALPHABET.len() as u64) as usize];
        rest /= ALPHABET.len() as u64;
        char::from(character)
    });
    characters.collect()
}

/// 64-bit FNV-1a: stable over versions of the compiler, unlike the standard hasher.
pub(crate) fn fnv(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
