//! Panics of the product in this process. They are contained where they happen, so that only a hook sees them.

use std::panic;
use std::sync::{Mutex, Once, PoisonError};

static SEEN: Mutex<Vec<String>> = Mutex::new(Vec::new());
static HOOK: Once = Once::new();

/// Remembers panics from now on. Those of the tests themselves are not the product's: failed
/// assertions, and agents made by hand that are told to panic.
pub(crate) fn remember() {
    HOOK.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            let location = panic.location().map(ToString::to_string).unwrap_or_default();
            if !["tests/", "test-support/"].iter().any(|folder| location.starts_with(folder)) {
                SEEN.lock().unwrap_or_else(PoisonError::into_inner).push(location);
            }
            usual(panic);
        }));
    });
}

/// # Panics
/// When the product did.
pub(crate) fn assert_none() {
    let seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    assert!(seen.is_empty(), "the product panicked at {seen:?}");
}
