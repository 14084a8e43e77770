//! Errors as the server says them: an HTTP status with a `metav1.Status` body.

use serde_json::{Value, json};

use crate::names::GroupResource;

/// A refusal. Each constructor gives the code, reason and message that a real server gives in that case.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ApiError {
    pub(crate) code: u16,
    reason: &'static str,
    message: String,
    /// Boxed so that results stay small.
    details: Option<Box<Value>>,
    /// For 410 of a list: the token that goes on inconsistently.
    continue_token: Option<String>,
    retry_after_seconds: Option<u32>,
    /// Paths that no handler has get plain text, not a Status.
    plain: bool,
}

impl ApiError {
    fn new(code: u16, reason: &'static str, message: String) -> Self {
        Self {
            code,
            reason,
            message,
            details: None,
            continue_token: None,
            retry_after_seconds: None,
            plain: false,
        }
    }

    fn with_details(mut self, details: Value) -> Self {
        self.details = Some(Box::new(details));
        self
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message.into())
    }

    pub(crate) fn unauthorized() -> Self {
        Self::new(401, "Unauthorized", "Unauthorized".into())
    }

    /// `what` is the sentence of `policy`, without the leading subject.
    pub(crate) fn forbidden(kind: &GroupResource, name: &str, what: &str) -> Self {
        let subject = if name.is_empty() { kind.to_string() } else { format!("{kind} \"{name}\"") };
        Self::new(403, "Forbidden", format!("{subject} is forbidden: {what}"))
            .with_details(details(kind, name))
    }

    /// For paths that are no resources.
    pub(crate) fn forbidden_path(user: &str, verb: &str, path: &str) -> Self {
        let message = format!("forbidden: User \"{user}\" cannot {verb} path \"{path}\"");
        Self::new(403, "Forbidden", message).with_details(json!({}))
    }

    pub(crate) fn not_found(kind: &GroupResource, name: &str) -> Self {
        Self::new(404, "NotFound", format!("{kind} \"{name}\" not found")).with_details(details(kind, name))
    }

    /// No such path: the mux's own answer, which is not JSON.
    pub(crate) fn no_such_path() -> Self {
        Self { plain: true, ..Self::new(404, "NotFound", "404 page not found".into()) }
    }

    pub(crate) fn method_not_allowed() -> Self {
        let message = "the server does not allow this method on the requested resource";
        Self::new(405, "MethodNotAllowed", message.into()).with_details(json!({}))
    }

    pub(crate) fn not_acceptable() -> Self {
        let message = "only the following media types are accepted: application/json";
        Self::new(406, "NotAcceptable", message.into())
    }

    pub(crate) fn already_exists(kind: &GroupResource, name: &str) -> Self {
        Self::new(409, "AlreadyExists", format!("{kind} \"{name}\" already exists"))
            .with_details(details(kind, name))
    }

    pub(crate) fn conflict(kind: &GroupResource, name: &str, cause: &str) -> Self {
        let message = format!("Operation cannot be fulfilled on {kind} \"{name}\": {cause}");
        Self::new(409, "Conflict", message).with_details(details(kind, name))
    }

    /// A watch or an exact list from a compacted revision.
    pub(crate) fn too_old(asked: u64, current: u64) -> Self {
        Self::new(410, "Expired", format!("too old resource version: {asked} ({current})"))
    }

    pub(crate) fn list_too_old() -> Self {
        Self::new(410, "Expired", "The resourceVersion for the provided list is too old.".into())
    }

    pub(crate) fn continue_expired(inconsistent: String) -> Self {
        let message = "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.";
        Self { continue_token: Some(inconsistent), ..Self::new(410, "Expired", message.into()) }
    }

    pub(crate) fn unsupported_media_type(given: &str) -> Self {
        let message = format!(
            "the body of the request was in an unknown format - accepted media types include: application/json, application/merge-patch+json (not {given:?})"
        );
        Self::new(415, "UnsupportedMediaType", message)
    }

    /// `causes` are `(field, reason, message)`.
    pub(crate) fn invalid(group: &str, kind: &str, name: &str, causes: &[(String, &str, String)]) -> Self {
        let subject = if group.is_empty() { kind.to_owned() } else { format!("{kind}.{group}") };
        let sentences: Vec<String> =
            causes.iter().map(|(field, _, message)| format!("{field}: {message}")).collect();
        let all = if let [one] = &*sentences { one.clone() } else { format!("[{}]", sentences.join(", ")) };
        let causes = causes
            .iter()
            .map(|(field, reason, message)| json!({"reason": reason, "message": message, "field": field}));
        let details =
            json!({"name": name, "group": group, "kind": kind, "causes": causes.collect::<Vec<_>>()});
        Self::new(422, "Invalid", format!("{subject} \"{name}\" is invalid: {all}")).with_details(details)
    }

    pub(crate) fn too_many_requests(retry_after_seconds: u32) -> Self {
        let message = "the server has received too many requests and has asked us to try again later";
        let error = Self::new(429, "TooManyRequests", message.into());
        Self { retry_after_seconds: Some(retry_after_seconds), ..error }
    }

    /// The list asks for a revision that does not exist yet.
    pub(crate) fn future_version(asked: u64, current: u64) -> Self {
        let message = format!("Too large resource version: {asked}, current: {current}");
        let cause = json!({"reason": "ResourceVersionTooLarge", "message": "Too large resource version"});
        let error = Self::new(504, "Timeout", format!("Timeout: {message}"));
        Self { retry_after_seconds: Some(1), ..error }.with_details(json!({"causes": [cause]}))
    }

    /// Any other code, for faults.
    pub(crate) fn other(code: u16, message: &str) -> Self {
        let reason = match code {
            401 => "Unauthorized",
            403 => "Forbidden",
            404 => "NotFound",
            410 => "Expired",
            429 => "TooManyRequests",
            500 => "InternalError",
            503 => "ServiceUnavailable",
            504 => "Timeout",
            _ => "",
        };
        Self::new(code, reason, message.into())
    }

    pub(crate) fn retry_after_seconds(&self) -> Option<u32> {
        self.retry_after_seconds
    }

    pub(crate) fn is_plain(&self) -> bool {
        self.plain
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// The body, also the object of an `ERROR` watch event.
    pub(crate) fn status(&self) -> Value {
        let metadata = self.continue_token.as_ref().map_or(json!({}), |token| json!({"continue": token}));
        let mut status = json!({"kind": "Status", "apiVersion": "v1", "metadata": metadata, "status": "Failure", "message": self.message});
        if !self.reason.is_empty() {
            status["reason"] = self.reason.into();
        }
        let mut details = self.details.as_deref().cloned();
        if let Some(seconds) = self.retry_after_seconds {
            details.get_or_insert(json!({}))["retryAfterSeconds"] = seconds.into();
        }
        if let Some(details) = details {
            status["details"] = details;
        }
        status["code"] = self.code.into();
        status
    }
}

fn details(kind: &GroupResource, name: &str) -> Value {
    let mut details = json!({"kind": kind.resource()});
    if !name.is_empty() {
        details["name"] = name.into();
    }
    if !kind.group().is_empty() {
        details["group"] = kind.group().into();
    }
    details
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_the_servers() {
        let deployments = GroupResource::new("apps", "deployments");
        let status = ApiError::not_found(&deployments, "cart").status();
        assert_eq!(status["message"], "deployments.apps \"cart\" not found");
        assert_eq!(status["details"], json!({"kind": "deployments", "name": "cart", "group": "apps"}));
        let status = ApiError::too_many_requests(3).status();
        assert_eq!((&status["code"], &status["details"]["retryAfterSeconds"]), (&json!(429), &json!(3)));
        let causes = [("sendInitialEvents".to_owned(), "FieldValueForbidden", "Forbidden: no".to_owned())];
        let status = ApiError::invalid("meta.k8s.io", "ListOptions", "", &causes).status();
        assert_eq!(
            status["message"],
            "ListOptions.meta.k8s.io \"\" is invalid: sendInitialEvents: Forbidden: no"
        );
    }
}
