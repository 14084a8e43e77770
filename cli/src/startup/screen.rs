//! Bars and colour for a terminal: a line a cluster while they fit, one bar for all where they don't.

use std::collections::HashMap;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use kubeplex_gateway::fleet::Fleet;
use kubeplex_proto::ids::ClusterId;

use super::ClusterState;

/// More lines than this scroll a small terminal.
const MOST_LINES: usize = 20;

pub(super) struct Screen {
    bars: MultiProgress,
    lines: HashMap<ClusterId, ProgressBar>,
    total: Option<ProgressBar>,
}

impl Screen {
    pub(super) fn new() -> Self {
        Self { bars: MultiProgress::new(), lines: HashMap::new(), total: None }
    }

    pub(super) fn update(&mut self, fleet: &Fleet) {
        if fleet.clusters().len() > MOST_LINES { self.update_total(fleet) } else { self.update_lines(fleet) }
    }

    fn update_lines(&mut self, fleet: &Fleet) {
        let width =
            fleet.clusters().iter().map(|cluster| cluster.id.as_str().chars().count()).max().unwrap_or(0);
        for cluster in fleet.clusters() {
            let state = ClusterState::of(cluster);
            let bars = &self.bars;
            let line = self.lines.entry(cluster.id.clone()).or_insert_with(|| bars.add(spinner()));
            line.set_style(style(&state));
            line.set_message(format!("{:width$}  {}", cluster.id.as_str(), state.describe()));
        }
    }

    fn update_total(&mut self, fleet: &Fleet) {
        let states: Vec<_> = fleet.clusters().iter().map(|cluster| ClusterState::of(cluster)).collect();
        let ready = states.iter().filter(|state| matches!(state, ClusterState::Ready { .. })).count();
        let problems = states.iter().filter(|state| matches!(state, ClusterState::Problem(_))).count();
        let bars = &self.bars;
        let total = self.total.get_or_insert_with(|| {
            let template = template("{bar:40.green/black} {pos}/{len} clusters ready{msg}");
            bars.add(ProgressBar::new(states.len() as u64).with_style(template.progress_chars("━╸─")))
        });
        total.set_position(ready as u64);
        total.set_message(if problems > 0 { format!(", {problems} with a problem") } else { String::new() });
    }

    pub(super) fn finish(self) {
        for line in self.lines.into_values().chain(self.total) {
            line.abandon();
        }
    }
}

fn spinner() -> ProgressBar {
    let spinner = ProgressBar::new_spinner();
    spinner.enable_steady_tick(Duration::from_millis(100));
    spinner
}

fn style(state: &ClusterState) -> ProgressStyle {
    match state {
        ClusterState::Ready { .. } => template("{msg:.green}").tick_chars("✔✔"),
        ClusterState::Problem(_) => template("{msg:.yellow}").tick_chars("!!"),
        ClusterState::Connecting | ClusterState::Syncing { .. } => template("{spinner} {msg}"),
    }
}

/// The templates are literals of this file; a wrong one falls back to the library's own.
fn template(text: &str) -> ProgressStyle {
    ProgressStyle::with_template(text).unwrap_or_else(|_| ProgressStyle::default_spinner())
}
