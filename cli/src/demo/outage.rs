//! What may be cut in a running demo, and by which names.

use std::collections::BTreeMap;
use std::fmt;

use kubeplex_proto::ids::ClusterId;
use kubeplex_proto::nearest::nearest;
use kubeplex_proto::pattern::Pattern;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use simcluster::{Fault, FaultAction, SimCluster};

use super::wire::Wire;

/// What is done to clusters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Act {
    /// The gateway and the agent no longer hear each other.
    CutLink,
    /// The agent's API server is gone.
    CutApi,
    /// All is as it was.
    Heal,
}

/// The clusters of a running demo, as far as they can be cut.
#[derive(Debug, Default)]
pub(super) struct Lines(Mutex<BTreeMap<ClusterId, Line>>);

#[derive(Debug)]
struct Line {
    wire: Wire,
    sim: SimCluster,
}

impl Lines {
    pub(super) fn add(&self, id: ClusterId, wire: Wire, sim: SimCluster) {
        self.0.lock().insert(id, Line { wire, sim });
    }

    /// Does it to every cluster that one of the patterns matches; returns their names.
    ///
    /// # Errors
    /// When a pattern matches none: then nothing is done to any.
    pub(super) fn act(&self, act: Act, patterns: &[Pattern]) -> Result<Vec<ClusterId>, String> {
        let lines = self.0.lock();
        let is_there = |pattern: &&Pattern| lines.keys().any(|id| pattern.matches(id.as_str()));
        if let Some(nowhere) = patterns.iter().find(|pattern| !is_there(pattern)) {
            return Err(no_such(nowhere, lines.keys().map(ClusterId::as_str).collect()));
        }
        let meant = |id: &ClusterId| patterns.iter().any(|pattern| pattern.matches(id.as_str()));
        let hit = lines.iter().filter(|(id, _)| meant(id));
        Ok(hit.inspect(|(_, line)| line.act(act)).map(|(id, _)| id.clone()).collect())
    }
}

impl Line {
    fn act(&self, act: Act) {
        match act {
            Act::CutLink => self.wire.cut(),
            Act::CutApi => {
                // Once more than once is no more than once.
                self.sim.faults().clear();
                self.sim.faults().add(Fault::new(FaultAction::Reset));
                self.sim.end_watches();
            }
            Act::Heal => {
                self.sim.faults().clear();
                self.wire.heal();
            }
        }
    }
}

fn no_such(pattern: &Pattern, known: Vec<&str>) -> String {
    let near = nearest(pattern.as_str(), known.iter().copied());
    let guess = if near.is_empty() { String::new() } else { format!("did you mean {}? ", near.join(" or ")) };
    format!("no cluster {:?} is in the demo; {guess}there are {}", pattern.as_str(), known.join(", "))
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CutLink => "its link to the gateway is cut",
            Self::CutApi => "its API server is gone",
            Self::Heal => "healed",
        })
    }
}
