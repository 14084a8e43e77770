//! Objects of the cluster as a whole: classes, webhooks, cluster roles, batch work, ingresses, CRDs and their objects.

use serde_json::{Value, json};

use crate::catalog::Catalog;
use crate::config::Troubles;

/// Everything of the cluster that no workload brings, but for nodes and batch work.
pub(crate) fn cluster_objects(catalog: &Catalog, at: &str) -> Vec<Value> {
    let mut objects = vec![
        json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "gp3", "creationTimestamp": at, "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
            "provisioner": "ebs.csi.aws.com", "parameters": {"type": "gp3", "encrypted": "true"}, "reclaimPolicy": "Delete", "volumeBindingMode": "WaitForFirstConsumer", "allowVolumeExpansion": true}),
        json!({"apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", "metadata": {"name": "nginx", "creationTimestamp": at}, "spec": {"controller": "k8s.io/ingress-nginx"}}),
        json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration", "metadata": {"name": "cert-manager-webhook", "creationTimestamp": at},
            "webhooks": [{"name": "webhook.cert-manager.io", "admissionReviewVersions": ["v1"], "sideEffects": "None", "failurePolicy": "Fail", "timeoutSeconds": 30,
                "clientConfig": {"service": {"name": "cert-manager-webhook", "namespace": "platform", "path": "/validate", "port": 443}},
                "rules": [{"apiGroups": ["cert-manager.io"], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["*/*"], "scope": "*"}]}]}),
        json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration", "metadata": {"name": "cert-manager-webhook", "creationTimestamp": at},
            "webhooks": [{"name": "webhook.cert-manager.io", "admissionReviewVersions": ["v1"], "sideEffects": "None", "failurePolicy": "Fail", "timeoutSeconds": 30,
                "clientConfig": {"service": {"name": "cert-manager-webhook", "namespace": "platform", "path": "/mutate", "port": 443}},
                "rules": [{"apiGroups": ["cert-manager.io"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["certificaterequests"], "scope": "*"}]}]}),
    ];
    for (name, value) in [
        ("system-node-critical", 2_000_001_000),
        ("system-cluster-critical", 2_000_000_000),
        ("business-critical", 1_000_000),
    ] {
        objects.push(json!({"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": name, "creationTimestamp": at}, "value": value, "globalDefault": false, "preemptionPolicy": "PreemptLowerPriority"}));
    }
    objects.extend(cluster_roles(at));
    objects.extend(api_services(catalog, at));
    objects
}

fn cluster_roles(at: &str) -> Vec<Value> {
    let rbac = "rbac.authorization.k8s.io";
    let role = |name: &str, rules: Value| json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": name, "creationTimestamp": at, "labels": {"kubernetes.io/bootstrapping": "rbac-defaults"}}, "rules": rules});
    let binding = |name: &str, role: &str, group: &str| {
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": name, "creationTimestamp": at},
            "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": role}, "subjects": [{"apiGroup": rbac, "kind": "Group", "name": group}]})
    };
    let read = json!(["get", "list", "watch"]);
    let mut admin = role("admin", Value::Null);
    admin["aggregationRule"] = json!({"clusterRoleSelectors": [{"matchLabels": {"rbac.authorization.k8s.io/aggregate-to-admin": "true"}}]});
    admin["rules"] = json!([{"apiGroups": ["", "apps", "batch"], "resources": ["*"], "verbs": ["*"]}]);
    vec![
        role(
            "cluster-admin",
            json!([{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}, {"nonResourceURLs": ["*"], "verbs": ["*"]}]),
        ),
        admin,
        role(
            "view",
            json!([{"apiGroups": ["", "apps", "batch", "networking.k8s.io", "policy"], "resources": ["*"], "verbs": read}]),
        ),
        binding("cluster-admin", "cluster-admin", "system:masters"),
        binding("developers-view", "view", "company:developers"),
    ]
}

/// One APIService for each served version, as the server registers them itself.
fn api_services(catalog: &Catalog, at: &str) -> Vec<Value> {
    let mut objects = Vec::new();
    for group in std::iter::once("").chain(catalog.groups()) {
        for version in catalog.versions(group) {
            let name = if group.is_empty() { format!("{version}.") } else { format!("{version}.{group}") };
            let is_metrics = group == crate::metrics::GROUP;
            let mut spec = json!({"version": version, "versionPriority": 15, "groupPriorityMinimum": if is_metrics { 100 } else { 17_000 }});
            if !group.is_empty() {
                spec["group"] = group.into();
            }
            if is_metrics {
                spec["service"] = json!({"name": "metrics-server", "namespace": "kube-system", "port": 443});
            }
            let (reason, message) = if is_metrics {
                ("Passed", "all checks passed")
            } else {
                ("Local", "Local APIServices are always available")
            };
            objects.push(json!({"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService",
                "metadata": {"name": name, "creationTimestamp": at, "labels": {"kube-aggregator.kubernetes.io/automanaged": "onstart"}}, "spec": spec,
                "status": {"conditions": [{"type": "Available", "status": "True", "lastTransitionTime": at, "reason": reason, "message": message}]}}));
        }
    }
    objects
}

/// Quota and limits of one namespace.
pub(crate) fn namespace_objects(namespace: &str, at: &str) -> Vec<Value> {
    vec![
        json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "compute", "namespace": namespace, "creationTimestamp": at},
            "spec": {"hard": {"requests.cpu": "200", "requests.memory": "400Gi", "limits.memory": "800Gi", "pods": "2000"}},
            "status": {"hard": {"requests.cpu": "200", "requests.memory": "400Gi", "limits.memory": "800Gi", "pods": "2000"}, "used": {"requests.cpu": "41", "requests.memory": "72Gi", "limits.memory": "144Gi", "pods": "211"}}}),
        json!({"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "defaults", "namespace": namespace, "creationTimestamp": at},
            "spec": {"limits": [{"type": "Container", "defaultRequest": {"cpu": "50m", "memory": "64Mi"}, "default": {"memory": "256Mi"}}]}}),
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "kube-root-ca.crt", "namespace": namespace, "creationTimestamp": at, "annotations": {"kubernetes.io/description": "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters."}},
            "data": {"ca.crt": "-----BEGIN CERTIFICATE-----\nMIIDBTCCAe2gAwIBAgIIVFJ0\n-----END CERTIFICATE-----\n"}}),
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": namespace, "creationTimestamp": at}}),
    ]
}

/// An ingress for a front-facing workload.
pub(crate) fn ingress(namespace: &str, name: &str, at: &str) -> Value {
    let host = format!("{name}.example.com");
    json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": name, "namespace": namespace, "creationTimestamp": at, "annotations": {"cert-manager.io/cluster-issuer": "letsencrypt"}},
        "spec": {"ingressClassName": "nginx", "tls": [{"hosts": [host], "secretName": format!("{name}-tls")}],
            "rules": [{"host": host, "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": {"service": {"name": name, "port": {"name": "http"}}}}]}}]},
        "status": {"loadBalancer": {"ingress": [{"ip": "203.0.113.7"}]}}})
}

/// The CRDs that the platform team installed; their objects come after them.
pub(crate) fn crds(at: &str) -> Vec<Value> {
    vec![
        json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "certificates.cert-manager.io", "creationTimestamp": at},
            "spec": {"group": "cert-manager.io", "scope": "Namespaced", "conversion": {"strategy": "None"},
                "names": {"plural": "certificates", "singular": "certificate", "kind": "Certificate", "listKind": "CertificateList", "shortNames": ["cert", "certs"], "categories": ["cert-manager"]},
                "versions": [{"name": "v1", "served": true, "storage": true, "subresources": {"status": {}},
                    "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}},
                    "additionalPrinterColumns": [
                        {"name": "Ready", "type": "string", "jsonPath": ".status.conditions[?(@.type == \"Ready\")].status"},
                        {"name": "Secret", "type": "string", "jsonPath": ".spec.secretName"},
                        {"name": "Issuer", "type": "string", "jsonPath": ".spec.issuerRef.name", "priority": 1},
                        {"name": "Status", "type": "string", "jsonPath": ".status.conditions[?(@.type == \"Ready\")].message", "priority": 1},
                        {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}]}]}}),
        json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "applications.argoproj.io", "creationTimestamp": at},
            "spec": {"group": "argoproj.io", "scope": "Namespaced", "conversion": {"strategy": "None"},
                "names": {"plural": "applications", "singular": "application", "kind": "Application", "listKind": "ApplicationList", "shortNames": ["app", "apps"]},
                "versions": [{"name": "v1alpha1", "served": true, "storage": true,
                    "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}},
                    "additionalPrinterColumns": [
                        {"name": "Sync Status", "type": "string", "jsonPath": ".status.sync.status"}, {"name": "Health Status", "type": "string", "jsonPath": ".status.health.status"},
                        {"name": "Revision", "type": "string", "jsonPath": ".status.sync.revision", "priority": 10}]}]}}),
    ]
}

/// A Certificate and an Application of one namespace; the ones of `payments` may be in trouble.
pub(crate) fn custom_objects(namespace: &str, name: &str, troubles: Troubles, at: &str) -> Vec<Value> {
    let troubled = troubles == Troubles::Known && namespace == "payments";
    let (status, message) = if troubled {
        ("False", "Issuing certificate as Secret does not exist")
    } else {
        ("True", "Certificate is up to date and has not expired")
    };
    let (sync, health) = if troubled { ("OutOfSync", "Degraded") } else { ("Synced", "Healthy") };
    let mut objects = vec![
        json!({"apiVersion": "cert-manager.io/v1", "kind": "Certificate", "metadata": {"name": format!("{name}-tls"), "namespace": namespace, "creationTimestamp": at},
            "spec": {"secretName": format!("{name}-tls"), "dnsNames": [format!("{name}.example.com")], "issuerRef": {"name": "letsencrypt", "kind": "ClusterIssuer"}},
            "status": {"conditions": [{"type": "Ready", "status": status, "reason": if troubled { "DoesNotExist" } else { "Ready" }, "message": message, "lastTransitionTime": at, "observedGeneration": 1}]}}),
        json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": name, "namespace": namespace, "creationTimestamp": at},
            "spec": {"project": "default", "destination": {"namespace": namespace, "server": "https://kubernetes.default.svc"}, "source": {"repoURL": "https://git.example.com/deploy.git", "path": name, "targetRevision": "main"}},
            "status": {"sync": {"status": sync, "revision": "9b1c7e2f4d5a60718293a4b5c6d7e8f901234567"}, "health": {"status": health}}}),
    ];
    if !troubled {
        objects.push(issued(namespace, name, at));
    }
    objects
}

/// What cert-manager keeps a certificate and its key in.
fn issued(namespace: &str, name: &str, at: &str) -> Value {
    const CERTIFICATE: &str = "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSURCVENDQWUyZ0F3SUJBZ0lJVkZKMAotLS0tLUVORCBDRVJUSUZJQ0FURS0tLS0tCg==";
    const KEY: &str =
        "LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0tCk1JSUV2UUlCQURBTkJna3EKLS0tLS1FTkQgUFJJVkFURSBLRVktLS0tLQo=";
    let tls = format!("{name}-tls");
    json!({"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls",
        "metadata": {"name": tls, "namespace": namespace, "creationTimestamp": at, "annotations": {"cert-manager.io/certificate-name": tls}},
        "data": {"tls.crt": CERTIFICATE, "tls.key": KEY}})
}
