//! Of `pods_log`.

use super::{Meaning, numbered};
use crate::limits::{DEFAULT_MAX_BYTES, DEFAULT_TAIL, DEFAULT_TAIL_FOLDED};

/// `None` for an argument that means what it means in other tools.
pub(super) fn meaning(argument: &str) -> Option<Meaning> {
    let (default, text) = match argument {
        "kind" => ("`pods`", "of what has the pods, as for resources_list"),
        "name" => (
            "",
            "of pods, or of what has them: name, comma list or glob; `deployment/cart` says the kind, too. Of a workload or \
             a service the pods are meant that its selector finds; of a cron job those of its jobs",
        ),
        "labelSelector" => ("", "of objects of that kind, as in kubectl: `app=cart,tier!=cache`"),
        "container" => (
            "",
            "the name of one; without it all that run, and init containers that have not come to a good end",
        ),
        "tail" => {
            return Some(numbered(
                DEFAULT_TAIL,
                &format!(
                    "the newest lines of each container that match; with `patterns` {DEFAULT_TAIL_FOLDED} where nothing is said"
                ),
            ));
        }
        "previous" => ("`false`", "of the run before the last restart"),
        "grep" => (
            "",
            "a regular expression (Rust's `regex`; `(?i)` before it ignores case) that lines match as they are shown: what is \
             redacted is not found, nor what reaches into it",
        ),
        "contextLines" => ("0", "lines before and after one that matches; a column says which matches"),
        "followSeconds" => (
            "",
            "wait so long for new lines, which are also told as progress; the call may then take that and the usual time",
        ),
        "patterns" => (
            "`false`",
            "sorts of lines with how often, in place of lines: numbers, times, addresses and identifiers in them are masked, \
             and so are words that differ between lines otherwise alike",
        ),
        "since" => ("", "written then or later: `90s`, `10m`, `2h`, `3d` ago, or a time in RFC 3339"),
        "until" => ("now", "written then or earlier"),
        "maxBytes" => {
            return Some(numbered(
                DEFAULT_MAX_BYTES,
                "bytes of the structured answer; the oldest lines are left out and counted",
            ));
        }
        _ => return None,
    };
    Some(Meaning { default: default.to_owned(), text: text.to_owned() })
}
