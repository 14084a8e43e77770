//! Panics of the product in this process. They are contained where they happen, so that only a hook sees them.

use std::panic;
use std::sync::{Mutex, Once, PoisonError};

static SEEN: Mutex<Vec<String>> = Mutex::new(Vec::new());
static HOOK: Once = Once::new();

/// Remembers panics from now on. Those of the tests themselves, failed assertions among them, are not the product's.
pub(crate) fn remember() {
    HOOK.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            let location = panic.location().map(ToString::to_string).unwrap_or_default();
            if !location.starts_with("tests/") {
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
