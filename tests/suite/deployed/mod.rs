//! What `kubeplex agent manifest` prints, in a real cluster: every object is taken without a warning, an agent with exactly those
//! rights becomes ready and answers, and the API server's audit log has no request of its that the rights do not cover.

mod audit;
mod cluster;
mod fleet;
mod judge;
mod load;
mod replaced;
mod site;

use std::collections::BTreeSet;

use kubeplex_tests::server::{ServedKind, key};
use kubeplex_tests::{rows, wait};
use serde_json::{Value, json};

use self::audit::{AuditLog, Rules, told};
use self::cluster::{ACCOUNT, Cluster};
use self::site::{CLUSTER, Site, person, planes};
use crate::ground;

/// Read for its value, which no cache holds.
const LIVE: &str = "/api/v1/namespaces/shop/configmaps/kubeplex-live";

/// What the manifest leaves out of the built-in kinds that can be watched.
const LEFT_OUT: [&str; 1] = ["secrets"];

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_of_the_manifest_keeps_to_its_rights() {
    let Some(planes) = planes("an_agent_of_the_manifest_keeps_to_its_rights") else { return };
    let _alone = ground::changing().await;
    // The one group by the option, the other by what an administrator would do.
    let label = ["label", "--overwrite", "clusterrole", "gadgets-view"];
    let set = [&label[..], &["kubeplex.dev/aggregate-to-agent=true"]].concat();
    let cluster = Cluster::of(&planes, CLUSTER).await;
    cluster.kubectl(&set, "").await;
    let site = Site::start(cluster, &["--crd-group", "fleet.kubeplex.dev", "--label", "env=test"], &[]).await;
    site.deployed.cluster.until_available("kubeplex", "kubeplex-agent").await;
    let rules = gathered(&site).await;

    let (asked, left_out) = {
        let kinds = site.server().kinds().await;
        let watchable =
            kinds.into_iter().filter(|kind| kind.watchable && kind.to_string() != "events.events.k8s.io");
        watchable.partition::<Vec<ServedKind>, _>(|kind| rules.lists(&kind.group, &kind.resource))
    };
    let left_out: Vec<_> =
        left_out.iter().map(ToString::to_string).filter(|kind| !kind.contains("kubeplex.dev")).collect();
    assert_eq!(left_out, LEFT_OUT, "built-in kinds that the manifest does not know");
    for kind in &asked {
        answers(&site, kind, &[]).await;
    }
    let asked: Vec<_> = asked.iter().map(ToString::to_string).collect();
    for kind in
        ["gadgets.stable.kubeplex.dev", "regions.fleet.kubeplex.dev", "pods", "leases.coordination.k8s.io"]
    {
        assert!(asked.iter().any(|known| known == kind), "{kind} is not among {asked:?}");
    }
    check_audit(site.audit(), &rules);
    site.end().await;
    let unset = [&label[..], &["kubeplex.dev/aggregate-to-agent-"]].concat();
    Cluster::of(&planes, CLUSTER).await.kubectl(&unset, "").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_with_rights_in_namespaces_asks_for_nothing_else() {
    let Some(planes) = planes("an_agent_with_rights_in_namespaces_asks_for_nothing_else") else { return };
    let _alone = ground::changing().await;
    let cluster = Cluster::of(&planes, CLUSTER).await;
    let site =
        Site::start(cluster, &["--watch-namespace", "shop,payments", "--secrets", "metadata"], &[]).await;
    site.deployed.cluster.until_available("kubeplex", "kubeplex-agent").await;
    for kind in
        ["pods", "configmaps", "deployments.apps", "rolebindings.rbac.authorization.k8s.io", "secrets"]
    {
        let kinds = site.server().kinds().await;
        let kind = kinds.iter().find(|known| known.to_string() == kind).expect("a built-in kind");
        answers(&site, kind, &["shop", "payments"]).await;
    }
    let nodes = site.ask("resources_list", json!({"kind": "nodes"})).await;
    assert_eq!(nodes["code"], "forbidden", "{nodes}");
    let mut rules = Rules::of(&site.deployed.applied, site.server()).await;
    // What every account may do: find out what there is, and what it may do itself.
    for role in ["system:discovery", "system:basic-user"] {
        rules.add_cluster_role(role, site.server()).await;
    }
    check_audit(site.audit(), &rules);
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn live_reads_are_made_in_the_name_of_whom_the_manifest_names() {
    let Some(planes) = planes("live_reads_are_made_in_the_name_of_whom_the_manifest_names") else { return };
    let _alone = ground::changing().await;
    // The one may read this namespace, the other nothing.
    let (ann, bob) =
        (person("ann@example.com", "kubeplex-test:shop").await, person("bob@example.com", "none").await);
    let named = ["--impersonate-user", "ann@example.com", "--impersonate-group", "kubeplex-test:shop"];
    let site = Site::start(Cluster::of(&planes, CLUSTER).await, &named, &[&ann, &bob]).await;
    site.server().delete(LIVE).await;
    let map = json!({"metadata": {"name": "kubeplex-live"}, "data": {"question": "forty-two"}});
    site.server().create("/api/v1/namespaces/shop/configmaps", map).await;

    let question = json!({"kind": "configmap", "namespace": "shop", "name": "kubeplex-live"});
    wait::until("the value of the ConfigMap", async || {
        let answer = site.ask_as(&ann, "resources_get", question.clone()).await.to_string();
        if answer.contains("forty-two") { Ok(()) } else { Err(answer) }
    })
    .await;
    let answer = site.ask_as(&bob, "resources_get", question).await.to_string();
    assert!(answer.contains("forbidden") && !answer.contains("forty-two"), "{answer}");

    let events = check_audit(site.audit(), &Rules::of(&site.deployed.applied, site.server()).await);
    let names = events.iter().filter_map(|event| event["impersonatedUser"]["username"].as_str());
    let names: BTreeSet<_> = names.collect();
    assert_eq!(names, ["ann@example.com"].into(), "in whose names there were requests");
    let asked = events.iter().filter(|event| event["objectRef"]["resource"] == "subjectaccessreviews");
    assert!(asked.count() >= 2, "the API server was asked about both");
    site.server().delete(LIVE).await;
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_gateway_of_the_manifest_is_let_in() {
    let Some(planes) = planes("the_gateway_of_the_manifest_is_let_in") else { return };
    let _alone = ground::changing().await;
    let manifest = include_str!("../../../deploy/gateway.yaml");
    let cluster = Cluster::of(&planes, CLUSTER).await;
    cluster.apply(manifest).await;
    cluster.until_available("kubeplex-gateway", "kubeplex-gateway").await;
    cluster.delete(manifest).await;
}

/// The controller manager fills aggregated roles in its own time.
async fn gathered(site: &Site) -> Rules {
    wait::until("the aggregated role to be filled", async || {
        let rules = Rules::of(&site.deployed.applied, site.server()).await;
        let filled =
            rules.lists("stable.kubeplex.dev", "gadgets") && rules.lists("fleet.kubeplex.dev", "regions");
        if filled { Ok(rules) } else { Err("without custom resources") }
    })
    .await
}

/// The gateway shows as many objects of a kind in each of these namespaces, of all where none is named, as the server has.
async fn answers(site: &Site, kind: &ServedKind, namespaces: &[&str]) {
    wait::until(&format!("all {kind}"), async || {
        let question = json!({
            "kind": kind.to_string(), "limit": 1_000, "maxBytes": 4 << 20, "timeoutSeconds": 10,
        });
        let answer = site.ask("resources_list", question).await;
        if answer.get("groups").is_none() || (answer["partial"] == true && namespaces.is_empty()) {
            return Err(answer.to_string());
        }
        let mut shown: Vec<_> = rows::of(&answer).into_iter().map(|row| row.namespace).collect();
        let mut there: Vec<_> =
            site.server().list(&kind.path()).await.iter().map(|object| key(object).0).collect();
        there.retain(|namespace| namespaces.is_empty() || namespaces.contains(&namespace.as_str()));
        shown.sort();
        there.sort();
        if shown == there { Ok(()) } else { Err(format!("{shown:?} instead of {there:?}")) }
    })
    .await;
}

/// No request was refused, and none was outside the rules, whoever else would have allowed it.
fn check_audit(audit: &AuditLog, rules: &Rules) -> Vec<Value> {
    let events = audit.of(ACCOUNT);
    // One at least for each kind that is watched from the start.
    assert!(events.len() > 35, "{} requests are few for an agent", events.len());
    let (refused, answered): (Vec<_>, Vec<_>) =
        events.iter().partition(|event| event["responseStatus"]["code"] == 403);
    let refused: Vec<_> = refused.into_iter().map(told).collect();
    assert!(refused.is_empty(), "refused: {refused:#?}");
    let outside: Vec<_> = answered.into_iter().filter(|event| !rules.allow(event)).map(told).collect();
    assert!(outside.is_empty(), "outside the roles: {outside:#?}");
    events
}
