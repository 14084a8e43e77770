//! The first stage: who is calling.
//!
//! Only this module makes a [`Caller`], so a call cannot reach the later stages without one. It runs in front of the
//! protocol ([`require`]): a request gets its caller before anything reads its body, or goes no further. A caller is what
//! their token proves, and without tokens the person at this machine; what a request says beside that
//! (`Impersonate-*`, `X-Forwarded-User` and their like) is never consulted.

mod callers;
mod http;

use std::sync::{Arc, LazyLock};

use kubeplex_proto::call::Identity;
use kubeplex_proto::ids::ClusterId;
use kubeplex_proto::visibility::{Reach, Visibility};
use serde::Serialize;

use crate::config::{ConfiguredCaller, LOCAL_USER};

pub(crate) use self::callers::tokens_wanted;
pub use self::callers::{Callers, Unidentified};
pub(crate) use self::http::require;

/// A principal that was identified, and what policy lets them see. Clones are cheap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Caller(Arc<Known>);

#[derive(Debug, PartialEq, Eq, Serialize)]
struct Known {
    identity: Identity,
    proof: Proof,
    clusters: Reach,
    visibility: Visibility,
}

/// What a caller was known by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum Proof {
    /// That they are at this machine.
    Loopback,
    Token,
}

impl Caller {
    fn of(configured: &ConfiguredCaller) -> Self {
        Self(Arc::new(Known {
            identity: configured.identity.clone(),
            proof: Proof::Token,
            clusters: configured.clusters.clone(),
            visibility: configured.visibility.clone(),
        }))
    }

    /// The person at this machine, who may see everything.
    pub(crate) fn local_user() -> Self {
        static LOCAL: LazyLock<Caller> = LazyLock::new(|| {
            Caller(Arc::new(Known {
                identity: Identity { user: LOCAL_USER.to_owned(), groups: Vec::new() },
                proof: Proof::Loopback,
                clusters: Reach::All,
                visibility: Visibility::everything(),
            }))
        });
        LOCAL.clone()
    }

    /// As clusters would know them.
    pub fn identity(&self) -> &Identity {
        &self.0.identity
    }

    pub fn user(&self) -> &str {
        &self.0.identity.user
    }

    pub fn groups(&self) -> &[String] {
        &self.0.identity.groups
    }

    pub fn proof(&self) -> Proof {
        self.0.proof
    }

    /// The clusters that exist for this caller.
    pub fn clusters(&self) -> &Reach {
        &self.0.clusters
    }

    /// Whether a cluster exists for this caller.
    pub fn sees(&self, cluster: &ClusterId) -> bool {
        self.0.clusters.contains(cluster.as_str())
    }

    /// Whether both come of the same entry among the callers. Who is read anew from a configuration is not.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// What agents may show this caller.
    pub fn visibility(&self) -> &Visibility {
        &self.0.visibility
    }
}

/// Somebody of this name who may see only this, for tests of later stages.
#[cfg(test)]
pub(crate) fn somebody_called(user: &str, visibility: Visibility) -> Caller {
    let identity = Identity { user: user.to_owned(), groups: Vec::new() };
    Caller(Arc::new(Known { identity, proof: Proof::Token, clusters: Reach::All, visibility }))
}

/// Somebody who may see only this, for tests of later stages.
#[cfg(test)]
pub(crate) fn somebody(visibility: Visibility) -> Caller {
    somebody_in(Reach::All, visibility)
}

/// Somebody who may see only this, in these clusters.
#[cfg(test)]
pub(crate) fn somebody_in(clusters: Reach, visibility: Visibility) -> Caller {
    let identity = Identity { user: "somebody".to_owned(), groups: Vec::new() };
    Caller(Arc::new(Known { identity, proof: Proof::Token, clusters, visibility }))
}
