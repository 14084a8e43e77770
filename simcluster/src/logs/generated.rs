//! What containers write by themselves: one line every few seconds, the same one at the same time.

use std::time::Duration;

use jiff::Timestamp;

use super::Line;

pub(super) const EVERY: Duration = Duration::from_secs(3);

/// Of a log so many lines are kept.
const LINES: i64 = 200;

/// The last lines up to a moment.
pub(super) fn lines(container: &str, is_slow: bool, until: Timestamp) -> Vec<Line> {
    let every = EVERY.as_secs() as i64;
    let last = until.as_second().div_euclid(every);
    (last - LINES + 1..=last)
        .filter_map(|number| {
            let at = Timestamp::from_second(number * every).ok()?;
            Some((at, line(container, is_slow, u64::try_from(number).unwrap_or_default())))
        })
        .collect()
}

fn line(container: &str, is_slow: bool, number: u64) -> String {
    match number % 17 {
        0 => format!(
            "level=error component={container} msg=\"upstream request failed\" err=\"context deadline exceeded\" attempt={}",
            number % 3 + 1
        ),
        n if is_slow || n % 5 == 0 => format!(
            "level=warn component={container} msg=\"slow request\" duration_ms={}",
            800 + number * 7 % 900
        ),
        _ => format!(
            "level=info component={container} msg=\"request served\" status=200 duration_ms={} seq={number}",
            3 + number * 13 % 60
        ),
    }
}
