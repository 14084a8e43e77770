//! Objects one by one, for whoever makes something else of them than rows.

use kubeplex_proto::pattern::Pattern;
use kubeplex_proto::selector::LabelSelector;
use kubeplex_proto::status::AgentError;
use kubeplex_proto::visibility::Visibility;
use parking_lot::RwLock;
use serde_json::Value;

use super::budget::ScanBudget;
use super::filter::Filter;
use super::scan::{Decode, scan};
use crate::cache::KindStore;

/// Calls `visit` with every visible object of a kind that is kept whole, in these namespaces or, without any, in all, in the order of namespace and name.
///
/// # Errors
/// `timeout` when the budget is used up.
pub fn visit(
    store: &RwLock<KindStore>,
    visibility: &Visibility,
    namespaces: &[Pattern],
    budget: &ScanBudget,
    visit: &mut dyn FnMut(&Value),
) -> Result<(), AgentError> {
    let shape = store.read().shape().clone();
    let labels = LabelSelector::default();
    let mut filter = Filter::new(&shape, visibility, (namespaces, &[]), &labels);
    scan(store, &shape, &mut filter, Decode::Objects, budget, &mut |candidate| {
        if let Some(object) = candidate.object {
            visit(object);
        }
    })?;
    Ok(())
}
