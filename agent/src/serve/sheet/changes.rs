//! What was done to an object of late.

use std::cmp::Reverse;
use std::sync::Arc;

use kubeplex_proto::changes::Change;
use kubeplex_proto::pattern::Pattern;
use kubeplex_proto::status::AgentError;

use super::{Composing, Described};
use crate::history::question;
use crate::limits::{SHEET_CHANGES, SHEET_CHANGES_FOR};
use crate::query::ScanBudget;

impl Composing<'_> {
    pub(super) async fn changes(&self, described: &Described) -> Result<Vec<Change>, AgentError> {
        let now_ms = self.service.0.api.clock().cluster_now_ms();
        let question = question::Question {
            from_ms: now_ms.saturating_sub(SHEET_CHANGES_FOR.as_millis() as i64),
            to_ms: now_ms,
            now_ms,
            kind: Some(self.info.id.clone()),
            namespaces: described.namespace.iter().cloned().map(Pattern::new).collect(),
            names: vec![Pattern::new(described.name.clone())],
            visibility: self.context.visibility.clone(),
            limit: usize::MAX,
        };
        let (history, kinds) = (Arc::clone(&self.service.0.history), self.service.0.kinds.clone());
        let scan = move |budget: &ScanBudget| question::answer(&history, &kinds, &question, budget);
        Ok(last_made(self.service.0.scans.run(self.deadline, scan).await?.changes))
    }
}

/// The last that were made, the newest first; how the object fared by itself only where they leave room.
fn last_made(mut changes: Vec<Change>) -> Vec<Change> {
    changes.sort_by_key(Change::is_of_status);
    changes.truncate(SHEET_CHANGES);
    changes.sort_by_key(|change| Reverse(change.at_ms));
    changes
}

#[cfg(test)]
mod tests {
    use kubeplex_proto::changes::{Class, Deed, FieldChange};
    use serde_json::Value;

    use super::*;

    fn change(at_ms: i64, class: Class) -> Change {
        let field = FieldChange { path: "a".to_owned(), class, old: Value::Null, new: Value::Null };
        Change {
            at_ms,
            after_ms: None,
            kind: "deployments.apps".parse().unwrap(),
            kind_name: "Deployment".to_owned(),
            namespace: None,
            name: "cart".to_owned(),
            deed: Deed::Changed,
            fields: vec![field],
            more_fields: 0,
            by: None,
            inferred: false,
            relation: String::new(),
            folded: Vec::new(),
            times: 1,
        }
    }

    #[test]
    fn a_rollout_is_told_before_the_conditions_that_followed_it() {
        let mut all = vec![change(2, Class::Image), change(1, Class::Status)];
        all.splice(0..0, (3..9).rev().map(|at| change(at, Class::Status)));
        let times = |changes: Vec<Change>| changes.iter().map(|change| change.at_ms).collect::<Vec<_>>();
        assert_eq!(times(last_made(all)), [8, 7, 6, 5, 2]);
        let made = (0..9).rev().map(|at| change(at, Class::Spec)).collect();
        assert_eq!(times(last_made(made)), [8, 7, 6, 5, 4]);
    }
}
