//! The whole: a gateway, clusters, people who ask, and what goes wrong.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::SignedDuration;
use kubeplex_gateway::GatewayConfig;
use kubeplex_gateway::config::TokenHash;
use kubeplex_proto::ids::CallId;
use simcluster::{Fault as ApiFault, FaultAction, Verb};
use tokio::task::JoinSet;
use tokio::time::{sleep, sleep_until, timeout};

use crate::agents;
use crate::asking;
use crate::cluster::Cluster;
use crate::converge::converge;
use crate::dice::Dice;
use crate::links::LinksSeen;
use crate::people;
use crate::schedule::{ApiTrouble, CLUSTERS, Fault, GatewayTrouble, Step, TROUBLED};
use crate::site::{Front, Site};
use crate::trail::Trail;

/// How long everything may take to end.
pub(crate) const ENDING: Duration = Duration::from_secs(200);

/// How long everything may take to be whole again after the last fault: a watch that is not believed any more is found out
/// after two minutes, and the pauses before retries add up.
const HEALING: Duration = Duration::from_secs(300);

/// Everything in a simulation.
pub(crate) struct World {
    pub(crate) front: Front,
    pub(crate) clusters: Vec<Arc<Cluster>>,
    pub(crate) trail: Trail,
    pub(crate) links_seen: LinksSeen,
    calls: AtomicU64,
    config: GatewayConfig,
}

impl World {
    pub(crate) fn new(dice: &mut Dice, trail: Trail) -> Arc<Self> {
        let config = config();
        let front = Front::of(Site::start(&config));
        let clusters = CLUSTERS.iter().map(|name| Cluster::new(name, front.clone(), dice)).collect();
        Arc::new(Self {
            front,
            clusters,
            trail,
            links_seen: LinksSeen::default(),
            calls: AtomicU64::new(0),
            config,
        })
    }

    /// Plays a schedule, until everything is whole again and has ended.
    pub(crate) async fn play(self: &Arc<Self>, steps: Vec<Step>, dice: &mut Dice) {
        let mut busy = JoinSet::new();
        for person in people::all() {
            busy.spawn(asking::all_the_while(person, Arc::clone(self), dice.fork()));
        }
        busy.spawn(change_all_the_while(Arc::clone(self), dice.fork()));
        let mut troubles = JoinSet::new();
        for step in steps {
            sleep_until(self.trail.began() + step.at).await;
            self.trail.step(format_args!("{:?}", step.fault));
            troubles.spawn(Arc::clone(self).inflict(step.fault));
        }
        sleep_until(self.trail.began() + TROUBLED).await;
        busy.shutdown().await;
        // Some of them outlast the time of trouble, as an agent that is rolled.
        while let Some(over) = troubles.join_next().await {
            over.expect("faults are inflicted without a fault");
        }
        self.trail.step("all is healed");
        if timeout(HEALING, converge(self)).await.is_err() {
            self.trail.violated(format_args!("not whole again within {HEALING:?}"));
        }
        self.end().await;
    }

    /// Of a call that was not made before: what is read for one answers no other.
    pub(crate) fn next_call(&self) -> CallId {
        CallId(format!("sim-{}", self.calls.fetch_add(1, Ordering::Relaxed)))
    }

    async fn inflict(self: Arc<Self>, fault: Fault) {
        match fault {
            Fault::Line { cluster, trouble, lasts } => {
                let Cluster { line, deeds, .. } = &*self.clusters[cluster];
                line.trouble(trouble);
                deeds.line(Some(trouble));
                sleep(lasts).await;
                line.heal();
                deeds.line(None);
            }
            Fault::Api { cluster, trouble, lasts } => {
                let Cluster { sim, deeds, .. } = &*self.clusters[cluster];
                deeds.api();
                let id = sim.faults().add(api_fault(trouble));
                sleep(lasts).await;
                sim.faults().remove(id);
            }
            Fault::Agent { cluster, trouble } => self.clusters[cluster].agents.trouble(trouble).await,
            Fault::Widgets { cluster, trouble, lasts } => {
                self.clusters[cluster].trouble_widgets(trouble);
                sleep(lasts).await;
                self.clusters[cluster].heal_widgets(trouble);
            }
            Fault::Compaction { cluster } => {
                self.clusters[cluster].deeds.api();
                self.clusters[cluster].sim.compact();
            }
            Fault::Clock { cluster, off_s } => {
                self.clusters[cluster].sim.clock().set_skew(SignedDuration::from_secs(off_s));
            }
            Fault::Gateway(trouble) => self.replace_gateway(trouble).await,
        }
    }

    async fn replace_gateway(&self, trouble: GatewayTrouble) {
        self.clusters.iter().for_each(|cluster| cluster.deeds.link());
        let before = self.front.replace(Site::start(&self.config));
        if matches!(trouble, GatewayTrouble::Killed) {
            self.clusters.iter().for_each(|cluster| cluster.line.cut());
        }
        self.end_site(&before).await;
    }

    async fn end_site(&self, site: &Site) {
        site.stop.cancel();
        site.tracker.close();
        if timeout(ENDING, site.tracker.wait()).await.is_err() {
            self.trail.violated(format_args!("{} tasks of a gateway do not end", site.tracker.len()));
        }
    }

    async fn end(&self) {
        self.end_site(&self.front.site()).await;
        for cluster in &self.clusters {
            let left = cluster.agents.stop().await;
            if left > 0 {
                self.trail.violated(format_args!("{left} tasks of {} do not end", cluster.name));
            }
        }
    }
}

async fn change_all_the_while(world: Arc<World>, mut dice: Dice) {
    loop {
        // Quiet and busy times.
        let most = *dice.of(&[200, 2_000, 20_000]);
        sleep(dice.pause(1, most)).await;
        let change = dice.of(&world.clusters).clone().change(&mut dice);
        world.trail.step(change);
    }
}

fn config() -> GatewayConfig {
    let mut text = String::new();
    for cluster in CLUSTERS {
        let hash = TokenHash::of(&agents::token(cluster));
        text += &format!("[[cluster]]\nname = \"{cluster}\"\ntoken_sha256 = \"{hash}\"\n");
    }
    for person in people::all() {
        text += &person.section();
    }
    GatewayConfig::from_toml(&text).expect("a configuration")
}

fn api_fault(trouble: ApiTrouble) -> ApiFault {
    let everything = |action| ApiFault::new(action);
    let watches = |action| ApiFault::new(action).verb(Verb::Watch);
    match trouble {
        ApiTrouble::Hanging => everything(FaultAction::Hang),
        ApiTrouble::Refusing(code) => {
            everything(FaultAction::Status { code, message: "simulated".to_owned() })
        }
        ApiTrouble::Busy => everything(FaultAction::TooManyRequests { retry_after_seconds: 2 }),
        ApiTrouble::Resetting => everything(FaultAction::Reset),
        ApiTrouble::Slow => everything(FaultAction::Latency(Duration::from_secs(3))),
        ApiTrouble::WatchesFrozen => watches(FaultAction::Stall),
        ApiTrouble::WatchesCut => watches(FaultAction::Reset),
        ApiTrouble::Expiring => watches(FaultAction::Expired),
    }
}
