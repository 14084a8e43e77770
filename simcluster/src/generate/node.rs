//! Nodes as EKS makes them.

use serde_json::{Value, json};

use super::managed;
use super::pod::Place;
use super::random::Random;
use crate::json::set;

/// A node that pods can be placed on.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) ip: String,
    subnet: u64,
}

/// Whether the kubelet still reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NodeHealth {
    Ready,
    /// It reports that its disk is nearly full.
    DiskFull,
    Silent,
}

impl Node {
    pub(crate) fn new(region: &str, index: u64, random: &mut Random) -> Self {
        let subnet = 16 * (index % 3) + random.below(16);
        let ip = format!("10.{}.{subnet}.{}", 20 + index / 200, 4 + index % 200);
        Self { name: format!("ip-{}.{region}.compute.internal", ip.replace('.', "-")), ip, subnet }
    }

    /// A node that is there already, by its name and address.
    pub(crate) fn existing(name: &str, ip: &str) -> Self {
        let subnet = ip.split('.').nth(2).and_then(|part| part.parse().ok()).unwrap_or(0);
        Self { name: name.into(), ip: ip.into(), subnet }
    }

    /// A place for a new pod on this node.
    pub(crate) fn place(&self, random: &mut Random) -> Place {
        let pod_ip = format!(
            "10.{}.{}.{}",
            100 + random.below(28),
            self.subnet * 4 + random.below(4),
            1 + random.below(254)
        );
        Place { node: self.name.clone(), host_ip: self.ip.clone(), pod_ip }
    }
}

/// The node object.
pub(crate) fn node(
    node: &Node,
    region: &str,
    version: &str,
    health: NodeHealth,
    at: &str,
    now: &str,
    random: &mut Random,
) -> Value {
    let zone = format!("{region}{}", ["a", "b", "c"][(node.subnet / 16 % 3) as usize]);
    let instance = format!("i-{}", random.hex(17));
    let labels = json!({
        "beta.kubernetes.io/arch": "amd64", "beta.kubernetes.io/instance-type": "m7i.2xlarge", "beta.kubernetes.io/os": "linux",
        "eks.amazonaws.com/capacityType": "ON_DEMAND", "eks.amazonaws.com/nodegroup": "general", "eks.amazonaws.com/nodegroup-image": "ami-0a1b2c3d4e5f60718",
        "failure-domain.beta.kubernetes.io/region": region, "failure-domain.beta.kubernetes.io/zone": zone,
        "k8s.io/cloud-provider-aws": random.hex(32), "kubernetes.io/arch": "amd64", "kubernetes.io/hostname": node.name, "kubernetes.io/os": "linux",
        "node.kubernetes.io/instance-type": "m7i.2xlarge", "topology.kubernetes.io/region": region, "topology.kubernetes.io/zone": zone,
        "topology.ebs.csi.aws.com/zone": zone,
    });
    let spec = json!({"providerID": format!("aws:///{zone}/{instance}")});
    let mut status = json!({
        "addresses": [{"type": "InternalIP", "address": node.ip}, {"type": "InternalDNS", "address": node.name}, {"type": "Hostname", "address": node.name}],
        "allocatable": {"cpu": "7910m", "ephemeral-storage": "95551679124", "hugepages-1Gi": "0", "hugepages-2Mi": "0", "memory": "31482288Ki", "pods": "58"},
        "capacity": {"cpu": "8", "ephemeral-storage": "104779756Ki", "hugepages-1Gi": "0", "hugepages-2Mi": "0", "memory": "32499120Ki", "pods": "58"},
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
        "images": images(random),
        "nodeInfo": {
            "architecture": "amd64", "bootID": random.uid(), "containerRuntimeVersion": "containerd://2.1.4",
            "kernelVersion": "6.12.46-66.121.amzn2023.x86_64", "kubeProxyVersion": "", "kubeletVersion": format!("{version}-eks-3cfe0ce"),
            "machineID": random.hex(32), "operatingSystem": "linux", "osImage": "Amazon Linux 2023.9.20260911", "systemUUID": random.uid(),
        },
    });
    status["conditions"] = conditions(health, at, now);
    let own =
        managed::entry("kubelet", "v1", at, "", &[("metadata", &json!({"labels": labels})), ("spec", &spec)]);
    let fields = json!([own, managed::entry("kubelet", "v1", now, "status", &[("status", &status)])]);
    let mut object = json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": {"name": node.name, "uid": random.uid(), "creationTimestamp": at, "labels": labels,
            "annotations": {"alpha.kubernetes.io/provided-node-ip": node.ip, "node.alpha.kubernetes.io/ttl": "0", "volumes.kubernetes.io/controller-managed-attach-detach": "true"},
            "managedFields": fields},
        "spec": spec, "status": status,
    });
    if health == NodeHealth::Silent {
        let taint = |effect: &str| json!({"key": "node.kubernetes.io/unreachable", "effect": effect, "timeAdded": now});
        set(&mut object, "/spec/taints", json!([taint("NoSchedule"), taint("NoExecute")]));
    }
    object
}

/// The conditions that a healthy kubelet reports, or that the node controller writes when it has gone silent.
pub(crate) fn conditions(health: NodeHealth, since: &str, now: &str) -> Value {
    let condition = |kind: &str, good: &str, reason: &str, message: &str| match health {
        NodeHealth::DiskFull if kind == "DiskPressure" => {
            json!({"type": kind, "status": "True", "reason": "KubeletHasDiskPressure", "message": "kubelet has disk pressure", "lastHeartbeatTime": now, "lastTransitionTime": since})
        }
        NodeHealth::Ready | NodeHealth::DiskFull => {
            json!({"type": kind, "status": good, "reason": reason, "message": message, "lastHeartbeatTime": now, "lastTransitionTime": since})
        }
        NodeHealth::Silent => {
            json!({"type": kind, "status": "Unknown", "reason": "NodeStatusUnknown", "message": "Kubelet stopped posting node status.", "lastHeartbeatTime": since, "lastTransitionTime": now})
        }
    };
    json!([
        condition(
            "MemoryPressure",
            "False",
            "KubeletHasSufficientMemory",
            "kubelet has sufficient memory available"
        ),
        condition("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
        condition("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
        condition("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
    ])
}

fn images(random: &mut Random) -> Vec<Value> {
    let chosen = super::plan::PLANS.iter().filter(|_| random.percent(60));
    let image = |plan: &super::plan::Plan| {
        let digest =
            format!("{:016x}{:048x}", super::template::fnv(plan.image), super::template::fnv(plan.tag));
        json!({"names": [format!("{}@sha256:{digest}", plan.image), format!("{}:{}", plan.image, plan.tag)], "sizeBytes": 40_000_000 + super::template::fnv(plan.name) % 200_000_000})
    };
    chosen.map(image).collect()
}
