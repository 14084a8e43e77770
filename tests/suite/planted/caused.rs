//! Faults that API servers, controllers and the scheduler bring about themselves.

use serde_json::{Value, json};

use super::fault::{Fault, IMAGE, Lasting, Made, Place, Plan, Planted, Reach, UNTOUCHED};

const fn caused(
    name: &'static str,
    about: &'static str,
    cause: &'static str,
    reach: Reach,
    plan: fn(&Place) -> Plan,
) -> Fault {
    Fault { name, about, made: Made::Caused, cause, reach, plan }
}

use Reach::{Own, Wide};

pub(super) const FAULTS: &[Fault] = &[
    caused("quota", "a quota has too little left for a deployment", "QuotaExceeded", Own, quota),
    caused("policy", "an admission policy denies a deployment's pods", "AdmissionDenied", Own, policy),
    caused("webhook", "a webhook that must be asked has no service", "WebhookFailing", Own, webhook),
    caused(
        "account",
        "a deployment names a service account that is not there",
        "MissingServiceAccount",
        Own,
        account,
    ),
    caused(
        "limits",
        "a container asks for more than a limit range allows",
        "LimitRangeExceeded",
        Own,
        limits,
    ),
    caused(
        "priority",
        "a deployment names a priority class that is not there",
        "MissingPriorityClass",
        Own,
        priority,
    ),
    caused("too-big", "pods ask for more processors than any node has", "Unschedulable", Own, too_big),
    caused("nowhere", "pods want nodes with a label that none has", "Unschedulable", Own, nowhere),
    caused(
        "no-volume",
        "no volume fits a claim, and a deployment waits for it",
        "NoMatchingVolume",
        Own,
        no_volume,
    ),
    caused(
        "no-class",
        "a claim names a storage class that is not there",
        "MissingStorageClass",
        Own,
        no_class,
    ),
    caused("silent", "a claim's provisioner does not run", "ProvisionerSilent", Own, silent),
    caused("no-claim", "pods mount a claim that is not there", "MissingClaim", Own, no_claim),
    caused("selector", "a service's selector has a typing error", "SelectsNothing", Own, selector),
    caused(
        "port-name",
        "a service leads to a port by a name that no container has",
        "NoSuchPort",
        Own,
        port_name,
    ),
    caused(
        "backend",
        "an ingress leads to a service that is not there",
        "IngressServiceMissing",
        Own,
        backend,
    ),
    caused(
        "backend-port",
        "an ingress leads to a port that its service does not have",
        "IngressPortMissing",
        Own,
        backend_port,
    ),
    caused("class", "an ingress names a class that is not there", "IngressClassMissing", Own, class),
    caused("held", "a finalizer that nobody takes away holds a ConfigMap", "DeletionHeld", Own, held),
    caused(
        "no-metrics",
        "an autoscaler gets no metrics of its pods, which declare no requests",
        "AutoscalerWithoutMetrics",
        Own,
        no_metrics,
    ),
    caused(
        "peak",
        "an autoscaler stands at its maximum, and its pods use more than they should",
        "AutoscalerAtMaximum",
        Wide,
        peak,
    ),
    caused(
        "no-target",
        "an autoscaler of a deployment that is not there",
        "AutoscalerTargetMissing",
        Own,
        no_target,
    ),
    caused("budget", "a disruption budget wants all pods that there are", "BudgetBlocksDrains", Own, budget),
    caused("deadline", "a job runs for longer than its deadline", "JobFailed", Own, deadline),
    caused("pile-up", "runs of a cron job do not end, and pile up", "CronPileUp", Own, pile_up),
    caused(
        "no-config",
        "pods take their environment from a ConfigMap that is not there",
        "MissingConfigMap",
        Own,
        no_config,
    ),
    caused("no-key", "pods mount a key that their ConfigMap does not have", "MissingKey", Own, no_key),
    caused(
        "security",
        "pods violate the pod security standard of their namespace",
        "PodSecurityDenied",
        Wide,
        security,
    ),
    caused(
        "namespace",
        "a namespace can't go because a finalizer holds what is in it",
        "NamespaceTerminating",
        Wide,
        namespace,
    ),
    caused(
        "hook-service",
        "a webhook configuration names a service that is not there",
        "WebhookServiceMissing",
        Wide,
        hook_service,
    ),
    caused("api", "an aggregated API has no service", "ApiUnavailable", Wide, api),
];

fn quota(place: &Place) -> Plan {
    let resource = "example.com/gpu";
    let resources = json!({"requests": {resource: "2"}, "limits": {resource: "2"}});
    let quota = json!({"spec": {"hard": {"requests.example.com/gpu": "1"}}});
    let asks = json!({"containers": [{"name": "app", "image": IMAGE, "resources": resources}]});
    Plan::of([place.object("v1/resourcequotas", quota), place.deployment(2, None, asks)])
}

fn policy(place: &Place) -> Plan {
    let global = |kind: &str, spec: Value| Planted {
        path: format!("/apis/admissionregistration.k8s.io/v1/{kind}"),
        object: json!({"metadata": {"name": place.global()}, "spec": spec}),
    };
    let rule =
        json!({"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]});
    let policy = json!({
        "matchConstraints": {"resourceRules": [rule]},
        "validations": [{"expression": "false", "message": "images must be signed"}],
    });
    let binding = json!({"policyName": place.global(), "validationActions": ["Deny"], "matchResources": own_pods(place)});
    let first =
        [global("validatingadmissionpolicies", policy), global("validatingadmissionpolicybindings", binding)];
    Plan { once_refused: vec![place.deployment(2, None, json!({}))], ..Plan::of(first) }
}

fn own_pods(place: &Place) -> Value {
    json!({
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": place.namespace}},
        "objectSelector": {"matchLabels": {"app": place.name}},
    })
}

fn hook(place: &Place) -> Planted {
    let mut webhook = own_pods(place);
    webhook["name"] = "signed.planted.kubeplex.dev".into();
    webhook["admissionReviewVersions"] = json!(["v1"]);
    webhook["sideEffects"] = "None".into();
    webhook["failurePolicy"] = "Fail".into();
    webhook["clientConfig"] = json!({"service": {"namespace": place.namespace, "name": "no-such-hook"}});
    let rule =
        json!({"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]});
    webhook["rules"] = json!([rule]);
    Planted {
        path: "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations".to_owned(),
        object: json!({"metadata": {"name": place.global()}, "webhooks": [webhook]}),
    }
}

fn webhook(place: &Place) -> Plan {
    Plan { once_refused: vec![place.deployment(2, None, json!({}))], ..Plan::of([hook(place)]) }
}

fn hook_service(place: &Place) -> Plan {
    let asked = ("validatingwebhookconfigurations", place.global());
    Plan { asked: Some(asked), ..Plan::of([hook(place)]) }
}

fn account(place: &Place) -> Plan {
    Plan::of([place.deployment(2, None, json!({"serviceAccountName": "no-such-account"}))])
}

fn limits(place: &Place) -> Plan {
    let range = json!({"spec": {"limits": [{"type": "Container", "max": {"ephemeral-storage": "1Gi"}, "default": {"ephemeral-storage": "100Mi"}}]}});
    let resources = json!({"limits": {"ephemeral-storage": "2Gi"}});
    let asks = json!({"containers": [{"name": "app", "image": IMAGE, "resources": resources}]});
    Plan::of([place.object("v1/limitranges", range), place.deployment(2, None, asks)])
}

fn priority(place: &Place) -> Plan {
    Plan::of([place.deployment(2, None, json!({"priorityClassName": "no-such-priority"}))])
}

fn too_big(place: &Place) -> Plan {
    let resources = json!({"requests": {"cpu": "500"}});
    Plan::of([place.deployment(
        2,
        None,
        json!({"containers": [{"name": "app", "image": IMAGE, "resources": resources}]}),
    )])
}

fn nowhere(place: &Place) -> Plan {
    Plan::of([place.deployment(2, None, json!({"nodeSelector": {"disk": "no-such-disk"}}))])
}

fn claim(place: &Place, class: Option<&str>) -> Planted {
    let requests = json!({"requests": {"storage": "900Gi"}});
    let mut claim = json!({"spec": {"accessModes": ["ReadWriteOnce"], "resources": requests}});
    if let Some(class) = class {
        claim["spec"]["storageClassName"] = class.into();
    }
    place.object("v1/persistentvolumeclaims", claim)
}

fn mounts_claim(place: &Place) -> Planted {
    let volume = json!({"name": "data", "persistentVolumeClaim": {"claimName": place.name}});
    place.deployment(2, None, json!({"volumes": [volume]}))
}

fn no_volume(place: &Place) -> Plan {
    Plan::of([claim(place, Some("manual")), mounts_claim(place)])
}

fn no_class(place: &Place) -> Plan {
    Plan::of([claim(place, Some("no-such-class")), mounts_claim(place)])
}

fn silent(place: &Place) -> Plan {
    let class = Planted {
        path: "/apis/storage.k8s.io/v1/storageclasses".to_owned(),
        object: json!({"metadata": {"name": place.global()}, "provisioner": "csi.planted.kubeplex.dev"}),
    };
    Plan::of([class, claim(place, Some(&place.global())), mounts_claim(place)])
}

fn no_claim(place: &Place) -> Plan {
    Plan::of([mounts_claim(place)])
}

fn service(place: &Place, app: &str, target: Value) -> Planted {
    let port = json!({"name": "http", "port": 80, "targetPort": target});
    place.object("v1/services", json!({"spec": {"selector": {"app": app}, "ports": [port]}}))
}

fn selector(place: &Place) -> Plan {
    Plan::of([place.deployment(2, None, json!({})), service(place, "slector", json!(8080))])
}

fn port_name(place: &Place) -> Plan {
    let ports = json!([{"name": "web", "containerPort": 8080}]);
    let pods = json!({"containers": [{"name": "app", "image": IMAGE, "ports": ports}]});
    Plan::of([place.deployment(2, None, pods), service(place, place.name, json!("http"))])
}

fn ingress(place: &Place, class: &str, service: &str, port: u16) -> Planted {
    let backend = json!({"service": {"name": service, "port": {"number": port}}});
    let path = json!({"path": "/", "pathType": "Prefix", "backend": backend});
    let rule = json!({"host": "planted.kubeplex.dev", "http": {"paths": [path]}});
    place.object(
        "networking.k8s.io/v1/ingresses",
        json!({"spec": {"ingressClassName": class, "rules": [rule]}}),
    )
}

fn backend(place: &Place) -> Plan {
    Plan::of([ingress(place, "nginx", "no-such-service", 80)])
}

fn backend_port(place: &Place) -> Plan {
    let pods = place.deployment(2, None, json!({}));
    Plan::of([pods, service(place, place.name, json!(8080)), ingress(place, "nginx", place.name, 8080)])
}

fn class(place: &Place) -> Plan {
    let pods = place.deployment(2, None, json!({}));
    Plan::of([pods, service(place, place.name, json!(8080)), ingress(place, "no-such-class", place.name, 80)])
}

fn held(place: &Place) -> Plan {
    let map = json!({"metadata": {"finalizers": ["planted.kubeplex.dev/hold"]}});
    let path = format!("{}/{}", place.path("v1/configmaps"), place.name);
    Plan { deleted: vec![path], ..Plan::of([place.object("v1/configmaps", map)]) }
}

fn autoscaler(place: &Place) -> Planted {
    let target = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": place.name});
    let metric = json!({"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}});
    let spec = json!({"scaleTargetRef": target, "minReplicas": 2, "maxReplicas": 5, "metrics": [metric]});
    place.object("autoscaling/v2/horizontalpodautoscalers", json!({"spec": spec}))
}

/// Where there is no metrics API, that is why.
fn no_metrics(place: &Place) -> Plan {
    Plan::of([place.deployment(2, None, json!({})), autoscaler(place)])
}

/// They are said to use ten times what they ask for. Only a cluster with a metrics API knows.
fn peak(place: &Place) -> Plan {
    let resources = json!({"requests": {"cpu": "10m"}});
    let pods = json!({"containers": [{"name": "app", "image": IMAGE, "resources": resources}]});
    let mut deployment = place.deployment(2, None, pods);
    deployment.object["spec"]["template"]["metadata"]["annotations"]["seed.kubeplex.dev/cpu"] = "100m".into();
    let path = format!("{}/{}", place.path("autoscaling/v2/horizontalpodautoscalers"), place.name);
    let lasting = Lasting { path, condition: "ScalingLimited", reason: "TooManyReplicas", minutes: 20 };
    Plan { lasting: Some(lasting), ..Plan::of([deployment, autoscaler(place)]) }
}

fn no_target(place: &Place) -> Plan {
    Plan::of([autoscaler(place)])
}

fn budget(place: &Place) -> Plan {
    let spec = json!({"minAvailable": 2, "selector": {"matchLabels": {"app": place.name}}});
    Plan::of([
        place.deployment(2, None, json!({})),
        place.object("policy/v1/poddisruptionbudgets", json!({"spec": spec})),
    ])
}

fn job_spec(place: &Place, spec: Value) -> Value {
    let mut job = spec;
    job["template"] = place.pods(Some(UNTOUCHED), json!({"restartPolicy": "Never"}));
    job
}

fn deadline(place: &Place) -> Plan {
    Plan::of([
        place.object("batch/v1/jobs", json!({"spec": job_spec(place, json!({"activeDeadlineSeconds": 5}))}))
    ])
}

fn pile_up(place: &Place) -> Plan {
    let spec = json!({"schedule": "* * * * *", "jobTemplate": {"spec": job_spec(place, json!({}))}});
    Plan::of([place.object("batch/v1/cronjobs", json!({"spec": spec}))])
}

fn no_config(place: &Place) -> Plan {
    let from = json!([{"configMapRef": {"name": "no-such-map"}}]);
    let pods = json!({"containers": [{"name": "app", "image": IMAGE, "envFrom": from}]});
    Plan::of([place.deployment(2, Some(UNTOUCHED), pods)])
}

fn no_key(place: &Place) -> Plan {
    let map = place.object("v1/configmaps", json!({"data": {"app.yaml": "a: 1"}}));
    let volume = json!({"name": "config", "configMap": {"name": place.name, "items": [{"key": "app.yml", "path": "app.yml"}]}});
    Plan::of([map, place.deployment(2, Some(UNTOUCHED), json!({"volumes": [volume]}))])
}

fn security(place: &Place) -> Plan {
    let enforce = json!({"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}});
    let label = (format!("/api/v1/namespaces/{}", place.namespace), enforce);
    Plan { patches: vec![label], once_refused: vec![place.deployment(2, None, json!({}))], ..Plan::default() }
}

/// The namespace has a finalizer in it, and is itself deleted.
fn namespace(place: &Place) -> Plan {
    let path = format!("/api/v1/namespaces/{}", place.namespace);
    let map = json!({"metadata": {"finalizers": ["planted.kubeplex.dev/hold"]}});
    Plan {
        deleted: vec![path],
        asked: Some(("namespaces", place.namespace.clone())),
        ..Plan::of([place.object("v1/configmaps", map)])
    }
}

fn api(place: &Place) -> Plan {
    let name = "v1.planted.kubeplex.dev";
    let service = json!({"namespace": place.namespace, "name": "no-such-server"});
    let spec = json!({
        "group": "planted.kubeplex.dev", "version": "v1", "service": service, "insecureSkipTLSVerify": true,
        "groupPriorityMinimum": 100, "versionPriority": 100,
    });
    let api = Planted {
        path: "/apis/apiregistration.k8s.io/v1/apiservices".to_owned(),
        object: json!({"metadata": {"name": name}, "spec": spec}),
    };
    Plan { asked: Some(("apiservices", name.to_owned())), ..Plan::of([api]) }
}
