//! What a person or a script is told: how the clusters come up, what to do next, and later what became of which cluster.

mod news;
mod screen;
mod state;

use std::convert::Infallible;
use std::io::{self, IsTerminal as _};
use std::time::Duration;

use kubeplex_gateway::Addresses;
use kubeplex_gateway::fleet::{ClusterView, Fleet};
use kubeplex_gateway::registry::Registry;
use kubeplex_program::output;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::Instant;

pub use state::{ClusterState, Tone};

use crate::arguments::Listen;
use crate::hints::{self, Hints};
use news::News;

/// What is said of a cluster that had not settled by then.
const GOES_ON: &str = "goes on in the background";

/// How often the display is drawn, at most.
const FRAME: Duration = Duration::from_millis(100);

/// How often news of clusters are looked for once all is up, at most: a cluster that flaps must not fill the screen.
const NEWS: Duration = Duration::from_secs(1);

/// How long clusters are waited for before the next steps are told; those that are late go on in the background.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// At most.
    most: Duration,
    /// While none of those that are late comes any further.
    silence: Duration,
}

/// Who reads along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reader {
    /// One object a line.
    Program,
    /// With bars and colour.
    Terminal,
    /// Plain lines: a pipe, a file, a terminal that can do no more.
    Pipe,
}

impl Patience {
    /// For clusters that may hang.
    pub const FOR_STRANGERS: Self = Self { most: Duration::from_secs(20), silence: Duration::from_secs(5) };
    /// For a call that came with the start of the gateway.
    pub const FOR_A_CALL: Self = Self { most: Duration::from_secs(10), silence: Duration::from_secs(3) };
    /// For clusters that are silent while they are made.
    pub const WITH_SILENCE: Self = Self { most: Duration::from_secs(20), silence: Duration::from_secs(20) };
}

/// Shows the clusters until all have settled or patience ends, then what to do next, then news of them, for ever.
///
/// # Errors
/// When standard output can't be written.
pub async fn show(
    registry: &Registry,
    addresses: Addresses,
    options: &Listen,
    patience: Patience,
    hints: &Hints,
) -> io::Result<Infallible> {
    let reader = Reader::of(options);
    let mut changes = registry.changes();
    let mut news = News::default();
    match reader {
        Reader::Program => wait(registry, &mut changes, patience, |_| Ok(())).await?,
        Reader::Pipe => {
            wait(registry, &mut changes, patience, |fleet| print(&news.of(fleet))).await?;
            print(&news.rest(&registry.snapshot()))?;
        }
        Reader::Terminal => {
            let mut screen = screen::Screen::new();
            wait(registry, &mut changes, patience, |fleet| {
                screen.update(fleet);
                Ok(())
            })
            .await?;
            screen.finish(&registry.snapshot())?;
        }
    }
    let fleet = registry.snapshot();
    // What is told from here on is what changes from here on.
    news.know(&fleet);
    match reader {
        Reader::Program => output::line(&ready(&fleet, addresses, hints).to_string())?,
        Reader::Terminal | Reader::Pipe => output::line(&next_steps(addresses, hints))?,
    }
    loop {
        tokio::time::sleep(NEWS).await;
        tell(reader, &mut news, &registry.snapshot())?;
        if changes.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Waits until all clusters have settled, or patience ends.
pub async fn settle(registry: &Registry, patience: Patience) {
    // Only what is shown can fail, and nothing is.
    let _ = wait(registry, &mut registry.changes(), patience, |_| Ok(())).await;
}

async fn wait(
    registry: &Registry,
    changes: &mut watch::Receiver<u64>,
    patience: Patience,
    mut shown: impl FnMut(&Fleet) -> io::Result<()>,
) -> io::Result<()> {
    let deadline = Instant::now() + patience.most;
    let (mut late, mut moved) = (Vec::new(), Instant::now());
    loop {
        let fleet = registry.snapshot();
        shown(&fleet)?;
        let unsettled = unsettled(&fleet);
        if unsettled != late {
            (late, moved) = (unsettled, Instant::now());
        }
        let until = deadline.min(moved + patience.silence);
        if late.is_empty() || Instant::now() >= until {
            return Ok(());
        }
        // A change wakes the display, but never more often than a frame lasts; without one, time does.
        tokio::time::sleep(FRAME).await;
        let _ = tokio::time::timeout_at(until, changes.changed()).await;
    }
}

/// How far those are that may still come further.
fn unsettled(fleet: &Fleet) -> Vec<ClusterState> {
    let states = fleet.clusters().iter().map(|cluster| ClusterState::of(cluster));
    states.filter(|state| !state.is_settled()).collect()
}

impl Reader {
    fn of(options: &Listen) -> Self {
        // Bars are drawn on standard error, by moving the cursor.
        let terminals = io::stdout().is_terminal() && io::stderr().is_terminal();
        match options.json {
            true => Self::Program,
            false if terminals && !console::is_dumb() => Self::Terminal,
            false => Self::Pipe,
        }
    }
}

fn print(lines: &[(Tone, String)]) -> io::Result<()> {
    lines.iter().try_for_each(|(_, line)| output::line(line))
}

fn tell(reader: Reader, news: &mut News, fleet: &Fleet) -> io::Result<()> {
    match reader {
        Reader::Program => {
            news.clusters(fleet).iter().try_for_each(|cluster| output::line(&told(cluster).to_string()))
        }
        Reader::Terminal => news.of(fleet).iter().try_for_each(|(tone, line)| screen::print(*tone, line)),
        Reader::Pipe => print(&news.of(fleet)),
    }
}

/// Name and state, the states one below the other.
fn line(cluster: &ClusterView, state: &ClusterState, name_width: usize) -> String {
    format!("{:name_width$}  {}", cluster.id.as_str(), state.describe())
}

fn name_width(fleet: &Fleet) -> usize {
    fleet.clusters().iter().map(|cluster| cluster.id.as_str().chars().count()).max().unwrap_or(0)
}

fn next_steps(addresses: Addresses, hints: &Hints) -> String {
    let endpoint = hints::endpoint(addresses.listen);
    let story: String = hints.story.iter().map(|line| format!("{line}\n")).collect();
    let gap = if story.is_empty() { "" } else { "\n" };
    let questions =
        hints.questions.map(|question| format!("  {}\n    {}", question.ask, question.as_typed(&endpoint)));
    format!(
        "\n{story}{gap}MCP endpoint  {endpoint}\nhealth        http://{}/readyz, metrics at /metrics\n\n\
         Ask your assistant, or in another terminal:\n{}\n\nAdd it to VS Code:\n  {}\n\nCtrl-C stops.",
        addresses.admin,
        questions.join("\n"),
        hints::vs_code(addresses.listen),
    )
}

/// The one line of a program that is ready.
fn ready(fleet: &Fleet, addresses: Addresses, hints: &Hints) -> Value {
    let endpoint = hints::endpoint(addresses.listen);
    let questions = hints.questions.map(|question| {
        let arguments: Value = serde_json::from_str(question.arguments).unwrap_or_default();
        json!({
            "ask": question.ask,
            "tool": question.tool,
            "arguments": arguments,
            "call": question.as_typed(&endpoint),
        })
    });
    json!({
        "endpoint": endpoint,
        "listen": addresses.listen,
        "admin": addresses.admin,
        "clusters": fleet.clusters().iter().map(|cluster| told(cluster)).collect::<Vec<_>>(),
        "story": hints.story,
        "questions": questions,
    })
}

fn told(cluster: &ClusterView) -> Value {
    let state = ClusterState::of(cluster);
    let ready = matches!(state, ClusterState::Ready { .. });
    let mut told = json!({"name": cluster.id, "ready": ready, "state": state.describe()});
    if !cluster.aliases.is_empty() {
        told["aliases"] = json!(cluster.aliases);
    }
    told
}
