//! Waiting on a value instead of sleeping.

use std::fmt::Debug;
use std::time::Duration;

/// Generous: it is only ever reached by a test that fails.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// How often the value is looked at.
const INTERVAL: Duration = Duration::from_millis(20);

/// Lets time pass: the only way to see that something does *not* happen, and to spread what a test does over time.
pub async fn pass(time: Duration) {
    let nothing = tokio::time::timeout(time, std::future::pending::<()>());
    // It always runs out.
    let _ = nothing.await;
}

/// Looks at a value until it is `Ok`, and returns that.
///
/// # Panics
/// With the last `Err`, when patience ends first.
pub async fn until<T, E: Debug>(what: &str, mut look: impl AsyncFnMut() -> Result<T, E>) -> T {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    let mut ticks = tokio::time::interval(INTERVAL);
    loop {
        ticks.tick().await;
        match look().await {
            Ok(value) => return value,
            Err(seen) if tokio::time::Instant::now() >= deadline => {
                panic!("waited {} s for {what}; last seen: {seen:?}", PATIENCE.as_secs())
            }
            Err(_) => {}
        }
    }
}
