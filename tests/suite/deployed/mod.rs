//! What `kubeplex agent manifest` prints, in a real cluster: every object is taken without a warning, an agent with exactly those
//! rights becomes ready and answers, and the API server's audit log has no request of its that the rights do not cover.

mod audit;
mod site;

use kubeplex_tests::server::{ServedKind, key};
use kubeplex_tests::{rows, wait};
use serde_json::{Value, json};

use self::audit::{Rules, told};
use self::site::{ACCOUNT, Site, kubectl, planes};
use crate::ground;

/// What the manifest leaves out of the built-in kinds that can be watched.
const LEFT_OUT: [&str; 1] = ["secrets"];

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_of_the_manifest_keeps_to_its_rights() {
    let Some(planes) = planes("an_agent_of_the_manifest_keeps_to_its_rights") else { return };
    let _alone = ground::changing().await;
    // The one group by the option, the other by what an administrator would do.
    let label = ["label", "--overwrite", "clusterrole", "gadgets-view"];
    let set = [&label[..], &["kubeplex.dev/aggregate-to-agent=true"]].concat();
    kubectl(&planes, &set, "").await;
    let site =
        Site::start(planes.clone(), &["--crd-group", "fleet.kubeplex.dev", "--label", "env=test"]).await;
    site.until_deployed().await;
    let rules = gathered(&site).await;

    let (asked, left_out) = {
        let kinds = site.server.kinds().await;
        let watchable =
            kinds.into_iter().filter(|kind| kind.watchable && kind.to_string() != "events.events.k8s.io");
        watchable.partition::<Vec<ServedKind>, _>(|kind| rules.lists(&kind.group, &kind.resource))
    };
    let left_out: Vec<_> =
        left_out.iter().map(ToString::to_string).filter(|kind| !kind.contains("kubeplex.dev")).collect();
    assert_eq!(left_out, LEFT_OUT, "built-in kinds that the manifest does not know");
    for kind in &asked {
        answers(&site, kind).await;
    }
    let asked: Vec<_> = asked.iter().map(ToString::to_string).collect();
    for kind in
        ["gadgets.stable.kubeplex.dev", "regions.fleet.kubeplex.dev", "pods", "leases.coordination.k8s.io"]
    {
        assert!(asked.iter().any(|known| known == kind), "{kind} is not among {asked:?}");
    }
    check_audit(&site, &rules);
    site.end().await;
    kubectl(&planes, &[&label[..], &["kubeplex.dev/aggregate-to-agent-"]].concat(), "").await;
}

/// The controller manager fills aggregated roles in its own time.
async fn gathered(site: &Site) -> Rules {
    wait::until("the aggregated role to be filled", async || {
        let rules = Rules::of(&site.applied, &site.server).await;
        let filled =
            rules.lists("stable.kubeplex.dev", "gadgets") && rules.lists("fleet.kubeplex.dev", "regions");
        if filled { Ok(rules) } else { Err("without custom resources") }
    })
    .await
}

/// The gateway shows as many objects of a kind in each namespace as the server has.
async fn answers(site: &Site, kind: &ServedKind) {
    wait::until(&format!("all {kind}"), async || {
        let question = json!({
            "kind": kind.to_string(), "limit": 1_000, "maxBytes": 4 << 20, "timeoutSeconds": 10,
        });
        let answer = site.ask("resources_list", question).await;
        if answer.get("groups").is_none() || answer["partial"] == true {
            return Err(answer.to_string());
        }
        let mut shown: Vec<_> = rows::of(&answer).into_iter().map(|row| row.namespace).collect();
        let mut there: Vec<_> =
            site.server.list(&kind.path()).await.iter().map(|object| key(object).0).collect();
        shown.sort();
        there.sort();
        if shown == there { Ok(()) } else { Err(format!("{shown:?} instead of {there:?}")) }
    })
    .await;
}

/// No request was refused, and none was outside the rules, whoever else would have allowed it.
fn check_audit(site: &Site, rules: &Rules) -> Vec<Value> {
    let events = site.audit.of(ACCOUNT);
    assert!(events.len() > 50, "{} requests are few for an agent", events.len());
    let refused: Vec<_> =
        events.iter().filter(|event| event["responseStatus"]["code"] == 403).map(told).collect();
    assert!(refused.is_empty(), "refused: {refused:#?}");
    let outside: Vec<_> = events.iter().filter(|event| !rules.allow(event)).map(told).collect();
    assert!(outside.is_empty(), "outside the roles: {outside:#?}");
    events
}
