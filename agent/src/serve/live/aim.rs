//! What of a kind a question is about, as far as the API server can be asked for no more than that.

use kubeplex_proto::kind::{KindInfo, Scope};
use kubeplex_proto::pattern::Pattern;
use kubeplex_proto::visibility::Visibility;

use crate::limits::{LIVE_NAMED, LIVE_NAMESPACES};
use crate::serve::places::{literals, meant};

/// The part of a kind that is read. Filters that are finer come after it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Aim {
    All,
    /// These namespaces, one after the other.
    Namespaces(Vec<String>),
    /// One name, wherever it is.
    Name(String),
    /// By namespace, where the kind has one, and name.
    Objects(Vec<(Option<String>, String)>),
}

impl Aim {
    /// The whole kind, or its part in a few namespaces: what several questions have in common.
    pub(super) fn broad(info: &KindInfo, namespaces: &[Pattern], visibility: &Visibility) -> Self {
        match places(info, namespaces, visibility) {
            Some(places) if places.len() <= LIVE_NAMESPACES => Self::Namespaces(places),
            _ => Self::All,
        }
    }

    /// As little as covers the question.
    pub(super) fn narrow(
        info: &KindInfo,
        (namespaces, names): (&[Pattern], &[Pattern]),
        visibility: &Visibility,
    ) -> Self {
        let places = match info.scope {
            Scope::Cluster => Some(vec![None]),
            Scope::Namespaced => places(info, namespaces, visibility)
                .map(|places| places.into_iter().map(Some).collect::<Vec<_>>()),
        };
        match (places, literals(names)) {
            (Some(places), Some(names)) if places.len() * names.len() <= LIVE_NAMED => {
                let pair = |place: &Option<String>| {
                    names.iter().map(|name| (place.clone(), name.clone())).collect::<Vec<_>>()
                };
                Self::Objects(places.iter().flat_map(pair).collect())
            }
            (None, Some(names)) if names.len() == 1 => names.into_iter().next().map_or(Self::All, Self::Name),
            _ => Self::broad(info, namespaces, visibility),
        }
    }
}

/// The namespaces that a kind that has any is to be read in, where they can be counted.
fn places(info: &KindInfo, namespaces: &[Pattern], visibility: &Visibility) -> Option<Vec<String>> {
    (info.scope == Scope::Namespaced).then(|| meant(namespaces, visibility, info)).flatten()
}

#[cfg(test)]
mod tests {
    use kubeplex_proto::visibility::{Reach, VisibilityRule};
    use kubeplex_test_support::kind::{kind, pods};

    use super::*;

    fn patterns(words: &str) -> Vec<Pattern> {
        words.split_whitespace().map(Pattern::new).collect()
    }

    fn namespaces(words: &str) -> Aim {
        Aim::Namespaces(words.split_whitespace().map(str::to_owned).collect())
    }

    #[test]
    fn no_more_is_read_than_the_question_is_about() {
        let many = (0..=LIVE_NAMED).map(|at| format!("n{at} ")).collect::<String>();
        let object = |namespace: &str, name: &str| (Some(namespace.to_owned()), name.to_owned());
        let everything = Visibility::everything();
        for (asked, names, expected) in [
            ("", "", Aim::All),
            ("shop", "", namespaces("shop")),
            ("shop", "cart-*", namespaces("shop")),
            ("shop payments shop", "", namespaces("payments shop")),
            ("shop-*", "", Aim::All),
            ("shop payments-*", "", Aim::All),
            (&many, "", Aim::All),
            ("", "cart", Aim::Name("cart".into())),
            ("", "cart web", Aim::All),
            ("shop payments", "cart", Aim::Objects(vec![object("payments", "cart"), object("shop", "cart")])),
            ("shop", &many, namespaces("shop")),
        ] {
            let question = (patterns(asked), patterns(names));
            let aim = Aim::narrow(&pods(), (&question.0, &question.1), &everything);
            assert_eq!(aim, expected, "{asked:?} {names:?}");
        }
        let nodes = kind("", "nodes", Scope::Cluster);
        let one = Aim::narrow(&nodes, (&[], &patterns("n1")), &everything);
        assert_eq!(one, Aim::Objects(vec![(None, "n1".into())]));
        assert_eq!(Aim::broad(&nodes, &patterns("shop"), &everything), Aim::All);
    }

    #[test]
    fn nor_more_than_its_caller_may_see() {
        for (rules, asked, expected) in [
            (&["shop payments"][..], "", namespaces("payments shop")),
            (&["shop", "payments"], "sh*", namespaces("shop")),
            (&["shop payments"], "shop search", namespaces("shop")),
            (&["shop"], "search", namespaces("")),
            (&["shop-*"], "", Aim::All),
            (&["shop-*", "payments"], "", Aim::All),
            (&["*"], "", Aim::All),
            (&[], "", namespaces("")),
        ] {
            let rule = |words: &&str| VisibilityRule::of(Reach::All, Reach::of(patterns(words)));
            let visibility = Visibility::of(rules.iter().map(rule).collect());
            assert_eq!(Aim::broad(&pods(), &patterns(asked), &visibility), expected, "{rules:?} {asked:?}");
            let nodes = kind("", "nodes", Scope::Cluster);
            assert_eq!(Aim::broad(&nodes, &[], &visibility), Aim::All, "{rules:?}");
        }
    }
}
