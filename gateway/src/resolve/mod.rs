//! Arguments become a [`Request`](crate::request::Request): validated, with clusters and kinds found among those that the
//! caller may see.
//!
//! In order: a cheap look at size and depth ([`guard`]), synonyms ([`synonyms`]), the tool's schema ([`validate`]), then
//! the tool's own plan, which is put together from the parts in [`plan`].

mod api_resources;
mod arguments;
mod changes;
mod clusters;
mod describe;
mod diff;
mod events;
mod explain;
mod guard;
mod health;
mod kinds;
mod lists;
mod logs;
mod manifest;
mod meant;
mod options;
mod plan;
mod problems;
mod search;
mod synonyms;
mod time_of_day;
mod times;
mod usage;
mod validate;

use kubeplex_proto::visibility::Visibility;
use serde_json::{Map, Value};

use crate::cursor::CursorSealer;
use crate::error::CallError;
use crate::fleet::Fleet;

pub(crate) use api_resources::api_resources;
pub use arguments::Arguments;
pub(crate) use changes::changes;
pub(crate) use describe::describe;
pub(crate) use diff::diff;
pub(crate) use events::events;
pub(crate) use explain::explain;
pub(crate) use health::health;
pub(crate) use kinds::ResolvedKind;
pub(crate) use logs::logs;
pub(crate) use plan::{AskedKind, ListQuestion, OwnColumns, clusters, get, list};
pub(crate) use problems::problems;
pub(crate) use search::search;
pub use time_of_day::TimeOfDay;
pub(crate) use usage::usage;
pub(crate) use validate::Schema;

/// What only this stage makes. Every query holds one, and none can be copied: there is no request that did not come through
/// here, and nobody who looks at one later can write another like it.
#[derive(Debug)]
#[cfg_attr(test, derive(Clone))]
pub struct Understood(());

/// What resolve may know.
pub struct Scope<'a> {
    /// The clusters that the caller may see.
    pub fleet: &'a Fleet,
    /// What the caller may see there; nothing else is proposed to them.
    pub visibility: &'a Visibility,
    /// A stable name of the caller, unique over identity providers; cursors are bound to it.
    pub caller: &'a str,
    pub sealer: &'a CursorSealer,
    pub time: TimeOfDay,
}

/// Arguments as a schema wants them.
///
/// # Errors
/// `invalid_argument` naming the argument, its value and what is right.
pub(crate) fn arguments(schema: &Schema, given: &Map<String, Value>) -> Result<Arguments, CallError> {
    guard::check(given)?;
    let arguments = synonyms::normalise(given, schema)?;
    schema.check(&arguments)?;
    Ok(Arguments::new(arguments))
}

#[cfg(test)]
mod tests;
