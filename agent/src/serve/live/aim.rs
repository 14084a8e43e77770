//! What of a kind a question is about, as far as the API server can be asked for no more than that.

use kubeplex_proto::kind::{KindInfo, Scope};
use kubeplex_proto::pattern::Pattern;

use crate::limits::LIVE_NAMED;

/// The part of a kind that is read. Filters that are finer come after it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Aim {
    All,
    Namespace(String),
    /// One name, wherever it is.
    Name(String),
    /// By namespace, where the kind has one, and name.
    Objects(Vec<(Option<String>, String)>),
}

impl Aim {
    /// The whole kind, or its part in one namespace: what several questions have in common.
    pub(super) fn broad(info: &KindInfo, namespaces: &[Pattern]) -> Self {
        match namespaces {
            [one] if info.scope == Scope::Namespaced => match one.literal() {
                Some(namespace) => Self::Namespace(namespace.to_owned()),
                None => Self::All,
            },
            _ => Self::All,
        }
    }

    /// As little as covers the question.
    pub(super) fn narrow(info: &KindInfo, namespaces: &[Pattern], names: &[Pattern]) -> Self {
        let places = match info.scope {
            Scope::Cluster => Some(vec![None]),
            Scope::Namespaced => {
                literals(namespaces).map(|namespaces| namespaces.into_iter().map(Some).collect())
            }
        };
        match (places, literals(names)) {
            (Some(places), Some(names)) if places.len() * names.len() <= LIVE_NAMED => {
                let pair = |place: &Option<String>| {
                    names.iter().map(|name| (place.clone(), name.clone())).collect::<Vec<_>>()
                };
                Self::Objects(places.iter().flat_map(pair).collect())
            }
            (None, Some(names)) if namespaces.is_empty() && names.len() == 1 => {
                names.into_iter().next().map_or(Self::All, Self::Name)
            }
            _ => Self::broad(info, namespaces),
        }
    }
}

/// The names that patterns spell out, each once; `None` where one of them is a glob, or there is none.
fn literals(patterns: &[Pattern]) -> Option<Vec<String>> {
    let mut names: Vec<String> =
        patterns.iter().map(|pattern| pattern.literal().map(str::to_owned)).collect::<Option<_>>()?;
    names.sort_unstable();
    names.dedup();
    (!names.is_empty()).then_some(names)
}

#[cfg(test)]
mod tests {
    use kubeplex_test_support::kind::{kind, pods};

    use super::*;

    #[test]
    fn no_more_is_read_than_the_question_is_about() {
        let patterns = |words: &str| words.split_whitespace().map(Pattern::new).collect::<Vec<_>>();
        let many = (0..=LIVE_NAMED).map(|at| format!("n{at} ")).collect::<String>();
        let object = |namespace: &str, name: &str| (Some(namespace.to_owned()), name.to_owned());
        for (namespaces, names, expected) in [
            ("", "", Aim::All),
            ("shop", "", Aim::Namespace("shop".into())),
            ("shop", "cart-*", Aim::Namespace("shop".into())),
            ("shop payments", "", Aim::All),
            ("shop-*", "", Aim::All),
            ("", "cart", Aim::Name("cart".into())),
            ("", "cart web", Aim::All),
            ("shop payments", "cart", Aim::Objects(vec![object("payments", "cart"), object("shop", "cart")])),
            ("shop", &many, Aim::Namespace("shop".into())),
        ] {
            assert_eq!(Aim::narrow(&pods(), &patterns(namespaces), &patterns(names)), expected);
        }
        let nodes = kind("", "nodes", Scope::Cluster);
        assert_eq!(Aim::narrow(&nodes, &[], &patterns("n1")), Aim::Objects(vec![(None, "n1".into())]));
        assert_eq!(Aim::broad(&nodes, &patterns("shop")), Aim::All);
    }
}
