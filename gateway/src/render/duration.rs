//! Times as kubectl writes them.

/// The time that has passed, as kubectl's tables show it: two units where they matter, one where they do not.
///
/// Rules: <https://pkg.go.dev/k8s.io/apimachinery/pkg/util/duration#HumanDuration>
pub fn human_duration(ms: i64) -> String {
    let seconds = ms / 1_000;
    if seconds < -1 {
        // Clocks may disagree by a second without anybody being wrong.
        return "<invalid>".to_owned();
    }
    let seconds = seconds.max(0);
    let (minutes, hours) = (seconds / 60, seconds / 3_600);
    let days = hours / 24;
    match () {
        () if seconds < 120 => format!("{seconds}s"),
        () if minutes < 10 => two(minutes, "m", seconds % 60, "s"),
        () if minutes < 180 => format!("{minutes}m"),
        () if hours < 8 => two(hours, "h", minutes % 60, "m"),
        () if hours < 48 => format!("{hours}h"),
        () if days < 8 => two(days, "d", hours % 24, "h"),
        () if days < 2 * 365 => format!("{days}d"),
        () if days < 8 * 365 => two(days / 365, "y", days % 365, "d"),
        () => format!("{}y", days / 365),
    }
}

fn two(large: i64, large_unit: &str, small: i64, small_unit: &str) -> String {
    if small == 0 {
        format!("{large}{large_unit}")
    } else {
        format!("{large}{large_unit}{small}{small_unit}")
    }
}

/// A moment in RFC 3339, to the second.
pub fn rfc3339(ms: i64) -> String {
    let moment = jiff::Timestamp::from_second(ms.div_euclid(1_000)).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    moment.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_kubectls() {
        const MINUTE: i64 = 60;
        const HOUR: i64 = 60 * MINUTE;
        const DAY: i64 = 24 * HOUR;
        for (seconds, expected) in [
            (-2, "<invalid>"),
            (-1, "0s"),
            (0, "0s"),
            (119, "119s"),
            (120, "2m"),
            (125, "2m5s"),
            (599, "9m59s"),
            (600, "10m"),
            (179 * MINUTE, "179m"),
            (3 * HOUR, "3h"),
            (3 * HOUR + 4 * MINUTE, "3h4m"),
            (8 * HOUR + 4 * MINUTE, "8h"),
            (47 * HOUR, "47h"),
            (48 * HOUR, "2d"),
            (50 * HOUR, "2d2h"),
            (8 * DAY + HOUR, "8d"),
            (729 * DAY, "729d"),
            (730 * DAY, "2y"),
            (735 * DAY, "2y5d"),
            (8 * 365 * DAY + DAY, "8y"),
        ] {
            assert_eq!(human_duration(seconds * 1_000), expected, "{seconds} s");
        }
    }

    #[test]
    fn moments_are_rfc_3339() {
        assert_eq!(rfc3339(1_795_458_279_999), "2026-11-23T18:24:39Z");
        assert_eq!(rfc3339(-1), "1969-12-31T23:59:59Z");
    }
}
