//! Durations for people, as `k8s.io/apimachinery/pkg/util/duration` writes them.

use jiff::Timestamp;

/// `<unknown>` without a time, `<invalid>` for the future.
pub(crate) fn since(timestamp: &str, now: Timestamp) -> String {
    match timestamp.parse::<Timestamp>() {
        _ if timestamp.is_empty() => "<unknown>".into(),
        Ok(then) => human(now.duration_since(then).as_secs()),
        Err(_) => "<invalid>".into(),
    }
}

/// The difference of two written times; nothing where one is missing.
pub(crate) fn between(start: &str, end: &str) -> Option<String> {
    let (start, end): (Timestamp, Timestamp) = (start.parse().ok()?, end.parse().ok()?);
    Some(human(end.duration_since(start).as_secs()))
}

/// The two largest units that matter at that length.
pub(crate) fn human(seconds: i64) -> String {
    // The real function tolerates being two seconds ahead.
    if seconds < -1 {
        return "<invalid>".into();
    }
    let seconds = seconds.max(0);
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    let years = days / 365;
    let pair = |large: i64, unit: &str, rest: i64, rest_unit: &str| match rest {
        0 => format!("{large}{unit}"),
        rest => format!("{large}{unit}{rest}{rest_unit}"),
    };
    match seconds {
        0..120 => format!("{seconds}s"),
        _ if minutes < 10 => pair(minutes, "m", seconds % 60, "s"),
        _ if minutes < 180 => format!("{minutes}m"),
        _ if hours < 8 => pair(hours, "h", minutes % 60, "m"),
        _ if hours < 48 => format!("{hours}h"),
        _ if hours < 192 => pair(days, "d", hours % 24, "h"),
        _ if hours < 24 * 365 * 2 => format!("{days}d"),
        _ if hours < 24 * 365 * 8 => pair(years, "y", days % 365, "d"),
        _ => format!("{years}y"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_read_as_kubectl_prints_them() {
        let cases = [
            (-5, "<invalid>"),
            (-1, "0s"),
            (119, "119s"),
            (120, "2m"),
            (125, "2m5s"),
            (600, "10m"),
            (179 * 60, "179m"),
            (3 * 3600, "3h"),
            (3 * 3600 + 300, "3h5m"),
            (47 * 3600, "47h"),
            (49 * 3600, "2d1h"),
            (9 * 86_400, "9d"),
            (729 * 86_400, "729d"),
            (731 * 86_400, "2y1d"),
            (9 * 365 * 86_400, "9y"),
        ];
        for (seconds, expected) in cases {
            assert_eq!(human(seconds), expected, "{seconds}");
        }
    }

    #[test]
    fn times_that_are_missing_or_wrong_are_said() {
        let now = "2026-11-23T10:00:00Z".parse().unwrap();
        assert_eq!(since("", now), "<unknown>");
        assert_eq!(since("soon", now), "<invalid>");
        assert_eq!(since("2026-11-23T09:00:00Z", now), "60m");
        assert_eq!(between("2026-11-23T09:00:00Z", "2026-11-23T09:00:07Z").as_deref(), Some("7s"));
    }
}
