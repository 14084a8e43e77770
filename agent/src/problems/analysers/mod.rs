//! The analysers, one file each, the kinds whose objects they judge, and the causes that they find.
//!
//! What they rely on is what controllers and kubelets write; each file says where that is documented. `docs/problems.md` is
//! rendered from the table of causes.

use super::{Analyser, Severity, Subject, Verdict, World};
pub(crate) use deprecated::removed_in;
pub(crate) use kind::selector as label_selector;

mod api_services;
mod attachments;
mod autoscalers;
mod budgets;
mod certificates;
mod claims;
mod crash_loop;
mod creation;
mod cron_jobs;
mod daemon_sets;
mod deletion;
mod deprecated;
#[cfg(test)]
mod docs;
mod ending;
mod event;
mod failed_pod;
mod found;
mod image;
mod ingresses;
mod init;
mod jobs;
mod kind;
mod missing_config;
mod nodes;
mod out_of_memory;
mod pending;
mod pod;
mod probes;
mod quotas;
mod rejected;
mod rollout;
mod schedule;
mod services;
mod stateful_sets;
mod webhooks;

/// What judges the objects of one kind.
#[derive(Debug, Clone, Copy)]
pub struct Judges {
    /// Empty for core.
    pub group: &'static str,
    pub resource: &'static str,
    /// Each looks at every object of the kind; what they find of one object is one verdict.
    pub analysers: &'static [Analyser],
}

/// Each kind once; what judges the others is [`OTHERS`]. These kinds are watched while somebody asks for problems, and so is whatever analysers look at beside them.
pub const ALL: &[Judges] = &[
    judges(
        kind::PODS,
        &[
            crash_loop::judge,
            out_of_memory::judge,
            image::judge,
            init::judge,
            missing_config::judge,
            creation::judge,
            probes::judge,
            pending::judge,
            failed_pod::judge,
            deletion::judge,
        ],
    ),
    judges(kind::DEPLOYMENTS, &[rejected::judge, rollout::judge, deletion::judge, deprecated::judge]),
    judges(kind::REPLICA_SETS, &[rejected::judge, deletion::judge]),
    judges(kind::STATEFUL_SETS, &[rejected::judge, stateful_sets::judge, deletion::judge, deprecated::judge]),
    judges(kind::DAEMON_SETS, &[rejected::judge, daemon_sets::judge, deletion::judge, deprecated::judge]),
    judges(kind::JOBS, &[rejected::judge, jobs::judge, deletion::judge]),
    judges(kind::CRON_JOBS, &[cron_jobs::judge, deletion::judge, deprecated::judge]),
    judges(kind::NODES, &[nodes::judge, deletion::judge]),
    judges(kind::NAMESPACES, &[deletion::judge]),
    judges(kind::CLAIMS, &[claims::judge, deletion::judge]),
    judges(("", "persistentvolumes"), &[deletion::judge]),
    judges(kind::ATTACHMENTS, &[attachments::judge, deletion::judge]),
    judges(kind::STORAGE_CLASSES, &[deprecated::judge]),
    judges(kind::AUTOSCALERS, &[autoscalers::judge, deletion::judge, deprecated::judge]),
    judges(kind::BUDGETS, &[budgets::judge, deletion::judge, deprecated::judge]),
    judges(kind::SERVICES, &[services::judge, deletion::judge]),
    judges(kind::INGRESSES, &[ingresses::judge, deletion::judge, deprecated::judge]),
    judges(kind::INGRESS_CLASSES, &[deprecated::judge]),
    judges(kind::CONFIG_MAPS, &[deletion::judge]),
    judges(kind::SECRETS, &[certificates::judge, deletion::judge]),
    judges(kind::CERTIFICATES, &[certificates::judge, deletion::judge]),
    judges(kind::QUOTAS, &[quotas::judge, deletion::judge]),
    judges(("admissionregistration.k8s.io", "mutatingwebhookconfigurations"), WEBHOOKS),
    judges(("admissionregistration.k8s.io", "validatingwebhookconfigurations"), WEBHOOKS),
    judges(
        ("apiregistration.k8s.io", "apiservices"),
        &[api_services::judge, deletion::judge, deprecated::judge],
    ),
    judges(("apiextensions.k8s.io", "customresourcedefinitions"), &[deletion::judge, deprecated::judge]),
    judges(("rbac.authorization.k8s.io", "roles"), &[deprecated::judge]),
    judges(("rbac.authorization.k8s.io", "rolebindings"), &[deprecated::judge]),
    judges(("rbac.authorization.k8s.io", "clusterroles"), &[deprecated::judge]),
    judges(("rbac.authorization.k8s.io", "clusterrolebindings"), &[deprecated::judge]),
    judges(("scheduling.k8s.io", "priorityclasses"), &[deprecated::judge]),
    judges(("flowcontrol.apiserver.k8s.io", "flowschemas"), &[deprecated::judge]),
    judges(("flowcontrol.apiserver.k8s.io", "prioritylevelconfigurations"), &[deprecated::judge]),
];

/// Objects of any other kind, custom resources among them, while somebody has the kind watched.
pub const OTHERS: Judges = judges(("", "*"), &[deletion::judge]);

/// They come and go all the time, and nobody sets finalizers on them.
pub const UNJUDGED: &[(&str, &str)] = &[("", "events"), kind::ENDPOINT_SLICES];

const WEBHOOKS: &[Analyser] = &[webhooks::judge, deletion::judge, deprecated::judge];

const fn judges(kind: kind::Kind, analysers: &'static [Analyser]) -> Judges {
    Judges { group: kind.0, resource: kind.1, analysers }
}

/// A cause that analysers may name.
#[derive(Debug, Clone, Copy)]
pub struct Cause {
    pub name: &'static str,
    /// The worst first.
    pub severities: &'static [Severity],
    pub looks_at: &'static str,
    /// When it is said.
    pub when: &'static str,
}

/// The causes of each analyser.
pub const CAUSES: &[&[Cause]] = &[
    crash_loop::CAUSES,
    out_of_memory::CAUSES,
    image::CAUSES,
    init::CAUSES,
    missing_config::CAUSES,
    creation::CAUSES,
    probes::CAUSES,
    pending::CAUSES,
    failed_pod::CAUSES,
    rejected::CAUSES,
    rollout::CAUSES,
    stateful_sets::CAUSES,
    daemon_sets::CAUSES,
    jobs::CAUSES,
    cron_jobs::CAUSES,
    autoscalers::CAUSES,
    budgets::CAUSES,
    nodes::CAUSES,
    claims::CAUSES,
    attachments::CAUSES,
    services::CAUSES,
    ingresses::CAUSES,
    certificates::CAUSES,
    quotas::CAUSES,
    webhooks::CAUSES,
    api_services::CAUSES,
    deletion::CAUSES,
    deprecated::CAUSES,
];
