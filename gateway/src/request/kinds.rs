//! A question about the kinds that clusters serve.

use kubeplex_proto::kind::{GroupResource, KindInfo};
use kubeplex_proto::pattern::Pattern;

use super::{CallOptions, PageQuery, Target};
use crate::resolve::Understood;

/// A page of kinds.
#[derive(Debug)]
#[cfg_attr(test, derive(Clone))]
pub struct KindsQuery {
    pub targets: Vec<Target>,
    /// Empty: all.
    pub kinds: Vec<NamedKind>,
    pub page: PageQuery,
    pub options: CallOptions,
    pub understood: Understood,
}

/// What a caller calls kinds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NamedKind {
    /// Any of their names, in lower case.
    Names(Pattern),
    /// One of them.
    Id(GroupResource),
}

impl NamedKind {
    pub fn means(&self, kind: &KindInfo) -> bool {
        match self {
            Self::Id(id) => kind.id == *id,
            Self::Names(pattern) => {
                let full = kind.id.to_string();
                let names = [&kind.id.resource, &kind.singular, &kind.kind, &full].into_iter();
                names.chain(&kind.short_names).any(|name| pattern.matches(&name.to_lowercase()))
            }
        }
    }
}
