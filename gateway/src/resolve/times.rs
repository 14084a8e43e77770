//! `since` and `until`: a duration before now, or a moment.

use kubeplex_proto::events::Moment;

use crate::error::CallError;

use super::Arguments;
use super::guard::short;

/// The time that a call asks about, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) since: Moment,
    pub(super) until: Option<Moment>,
}

/// What somebody's clock may be ahead.
const SKEW_MS: i64 = 60_000;
const SECOND_MS: u64 = 1_000;
const MINUTE_MS: u64 = 60 * SECOND_MS;
pub(super) const HOUR_MS: u64 = 60 * MINUTE_MS;
const DAY_MS: u64 = 24 * HOUR_MS;

/// Without `since`, `usual_ms` before the end. `now_ms` is the gateway's time.
///
/// # Errors
/// As [`given`].
pub(super) fn window(arguments: &Arguments, usual_ms: u64, now_ms: i64) -> Result<Window, CallError> {
    let (since, until) = given(arguments, now_ms)?;
    let since = since.unwrap_or_else(|| before(until.unwrap_or(Moment::Ago(0)), usual_ms));
    Ok(Window { since, until })
}

/// `since` and `until`, where they are given. `now_ms` is the gateway's time.
///
/// # Errors
/// `invalid_argument` for what is neither, for the future, and for an end before the beginning.
pub(super) fn given(
    arguments: &Arguments,
    now_ms: i64,
) -> Result<(Option<Moment>, Option<Moment>), CallError> {
    let given = |name: &str| arguments.text(name).map(|text| moment(name, text, now_ms)).transpose();
    let (until, since) = (given("until")?, given("since")?);
    match (since, until) {
        (Some(since), Some(until)) if since.at_ms(now_ms) > until.at_ms(now_ms) => {
            let text = |name| short(arguments.text(name).unwrap_or_default(), 40);
            Err(CallError::invalid(format!(
                "since: \"{}\" is later than until, \"{}\"; since is the beginning",
                text("since"),
                text("until")
            )))
        }
        both => Ok(both),
    }
}

/// The same where neither has to be there. The time is read where one is.
///
/// # Errors
/// As [`window`].
pub(super) fn either(
    arguments: &Arguments,
    now_ms: impl Fn() -> i64,
) -> Result<(Option<Moment>, Option<Moment>), CallError> {
    match (arguments.text("since"), arguments.text("until")) {
        (None, None) => Ok((None, None)),
        (since, _) => {
            let Window { since: beginning, until } = window(arguments, 0, now_ms())?;
            Ok((since.map(|_| beginning), until))
        }
    }
}

fn before(moment: Moment, ms: u64) -> Moment {
    match moment {
        Moment::Ago(ago) => Moment::Ago(ago.saturating_add(ms)),
        Moment::At(at) => Moment::At(at.saturating_sub_unsigned(ms)),
    }
}

pub(super) fn moment(argument: &str, text: &str, now_ms: i64) -> Result<Moment, CallError> {
    let text = text.trim();
    let wrong = |problem: &str| {
        Err(CallError::invalid(format!(
            "{argument}: \"{}\" {problem}; a duration before now (90s, 10m, 2h, 3d) or a time (2026-11-23T10:00:00Z) is wanted",
            short(text, 40)
        )))
    };
    if let Ok(moment) = text.parse::<jiff::Timestamp>() {
        let ms = moment.as_millisecond();
        return if ms > now_ms.saturating_add(SKEW_MS) {
            wrong("lies in the future")
        } else {
            Ok(Moment::At(ms))
        };
    }
    if let Some(ms) = last_at(text, now_ms) {
        return Ok(Moment::At(ms));
    }
    if is_beyond_the_calendar(text) {
        return wrong("lies in the future");
    }
    if text.starts_with('-') {
        return wrong("is negative");
    }
    match duration_ms(text) {
        Some(ms) if i64::try_from(ms).is_ok_and(|ms| ms <= now_ms) => Ok(Moment::Ago(ms)),
        Some(_) => wrong("is longer than there have been clocks"),
        None => wrong("is neither"),
    }
}

/// The last time that it was `18:21:39Z`, as rows say it that stand under their day.
fn last_at(text: &str, now_ms: i64) -> Option<i64> {
    let time = text.strip_suffix('Z').filter(|time| time.contains(':'))?;
    // The library takes the time of a whole date as well.
    let is_of_day = time.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b':' | b'.'));
    let time: jiff::civil::Time = time.parse().ok().filter(|_| is_of_day)?;
    let latest = jiff::Timestamp::from_millisecond(now_ms.saturating_add(SKEW_MS)).ok()?;
    let today = latest.to_zoned(jiff::tz::TimeZone::UTC).date();
    let days = [Some(today), today.yesterday().ok()].into_iter().flatten();
    let moments = days.filter_map(|day| day.to_datetime(time).to_zoned(jiff::tz::TimeZone::UTC).ok());
    moments
        .map(|moment| moment.timestamp())
        .find(|moment| *moment <= latest)
        .map(|moment| moment.as_millisecond())
}

/// A time that the library can't hold: the last hours of the year 9999.
fn is_beyond_the_calendar(text: &str) -> bool {
    let read = jiff::fmt::temporal::Pieces::parse(text);
    read.is_ok_and(|time| time.date().year() == 9_999 && time.offset().is_some())
}

/// `90s`, `1h30m`; saturating.
pub(super) fn duration_ms(text: &str) -> Option<u64> {
    let mut rest = text;
    let mut total = 0_u64;
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let number = &rest[..digits];
        let unit = rest[digits..].chars().next()?;
        let unit_ms = match unit {
            's' => SECOND_MS,
            'm' => MINUTE_MS,
            'h' => HOUR_MS,
            'd' => DAY_MS,
            _ => return None,
        };
        if number.is_empty() {
            return None;
        }
        total = total.saturating_add(number.parse().unwrap_or(u64::MAX).saturating_mul(unit_ms));
        rest = &rest[digits + unit.len_utf8()..];
    }
    (!text.is_empty()).then_some(total)
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;
    use crate::request::fixtures::NOW_MS;

    fn read(since: Option<&str>, until: Option<&str>) -> Result<Window, CallError> {
        let mut given = Map::new();
        for (name, text) in [("since", since), ("until", until)] {
            given.extend(text.map(|text| (name.to_owned(), json!(text))));
        }
        window(&Arguments::new(given), HOUR_MS, NOW_MS)
    }

    #[test]
    fn durations_and_moments_are_both_times() {
        let ago = Moment::Ago;
        let at = |seconds: i64| Moment::At(NOW_MS + seconds * 1_000);
        for (since, until, expected) in [
            (None, None, (ago(HOUR_MS), None)),
            (Some("90s"), None, (ago(90_000), None)),
            (Some("1h30m"), None, (ago(90 * MINUTE_MS), None)),
            (Some(" 3d "), Some("2h"), (ago(3 * DAY_MS), Some(ago(2 * HOUR_MS)))),
            (None, Some("2h"), (ago(3 * HOUR_MS), Some(ago(2 * HOUR_MS)))),
            (None, Some("2026-11-23T18:24:29Z"), (at(-3_610), Some(at(-10)))),
            (Some("2026-11-23T19:24:29+01:00"), None, (at(-10), None)),
            (Some("0s"), Some("0s"), (ago(0), Some(ago(0)))),
            (Some("18:24:29Z"), None, (at(-10), None)),
            (Some("18:25:00Z"), None, (at(21), None)),
            (Some("19:00Z"), Some("18:24:29Z"), (at(36 * 60 - 39 - 24 * 3_600), Some(at(-10)))),
        ] {
            let window = read(since, until).unwrap();
            assert_eq!((window.since, window.until), expected, "{since:?} {until:?}");
        }
    }

    #[test]
    fn what_is_no_time_is_named() {
        for (since, until, said) in [
            (Some("yesterday"), None, "since: \"yesterday\" is neither"),
            (Some("-5m"), None, "since: \"-5m\" is negative"),
            (Some("5"), None, "since: \"5\" is neither"),
            (Some("25:00Z"), None, "since: \"25:00Z\" is neither"),
            (Some("10:00"), None, "since: \"10:00\" is neither"),
            (Some("m"), None, "since: \"m\" is neither"),
            (Some("5w"), None, "since: \"5w\" is neither"),
            (None, Some("2026-11-24T00:00:00Z"), "until: \"2026-11-24T00:00:00Z\" lies in the future"),
            (None, Some("9999-12-31T23:59:59Z"), "until: \"9999-12-31T23:59:59Z\" lies in the future"),
            (Some("9999-12-31T23:59:59+14:00"), None, "lies in the future"),
            (None, Some("9999-12-31"), "until: \"9999-12-31\" is neither"),
            (Some("99999999999999999999d"), None, "is longer than there have been clocks"),
            (Some("10m"), Some("2h"), "since: \"10m\" is later than until, \"2h\""),
            (Some("1h"), Some("2026-11-23T10:00:00Z"), "since: \"1h\" is later than until"),
        ] {
            let error = read(since, until).unwrap_err();
            assert!(error.message.contains(said), "{}", error.message);
        }
    }
}
