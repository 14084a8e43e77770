//! Comparing what the fleet says with what the servers say. A change takes a moment to pass through watch and cache, so a
//! comparison is repeated until both sides agree; a real difference stays.

use std::fmt::Debug;

use kubeplex_tests::wait;

/// Waits until both sides are equal.
///
/// # Panics
/// When they stay different: with what is only on one side, or the first place where the order differs.
pub(crate) async fn agree<T: PartialEq + Debug>(
    what: &str,
    mut ours: impl AsyncFnMut() -> Vec<T>,
    mut theirs: impl AsyncFnMut() -> Vec<T>,
) {
    wait::until(what, async || {
        let (ours, theirs) = (ours().await, theirs().await);
        if ours == theirs { Ok(()) } else { Err(difference(&ours, &theirs)) }
    })
    .await;
}

fn difference<T: PartialEq + Debug>(ours: &[T], theirs: &[T]) -> String {
    let only = |a: &[T], b: &[T]| -> Vec<String> {
        a.iter().filter(|item| !b.contains(item)).take(3).map(|item| format!("{item:?}")).collect()
    };
    let (here, there) = (only(ours, theirs), only(theirs, ours));
    let place = ours.iter().zip(theirs).position(|(a, b)| a != b);
    let counts = format!("{} here, {} at the servers", ours.len(), theirs.len());
    if here.is_empty() && there.is_empty() {
        let at = place.unwrap_or_else(|| ours.len().min(theirs.len()));
        return format!("{counts}; order differs at {at}: {:?} and {:?}", ours.get(at), theirs.get(at));
    }
    format!("{counts}; only here {here:?}, only at the servers {there:?}")
}
