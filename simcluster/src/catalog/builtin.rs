//! The built-in kinds, as a current server lists them in discovery. Order matters: groups are listed in the server's priority.

use super::resource::{Origin, Resource, Scope, Verbs};

/// Lists of words are one text, separated by blanks.
struct Row {
    group: &'static str,
    version: &'static str,
    kind: &'static str,
    plural: &'static str,
    short_names: &'static str,
    categories: &'static str,
    scope: Scope,
    verbs: Verbs,
    subresources: &'static str,
    selectable: &'static str,
}

pub(super) fn resources() -> Vec<Resource> {
    ROWS.iter().map(Row::resource).collect()
}

impl Row {
    fn resource(&self) -> Resource {
        Resource {
            group: self.group.into(),
            version: self.version.into(),
            kind: self.kind.into(),
            plural: self.plural.into(),
            singular: self.kind.to_ascii_lowercase(),
            short_names: words(self.short_names),
            categories: words(self.categories),
            scope: self.scope,
            verbs: self.verbs,
            subresources: words(self.subresources),
            selectable: words(self.selectable),
            origin: Origin::Builtin,
        }
    }

    const fn new(
        group: &'static str,
        version: &'static str,
        kind: &'static str,
        plural: &'static str,
    ) -> Self {
        Self {
            group,
            version,
            kind,
            plural,
            short_names: "",
            categories: "",
            scope: Scope::Namespaced,
            verbs: Verbs::All,
            subresources: "",
            selectable: "",
        }
    }

    const fn short(self, short_names: &'static str) -> Self {
        Self { short_names, ..self }
    }

    const fn in_categories(self, categories: &'static str) -> Self {
        Self { categories, ..self }
    }

    const fn of_cluster(self) -> Self {
        Self { scope: Scope::Cluster, ..self }
    }

    const fn with(self, verbs: Verbs) -> Self {
        Self { verbs, ..self }
    }

    const fn sub(self, subresources: &'static str) -> Self {
        Self { subresources, ..self }
    }

    const fn by(self, selectable: &'static str) -> Self {
        Self { selectable, ..self }
    }
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

const POD_FIELDS: &str = "spec.nodeName spec.restartPolicy spec.schedulerName spec.serviceAccountName spec.hostNetwork \
    status.phase status.podIP status.podIPs status.nominatedNodeName";
const EVENT_FIELDS: &str = "involvedObject.kind involvedObject.namespace involvedObject.name involvedObject.uid \
    involvedObject.apiVersion involvedObject.resourceVersion involvedObject.fieldPath reason reportingComponent source type";

const ROWS: &[Row] = &[
    Row::new("", "v1", "Binding", "bindings").with(Verbs::CreateOnly),
    Row::new("", "v1", "ComponentStatus", "componentstatuses").short("cs").of_cluster().with(Verbs::ReadOnly),
    Row::new("", "v1", "ConfigMap", "configmaps").short("cm"),
    Row::new("", "v1", "Endpoints", "endpoints").short("ep"),
    Row::new("", "v1", "Event", "events").short("ev").by(EVENT_FIELDS),
    Row::new("", "v1", "LimitRange", "limitranges").short("limits"),
    Row::new("", "v1", "Namespace", "namespaces")
        .short("ns")
        .of_cluster()
        .with(Verbs::NoDeleteCollection)
        .sub("finalize status")
        .by("name status.phase"),
    Row::new("", "v1", "Node", "nodes").short("no").of_cluster().sub("proxy status").by("spec.unschedulable"),
    Row::new("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims")
        .short("pvc")
        .sub("status")
        .by("name"),
    Row::new("", "v1", "PersistentVolume", "persistentvolumes")
        .short("pv")
        .of_cluster()
        .sub("status")
        .by("name"),
    Row::new("", "v1", "Pod", "pods")
        .short("po")
        .in_categories("all")
        .sub("attach binding ephemeralcontainers eviction exec log portforward proxy resize status")
        .by(POD_FIELDS),
    Row::new("", "v1", "PodTemplate", "podtemplates"),
    Row::new("", "v1", "ReplicationController", "replicationcontrollers")
        .short("rc")
        .in_categories("all")
        .sub("scale status")
        .by("status.replicas"),
    Row::new("", "v1", "ResourceQuota", "resourcequotas").short("quota").sub("status"),
    Row::new("", "v1", "Secret", "secrets").by("type"),
    Row::new("", "v1", "ServiceAccount", "serviceaccounts").short("sa").sub("token"),
    Row::new("", "v1", "Service", "services")
        .short("svc")
        .in_categories("all")
        .sub("proxy status")
        .by("spec.clusterIP spec.type"),
    Row::new("apiregistration.k8s.io", "v1", "APIService", "apiservices")
        .in_categories("api-extensions")
        .of_cluster()
        .sub("status"),
    Row::new("apps", "v1", "ControllerRevision", "controllerrevisions"),
    Row::new("apps", "v1", "DaemonSet", "daemonsets").short("ds").in_categories("all").sub("status"),
    Row::new("apps", "v1", "Deployment", "deployments")
        .short("deploy")
        .in_categories("all")
        .sub("scale status"),
    Row::new("apps", "v1", "ReplicaSet", "replicasets")
        .short("rs")
        .in_categories("all")
        .sub("scale status")
        .by("status.replicas"),
    Row::new("apps", "v1", "StatefulSet", "statefulsets")
        .short("sts")
        .in_categories("all")
        .sub("scale status"),
    Row::new("authentication.k8s.io", "v1", "SelfSubjectReview", "selfsubjectreviews")
        .of_cluster()
        .with(Verbs::CreateOnly),
    Row::new("authentication.k8s.io", "v1", "TokenReview", "tokenreviews")
        .of_cluster()
        .with(Verbs::CreateOnly),
    Row::new("authorization.k8s.io", "v1", "LocalSubjectAccessReview", "localsubjectaccessreviews")
        .with(Verbs::CreateOnly),
    Row::new("authorization.k8s.io", "v1", "SelfSubjectAccessReview", "selfsubjectaccessreviews")
        .of_cluster()
        .with(Verbs::CreateOnly),
    Row::new("authorization.k8s.io", "v1", "SelfSubjectRulesReview", "selfsubjectrulesreviews")
        .of_cluster()
        .with(Verbs::CreateOnly),
    Row::new("authorization.k8s.io", "v1", "SubjectAccessReview", "subjectaccessreviews")
        .of_cluster()
        .with(Verbs::CreateOnly),
    Row::new("autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers")
        .short("hpa")
        .in_categories("all")
        .sub("status"),
    Row::new("batch", "v1", "CronJob", "cronjobs").short("cj").in_categories("all").sub("status"),
    Row::new("batch", "v1", "Job", "jobs").in_categories("all").sub("status").by("status.successful"),
    Row::new("certificates.k8s.io", "v1", "CertificateSigningRequest", "certificatesigningrequests")
        .short("csr")
        .of_cluster()
        .sub("approval status")
        .by("spec.signerName"),
    Row::new("networking.k8s.io", "v1", "IngressClass", "ingressclasses").of_cluster(),
    Row::new("networking.k8s.io", "v1", "Ingress", "ingresses").short("ing").sub("status"),
    Row::new("networking.k8s.io", "v1", "IPAddress", "ipaddresses")
        .short("ip")
        .of_cluster()
        .by("spec.parentRef.name"),
    Row::new("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies").short("netpol"),
    Row::new("networking.k8s.io", "v1", "ServiceCIDR", "servicecidrs").of_cluster().sub("status"),
    Row::new("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets").short("pdb").sub("status"),
    Row::new("rbac.authorization.k8s.io", "v1", "ClusterRoleBinding", "clusterrolebindings").of_cluster(),
    Row::new("rbac.authorization.k8s.io", "v1", "ClusterRole", "clusterroles").of_cluster(),
    Row::new("rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings"),
    Row::new("rbac.authorization.k8s.io", "v1", "Role", "roles"),
    Row::new("storage.k8s.io", "v1", "CSIDriver", "csidrivers").of_cluster(),
    Row::new("storage.k8s.io", "v1", "CSINode", "csinodes").of_cluster(),
    Row::new("storage.k8s.io", "v1", "CSIStorageCapacity", "csistoragecapacities"),
    Row::new("storage.k8s.io", "v1", "StorageClass", "storageclasses").short("sc").of_cluster(),
    Row::new("storage.k8s.io", "v1", "VolumeAttachment", "volumeattachments").of_cluster().sub("status"),
    Row::new("storage.k8s.io", "v1", "VolumeAttributesClass", "volumeattributesclasses")
        .short("vac")
        .of_cluster(),
    Row::new(
        "admissionregistration.k8s.io",
        "v1",
        "MutatingWebhookConfiguration",
        "mutatingwebhookconfigurations",
    )
    .in_categories("api-extensions")
    .of_cluster(),
    Row::new(
        "admissionregistration.k8s.io",
        "v1",
        "ValidatingAdmissionPolicy",
        "validatingadmissionpolicies",
    )
    .in_categories("api-extensions")
    .of_cluster()
    .sub("status"),
    Row::new(
        "admissionregistration.k8s.io",
        "v1",
        "ValidatingAdmissionPolicyBinding",
        "validatingadmissionpolicybindings",
    )
    .in_categories("api-extensions")
    .of_cluster(),
    Row::new(
        "admissionregistration.k8s.io",
        "v1",
        "ValidatingWebhookConfiguration",
        "validatingwebhookconfigurations",
    )
    .in_categories("api-extensions")
    .of_cluster(),
    Row::new("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions")
        .short("crd crds")
        .in_categories("api-extensions")
        .of_cluster()
        .sub("status"),
    Row::new("scheduling.k8s.io", "v1", "PriorityClass", "priorityclasses").short("pc").of_cluster(),
    Row::new("coordination.k8s.io", "v1", "Lease", "leases"),
    Row::new("node.k8s.io", "v1", "RuntimeClass", "runtimeclasses").of_cluster(),
    Row::new("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices"),
    Row::new("flowcontrol.apiserver.k8s.io", "v1", "FlowSchema", "flowschemas").of_cluster().sub("status"),
    Row::new(
        "flowcontrol.apiserver.k8s.io",
        "v1",
        "PriorityLevelConfiguration",
        "prioritylevelconfigurations",
    )
    .of_cluster()
    .sub("status"),
];
