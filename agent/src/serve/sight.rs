//! How much of what a question is about the agent sees, where it does not see the whole cluster.

use kubeplex_proto::kind::{KindInfo, Scope};
use kubeplex_proto::pattern::{Pattern, any_or_unrestricted};
use kubeplex_proto::visibility::{Reach, Visibility};

use super::opening::Question;
use crate::kinds::Seen;

/// An answer must say what it leaves out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Sight {
    Whole,
    /// With what is seen, in a sentence.
    Partial(String),
    None(String),
}

pub(super) fn sight(seen: &Seen, question: &Question<'_>, info: &KindInfo) -> Sight {
    match seen {
        Seen::Only(seen) if info.scope == Scope::Namespaced => {
            of_namespaces(seen, question.namespaces, question.visibility, info)
        }
        _ => Sight::Whole,
    }
}

fn of_namespaces(seen: &[String], asked: &[Pattern], visibility: &Visibility, info: &KindInfo) -> Sight {
    let (kind, names) = (&info.id, seen.join(", "));
    match meant(asked, visibility, info) {
        Some(meant) if meant.iter().all(|namespace| seen.contains(namespace)) => Sight::Whole,
        Some(meant) if !meant.iter().any(|namespace| seen.contains(namespace)) => Sight::None(format!(
            "the agent may not watch {kind} in {}, only in the namespaces {names}",
            meant.join(", ")
        )),
        _ => Sight::Partial(format!(
            "only the namespaces {names} are seen: the agent may not watch {kind} in the whole cluster"
        )),
    }
}

/// The namespaces that a question can be about, where they can be counted.
fn meant(asked: &[Pattern], visibility: &Visibility, info: &KindInfo) -> Option<Vec<String>> {
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

/// The namespaces to which all rules that show the kind are limited by name.
fn visible(visibility: &Visibility, info: &KindInfo) -> Option<Vec<String>> {
    let kind = info.id.to_string();
    let shows = |kinds: &Reach| match kinds {
        Reach::All => true,
        Reach::Only(patterns) => patterns.iter().any(|pattern| pattern.matches(&kind)),
    };
    let mut namespaces = Vec::new();
    for rule in visibility.rules().iter().filter(|rule| shows(&rule.kinds)) {
        let Reach::Only(patterns) = &rule.namespaces else { return None };
        namespaces.extend(literals(patterns)?);
    }
    Some(namespaces)
}

/// `None` where one of them is a glob, or there is none.
fn literals(patterns: &[Pattern]) -> Option<Vec<String>> {
    let names: Vec<String> =
        patterns.iter().map(|pattern| pattern.literal().map(str::to_owned)).collect::<Option<_>>()?;
    (!names.is_empty()).then_some(names)
}

#[cfg(test)]
mod tests {
    use kubeplex_proto::visibility::{ClusterScoped, VisibilityRule};
    use kubeplex_test_support::kind::pods;

    use super::*;

    #[test]
    fn what_an_answer_leaves_out_is_said() {
        let info = pods();
        let patterns = |words: &str| words.split_whitespace().map(Pattern::new).collect::<Vec<_>>();
        let limited = |namespaces: &str| {
            let namespaces = Reach::Only(patterns(namespaces));
            Visibility::of(vec![VisibilityRule {
                kinds: Reach::All,
                namespaces,
                names: Reach::All,
                cluster_scoped: ClusterScoped::default(),
            }])
        };
        let seen = ["payments", "shop"].map(str::to_owned);
        for (asked, visibility, expected) in [
            ("shop", Visibility::everything(), "whole"),
            ("shop payments", Visibility::everything(), "whole"),
            ("", Visibility::everything(), "partial"),
            ("shop-*", Visibility::everything(), "partial"),
            ("shop search", Visibility::everything(), "partial"),
            ("search", Visibility::everything(), "none"),
            ("", limited("shop"), "whole"),
            ("", limited("shop search"), "partial"),
            ("", limited("sea*"), "partial"),
            ("", limited("search"), "none"),
            ("sh*", limited("shop search"), "whole"),
            // Of what is hidden from the caller nothing is said.
            ("search", limited("shop"), "whole"),
            ("", Visibility::nothing(), "whole"),
        ] {
            let sight = of_namespaces(&seen, &patterns(asked), &visibility, &info);
            let word = match &sight {
                Sight::Whole => "whole",
                Sight::Partial(_) => "partial",
                Sight::None(_) => "none",
            };
            assert_eq!(word, expected, "{asked:?} {visibility:?}: {sight:?}");
        }
    }
}
