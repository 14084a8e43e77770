//! Bars and colour for a terminal: a line a cluster while they fit, one bar for all where they don't.

use std::collections::HashMap;
use std::io;
use std::time::Duration;

use console::style;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use kubeplex_gateway::fleet::Fleet;
use kubeplex_program::output;
use kubeplex_proto::ids::ClusterId;

use super::state::Tone;
use super::{ClusterState, GOES_ON, line, name_width};

/// More lines than this scroll a small terminal.
const MOST_LINES: usize = 20;

const TICK: Duration = Duration::from_millis(100);

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
        let width = name_width(fleet);
        self.lines.retain(|id, bar| {
            let is_there = fleet.get(id).is_some();
            if !is_there {
                bar.finish_and_clear();
            }
            is_there
        });
        for cluster in fleet.clusters() {
            let state = ClusterState::of(cluster);
            // A bar that ticks before it is among the others draws a line of its own, which then stays.
            let bar = self.lines.entry(cluster.id.clone()).or_insert_with(|| {
                let bar = self.bars.add(ProgressBar::new_spinner());
                bar.enable_steady_tick(TICK);
                bar
            });
            bar.set_style(style_of(state.tone()));
            bar.set_message(line(cluster, &state, width));
        }
    }

    fn update_total(&mut self, fleet: &Fleet) {
        let tones: Vec<_> = fleet.clusters().iter().map(|cluster| ClusterState::of(cluster).tone()).collect();
        let count = |wanted: Tone| tones.iter().filter(|tone| **tone == wanted).count();
        let (good, warnings) = (count(Tone::Good), count(Tone::Warning));
        let bars = &self.bars;
        let total = self.total.get_or_insert_with(|| {
            let template = template("{bar:40.green/black} {pos}/{len} clusters ready{msg}");
            bars.add(ProgressBar::new(tones.len() as u64).with_style(template.progress_chars("━╸─")))
        });
        total.set_position(good as u64);
        total.set_message(if warnings > 0 { format!(", {warnings} with a problem") } else { String::new() });
    }

    /// The bars cut what is longer than a line and can't be scrolled; what they came to is printed in full. Of many
    /// clusters, only those are told that need a look.
    pub(super) fn finish(mut self, fleet: &Fleet) -> io::Result<()> {
        self.clear();
        let (many, width) = (fleet.clusters().len() > MOST_LINES, name_width(fleet));
        for cluster in fleet.clusters() {
            let state = ClusterState::of(cluster);
            let line = line(cluster, &state, width);
            match state.tone() {
                Tone::Good if many => {}
                Tone::Busy => print(Tone::Busy, &format!("{line} ({GOES_ON})"))?,
                tone => print(tone, &line)?,
            }
        }
        if many {
            let good = |cluster: &&_| ClusterState::of(cluster).tone() == Tone::Good;
            let ready = fleet.clusters().iter().map(AsRef::as_ref).filter(good).count();
            output::line(&format!("{ready} of {} clusters ready", fleet.clusters().len()))?;
        }
        Ok(())
    }

    fn clear(&mut self) {
        for (_, bar) in self.lines.drain() {
            bar.finish_and_clear();
        }
        if let Some(bar) = self.total.take() {
            bar.finish_and_clear();
        }
    }
}

impl Drop for Screen {
    /// Ctrl-C in the middle leaves no half-drawn bars.
    fn drop(&mut self) {
        self.clear();
    }
}

/// A line about a cluster, as its tone wants it.
pub(super) fn print(tone: Tone, line: &str) -> io::Result<()> {
    match tone {
        Tone::Good => output::line(&format!("✔ {}", style(line).green())),
        Tone::Warning => output::line(&format!("! {}", style(line).yellow())),
        Tone::Busy => output::line(&format!("… {line}")),
    }
}

fn style_of(tone: Tone) -> ProgressStyle {
    match tone {
        Tone::Good => template("✔ {wide_msg:.green}"),
        Tone::Warning => template("! {wide_msg:.yellow}"),
        Tone::Busy => template("{spinner} {wide_msg}"),
    }
}

/// The templates are literals of this file; a wrong one falls back to the library's own.
fn template(text: &str) -> ProgressStyle {
    ProgressStyle::with_template(text).unwrap_or_else(|_| ProgressStyle::default_spinner())
}
