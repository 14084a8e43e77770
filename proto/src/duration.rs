//! Durations as kubectl writes them: two or three significant figures.
//!
//! Rules: <https://pkg.go.dev/k8s.io/apimachinery/pkg/util/duration#HumanDuration>
//!
//! Both ends write them: agents where a cell is a duration, the gateway where an age is counted on.

use std::time::Duration;

/// `45s`, `5m30s`, `3h`, `2d4h`, `400d`, `3y12d`; `<invalid>` for anything that lies more than a second ahead.
pub fn human_duration(ms: i64) -> String {
    // Both divisions truncate towards zero, so that clocks that differ by less than two seconds show as 0s.
    let seconds = ms / 1_000;
    let (minutes, hours) = (seconds / 60, seconds / 3_600);
    let days = hours / 24;
    match () {
        () if seconds < -1 => "<invalid>".to_owned(),
        () if seconds < 0 => "0s".to_owned(),
        () if seconds < 120 => format!("{seconds}s"),
        () if minutes < 10 => two(minutes, "m", seconds % 60, "s"),
        () if minutes < 180 => format!("{minutes}m"),
        () if hours < 8 => two(hours, "h", minutes % 60, "m"),
        () if hours < 48 => format!("{hours}h"),
        () if days < 8 => two(days, "d", hours % 24, "h"),
        () if days < 365 * 2 => format!("{days}d"),
        () if days < 365 * 8 => two(days / 365, "y", days % 365, "d"),
        () => format!("{}y", days / 365),
    }
}

/// A time that was waited, with no more of it than matters: `250ms`, `9.7s`, `30s`, then as [`human_duration`].
pub fn waited(time: Duration) -> String {
    let ms = time.as_millis();
    match ms {
        0..1_000 => format!("{ms}ms"),
        1_000..10_000 if ms % 1_000 >= 100 => format!("{}.{}s", ms / 1_000, ms % 1_000 / 100),
        _ => human_duration(i64::try_from(ms).unwrap_or(i64::MAX)),
    }
}

/// How long an age of `ms` reads the same while it grows: until the smallest unit shown has passed, or sooner.
pub fn human_duration_holds_ms(ms: i64) -> i64 {
    const MINUTE: i64 = 60_000;
    const HOUR: i64 = 60 * MINUTE;
    let unit = match () {
        () if ms < 10 * MINUTE => 1_000,
        () if ms < 8 * HOUR => MINUTE,
        () if ms < 8 * 24 * HOUR => HOUR,
        () => 24 * HOUR,
    };
    unit - ms.rem_euclid(unit)
}

fn two(large: i64, large_unit: &str, small: i64, small_unit: &str) -> String {
    if small == 0 {
        format!("{large}{large_unit}")
    } else {
        format!("{large}{large_unit}{small}{small_unit}")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_age_reads_the_same_for_as_long_as_is_said(
            magnitude in 0_u32..12,
            factor in 0_i64..10_000,
            part in 0.0..1.0_f64,
            negative: bool,
        ) {
            let ms = factor * 10_i64.pow(magnitude) / 1_000;
            let ms = if negative { -ms } else { ms };
            let holds_ms = human_duration_holds_ms(ms);
            prop_assert!(holds_ms > 0);
            let later = ms + (part * holds_ms as f64) as i64;
            prop_assert_eq!(human_duration(ms), human_duration(later));
            prop_assert_eq!(human_duration(ms), human_duration(ms + holds_ms - 1));
        }
    }

    #[test]
    fn durations_read_as_in_kubectl() {
        const MINUTE: i64 = 60;
        const HOUR: i64 = 60 * MINUTE;
        const DAY: i64 = 24 * HOUR;
        for (seconds, expected) in [
            (-2, "<invalid>"),
            (-1, "0s"),
            (0, "0s"),
            (119, "119s"),
            (2 * MINUTE, "2m"),
            (2 * MINUTE + 1, "2m1s"),
            (9 * MINUTE + 59, "9m59s"),
            (10 * MINUTE + 59, "10m"),
            (179 * MINUTE, "179m"),
            (3 * HOUR, "3h"),
            (3 * HOUR + MINUTE, "3h1m"),
            (8 * HOUR + 59 * MINUTE, "8h"),
            (47 * HOUR, "47h"),
            (2 * DAY, "2d"),
            (2 * DAY + HOUR, "2d1h"),
            (8 * DAY + HOUR, "8d"),
            (729 * DAY, "729d"),
            (730 * DAY, "2y"),
            (731 * DAY, "2y1d"),
            (8 * 365 * DAY + DAY, "8y"),
        ] {
            assert_eq!(human_duration(seconds * 1_000), expected, "{seconds} s");
        }
        assert_eq!(human_duration(-1_999), "0s");
    }

    #[test]
    fn what_was_waited_is_told_to_what_matters() {
        for (nanos, expected) in [
            (0, "0ms"),
            (250_999_999, "250ms"),
            (1_000_000_000, "1s"),
            (9_749_812_345, "9.7s"),
            (9_050_000_000, "9s"),
            (30_000_000_000, "30s"),
            (119_750_000_001, "119s"),
            (300_000_000_000, "5m"),
        ] {
            assert_eq!(waited(Duration::from_nanos(nanos)), expected);
        }
    }
}
