//! Each part of a cluster by itself.

use kubeplex_proto::duration::human_duration;
use kubeplex_proto::health::{
    ApiFacts, CapacityFacts, CertificateFacts, DeprecatedApi, Named, NodeFacts, Resources, Workload,
    WorkloadFacts,
};

use super::judge::{Reason, Verdict};
use super::{HealthThresholds, Minor};

/// A kubelet may be so many minor releases behind its API server:
/// <https://kubernetes.io/releases/version-skew-policy/#kubelet>.
const KUBELET_MINORS_BEHIND: u32 = 3;

const DAY_MS: i64 = 86_400_000;

/// Where the parts of the cluster itself run.
const SYSTEM: &str = "kube-system";

/// Objects named in one reason.
const MOST_NAMED: usize = 3;

pub(super) fn api(api: &ApiFacts, thresholds: &HealthThresholds) -> Vec<Reason> {
    let mut reasons = Vec::new();
    if !api.failed_checks.is_empty() {
        reasons.push(Reason::critical(format!("API server: not ready: {}", api.failed_checks.join(", "))));
    } else if !api.problem.is_empty() {
        reasons.push(Reason::critical(format!("API server: {}", api.problem)));
    }
    if let Some(ms) = api.answered_ms.filter(|ms| *ms > thresholds.api_slow_ms) {
        reasons.push(Reason::degraded(format!("API server: took {ms} ms to say whether it is ready")));
    }
    reasons
}

pub(super) fn nodes(nodes: &NodeFacts, version: &str, thresholds: &HealthThresholds) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let total = nodes.total;
    let not_ready = total.saturating_sub(nodes.ready);
    if total == 0 {
        reasons.push(Reason::degraded("nodes: there are none".to_owned()));
    } else if not_ready > 0 {
        let text = format!("nodes: {not_ready} of {total} not ready: {}", some(&nodes.not_ready, not_ready));
        let is_critical = percent(not_ready, total) >= u64::from(thresholds.nodes_critical_percent);
        reasons.push(if is_critical { Reason::critical(text) } else { Reason::degraded(text) });
    }
    if nodes.pressed_total > 0 {
        let named = some(&nodes.pressed, nodes.pressed_total);
        reasons.push(Reason::degraded(format!(
            "nodes: {} of {total} under pressure: {named}",
            nodes.pressed_total
        )));
    }
    if percent(nodes.cordoned, total) >= u64::from(thresholds.nodes_critical_percent) && nodes.cordoned > 0 {
        reasons.push(Reason::degraded(format!("nodes: {} of {total} cordoned", nodes.cordoned)));
    }
    reasons.extend(kubelets(nodes, version));
    reasons
}

fn kubelets(nodes: &NodeFacts, version: &str) -> Option<Reason> {
    let server = Minor::of(version)?;
    let is_apart = |kubelet: &str| match Minor::of(kubelet).map(|minor| minor.behind(server)) {
        Some(Some(behind)) => behind > KUBELET_MINORS_BEHIND,
        // Newer than its server.
        Some(None) => true,
        None => false,
    };
    let apart: Vec<_> = nodes.kubelets.iter().filter(|(kubelet, _)| is_apart(kubelet)).collect();
    let count: u64 = apart.iter().map(|(_, count)| *count).sum();
    let versions: Vec<&str> = apart.iter().take(MOST_NAMED).map(|(kubelet, _)| kubelet.as_str()).collect();
    let text = || {
        format!(
            "versions: {count} kubelets ({}) are not supported with an API server {server}",
            versions.join(", ")
        )
    };
    (count > 0).then(|| Reason::degraded(text()))
}

/// Those of the system are what all others stand on.
pub(super) fn workloads(workloads: &WorkloadFacts, thresholds: &HealthThresholds) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let (system, others): (Vec<_>, Vec<_>) =
        workloads.failing.iter().partition(|workload| workload.namespace == SYSTEM);
    for workload in &system {
        let text = format!("control plane: {}", short_of(workload));
        let is_gone = workload.available == 0 && workload.wanted > 0;
        reasons.push(if is_gone { Reason::critical(text) } else { Reason::degraded(text) });
    }
    let failing = workloads.failing_total.saturating_sub(system.len() as u64);
    if failing > 0 {
        let named: Vec<_> = others.iter().take(MOST_NAMED).map(|workload| short_of(workload)).collect();
        let text =
            format!("workloads: {failing} of {} lack replicas{}", workloads.total, listed(&named, failing));
        let is_critical =
            percent(failing, workloads.total) >= u64::from(thresholds.workloads_critical_percent);
        reasons.push(if is_critical { Reason::critical(text) } else { Reason::degraded(text) });
    }
    reasons
}

fn short_of(workload: &Workload) -> String {
    let Workload { kind, namespace, name, available, wanted } = workload;
    format!("{kind} {namespace}/{name} {available}/{wanted} available")
}

pub(super) fn capacity(capacity: &CapacityFacts, thresholds: &HealthThresholds) -> Vec<Reason> {
    let CapacityFacts { allocatable, requested, used } = capacity;
    let above = |taken: &Option<Resources>, limit: u8, word: &str| {
        let taken = (*taken)?;
        let parts = [
            ("cpu", taken.cpu_milli, allocatable.cpu_milli),
            ("memory", taken.memory_bytes, allocatable.memory_bytes),
            ("pods", taken.pods, allocatable.pods),
        ];
        let full =
            parts.into_iter().filter(|(_, taken, of)| *of > 0 && percent(*taken, *of) >= u64::from(limit));
        let full: Vec<_> = full.map(|(what, taken, of)| format!("{what} {}%", percent(taken, of))).collect();
        (!full.is_empty()).then(|| Reason::degraded(format!("capacity: {} {word}", full.join(", "))))
    };
    let reasons = [
        above(requested, thresholds.requested_percent, "requested"),
        above(used, thresholds.used_percent, "used"),
    ];
    reasons.into_iter().flatten().collect()
}

pub(super) fn certificates(
    told: &CertificateFacts,
    now_ms: i64,
    thresholds: &HealthThresholds,
) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let soon_ms = now_ms.saturating_add(i64::from(thresholds.certificate_days) * DAY_MS);
    let named = |from_ms: i64, to_ms: i64| -> Vec<String> {
        let ending = told.soonest.iter().filter(|expiry| (from_ms..to_ms).contains(&expiry.not_after_ms));
        let ending = ending.map(|expiry| {
            let away = human_duration((expiry.not_after_ms - now_ms).saturating_abs());
            let when =
                if expiry.not_after_ms < now_ms { format!("{away} ago") } else { format!("in {away}") };
            format!("{}/{} {when}", expiry.namespace, expiry.name)
        });
        ending.collect()
    };
    let (ended, ending) = (named(i64::MIN, now_ms), named(now_ms, soon_ms));
    let most = |names: &[String]| listed(&names[..names.len().min(MOST_NAMED)], names.len() as u64);
    if !ended.is_empty() {
        reasons.push(Reason::critical(format!("certificates: {} ended{}", ended.len(), most(&ended))));
    }
    if !ending.is_empty() {
        reasons.push(Reason::degraded(format!("certificates: {} end soon{}", ending.len(), most(&ending))));
    }
    if told.not_ready_total > 0 {
        let named = some(&told.not_ready, told.not_ready_total);
        reasons.push(Reason::degraded(format!(
            "certificates: {} of {} not ready: {named}",
            told.not_ready_total, told.total
        )));
    }
    reasons
}

/// What goes soon is held against the cluster; of what goes later it is only told.
pub(super) fn deprecated(
    apis: &[DeprecatedApi],
    version: &str,
    thresholds: &HealthThresholds,
) -> Vec<Reason> {
    let soon = Minor::of(version).map(|own| own.number().saturating_add(thresholds.deprecated_minors));
    let (now, later): (Vec<&DeprecatedApi>, Vec<_>) =
        apis.iter().partition(|api| soon.is_some_and(|soon| api.removed_in <= soon));
    let text = |apis: &[&DeprecatedApi], when: &str| {
        let names: Vec<String> = apis.iter().take(MOST_NAMED).map(|api| used(api)).collect();
        format!("deprecated APIs: {} in use that {when}{}", apis.len(), listed(&names, apis.len() as u64))
    };
    let soon = (!now.is_empty()).then(|| Reason::degraded(text(&now, "are gone soon, or already")));
    let later = (!later.is_empty()).then(|| Reason::new(Verdict::Healthy, text(&later, "go later")));
    soon.into_iter().chain(later).collect()
}

/// `policy/v1beta1 poddisruptionbudgets until 1.25 (3 objects, requested)`.
fn used(api: &DeprecatedApi) -> String {
    let DeprecatedApi { removed_in, version, resource, objects, requested } = api;
    let objects = match objects {
        0 => None,
        1 => Some("1 object".to_owned()),
        more => Some(format!("{more} objects")),
    };
    let how: Vec<String> = objects.into_iter().chain(requested.then(|| "requested".to_owned())).collect();
    format!("{version} {resource} until 1.{removed_in} ({})", how.join(", "))
}

pub(super) fn clock(offset_ms: i64, thresholds: &HealthThresholds) -> Option<Reason> {
    let is_off = offset_ms.unsigned_abs() > thresholds.clock_offset_ms;
    let way = if offset_ms < 0 { "behind" } else { "ahead of" };
    is_off.then(|| {
        Reason::degraded(format!("clock: {} {way} its agent's", human_duration(offset_ms.saturating_abs())))
    })
}

/// How far the cluster is behind the others.
pub(super) fn release(version: &str, newest: Option<Minor>, thresholds: &HealthThresholds) -> Option<Reason> {
    let (own, newest) = (Minor::of(version)?, newest?);
    let behind = own.behind(newest).filter(|behind| *behind > thresholds.minors_behind)?;
    Some(Reason::degraded(format!(
        "versions: {own} is {behind} minor releases behind {newest}, the newest of these clusters"
    )))
}

/// `n1 (KubeletNotReady), n2 (…) and 4 more`.
fn some(named: &[Named], total: u64) -> String {
    let names: Vec<_> =
        named.iter().take(MOST_NAMED).map(|Named { name, why }| format!("{name} ({why})")).collect();
    let more = total.saturating_sub(names.len() as u64);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", names.join(", "))
}

/// `: a, b and 4 more`.
fn listed(names: &[String], total: u64) -> String {
    let more = total.saturating_sub(names.len() as u64);
    match (names.is_empty(), more) {
        (true, _) => String::new(),
        (false, 0) => format!(": {}", names.join(", ")),
        (false, more) => format!(": {} and {more} more", names.join(", ")),
    }
}

/// Rounded down, so that 100 is said only of all.
pub(crate) fn percent(part: u64, whole: u64) -> u64 {
    let percent = u128::from(part) * 100 / u128::from(whole.max(1));
    u64::try_from(percent).unwrap_or(u64::MAX)
}
