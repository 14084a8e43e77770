//! What `events_list` asks: which events, by the objects that they tell of and by when they were last seen.

use kubeplex_proto::events::{EventQuestion, InvolvedKind};
use kubeplex_proto::kind::{GroupResource, Scope as KindScope};
use kubeplex_proto::sort::Direction;

use crate::error::CallError;
use crate::request::{Field, Order, OrderTerm, Request};

use super::kinds::{self, ResolvedKind};
use super::plan::{Rows, kind_and_name, namespaces, rows, some_clusters};
use super::times::{self, Window};
use super::{Arguments, Scope, lists};

/// How far back events are asked for where nobody says it.
const USUAL_MS: u64 = times::HOUR_MS;

/// A page of events.
///
/// # Errors
/// Whatever is wrong with the arguments.
pub(crate) fn events(tool: &str, arguments: &Arguments, scope: &Scope<'_>) -> Result<Request, CallError> {
    let clusters = some_clusters(arguments, scope)?;
    let find = |text: &str| kinds::find(text, scope, &clusters);
    let (involved, name) = kind_and_name(arguments.text("kind"), arguments.text("name"), find)?;
    let kind = core_events();
    let namespaces = namespaces(arguments, involved.as_ref().unwrap_or(&kind))?;
    let Window { since, until } = times::window(arguments, USUAL_MS, scope.time.ms())?;
    let question = EventQuestion {
        kind: involved.map(|kind| InvolvedKind { group: kind.id.group, kind: kind.kind }),
        names: lists::name_patterns("name", name)?,
        since: Some(since),
        until,
    };
    rows(
        Rows {
            tool,
            clusters,
            kind,
            namespaces,
            events: Some(question),
            search: None,
            usage: false,
            usual: newest_first(),
        },
        arguments,
        scope,
    )
}

/// Every cluster has them, under this name and a newer one.
fn core_events() -> ResolvedKind {
    ResolvedKind {
        id: GroupResource::new("", "events"),
        kind: "Event".to_owned(),
        version: None,
        scope: Some(KindScope::Namespaced),
    }
}

/// What was seen last has been unseen for the shortest time.
fn newest_first() -> Order {
    let field = Field::Object("lastSeen".to_owned());
    Order::By(vec![OrderTerm { field, direction: Direction::Ascending }])
}
