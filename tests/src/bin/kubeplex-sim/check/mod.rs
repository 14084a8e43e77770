//! What must hold of every answer, whatever goes wrong.

mod coverage;
mod fleet;
mod groups;
mod judge;
mod objects;
mod pages;
mod rows;

use kubeplex_gateway::error::ErrorCode;

use crate::ask::Asked;
use crate::people::Person;
use crate::question::Question;
use crate::world::World;

pub(crate) use coverage::is_complete;
pub(crate) use fleet::{clusters, kinds, of_kinds};
pub(crate) use groups::{groups, shown as shown_groups};
pub(crate) use objects::objects;
pub(crate) use pages::pages;
pub(crate) use rows::{rows, shown as shown_rows};

/// What an answer covers is what it says.
pub(crate) fn told(world: &World, person: &Person, question: &Question, asked: &Asked) {
    let _ = coverage::answer(world, person, question, asked);
}

/// A call is over in time, never by a defect, and asks no cluster that is known to be lost.
pub(crate) fn deadline(world: &World, asked: &Asked) {
    if asked.took > asked.patience {
        world.trail.violated(format_args!("a call took {:?} and may take {:?}", asked.took, asked.patience));
    }
    if let Err(Some(error)) = &asked.result
        && error.code == ErrorCode::Internal
    {
        world.trail.violated(format_args!("a call failed by a defect: {error}"));
    }
    for leg in asked.legs.iter().filter(|leg| asked.lost.contains(leg.cluster.as_str())) {
        if leg.sent_micros.is_some() {
            world.trail.violated(format_args!("{} was known to be lost and was asked", leg.cluster));
        }
    }
}
