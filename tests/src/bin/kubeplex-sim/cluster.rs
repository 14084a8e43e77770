//! A simulated cluster and what there is in it.

use std::sync::Arc;

use simcluster::{Policy, SimCluster, SimConfig, Subject, User};

use crate::agents::{AGENT_TOKEN, Agents};
use crate::deeds::Deeds;
use crate::dice::Dice;
use crate::kind::Kind;
use crate::line::Line;
use crate::people;
use crate::schedule::WidgetTrouble;
use crate::site::Front;
use crate::truth::{Place, State, Truth};
use crate::widgets::{self, Widgets};

/// The namespaces of all objects.
pub(crate) const NAMESPACES: [&str; 2] = ["payments", "shop"];

/// Their names, in each namespace; not all of them exist.
pub(crate) const NAMES: [&str; 14] = [
    "ash", "birch", "cedar", "elm", "fir", "hazel", "juniper", "larch", "maple", "oak", "pine", "rowan",
    "spruce", "willow",
];

/// One cluster.
pub(crate) struct Cluster {
    pub(crate) name: &'static str,
    pub(crate) sim: SimCluster,
    pub(crate) line: Line,
    pub(crate) agents: Agents,
    pub(crate) deeds: Arc<Deeds>,
    truths: [Truth; Kind::ALL.len()],
    widgets: Widgets,
}

impl Cluster {
    pub(crate) fn new(name: &'static str, front: Front, dice: &mut Dice) -> Arc<Self> {
        let sim = SimCluster::new(SimConfig { policy: policy(name), ..SimConfig::empty(name) });
        sim.apply(widgets::definition(true)).expect("definitions are served");
        let truths = Kind::ALL.map(|kind| Truth::new(first(kind, &sim, dice)));
        let deeds = Arc::new(Deeds::none());
        let agents = Agents::new(name, &sim, front, Arc::clone(&deeds), dice);
        let line = agents.line().clone();
        Arc::new(Self { name, sim, line, agents, deeds, truths, widgets: Widgets::default() })
    }

    pub(crate) fn truth(&self, kind: Kind) -> &Truth {
        &self.truths[kind as usize]
    }

    /// One object comes, changes or goes.
    pub(crate) fn change(&self, dice: &mut Dice) -> String {
        // Pods in half of the cases.
        let kind = if dice.one_in(2) { Kind::Pods } else { *dice.of(&Kind::ALL) };
        if kind == Kind::Widgets && !self.widgets.are_served() {
            return format!("{}: there are no widgets to change", self.name);
        }
        let (namespace, name) = (*dice.of(&NAMESPACES), *dice.of(&NAMES));
        let place = place(namespace, name);
        let mut state = (*self.truth(kind).now()).clone();
        let what = if state.contains_key(&place) && dice.one_in(3) {
            self.sim.delete(&kind.stored(), &place.0, &place.1).expect("the object is there");
            state.remove(&place);
            "goes".to_owned()
        } else {
            // Never the number of another change, of this object or another.
            let number = i64::try_from(self.sim.revision()).unwrap_or_default();
            let object = kind.object(&place, number, self.sim.clock().now());
            self.sim.apply(object).expect("the kind is served");
            state.insert(place.clone(), number);
            format!("is {number}")
        };
        self.truth(kind).becomes(state);
        format!("{}: {} {}/{} {what}", self.name, kind.name(), place.0, place.1)
    }

    /// The custom kind gets into trouble.
    pub(crate) fn trouble_widgets(&self, trouble: WidgetTrouble) {
        self.widgets.begin(trouble, &self.sim, self.truth(Kind::Widgets));
    }

    /// And out of it.
    pub(crate) fn heal_widgets(&self, trouble: WidgetTrouble) {
        self.widgets.end(trouble, &self.sim, self.truth(Kind::Widgets));
    }
}

/// What there is of a kind from the beginning.
fn first(kind: Kind, sim: &SimCluster, dice: &mut Dice) -> State {
    let mut state = State::new();
    for (namespace, name) in NAMESPACES.iter().flat_map(|namespace| NAMES.map(|name| (namespace, name))) {
        let place = place(namespace, name);
        if !dice.one_in(3) {
            sim.apply(kind.object(&place, 1, sim.clock().now())).expect("the kind is served");
            state.insert(place, 1);
        }
    }
    state
}

fn place(namespace: &str, name: &str) -> Place {
    (namespace.to_owned(), name.to_owned())
}

/// What the cluster itself lets people do: what they read live.
fn policy(cluster: &str) -> Policy {
    let agent = User::new("agent", &["system:masters"]);
    people::all().iter().fold(Policy::enforced().user(AGENT_TOKEN, agent), |policy, person| {
        match person.rule(cluster) {
            Some(rule) => policy.grant(Subject::User(person.name.to_owned()), rule),
            None => policy,
        }
    })
}
