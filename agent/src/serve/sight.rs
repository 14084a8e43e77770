//! How much of what a question is about the agent sees, where it does not see the whole cluster.

use kubeplex_proto::kind::{KindInfo, Scope};
use kubeplex_proto::pattern::Pattern;
use kubeplex_proto::visibility::Visibility;

use super::opening::Question;
use super::places::meant;
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

#[cfg(test)]
mod tests {
    use kubeplex_proto::visibility::{ClusterScoped, Reach, VisibilityRule};
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
