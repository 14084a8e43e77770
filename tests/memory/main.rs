//! Ten thousand calls of mixed sizes leave nothing behind in a gateway and its agents. A process of its own, because every
//! allocation in it is counted.

use std::collections::BTreeMap;

use futures::{StreamExt as _, stream};
use kubeplex_cli::client::Client;
use kubeplex_cli::hints;
use kubeplex_cli::linked::{LinkedAgents, LinkedCluster};
use kubeplex_cli::stand::Stand;
use kubeplex_cli::startup::ClusterState;
use kubeplex_gateway::GatewayConfig;
use kubeplex_gateway::limits::Limits;
use kubeplex_proto::ids::ClusterId;
use kubeplex_tests::fleet::free_ports;
use kubeplex_tests::usage::Usage;
use kubeplex_tests::wait;
use serde_json::{Value, json};
use simcluster::{SimCluster, SimConfig};

kubeplex_tests::counted_allocator!();

/// After each round of calls the process is looked at.
const ROUND: usize = 1_000;
const ROUNDS: usize = 10;

/// Rounds after which everything is there that stays: pools, caches, what is compiled on first use.
const WARM_UP: usize = 3;

/// Calls under way.
const AT_ONCE: usize = 8;

/// Bytes of answers that the gateway keeps: less than any round brings, so that what it keeps is at its bound.
const KEPT: u64 = 2 << 20;

/// What a call may leave behind in the heap: less than anything that is remembered of each call, and above what caches are apart
/// at two moments …
const BYTES_PER_CALL: usize = 128;

/// … and so much may be resident more, whatever the allocator does with what was given back.
const RESIDENT: usize = 16 << 20;

struct Fleet {
    stand: Stand,
    client: Client,
    sims: Vec<SimCluster>,
}

async fn fleet() -> Fleet {
    let limits = Limits { result_cache_bytes: KEPT, ..Limits::default() };
    let mut config = GatewayConfig::default().with_limits(limits);
    let (mut sims, mut clusters) = (Vec::new(), Vec::new());
    for (seed, name) in (1..).zip(["ap", "eu", "us"]) {
        let cluster = LinkedCluster::new(ClusterId::new(name).expect("a name"), BTreeMap::new());
        config = config.with_cluster(cluster.expected());
        clusters.push(cluster);
        sims.push(SimCluster::new(SimConfig {
            pods: 90,
            nodes: 3,
            history: 50,
            ..SimConfig::named(name, seed)
        }));
    }
    let stand = Stand::start(config, &free_ports()).await.expect("the gateway starts");
    let agents = LinkedAgents::of(&stand);
    for (cluster, sim) in clusters.into_iter().zip(&sims) {
        agents.start(cluster, kube::Client::new(sim.service(), "default")).expect("its agent starts");
    }
    wait::until("all clusters to be ready", async || {
        let fleet = stand.gateway.registry().snapshot();
        let states: Vec<_> = fleet.clusters().iter().map(|view| ClusterState::of(view)).collect();
        let ready = states.iter().all(|state| matches!(state, ClusterState::Ready { .. }));
        if ready { Ok(()) } else { Err(states) }
    })
    .await;
    let client = Client::new(hints::endpoint(stand.gateway.addresses().listen)).expect("a client");
    Fleet { stand, client, sims }
}

/// The call of this number: a few rows most of the time, and everything now and then.
fn question(number: usize) -> (&'static str, Value) {
    let sort_by = ["name", "-restarts", "age", "cluster,-name"][number / 16 % 4];
    match number % 16 {
        0 => ("pods_list", json!({"limit": 200 + number % 300, "maxBytes": 1 << 20, "sortBy": sort_by})),
        1 | 2 => ("pods_list", json!({"limit": 20 + number % 60, "maxBytes": 1 << 16, "sortBy": sort_by})),
        3 => (
            "resources_list",
            json!({"kind": "deployments", "fields": "name,spec.template.spec", "output": "json"}),
        ),
        4 => ("pods_list", json!({"groupBy": "cluster,status,sum(restarts)"})),
        5 => ("clusters_list", json!({})),
        6 => ("api_resources_list", json!({"limit": 10})),
        7 => ("events_list", json!({"limit": 10})),
        8 => (
            "resources_get",
            json!({"kind": "deployment", "namespace": "shop", "name": "cart", "maxBytes": 1 << 18}),
        ),
        9 => ("pods_list", json!({"limit": "many"})),
        10 => ("pods_list", json!({"cluster": "nowhere"})),
        other => ("pods_list", json!({"limit": other, "fieldSelector": "status.phase=Running"})),
    }
}

/// Makes a call, and goes on to the next page where there is one. Returns the bytes that were answered.
async fn call(fleet: &Fleet, number: usize) -> usize {
    if number.is_multiple_of(40) {
        let labels = json!({"number": number.to_string()});
        let pod = json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": "changing", "namespace": "default", "labels": labels},
            "spec": {"containers": [{"name": "c", "image": "registry.example.com/c:1"}]},
        });
        fleet.sims[number % 3].apply(pod).expect("pods are served");
    }
    let (tool, mut arguments) = question(number);
    let mut bytes = 0;
    for _ in 0..2 {
        let asked = arguments.as_object().cloned().expect("an object");
        let exchange = fleet.client.call(tool, asked, false).await.expect("an answer");
        bytes += exchange.response.to_string().len();
        let is_wrong = matches!(number % 16, 9 | 10);
        match exchange.structured() {
            Ok(answer) if !is_wrong => match answer.get("continue") {
                Some(cursor) => arguments["continue"] = cursor.clone(),
                None => break,
            },
            Err(_) if is_wrong => break,
            Ok(answer) | Err(answer) => panic!("{tool} {arguments}: {answer}"),
        }
    }
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_calls_leave_nothing_behind() {
    let fleet = fleet().await;
    let mut seen = Vec::new();
    for round in 0..ROUNDS {
        let numbers = stream::iter(round * ROUND..(round + 1) * ROUND);
        let answered = numbers.map(|number| call(&fleet, number)).buffer_unordered(AT_ONCE);
        let bytes: usize = answered.fold(0, |all, bytes| async move { all + bytes }).await;
        assert!(bytes as u64 > KEPT, "{bytes} bytes leave room in what is kept");
        seen.push(Usage::at_rest().await);
        println!("after {} calls: {:?}", (round + 1) * ROUND, seen[round]);
    }
    assert_eq!(fleet.stand.gateway.pipeline().calls_in_flight(), 0);
    let (before, after) = (&seen[..WARM_UP], seen[ROUNDS - 2..].iter());
    let most = |of: fn(&Usage) -> usize| before.iter().map(of).max().expect("there is a warm-up");
    let grown = after
        .clone()
        .map(|usage| usage.live)
        .min()
        .expect("two looks")
        .saturating_sub(most(|usage| usage.live));
    let calls = (ROUNDS - 1 - WARM_UP) * ROUND;
    assert!(grown <= calls * BYTES_PER_CALL, "{grown} bytes of the heap stay behind {calls} calls: {seen:?}");
    let resident = |usage: &Usage| usage.resident.unwrap_or_default();
    let grown = after.map(resident).min().expect("two looks").saturating_sub(most(resident));
    assert!(grown <= RESIDENT, "{grown} bytes more are resident after {calls} calls: {seen:?}");
    fleet.stand.drain().await;
}
