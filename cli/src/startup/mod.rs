//! What a person sees while the clusters sync, and when they have.

mod lines;
mod screen;
mod state;

use std::io::IsTerminal as _;
use std::time::Duration;

use kubeplex_gateway::fleet::{ClusterView, Fleet};
use kubeplex_gateway::registry::Registry;
use serde_json::json;

pub use state::{ClusterState, Tone};

use crate::arguments::Listen;
use crate::clients;
use kubeplex_gateway::Addresses;

/// After this the prompt comes, whatever some cluster is still doing: it goes on in the background.
const PATIENCE: Duration = Duration::from_secs(20);

/// What is said of a cluster that had not settled by then.
const GOES_ON: &str = "goes on in the background";

/// How often the display is drawn, at most.
const FRAME: Duration = Duration::from_millis(100);

/// Shows the clusters until all have settled or patience ends, then what to do next.
pub async fn show(registry: &Registry, addresses: Addresses, options: &Listen) {
    let mut display = if options.json {
        Display::Silent
    } else if std::io::stdout().is_terminal() {
        Display::Screen(screen::Screen::new())
    } else {
        Display::Lines(lines::Lines::default())
    };
    let deadline = tokio::time::Instant::now() + PATIENCE;
    let mut changes = registry.changes();
    loop {
        let fleet = registry.snapshot();
        display.update(&fleet);
        if settled(&fleet) || tokio::time::Instant::now() >= deadline {
            break;
        }
        // A change wakes the display, but never more often than a frame lasts.
        tokio::time::sleep(FRAME).await;
        if tokio::time::timeout_at(deadline, changes.changed()).await.is_err() {
            break;
        }
    }
    display.finish(&registry.snapshot());
    if options.json { announce_json(&registry.snapshot(), addresses) } else { announce(addresses) }
}

enum Display {
    Silent,
    Screen(screen::Screen),
    Lines(lines::Lines),
}

impl Display {
    fn update(&mut self, fleet: &Fleet) {
        match self {
            Self::Silent => {}
            Self::Screen(screen) => screen.update(fleet),
            Self::Lines(lines) => print!("{}", lines.update(fleet)),
        }
    }

    fn finish(self, fleet: &Fleet) {
        match self {
            Self::Silent => {}
            Self::Screen(screen) => screen.finish(fleet),
            Self::Lines(lines) => print!("{}", lines.finish(fleet)),
        }
    }
}

/// Name and state, the states one below the other.
fn line(cluster: &ClusterView, state: &ClusterState, name_width: usize) -> String {
    format!("{:name_width$}  {}", cluster.id.as_str(), state.describe())
}

fn name_width(fleet: &Fleet) -> usize {
    fleet.clusters().iter().map(|cluster| cluster.id.as_str().chars().count()).max().unwrap_or(0)
}

fn settled(fleet: &Fleet) -> bool {
    fleet.clusters().iter().all(|cluster| ClusterState::of(cluster).is_settled())
}

fn announce(addresses: Addresses) {
    println!("\nMCP endpoint  {}", clients::endpoint(addresses.listen));
    println!("health        http://{}/readyz, metrics at /metrics", addresses.admin);
    println!("\nTry, in another terminal:");
    for (tool, arguments) in clients::CALLS {
        println!("  {}", clients::call(addresses.listen, tool, arguments));
    }
    println!("\nAdd it to VS Code:");
    println!("  {}", clients::vs_code(addresses.listen));
    println!("\nCtrl-C stops.");
}

fn announce_json(fleet: &Fleet, addresses: Addresses) {
    let clusters: Vec<_> = fleet
        .clusters()
        .iter()
        .map(|cluster| {
            let state = ClusterState::of(cluster);
            json!({"name": cluster.id, "ready": matches!(state, ClusterState::Ready { .. }), "state": state.describe()})
        })
        .collect();
    let line = json!({
        "endpoint": clients::endpoint(addresses.listen),
        "listen": addresses.listen,
        "admin": addresses.admin,
        "clusters": clusters,
    });
    println!("{line}");
}
