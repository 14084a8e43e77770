//! Plays a plot: the past when the cluster is made, then a beat at a time.

use std::collections::{BTreeMap, VecDeque};

use jiff::{SignedDuration, Timestamp};

use super::Motion;
use super::nodes::Silence;
use super::notes::Note;
use crate::config::SimConfig;
use crate::names::ObjectKey;
use crate::scenario::{Ailment, Plot, Scene, When};

/// How long controllers and kubelets take for a step of a rollout, in the past.
const STEP: SignedDuration = SignedDuration::from_secs(10);

/// No rollout has more steps.
const MOST_STEPS: usize = 400;

/// A little longer than a Deployment's deadline, and than pods are borne on a node that is not heard from.
const AFTERWARDS: SignedDuration = SignedDuration::from_secs(620);

/// A cluster's part in a plot, and how far it is.
#[derive(Debug)]
pub(super) struct Story {
    pub(super) plot: Plot,
    beat: u64,
    /// Objects that something is wrong with, by kind and key.
    pub(super) ailing: BTreeMap<((&'static str, &'static str), ObjectKey), Trouble>,
    /// Nodes whose kubelets are not heard from.
    pub(super) silent: BTreeMap<String, Silence>,
    /// Events in the order of their last writing.
    pub(super) told: VecDeque<(Timestamp, ObjectKey)>,
}

/// What is wrong with an object.
#[derive(Clone, Debug)]
pub(super) struct Trouble {
    /// Of a pod that was started.
    pub(super) ailment: Option<Ailment>,
    /// What is told of it again and again.
    pub(super) note: Note,
}

impl Story {
    pub(super) fn of(config: &SimConfig) -> Option<Self> {
        let plot = Plot::of(config.scenario, &config.name)?;
        let (ailing, silent, told) = (BTreeMap::new(), BTreeMap::new(), VecDeque::new());
        Some(Self { plot, beat: 0, ailing, silent, told })
    }

    /// The number of the round, from 1.
    pub(super) fn round(&self) -> u64 {
        self.beat / self.plot.round + 1
    }

    /// What happened before, the earliest first.
    fn past(&self) -> Vec<(i64, &'static Scene)> {
        let ago = |scene: &&'static Scene| match scene.when {
            When::Ago(minutes) => Some((minutes, *scene)),
            When::Beat(_) => None,
        };
        let mut past: Vec<_> = self.plot.scenes.iter().filter_map(ago).collect();
        past.sort_by_key(|(minutes, _)| std::cmp::Reverse(*minutes));
        past
    }

    fn due(&self) -> Vec<&'static Scene> {
        let now = When::Beat(self.beat % self.plot.round);
        self.plot.scenes.iter().copied().filter(|scene| scene.when == now).collect()
    }
}

impl Motion {
    /// Everything that happened before the cluster is looked at. Nobody watched: it leaves objects, and no history.
    pub(super) fn play_past(&mut self) {
        let Some(story) = &self.story else { return };
        let now = self.shared.clock().now();
        for (minutes, scene) in story.past() {
            let at = now - SignedDuration::from_mins(minutes);
            self.at = Some(at);
            self.perform(&scene.deed);
            self.let_pass(now);
            if self.time() < at + AFTERWARDS {
                self.at = Some(now.min(at + AFTERWARDS));
                self.let_pass(now);
            }
        }
        self.at = None;
        self.catch_up();
        self.forget_old_events();
        self.shared.store.compact();
        self.position = self.shared.store.revision();
    }

    /// The time that it takes until everything is as asked, or can't be.
    fn let_pass(&mut self, until: Timestamp) {
        for _ in 0..MOST_STEPS {
            let before = self.shared.store.revision();
            self.time_passes();
            self.reconcile();
            if self.shared.store.revision() == before {
                return;
            }
            self.at = self.at.map(|at| until.min(at + STEP));
        }
    }

    /// The next scenes, if they are due, and something small.
    pub(super) fn beat(&mut self) {
        let due = self.story.as_ref().map(Story::due).unwrap_or_default();
        for scene in due {
            self.perform(&scene.deed);
        }
        self.time_passes();
        self.something_small();
        self.forget_old_events();
        if let Some(story) = &mut self.story {
            story.beat += 1;
        }
    }

    fn something_small(&mut self) {
        let beat = self.story.as_ref().map_or(0, |story| story.beat);
        match beat % 3 {
            0 => drop(self.happen(super::Happening::Heartbeat)),
            1 => self.complain(),
            _ => self.measure_load(),
        }
    }
}
