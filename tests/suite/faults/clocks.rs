//! Clusters whose clocks are wrong by an hour: ages are right all the same, and the offset is said.

use jiff::SignedDuration;
use serde_json::{Value, json};
use simcluster::{SimClock, SimCluster, SimConfig};

use super::pod;
use super::rig::{Setup, small};

fn skewed(name: &str, hours: i64) -> SimConfig {
    let clock = SimClock::system();
    clock.set_skew(SignedDuration::from_hours(hours));
    SimConfig { clock, ..small(name, 1) }
}

/// A pod that the cluster says it has had for so many minutes.
fn aged(sim: &SimCluster, minutes: i64) {
    let created = sim.clock().now() - SignedDuration::from_mins(minutes) - SignedDuration::from_secs(20);
    let mut pod = pod("timed", json!({"clock": "test"}));
    pod["metadata"]["creationTimestamp"] = json!(created.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    sim.apply(pod).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn ages_and_their_order_follow_each_clusters_own_clock() {
    let rig =
        Setup::new().sim(skewed("ahead", 1)).sim(skewed("behind", -1)).sim(skewed("right", 0)).ready().await;
    for (name, minutes) in [("ahead", 20), ("behind", 40), ("right", 30)] {
        aged(rig.sim(name), minutes);
    }
    let arguments = json!({"labelSelector": "clock=test", "sortBy": "-age", "fields": "cluster,age"});
    let answer = rig.pods_until("the three pods", arguments, |answer| answer.ok()["total"] == 3).await;
    let groups = answer.ok()["groups"].as_array().unwrap();
    let rows: Vec<_> = groups.iter().flat_map(|group| group["rows"].as_array().unwrap()).cloned().collect();
    assert_eq!(answer.ok()["columns"], json!(["namespace", "cluster", "age"]));
    let expected = [("behind", "40m"), ("right", "30m"), ("ahead", "20m")];
    let expected = expected.map(|(cluster, age)| json!(["default", cluster, age]));
    assert_eq!(rows, expected, "oldest first, as people count");
    let clusters = rig.call("clusters_list", json!({"output": "json"})).await;
    let offset = |name: &str| {
        let rows = clusters.ok()["groups"][0]["rows"].as_array().cloned().unwrap_or_default();
        rows.iter().find(|row| row["name"] == name).map(|row| row["clockOffset"].clone()).unwrap_or_default()
    };
    let about_an_hour = |offset: &Value, sign: char| {
        let text = offset.as_str().unwrap_or_default();
        ["59m", "60m"].iter().any(|minutes| text.starts_with(&format!("{sign}{minutes}")))
    };
    assert!(about_an_hour(&offset("ahead"), '+'), "{}", clusters.ok());
    assert!(about_an_hour(&offset("behind"), '-'), "{}", clusters.ok());
    assert!(offset("right").is_null());
    rig.stop().await;
}
