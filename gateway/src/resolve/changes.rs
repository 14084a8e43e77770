//! What `changes_list` asks: of which objects, and when.

use kubeplex_proto::events::Moment;

use crate::error::CallError;
use crate::request::{ChangesQuery, Request};

use super::guard::short;
use super::meant::{Meant, meant};
use super::plan::{OwnColumns, options, own_page, some_clusters, targets};
use super::times::{self, Window};
use super::{Arguments, Scope, Understood};

/// How far back changes are asked for where nobody says it.
const USUAL_MS: u64 = times::HOUR_MS;

/// How far before and after a moment, where nobody says it.
const USUAL_AROUND_MS: u64 = times::HOUR_MS / 6;

/// A page of changes.
///
/// # Errors
/// Whatever is wrong with the arguments.
pub(crate) fn changes(
    tool: &str,
    arguments: &Arguments,
    scope: &Scope<'_>,
    columns: &OwnColumns<'_>,
) -> Result<Request, CallError> {
    let clusters = some_clusters(arguments, scope)?;
    let Meant { kind, namespaces, names } = meant(arguments, scope, &clusters)?;
    let Window { since, until } = match around(arguments, scope)? {
        Some(window) => window,
        None => times::window(arguments, USUAL_MS, scope.time.ms())?,
    };
    let asked = (tool, kind.as_ref().map(|kind| &kind.id), &namespaces, &names, &since, &until);
    let page = own_page(&asked, &clusters, columns, arguments, scope)?;
    let (kind, kind_scope) = kind.map_or((None, None), |kind| (Some(kind.id), kind.scope));
    Ok(Request::Changes(ChangesQuery {
        targets: targets(clusters, page.resume.as_ref()),
        kind,
        scope: kind_scope,
        namespaces,
        names,
        since,
        until,
        page,
        options: options(arguments),
        understood: Understood(()),
    }))
}

/// The time before and after a moment.
fn around(arguments: &Arguments, scope: &Scope<'_>) -> Result<Option<Window>, CallError> {
    let window_ms = match arguments.text("window") {
        Some(text) => match times::duration_ms(text.trim()) {
            Some(ms) if ms > 0 => ms,
            _ => {
                return Err(CallError::invalid(format!(
                    "window: \"{}\" is no duration; 10m is an example, for so long before and after around",
                    short(text, 40)
                )));
            }
        },
        None => USUAL_AROUND_MS,
    };
    let Some(text) = arguments.text("around") else {
        return match arguments.text("window") {
            Some(text) => Err(CallError::invalid(format!(
                "window: \"{}\" is for a time before and after around, which is missing; since and until name a time without",
                short(text, 40)
            ))),
            None => Ok(None),
        };
    };
    if let Some(beside) = ["since", "until"].iter().find(|name| arguments.text(name).is_some()) {
        return Err(CallError::invalid(format!(
            "around: \"{}\" says the time with window; leave {beside} out",
            short(text, 40)
        )));
    }
    let moment = times::moment("around", text, scope.time.ms())?;
    let (since, until) = match moment {
        Moment::Ago(ms) => {
            (Moment::Ago(ms.saturating_add(window_ms)), Moment::Ago(ms.saturating_sub(window_ms)))
        }
        Moment::At(ms) => (
            Moment::At(ms.saturating_sub_unsigned(window_ms)),
            Moment::At(ms.saturating_add_unsigned(window_ms)),
        ),
    };
    Ok(Some(Window { since, until: Some(until) }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::request::fixtures::{NOW_MS, cluster, fleet, resolved};

    #[test]
    fn times_are_a_span_or_around_a_moment() {
        let fleet = fleet(vec![cluster("eu", &[])]);
        let (ago, at) = (Moment::Ago, |seconds: i64| Moment::At(NOW_MS + seconds * 1_000));
        for (arguments, expected) in [
            (json!({}), (ago(3_600_000), None)),
            (json!({"since": "1d"}), (ago(86_400_000), None)),
            (json!({"around": "30m"}), (ago(2_400_000), Some(ago(1_200_000)))),
            (json!({"around": "2m", "window": "5m"}), (ago(420_000), Some(ago(0)))),
            (json!({"around": "2026-11-23T18:00:00Z", "window": "1h"}), (at(-5_079), Some(at(2_121)))),
        ] {
            let Request::Changes(query) = resolved(&fleet, "changes_list", &arguments).unwrap() else {
                panic!()
            };
            let second = |moment: Moment| match moment {
                Moment::At(ms) => Moment::At(ms - ms.rem_euclid(1_000)),
                ago => ago,
            };
            assert_eq!((second(query.since), query.until.map(second)), expected, "{arguments}");
        }
        for (arguments, said) in [
            (json!({"around": "soon"}), "around: \"soon\" is neither"),
            (json!({"around": "5m", "since": "1h"}), "leave since out"),
            (json!({"window": "5m"}), "around, which is missing"),
            (json!({"around": "5m", "window": "ten"}), "window: \"ten\" is no duration"),
            (json!({"sortBy": "age"}), "changes have no column \"age\""),
            (json!({"groupBy": "sum(by)"}), "by"),
        ] {
            let error = resolved(&fleet, "changes_list", &arguments).unwrap_err();
            assert!(error.message.contains(said), "{arguments}: {}", error.message);
        }
    }
}
