//! Plots: what happens to which cluster when, as plain data. The engine that plays them is in `motion/story`.
//!
//! Nothing here says what follows from a deed. Who releases a version writes an image; that pods of it run out of memory is
//! said by [`Ailing`], found out by the kubelet, and told by ReplicaSets, statuses and events, as on a real server.

mod shop;

use crate::config::Scenario;

/// One thing that somebody does, or that befalls something.
#[derive(Debug)]
pub(crate) struct Scene {
    /// The clusters that it happens in, by name.
    pub(crate) clusters: &'static [&'static str],
    pub(crate) when: When,
    pub(crate) deed: Deed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    /// So many minutes before the cluster is first looked at.
    Ago(i64),
    /// At this beat of every round of the story.
    Beat(u64),
}

/// Who does what to which object.
#[derive(Debug)]
pub(crate) enum Deed {
    /// A Deployment gets another version of its image, and what comes with it. `@` in the tag is the number of the round.
    Release {
        namespace: &'static str,
        name: &'static str,
        tag: &'static str,
        by: &'static str,
        with: &'static [(&'static str, Setting)],
    },
    /// An object is edited.
    Edit { object: Target, by: &'static str, set: &'static [(&'static str, Setting)] },
    /// A kubelet is not heard from any more: node and pods are marked, and five minutes later its pods are to go.
    FallSilent { node: usize },
    /// A node's disk fills, and pods are evicted.
    FillDisk { node: usize, evicted: usize },
    /// Its disk has room again, and the evicted pods are cleared away.
    FreeDisk { node: usize },
    /// An autoscaler would want more replicas than it may have.
    HitMaximum { namespace: &'static str, name: &'static str, percent: i64 },
    /// A certificate is about to expire, and is not renewed.
    FailRenewal { namespace: &'static str, name: &'static str, hours_left: i64, message: &'static str },
    /// A nightly job failed, with these last words.
    FailJob { namespace: &'static str, name: &'static str, code: i64, says: &'static str },
    /// Somebody asks for storage of a class that does not exist.
    ClaimNothing { namespace: &'static str, name: &'static str },
    /// An autoscaler adds so many replicas, or takes them away.
    Rescale { namespace: &'static str, name: &'static str, by: i64 },
}

/// An object that is edited.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) kind: (&'static str, &'static str),
    pub(crate) namespace: &'static str,
    pub(crate) name: &'static str,
}

/// What a field is set to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Setting {
    Text(&'static str),
    Number(i64),
    /// The time of the edit.
    Now,
}

/// What is wrong with a version of an image in some clusters.
#[derive(Debug)]
pub(crate) struct Ailing {
    pub(crate) clusters: &'static [&'static str],
    /// A part of the image's name and tag.
    pub(crate) image: &'static str,
    pub(crate) ailment: Ailment,
}

/// What a kubelet finds out when it starts a pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ailment {
    /// It is killed for its memory, again and again.
    OutOfMemory,
    /// It ends with this code, again and again.
    Crash { code: i64, says: &'static str },
    /// A Secret that it takes variables from is not there.
    NoSecret(&'static str),
    /// Its image is not to be had.
    NoImage,
    /// It runs, and never becomes ready.
    Unready,
}

/// A plot as one cluster has part in it.
#[derive(Debug)]
pub(crate) struct Plot {
    pub(crate) scenes: Vec<&'static Scene>,
    pub(crate) ailments: Vec<&'static Ailing>,
    /// Beats until it begins anew.
    pub(crate) round: u64,
}

impl Plot {
    pub(crate) fn of(scenario: Scenario, cluster: &str) -> Option<Self> {
        match scenario {
            Scenario::None => None,
            Scenario::ShopDay => Some(Self {
                scenes: shop::SCENES.iter().filter(|scene| scene.clusters.contains(&cluster)).collect(),
                ailments: shop::AILMENTS.iter().filter(|ailing| ailing.clusters.contains(&cluster)).collect(),
                round: shop::ROUND,
            }),
        }
    }
}
