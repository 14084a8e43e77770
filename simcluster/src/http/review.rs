//! Access reviews, answered from the policy table.

use std::collections::BTreeSet;

use bytes::Bytes;
use serde_json::{Value, json};

use super::reply::Reply;
use super::route::ResourcePath;
use crate::cluster::Shared;
use crate::json::{items, set, text};
use crate::policy::{Attributes, User};
use crate::status::ApiError;

/// The review kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Review {
    SelfAccess,
    Access,
    SelfRules,
    SelfSubject,
    Token,
}

impl Review {
    pub(crate) fn of(path: &ResourcePath) -> Option<Self> {
        match (&*path.group, &*path.plural) {
            ("authorization.k8s.io", "selfsubjectaccessreviews") => Some(Self::SelfAccess),
            ("authorization.k8s.io", "subjectaccessreviews" | "localsubjectaccessreviews") => {
                Some(Self::Access)
            }
            ("authorization.k8s.io", "selfsubjectrulesreviews") => Some(Self::SelfRules),
            ("authentication.k8s.io", "selfsubjectreviews") => Some(Self::SelfSubject),
            ("authentication.k8s.io", "tokenreviews") => Some(Self::Token),
            _ => None,
        }
    }
}

/// Whoever is authenticated may ask about themselves.
pub(crate) fn is_open_to_all(path: &ResourcePath) -> bool {
    matches!(Review::of(path), Some(Review::SelfAccess | Review::SelfRules | Review::SelfSubject))
}

/// The review with its status filled in.
///
/// # Errors
/// Where the body is not JSON.
pub(crate) fn answer(
    shared: &Shared,
    review: Review,
    caller: &User,
    body: &Bytes,
) -> Result<Reply, ApiError> {
    let mut object: Value = serde_json::from_slice(body).map_err(|error| {
        ApiError::bad_request(format!("couldn't get version/kind; json parse error: {error}"))
    })?;
    let policy = shared.policy();
    let status = match review {
        Review::SelfAccess => access(shared, caller, &object),
        Review::Access => access(shared, &subject(&object), &object),
        Review::SelfRules => policy.rules_review(caller, text(&object, "/spec/namespace")),
        Review::SelfSubject => json!({"userInfo": user_info(caller)}),
        Review::Token => match policy.authenticate(Some(text(&object, "/spec/token"))) {
            Some(user) => json!({"authenticated": true, "user": user_info(&user)}),
            None => json!({"error": "invalid bearer token", "user": {}}),
        },
    };
    set(&mut object, "/status", status);
    Ok(Reply::json(201, &object))
}

fn user_info(user: &User) -> Value {
    json!({"username": user.name, "groups": user.groups})
}

/// The user that a SubjectAccessReview names, with exactly the groups it names.
fn subject(review: &Value) -> User {
    let groups: BTreeSet<String> =
        items(review, "/spec/groups").iter().filter_map(Value::as_str).map(str::to_owned).collect();
    User { name: text(review, "/spec/user").into(), groups }
}

fn access(shared: &Shared, user: &User, review: &Value) -> Value {
    let policy = shared.policy();
    let allowed = match review.pointer("/spec/resourceAttributes") {
        Some(asked) => policy.allows(
            user,
            &Attributes {
                verb: text(asked, "/verb"),
                group: text(asked, "/group"),
                resource: text(asked, "/resource"),
                subresource: text(asked, "/subresource"),
                namespace: text(asked, "/namespace"),
                name: text(asked, "/name"),
            },
        ),
        None => {
            let asked = |field: &str| text(review, &format!("/spec/nonResourceAttributes/{field}"));
            asked("verb") == "get" && policy.allows_path(user, asked("path"))
        }
    };
    if allowed {
        json!({"allowed": true, "reason": "granted by the policy table"})
    } else {
        json!({"allowed": false})
    }
}
