//! With whose rights something is read live: the one way from a caller to the API server.

use kubeplex_link::reason;
use kubeplex_proto::call::Identity;
use kubeplex_proto::kind::GroupResource;
use kubeplex_proto::status::LegStatus;
use serde::Deserialize;
use serde_json::json;
use tokio::time::timeout_at;

use super::deadline::Deadline;
use super::opening::Nothing;
use crate::api::{Api, ApiError, Impersonation};
use crate::config::LiveReads;
use crate::limits::{REVIEW_KEPT, REVIEWS_KEPT};
use crate::recent::Recent;

const REVIEWS: &str = "/apis/authorization.k8s.io/v1/subjectaccessreviews";

/// The group of everybody whom the API server knows: it adds it to whom the agent acts as, but not to whom a review names.
const AUTHENTICATED: &str = "system:authenticated";

/// The role that lets the agent ask and act for callers, as `docs/rights.md` has it.
const ROLE: &str = "the ClusterRole kubeplex-agent-impersonate in docs/rights.md";

/// Decides for each live read whether it is sent, and as whom.
pub(super) struct Rights {
    api: Api,
    mode: LiveReads,
    reviews: Recent<(Identity, Access), Verdict>,
}

/// What somebody wants to do, as the API server's authorizers see it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Access {
    pub(super) verb: Verb,
    pub(super) kind: GroupResource,
    pub(super) version: String,
    /// A path that is no resource's; empty where objects are meant.
    pub(super) path: &'static str,
    /// `log`; empty: the objects themselves.
    pub(super) subresource: &'static str,
    /// None: in the whole cluster.
    pub(super) namespace: Option<String>,
    /// None: to all objects.
    pub(super) name: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Verb {
    Get,
    List,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Verdict {
    Allowed,
    /// With the authorizer's reason, which is often empty.
    Denied(String),
}

#[derive(Deserialize)]
struct Review {
    status: ReviewStatus,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ReviewStatus {
    allowed: bool,
    reason: String,
    evaluation_error: String,
}

impl Rights {
    pub(super) fn new(api: Api, mode: LiveReads) -> Self {
        Self { api, mode, reviews: Recent::new(REVIEW_KEPT, REVIEWS_KEPT) }
    }

    /// The API server as this caller sees it, once it has said that they may do this.
    ///
    /// # Errors
    /// Why the read is not sent: who may not do what.
    pub(super) async fn allow(
        &self,
        caller: &Identity,
        access: Access,
        deadline: Deadline,
    ) -> Result<Api, Nothing> {
        let as_caller = match self.mode {
            LiveReads::Own => return Ok(self.api.clone()),
            LiveReads::Refused => {
                let what = access.what();
                return Err(forbidden(format!(
                    "{what} would have to be read live, which live_reads = \"refused\" under [kubernetes] in the agent's \
                     configuration forbids"
                )));
            }
            LiveReads::Impersonate => self.as_caller(caller)?,
        };
        match self.verdict(caller, &access, deadline).await? {
            Verdict::Allowed => Ok(as_caller),
            Verdict::Denied(reason) => Err(forbidden(denied(caller, &access, &reason))),
        }
    }

    /// The API server as this caller sees it, for what it shows to everybody whom it knows: what it serves, and how that is
    /// made.
    ///
    /// # Errors
    /// Where nobody may act as the caller.
    pub(super) fn as_caller(&self, caller: &Identity) -> Result<Api, Nothing> {
        match self.mode {
            LiveReads::Own | LiveReads::Refused => Ok(self.api.clone()),
            LiveReads::Impersonate => {
                let as_caller = Impersonation::of(caller);
                Ok(self.api.acting_as(as_caller.map_err(|nobody| forbidden(nobody.to_string()))?))
            }
        }
    }

    /// For one object: the right to all of them in its namespace counts, and so does the right to it alone.
    ///
    /// # Errors
    /// As [`allow`](Self::allow).
    pub(super) async fn allow_object(
        &self,
        caller: &Identity,
        access: Access,
        deadline: Deadline,
    ) -> Result<Api, Nothing> {
        let all = Access { name: None, ..access.clone() };
        match self.allow(caller, all, deadline).await {
            Err(refused) if refused.status == LegStatus::Forbidden && self.mode == LiveReads::Impersonate => {
                self.allow(caller, access, deadline).await
            }
            decided => decided,
        }
    }

    /// What a read that was sent and failed means for the answer.
    pub(super) fn failure(&self, caller: &Identity, what: &str, error: &ApiError) -> Nothing {
        match error {
            ApiError::Forbidden { message } if message.contains("cannot impersonate") => forbidden(format!(
                "the agent may not act as {}: its service account needs the verb impersonate on them ({ROLE}): {message}",
                named(caller)
            )),
            error => Nothing::new(leg_status(error), format!("{what} can't be read: {}", reason(error))),
        }
    }

    async fn verdict(
        &self,
        caller: &Identity,
        access: &Access,
        deadline: Deadline,
    ) -> Result<Verdict, Nothing> {
        let finding = self.reviews.about(&(caller.clone(), access.clone()));
        let asked = finding.or_find_out(self.review(caller, access, deadline));
        match timeout_at(deadline.at(), asked).await {
            Ok(Ok(verdict)) => Ok(verdict),
            Ok(Err(error @ ApiError::Forbidden { .. })) => Err(forbidden(format!(
                "the agent may not ask the API server what {} may do: its service account needs the verb create on \
                 subjectaccessreviews.authorization.k8s.io ({ROLE}): {}",
                caller.user,
                reason(&error)
            ))),
            Ok(Err(error)) => {
                let message =
                    format!("the API server does not say what {} may do: {}", caller.user, reason(&error));
                Err(Nothing::new(leg_status(&error), message))
            }
            Err(_) => {
                let message = format!("the API server did not say in time what {} may do", caller.user);
                Err(Nothing::new(LegStatus::Timeout, message))
            }
        }
    }

    /// Asks with the agent's own rights.
    async fn review(
        &self,
        caller: &Identity,
        access: &Access,
        deadline: Deadline,
    ) -> Result<Verdict, ApiError> {
        let body = self.api.review(REVIEWS, question(caller, access), deadline.remaining()).await?;
        let review: Review = serde_json::from_slice(&body)
            .map_err(|source| ApiError::Decode { what: "a SubjectAccessReview", source })?;
        let ReviewStatus { allowed, reason, evaluation_error } = review.status;
        Ok(match allowed {
            true => Verdict::Allowed,
            false => Verdict::Denied(if reason.is_empty() { evaluation_error } else { reason }),
        })
    }
}

fn question(caller: &Identity, access: &Access) -> Vec<u8> {
    let groups: Vec<&str> = caller.groups.iter().map(String::as_str).chain([AUTHENTICATED]).collect();
    let mut review = json!({
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": { "user": caller.user, "groups": groups },
    });
    if access.path.is_empty() {
        review["spec"]["resourceAttributes"] = json!({
            "verb": access.verb.as_str(),
            "group": access.kind.group,
            "version": access.version,
            "resource": access.kind.resource,
            "subresource": access.subresource,
            "namespace": access.namespace.as_deref().unwrap_or_default(),
            "name": access.name.as_deref().unwrap_or_default(),
        });
    } else {
        review["spec"]["nonResourceAttributes"] =
            json!({ "verb": access.verb.as_str(), "path": access.path });
    }
    review.to_string().into_bytes()
}

fn denied(caller: &Identity, access: &Access, reason: &str) -> String {
    let name = access.name.iter().map(|name| format!(" {name:?}")).collect::<String>();
    let place = match &access.namespace {
        Some(namespace) => format!(" in the namespace {namespace}"),
        None if access.path.is_empty() => " in the whole cluster".to_owned(),
        None => String::new(),
    };
    let reason = if reason.is_empty() { String::new() } else { format!(" ({reason})") };
    let verb = access.verb.as_str();
    let part = if access.subresource.is_empty() { String::new() } else { format!("/{}", access.subresource) };
    format!(
        "{} may not {verb} {}{part}{name}{place}{reason}; a role of the cluster that is bound to {} has to grant it",
        caller.user,
        access.what(),
        named(caller)
    )
}

/// A caller with their groups.
fn named(caller: &Identity) -> String {
    match caller.groups.as_slice() {
        [] => format!("the user {}", caller.user),
        groups => format!("the user {} and the groups {}", caller.user, groups.join(", ")),
    }
}

fn forbidden(message: String) -> Nothing {
    Nothing::new(LegStatus::Forbidden, message)
}

/// What a failed call to the API server means for the answer.
fn leg_status(error: &ApiError) -> LegStatus {
    match error {
        ApiError::Forbidden { .. } | ApiError::Unauthorized { .. } => LegStatus::Forbidden,
        ApiError::NotFound { .. } => LegStatus::Absent,
        ApiError::Timeout { .. } => LegStatus::Timeout,
        _ => LegStatus::Error,
    }
}

impl Verb {
    fn as_str(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::List => "list",
        }
    }
}

impl Access {
    /// To read objects of a kind: one of them, or all in a place.
    pub(super) fn to(
        verb: Verb,
        info: &kubeplex_proto::kind::KindInfo,
        namespace: Option<&str>,
        name: Option<&str>,
    ) -> Self {
        Self {
            verb,
            kind: info.id.clone(),
            version: info.version.clone(),
            path: "",
            subresource: "",
            namespace: namespace.map(str::to_owned),
            name: name.map(str::to_owned),
        }
    }

    /// To read a path that is no resource's: `/metrics`.
    pub(super) fn to_path(path: &'static str) -> Self {
        let kind = GroupResource::new("", "");
        Self {
            verb: Verb::Get,
            kind,
            version: String::new(),
            path,
            subresource: "",
            namespace: None,
            name: None,
        }
    }

    fn what(&self) -> String {
        if self.path.is_empty() { self.kind.to_string() } else { self.path.to_owned() }
    }

    /// The same, to a part of the objects that is granted apart from them.
    pub(super) fn part(self, subresource: &'static str) -> Self {
        Self { subresource, ..self }
    }
}
