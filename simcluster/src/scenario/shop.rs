//! A day in a small web shop, the one before its biggest sale: three regions in production, two of staging, one to develop in.
//!
//! `docs/demo.md` tells it, and where the evidence of each cause is found.

use super::Deed::{
    ClaimNothing, Edit, FailJob, FailRenewal, FallSilent, FillDisk, FreeDisk, HitMaximum, Release, Rescale,
};
use super::Setting::{Now, Number, Text};
use super::When::{Ago, Beat};
use super::{Ailing, Ailment, Scene, Target};

const PROD_EU: &[&str] = &["prod-eu"];
const PROD_US: &[&str] = &["prod-us"];
const PROD_AP: &[&str] = &["prod-ap"];
const STAGING_EU: &[&str] = &["staging-eu"];
const STAGING_US: &[&str] = &["staging-us"];
const STAGING: &[&str] = &["staging-eu", "staging-us"];
const DEV: &[&str] = &["dev-eu"];
const BEFORE_PROD: &[&str] = &["staging-eu", "staging-us", "dev-eu"];

/// Who changes things.
const ARGO: &str = "argocd-controller";
const HELM: &str = "helm";
const SET: &str = "kubectl-set";
const BY_HAND: &str = "kubectl-edit";
const RESTART: &str = "kubectl-rollout";

const HOUR: i64 = 60;
const DAY: i64 = 24 * HOUR;

/// A quarter of an hour, at a beat in five seconds.
pub(super) const ROUND: u64 = 180;

pub(super) const AILMENTS: &[Ailing] = &[
    Ailing { clusters: PROD_US, image: "shop/checkout:1.9.0", ailment: Ailment::OutOfMemory },
    Ailing {
        clusters: PROD_AP,
        image: "shop/catalog:3.12.",
        ailment: Ailment::Crash {
            code: 2,
            says: "panic: price list has no currency for region ap-southeast-2",
        },
    },
    Ailing { clusters: STAGING_EU, image: "payments/ledger:2.21.0", ailment: Ailment::Unready },
    Ailing {
        clusters: STAGING_US,
        image: "payments/fraud-detector:0.32.0",
        ailment: Ailment::NoSecret("fraud-model-registry"),
    },
    Ailing { clusters: DEV, image: "shop/catalog:3.13.0-rc", ailment: Ailment::NoImage },
];

pub(super) const SCENES: &[Scene] = &[
    // The new checkout was fine wherever nobody buys anything.
    release(BEFORE_PROD, Ago(2 * DAY), "shop", "checkout", "1.9.0", ARGO, &[]),
    release(PROD_US, Ago(130), "shop", "checkout", "1.9.0", ARGO, &[]),
    // Somebody meant 250m: its replicas are throttled, and more of them than there may be would be wanted.
    release(
        PROD_EU,
        Ago(70),
        "shop",
        "checkout",
        "1.8.2",
        ARGO,
        &[
            ("/spec/template/spec/containers/0/resources/requests/cpu", Text("25m")),
            ("/spec/template/spec/containers/0/resources/limits/cpu", Text("25m")),
        ],
    ),
    Scene {
        clusters: PROD_EU,
        when: Ago(55),
        deed: HitMaximum { namespace: "shop", name: "checkout", percent: 100 },
    },
    // A node of prod-eu is not heard from, and nobody has replaced it.
    Scene { clusters: PROD_EU, when: Ago(35), deed: FallSilent { node: 1 } },
    Scene {
        clusters: PROD_EU,
        when: Ago(25),
        deed: HitMaximum { namespace: "search", name: "query", percent: 143 },
    },
    Scene {
        clusters: PROD_EU,
        when: Ago(5 * HOUR),
        deed: FailRenewal {
            namespace: "shop",
            name: "frontend-tls",
            hours_left: 41,
            message: "The certificate request has failed to complete and will be retried: Failed to wait for order resource \"frontend-tls-1-3812\" to become ready: order is in \"errored\" state: 429 urn:ietf:params:acme:error:rateLimited",
        },
    },
    Scene {
        clusters: PROD_EU,
        when: Ago(9 * HOUR),
        deed: FailJob {
            namespace: "payments",
            name: "nightly-settlement",
            code: 3,
            says: "settlement of 2 batches differs from the ledger; nothing was paid out",
        },
    },
    // The new model wants more memory than a node of prod-ap has.
    release(
        PROD_AP,
        Ago(50),
        "shop",
        "recommendations",
        "0.10.0",
        ARGO,
        &[("/spec/template/spec/containers/0/resources/requests/memory", Text("48Gi"))],
    ),
    // Somebody looked for a fault by hand, and left it at that.
    Scene {
        clusters: PROD_AP,
        when: Ago(3 * HOUR),
        deed: Edit {
            object: Target { kind: ("apps", "deployments"), namespace: "payments", name: "payments-api" },
            by: BY_HAND,
            set: &[
                ("/spec/template/spec/containers/0/env/3/value", Text("debug")),
                ("/spec/replicas", Number(1)),
            ],
        },
    },
    Scene {
        clusters: PROD_AP,
        when: Ago(3 * HOUR - 2),
        deed: Edit {
            object: Target {
                kind: ("argoproj.io", "applications"),
                namespace: "payments",
                name: "payments-api",
            },
            by: ARGO,
            set: &[("/status/sync/status", Text("OutOfSync"))],
        },
    },
    release(STAGING_EU, Ago(80), "payments", "ledger", "2.21.0", ARGO, &[]),
    Scene { clusters: STAGING_EU, when: Ago(40), deed: FillDisk { node: 0, evicted: 2 } },
    Scene {
        clusters: STAGING_EU,
        when: Ago(6 * HOUR),
        deed: ClaimNothing { namespace: "search", name: "reindex-scratch" },
    },
    release(
        STAGING_US,
        Ago(2 * HOUR),
        "payments",
        "fraud-detector",
        "0.32.0",
        HELM,
        &[(
            "/spec/template/spec/containers/0/env/8/valueFrom/secretKeyRef/name",
            Text("fraud-model-registry"),
        )],
    ),
    release(DEV, Ago(20), "shop", "catalog", "3.13.0-rc", SET, &[]),
    // From here on, what goes on. A version of the catalog breaks prod-ap, and is taken back.
    release(PROD_AP, Beat(6), "shop", "catalog", "3.12.@", ARGO, &[]),
    release(PROD_AP, Beat(42), "shop", "catalog", "3.11.2", ARGO, &[]),
    // The frontend goes from one stage to the next.
    release(DEV, Beat(12), "shop", "frontend", "2026.12.@", ARGO, &[]),
    release(STAGING, Beat(24), "shop", "frontend", "2026.12.@", ARGO, &[]),
    release(PROD_EU, Beat(60), "shop", "frontend", "2026.12.@", ARGO, &[]),
    release(PROD_US, Beat(72), "shop", "frontend", "2026.12.@", ARGO, &[]),
    release(PROD_AP, Beat(84), "shop", "frontend", "2026.12.@", ARGO, &[]),
    // A node of staging-us gets tired, and recovers.
    Scene { clusters: STAGING_US, when: Beat(48), deed: FillDisk { node: 2, evicted: 2 } },
    Scene { clusters: STAGING_US, when: Beat(96), deed: FreeDisk { node: 2 } },
    // The evening's customers come, and go.
    Scene { clusters: PROD_US, when: Beat(108), deed: Rescale { namespace: "shop", name: "cart", by: 2 } },
    Scene { clusters: PROD_US, when: Beat(156), deed: Rescale { namespace: "shop", name: "cart", by: -2 } },
    // Somebody hopes that turning it off and on again helps.
    Scene {
        clusters: STAGING_EU,
        when: Beat(120),
        deed: Edit {
            object: Target { kind: ("apps", "deployments"), namespace: "payments", name: "ledger" },
            by: RESTART,
            set: &[("/spec/template/metadata/annotations/kubectl.kubernetes.io~1restartedAt", Now)],
        },
    },
    Scene {
        clusters: DEV,
        when: Beat(144),
        deed: Edit {
            object: Target { kind: ("", "configmaps"), namespace: "shop", name: "catalog-config" },
            by: BY_HAND,
            set: &[("/data/features.json", Text("{\"darkMode\":true,\"newCheckout\":true}"))],
        },
    },
    Scene {
        clusters: DEV,
        when: Beat(168),
        deed: Edit {
            object: Target { kind: ("", "configmaps"), namespace: "shop", name: "catalog-config" },
            by: BY_HAND,
            set: &[("/data/features.json", Text("{\"darkMode\":true,\"newCheckout\":false}"))],
        },
    },
];

const fn release(
    clusters: &'static [&'static str],
    when: super::When,
    namespace: &'static str,
    name: &'static str,
    tag: &'static str,
    by: &'static str,
    with: &'static [(&'static str, super::Setting)],
) -> Scene {
    Scene { clusters, when, deed: Release { namespace, name, tag, by, with } }
}
