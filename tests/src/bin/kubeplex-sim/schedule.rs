//! What goes wrong, and when: all of it follows from the seed.

use std::time::Duration;

use crate::dice::Dice;

/// The clusters of every simulation.
pub(crate) const CLUSTERS: [&str; 3] = ["alpha", "bravo", "charlie"];

/// How long things go wrong.
pub(crate) const TROUBLED: Duration = Duration::from_secs(90);

/// A fault and its time since the beginning.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) at: Duration,
    pub(crate) fault: Fault,
}

/// Something that goes wrong. What lasts is over at the latest when everything heals.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    Line {
        cluster: usize,
        trouble: LineTrouble,
        lasts: Duration,
    },
    Api {
        cluster: usize,
        trouble: ApiTrouble,
        lasts: Duration,
    },
    Agent {
        cluster: usize,
        trouble: AgentTrouble,
    },
    Widgets {
        cluster: usize,
        trouble: WidgetTrouble,
        lasts: Duration,
    },
    /// The API server forgets what happened before.
    Compaction {
        cluster: usize,
    },
    /// The clock of the cluster jumps to so many seconds beside the true time.
    Clock {
        cluster: usize,
        off_s: i64,
    },
    Gateway(GatewayTrouble),
}

/// What happens to the connection between an agent and the gateway.
#[derive(Debug, Clone, Copy)]
pub(crate) enum LineTrouble {
    /// Connections break, and none can be made.
    Cut,
    /// Nothing comes through any more, and nobody is told.
    Silent,
    /// What the agent sends does not come through.
    SilentUp,
    /// What the gateway sends does not come through.
    SilentDown,
    /// Every piece arrives so much later.
    Slow(Duration),
}

impl LineTrouble {
    /// Whether nothing that an agent says arrives.
    pub(crate) fn mutes_the_agent(self) -> bool {
        match self {
            Self::Cut | Self::Silent | Self::SilentUp => true,
            Self::SilentDown | Self::Slow(_) => false,
        }
    }
}

/// What is wrong with an API server.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ApiTrouble {
    Hanging,
    Refusing(u16),
    /// 429 with `Retry-After`.
    Busy,
    Resetting,
    Slow,
    /// Watches stay open and tell nothing more. One that is opened tells what was before: that is what agents take it for.
    WatchesFrozen,
    WatchesCut,
    Expiring,
}

/// What is wrong with the custom kind.
#[derive(Debug, Clone, Copy)]
pub(crate) enum WidgetTrouble {
    /// The version that is asked for is not served, and another still is.
    VersionWithdrawn,
    /// The definition is deleted, and its objects with it; then it is made again.
    KindGone,
    /// The webhook that converts its objects does not answer.
    NotConverted,
}

/// What happens to an agent's process.
#[derive(Debug, Clone, Copy)]
pub(crate) enum AgentTrouble {
    /// It ends in order, and another begins so much later.
    Restarted(Duration),
    /// Its connections break, and another begins at once.
    Killed,
    /// Another begins, and so much later it ends.
    Rolled(Duration),
    /// Another begins, and the new one ends so much later.
    Doubled(Duration),
}

/// What happens to the gateway's process.
#[derive(Debug, Clone, Copy)]
pub(crate) enum GatewayTrouble {
    /// It ends in order, and another takes over.
    Restarted,
    /// All its connections break.
    Killed,
}

/// The faults of a seed, in the order of their times.
pub(crate) fn of(dice: &mut Dice) -> Vec<Step> {
    let mut steps: Vec<_> = (0..3 + dice.below(10)).map(|_| step(dice)).collect();
    steps.sort_by_key(|step| step.at);
    steps
}

fn step(dice: &mut Dice) -> Step {
    // Some of them strike while the first lists are on their way.
    let at = if dice.one_in(6) { dice.pause(0, 800) } else { dice.pause(1_000, 80_000) };
    let cluster = dice.below(CLUSTERS.len());
    let lasts = dice.pause(50, 45_000);
    let fault = match dice.below(19) {
        0..5 => Fault::Line { cluster, trouble: line_trouble(dice), lasts },
        5..9 => Fault::Api { cluster, trouble: api_trouble(dice), lasts },
        9..12 => Fault::Agent { cluster, trouble: agent_trouble(dice) },
        12 => Fault::Compaction { cluster },
        13 => Fault::Clock { cluster, off_s: *dice.of(&[-3_600, -20, 15, 900]) },
        14..17 => Fault::Widgets { cluster, trouble: widget_trouble(dice), lasts },
        _ => Fault::Gateway(*dice.of(&[GatewayTrouble::Restarted, GatewayTrouble::Killed])),
    };
    Step { at, fault }
}

fn line_trouble(dice: &mut Dice) -> LineTrouble {
    let slow = LineTrouble::Slow(dice.pause(1, 1_500));
    *dice.of(&[LineTrouble::Cut, LineTrouble::Silent, LineTrouble::SilentUp, LineTrouble::SilentDown, slow])
}

fn api_trouble(dice: &mut Dice) -> ApiTrouble {
    *dice.of(&[
        ApiTrouble::Hanging,
        ApiTrouble::Refusing(500),
        ApiTrouble::Refusing(503),
        ApiTrouble::Busy,
        ApiTrouble::Resetting,
        ApiTrouble::Slow,
        ApiTrouble::WatchesFrozen,
        ApiTrouble::WatchesCut,
        ApiTrouble::Expiring,
    ])
}

fn agent_trouble(dice: &mut Dice) -> AgentTrouble {
    let (pause, side_by_side) = (dice.pause(0, 20_000), dice.pause(100, 30_000));
    *dice.of(&[
        AgentTrouble::Restarted(pause),
        AgentTrouble::Killed,
        AgentTrouble::Rolled(side_by_side),
        AgentTrouble::Doubled(side_by_side),
    ])
}

fn widget_trouble(dice: &mut Dice) -> WidgetTrouble {
    *dice.of(&[WidgetTrouble::VersionWithdrawn, WidgetTrouble::KindGone, WidgetTrouble::NotConverted])
}
