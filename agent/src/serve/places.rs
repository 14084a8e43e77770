//! The namespaces that a question can be about, where they can be counted.

use kubeplex_proto::kind::KindInfo;
use kubeplex_proto::pattern::{Pattern, any_or_unrestricted};
use kubeplex_proto::visibility::{Reach, Visibility};

/// Those that the question or its visibility names, each once and in order; `None` where neither does.
pub(super) fn meant(asked: &[Pattern], visibility: &Visibility, info: &KindInfo) -> Option<Vec<String>> {
    match (literals(asked), visible(visibility, info)) {
        (Some(asked), Some(visible)) => {
            Some(asked.into_iter().filter(|namespace| visible.contains(namespace)).collect())
        }
        (Some(asked), None) => Some(asked),
        (None, Some(visible)) => {
            Some(visible.into_iter().filter(|namespace| any_or_unrestricted(asked, namespace)).collect())
        }
        (None, None) => None,
    }
}

/// The names that patterns spell out, each once and in order; `None` where one of them is a glob, or there is none.
pub(super) fn literals(patterns: &[Pattern]) -> Option<Vec<String>> {
    let names: Option<Vec<String>> =
        patterns.iter().map(|pattern| pattern.literal().map(str::to_owned)).collect();
    names.map(ordered).filter(|names| !names.is_empty())
}

/// The namespaces to which all rules that show the kind are limited by name.
fn visible(visibility: &Visibility, info: &KindInfo) -> Option<Vec<String>> {
    let kind = info.id.to_string();
    let mut namespaces = Vec::new();
    for rule in visibility.rules().iter().filter(|rule| rule.kinds.contains(&kind)) {
        let Reach::Only(patterns) = &rule.namespaces else { return None };
        if !patterns.is_empty() {
            namespaces.extend(literals(patterns)?);
        }
    }
    Some(ordered(namespaces))
}

fn ordered(mut names: Vec<String>) -> Vec<String> {
    names.sort_unstable();
    names.dedup();
    names
}
