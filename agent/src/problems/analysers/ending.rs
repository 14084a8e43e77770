//! Why a container ended, as far as its status and the events of its pod tell.
//!
//! Exit codes: <https://www.gnu.org/software/bash/manual/bash.html#Exit-Status>: 126 and 127 for what can't be run or found,
//! 128 and the number of the signal for what a signal ended. The runtime writes `OOMKilled` where the kernel did that for
//! lack of memory, and `StartError` or `ContainerCannotRun` where there never was a process.

use serde_json::Value;

use super::event;
use super::pod::{self, Container};
use crate::columns::field::{number, text};
use crate::problems::{Evidence, World};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    OutOfMemory,
    /// The binary is for other processors.
    Architecture,
    /// There never was a process.
    CannotStart,
    /// The kubelet ended it because a probe failed.
    Probe,
    /// By itself, or by a signal from somewhere.
    Itself,
}

impl Ending {
    pub(super) fn of(container: &Container<'_>, pod: &Value, world: &dyn World) -> Option<Self> {
        let end = container.last_end()?;
        let message = text(end, "/message");
        Some(match text(end, "/reason") {
            "OOMKilled" => Self::OutOfMemory,
            _ if is_for_other_processors(message) => Self::Architecture,
            "StartError" | "ContainerCannotRun" => Self::CannotStart,
            _ if matches!(code(end), 126 | 127) => Self::CannotStart,
            _ if killed_by_probe(container, pod, world).is_some() => Self::Probe,
            _ => Self::Itself,
        })
    }
}

pub(super) fn is_out_of_memory(container: &Container<'_>) -> bool {
    container.last_end().is_some_and(|end| text(end, "/reason") == "OOMKilled")
}

/// Whether the last end says that the binary is for other processors.
pub(super) fn is_foreign(container: &Container<'_>) -> bool {
    container.last_end().is_some_and(|end| is_for_other_processors(text(end, "/message")))
}

pub(super) fn is_for_other_processors(message: &str) -> bool {
    message.contains("exec format error")
}

/// Which probe, in lower case: the kubelet says `Container app failed liveness probe, will be restarted`.
pub(super) fn killed_by_probe(
    container: &Container<'_>,
    pod: &Value,
    world: &dyn World,
) -> Option<&'static str> {
    let killings = event::recent(world, &pod::name_of(pod))
        .into_iter()
        .filter(|event| text(event, "/reason") == "Killing" && event::is_of_container(event, container.name));
    let probe = |message: &str| {
        ["liveness", "startup"].into_iter().find(|probe| message.contains(&format!("failed {probe} probe")))
    };
    killings.into_iter().find_map(|event| probe(text(&event, "/message")))
}

pub(super) fn code(end: &Value) -> i64 {
    number(end, "/exitCode")
}

/// `exits with code 1`, `is killed by SIGSEGV (code 139)`.
pub(super) fn words(end: &Value) -> String {
    let code = code(end);
    let signal = match number(end, "/signal") {
        0 if code > 128 => code - 128,
        signal => signal,
    };
    match (code, signal_name(signal)) {
        (0, _) => "ends with code 0: it has nothing left to do".to_owned(),
        (126, _) => "exits with code 126: its command can't be executed".to_owned(),
        (127, _) => "exits with code 127: its command is not found".to_owned(),
        (code, Some("SIGKILL")) => format!("is killed by SIGKILL (code {code}), not for lack of memory"),
        (code, Some("SIGTERM")) => format!("is ended by SIGTERM (code {code}): something told it to stop"),
        (code, Some(name)) => format!("is killed by {name} (code {code})"),
        (code, None) => format!("exits with code {code}"),
    }
}

fn signal_name(signal: i64) -> Option<&'static str> {
    Some(match signal {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        6 => "SIGABRT",
        7 => "SIGBUS",
        8 => "SIGFPE",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        15 => "SIGTERM",
        _ => return None,
    })
}

/// `last end of app: code 1 (Error): panic: no such table`
pub(super) fn evidence(container: &Container<'_>) -> Option<Evidence> {
    let end = container.last_end()?;
    let head = format!("last end of {}: code {} ({})", container.name, code(end), text(end, "/reason"));
    Some(Evidence::container(head, text(end, "/message").trim(), container.finished_ms()))
}

/// `app waits: CrashLoopBackOff: back-off 5m0s restarting failed container …`
pub(super) fn waiting(container: &Container<'_>) -> Option<Evidence> {
    let reason = container.waits_for();
    let head = format!("{} waits: {reason}", container.name);
    (!reason.is_empty()).then(|| Evidence::container(head, container.waiting_message(), None))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn codes_and_signals_are_named() {
        for (end, expected) in [
            (json!({"exitCode": 0}), "ends with code 0: it has nothing left to do"),
            (json!({"exitCode": 1}), "exits with code 1"),
            (json!({"exitCode": 127}), "exits with code 127: its command is not found"),
            (json!({"exitCode": 137}), "is killed by SIGKILL (code 137), not for lack of memory"),
            (json!({"exitCode": 139}), "is killed by SIGSEGV (code 139)"),
            (json!({"exitCode": 143}), "is ended by SIGTERM (code 143): something told it to stop"),
            (json!({"exitCode": 255}), "exits with code 255"),
            (json!({"exitCode": 2, "signal": 6}), "is killed by SIGABRT (code 2)"),
        ] {
            assert_eq!(words(&end), expected);
        }
    }
}
