//! That there is no such object: said alike by all tools that are asked for objects by name.

use kubeplex_proto::kind::GroupResource;
use kubeplex_proto::pattern::Pattern;
use kubeplex_proto::status::LegStatus;

use super::{Coverage, Gathered};
use crate::error::{CallError, ErrorCode};

/// What was asked for: `deployments.apps "cart"`.
pub(super) fn asked(kind: &GroupResource, names: &[Pattern]) -> String {
    let names: Vec<_> = names.iter().map(Pattern::as_str).collect();
    match names.as_slice() {
        [] => kind.to_string(),
        names => format!("{kind} \"{}\"", names.join(",")),
    }
}

/// All clusters answered, and none has it.
pub(super) fn not_found(kind: &GroupResource, asked: &str, coverage: &Coverage) -> CallError {
    let have_kind = coverage.legs.iter().any(|leg| leg.status != LegStatus::Absent);
    let message = match coverage.legs.as_slice() {
        _ if !have_kind => format!("none of the clusters asked has the kind {kind}"),
        [only] => format!("{asked} is not in {}", only.cluster),
        legs => format!("{asked} is in none of the {} clusters asked", legs.len()),
    };
    CallError::new(ErrorCode::NotFound, message).with_hint("resources_list shows the names that there are")
}

impl<T> Gathered<T> {
    /// The same, where something is found or some of it may be missing.
    ///
    /// # Errors
    /// `not_found`.
    pub(crate) fn found(self, kind: &GroupResource, names: &[Pattern]) -> Result<Self, CallError> {
        if self.items.is_empty() && !self.coverage.is_partial() {
            return Err(not_found(kind, &asked(kind, names), &self.coverage));
        }
        Ok(self)
    }
}
