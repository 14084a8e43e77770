//! What `pods_log` asks: of which pods, and which lines.

use kubeplex_proto::kind::{GroupResource, Scope as KindScope};
use regex::RegexBuilder;

use crate::error::CallError;
use crate::limits::{DEFAULT_TAIL, DEFAULT_TAIL_FOLDED, DEFAULT_TIMEOUT_S, LOG_PATTERN_BYTES};
use crate::request::{CallOptions, LogsQuery, Request};

use super::guard::short;
use super::kinds::{self, ResolvedKind};
use super::plan::{kind_and_name, label_selector, namespaces, options, some_clusters, targets};
use super::{Arguments, Scope, Understood, lists, times};

const SECOND_MS: u64 = 1_000;

/// Logs of pods, or of what has pods.
///
/// # Errors
/// Whatever is wrong with the arguments.
pub(crate) fn logs(arguments: &Arguments, scope: &Scope<'_>) -> Result<Request, CallError> {
    let clusters = some_clusters(arguments, scope)?;
    let find = |text: &str| kinds::find(text, scope, &clusters);
    let (kind, name) = kind_and_name(arguments.text("kind"), arguments.text("name"), find)?;
    let kind = kind.unwrap_or_else(pods);
    let is_timed = ["since", "until"].iter().any(|name| arguments.text(name).is_some());
    let (since, until) = if is_timed { times::given(arguments, scope.time.ms())? } else { (None, None) };
    let integer = |name: &str| arguments.integer(name);
    let patterns = arguments.flag("patterns");
    let usual_tail = if patterns { DEFAULT_TAIL_FOLDED } else { DEFAULT_TAIL };
    let query = LogsQuery {
        namespaces: namespaces(arguments, &kind)?,
        names: lists::name_patterns("name", name)?,
        label_selector: label_selector("labelSelector", arguments)?,
        container: arguments.text("container").map(container).transpose()?,
        tail: integer("tail").and_then(|tail| u32::try_from(tail).ok()).unwrap_or(usual_tail),
        previous: arguments.flag("previous"),
        grep: arguments.text("grep").map(pattern).transpose()?,
        context_lines: integer("contextLines").and_then(|lines| u32::try_from(lines).ok()).unwrap_or(0),
        follow_ms: integer("followSeconds").unwrap_or(0) * SECOND_MS,
        options: with_time_to_follow(arguments)?,
        targets: targets(clusters, None),
        kind: kind.id,
        scope: kind.scope,
        version: kind.version,
        since,
        until,
        patterns,
        understood: Understood(()),
    };
    contradicts_nothing(&query)?;
    Ok(Request::Logs(query))
}

/// Pods need no looking up.
fn pods() -> ResolvedKind {
    ResolvedKind {
        id: GroupResource::new("", "pods"),
        kind: "Pod".to_owned(),
        version: None,
        scope: Some(KindScope::Namespaced),
    }
}

fn container(name: &str) -> Result<String, CallError> {
    let is_name = name.len() <= 63 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    match is_name {
        true => Ok(name.to_owned()),
        false => {
            let name = short(name, 60);
            Err(CallError::invalid(format!("container: \"{name}\" is no name of a container, such as main")))
        }
    }
}

/// Agents compile it again; here its fault is found before any of them is asked.
fn pattern(text: &str) -> Result<String, CallError> {
    let compiled =
        RegexBuilder::new(text).size_limit(LOG_PATTERN_BYTES).dfa_size_limit(LOG_PATTERN_BYTES).build();
    match compiled {
        Ok(_) => Ok(text.to_owned()),
        Err(regex::Error::CompiledTooBig(_)) => Err(CallError::invalid(format!(
            "grep: \"{}\" is too large a pattern; fewer repetitions are wanted",
            short(text, 60)
        ))),
        Err(error) => {
            // The library draws the place over several lines; the last says what is wrong.
            let error = error.to_string();
            let problem = error.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            Err(CallError::invalid(format!(
                "grep: \"{}\" is no regular expression: {problem}; timeout|refused is an example",
                short(text, 60)
            )))
        }
    }
}

/// The time of a call that follows is the time that it follows, and the usual one for the rest.
fn with_time_to_follow(arguments: &Arguments) -> Result<CallOptions, CallError> {
    let options = options(arguments);
    let Some(follow) = arguments.integer("followSeconds") else { return Ok(options) };
    match arguments.integer("timeoutSeconds") {
        None => Ok(CallOptions { timeout_ms: (follow + DEFAULT_TIMEOUT_S) * SECOND_MS, ..options }),
        Some(timeout) if timeout > follow => Ok(options),
        Some(timeout) => Err(CallError::invalid(format!(
            "followSeconds: {follow} does not fit into timeoutSeconds, {timeout}; leave timeoutSeconds out, or give more"
        ))),
    }
}

fn contradicts_nothing(query: &LogsQuery) -> Result<(), CallError> {
    let (follows, beside) = (query.follow_ms / SECOND_MS, query.context_lines);
    let problem = if follows > 0 && query.previous {
        format!("followSeconds: {follows}: a run that is over writes nothing more; leave previous out")
    } else if follows > 0 && query.until.is_some() {
        format!("followSeconds: {follows}: what is to come is after until; leave one of them out")
    } else if beside > 0 && query.grep.is_none() {
        format!(
            "contextLines: {beside}: there is no grep whose matches they would stand beside; tail says how many lines"
        )
    } else if beside > 0 && query.patterns {
        format!("contextLines: {beside}: patterns are of the lines that match; leave one of them out")
    } else {
        return Ok(());
    };
    Err(CallError::invalid(problem))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::request::fixtures::{cluster, fleet, resolved};

    fn ask(arguments: &Value) -> Result<LogsQuery, CallError> {
        match resolved(&fleet(vec![cluster("eu", &[]), cluster("us", &[])]), "pods_log", arguments)? {
            Request::Logs(query) => Ok(query),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn pods_and_what_has_pods_are_asked_for() {
        for (arguments, kind, name) in [
            (json!({"name": "cart-0"}), "pods", Some("cart-0")),
            (json!({"name": "deploy/cart"}), "deployments.apps", Some("cart")),
            (json!({"kind": "svc", "labelSelector": "app=cart"}), "services", None),
            (json!({}), "pods", None),
        ] {
            let query = ask(&arguments).unwrap();
            assert_eq!(query.kind.to_string(), kind);
            assert_eq!(query.names.first().map(|name| name.as_str()), name);
            assert_eq!((query.tail, query.follow_ms, query.options.timeout_ms), (100, 0, 10_000));
        }
        let folded = ask(&json!({"patterns": true})).unwrap();
        assert_eq!(folded.tail, DEFAULT_TAIL_FOLDED);
        let followed = ask(&json!({"followSeconds": 30})).unwrap();
        assert_eq!((followed.follow_ms, followed.options.timeout_ms), (30_000, 40_000));
    }

    #[test]
    fn what_is_wrong_is_named_with_what_would_be_right() {
        for (arguments, said) in [
            (json!({"grep": "(timeout"}), "grep: \"(timeout\" is no regular expression: unclosed group"),
            (json!({"grep": r"(\w{100}){100}"}), "is too large a pattern"),
            (json!({"container": "a/b"}), "container: \"a/b\" is no name"),
            (json!({"followSeconds": 30, "timeoutSeconds": 30}), "followSeconds: 30 does not fit into"),
            (json!({"followSeconds": 5, "previous": true}), "leave previous out"),
            (json!({"followSeconds": 5, "until": "1m"}), "is after until"),
            (json!({"contextLines": 2}), "contextLines: 2: there is no grep"),
            (json!({"contextLines": 2, "grep": "x", "patterns": true}), "leave one of them out"),
            (json!({"since": "yesterday"}), "since: \"yesterday\" is neither"),
            (json!({"since": "1m", "until": "5m"}), "since: \"1m\" is later than until"),
            (json!({"tail": 0}), "tail: 0 is not right"),
            (json!({"previous": "yes"}), "true or false is wanted"),
        ] {
            let error = ask(&arguments).unwrap_err();
            assert!(error.message.contains(said), "{arguments}: {}", error.message);
        }
    }
}
