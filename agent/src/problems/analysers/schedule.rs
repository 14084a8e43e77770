//! When a cron job is to run, by its schedule: enough of cron to see that it did not.
//!
//! Grammar: <https://pkg.go.dev/github.com/robfig/cron/v3#hdr-CRON_Expression_Format>, which the controller uses: five fields
//! with lists, ranges, steps and names, or `@daily` and the like. Where both days are restricted, either is enough.

use jiff::civil::Date;
use jiff::tz::Offset;
use jiff::{Timestamp, ToSpan};

/// The minutes, hours, … at which it runs, as bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Schedule {
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    any_day: bool,
    any_weekday: bool,
}

/// Schedules like 30 February never run; who runs on leap days does within eight years.
const DAYS_AHEAD: i64 = 8 * 366;

impl Schedule {
    /// `None` for what the controller could not read either, and for `@every`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = match text.trim() {
            "@yearly" | "@annually" => "0 0 1 1 *",
            "@monthly" => "0 0 1 * *",
            "@weekly" => "0 0 * * 0",
            "@daily" | "@midnight" => "0 0 * * *",
            "@hourly" => "0 * * * *",
            other => other,
        };
        let fields: Vec<_> = text.split_whitespace().collect();
        let [minutes, hours, days, months, weekdays] = fields.as_slice() else { return None };
        let is_any = |field: &str| field.starts_with(['*', '?']);
        Some(Self {
            minutes: field(minutes, 0, 59, &[])?,
            hours: field(hours, 0, 23, &[])?,
            days: field(days, 1, 31, &[])?,
            months: field(months, 1, 12, &MONTHS)?,
            weekdays: field(weekdays, 0, 6, &WEEKDAYS)?,
            any_day: is_any(days),
            any_weekday: is_any(weekdays),
        })
    }

    /// The first time after one, both in milliseconds since 1970, in UTC. `None` where there is none.
    pub(super) fn next_after_ms(&self, after_ms: i64) -> Option<i64> {
        let after = Timestamp::from_millisecond(after_ms).ok()?;
        let start = Offset::UTC.to_datetime(after).date();
        for ahead in 0..DAYS_AHEAD {
            let date = start.checked_add(ahead.days()).ok()?;
            if let Some(at_ms) = self.on(date).and_then(|day_ms| self.first_of_day(day_ms, after_ms)) {
                return Some(at_ms);
            }
        }
        None
    }

    /// When the day begins, where it runs on it.
    fn on(&self, date: Date) -> Option<i64> {
        let has = |bits: u64, value: i8| bits >> value & 1 == 1;
        let day = has(self.days, date.day());
        let weekday = has(self.weekdays, date.weekday().to_sunday_zero_offset());
        let matches = if self.any_day || self.any_weekday { day && weekday } else { day || weekday };
        if !matches || !has(self.months, date.month()) {
            return None;
        }
        Some(Offset::UTC.to_timestamp(date.at(0, 0, 0, 0)).ok()?.as_millisecond())
    }

    fn first_of_day(&self, day_ms: i64, after_ms: i64) -> Option<i64> {
        let minutes = (0..24 * 60)
            .filter(|minute| self.hours >> (minute / 60) & 1 == 1 && self.minutes >> (minute % 60) & 1 == 1);
        minutes.map(|minute| day_ms + minute * 60_000).find(|at_ms| *at_ms > after_ms)
    }

    /// Whether a time zone would move it by hours.
    pub(super) fn is_of_certain_hours(&self) -> bool {
        self.hours != (1 << 24) - 1
    }
}

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// A list of parts: `1,5-9,*/15`. Names count from the field's first value.
fn field(text: &str, first: u64, last: u64, names: &[&str]) -> Option<u64> {
    text.split(',').try_fold(0, |bits, part| Some(bits | range(part, first, last, names)?))
}

/// `*`, `5`, `1-5`, `*/15`, `10-40/5`, `7/2` (from 7 on).
fn range(part: &str, first: u64, last: u64, names: &[&str]) -> Option<u64> {
    let (range, step) = match part.split_once('/') {
        Some((range, step)) => (range, step.parse::<u64>().ok().filter(|step| *step > 0)?),
        None => (part, 1),
    };
    let value = |text: &str| {
        let name = names.iter().position(|name| text.eq_ignore_ascii_case(name));
        let value = name.map_or_else(|| text.parse().ok(), |at| Some(first + at as u64))?;
        (first..=last).contains(&value).then_some(value)
    };
    let (from, to) = match range {
        "*" | "?" => (first, last),
        range => match range.split_once('-') {
            Some((from, to)) => (value(from)?, value(to)?),
            None if part.contains('/') => (value(range)?, last),
            None => (value(range)?, value(range)?),
        },
    };
    (from <= to).then(|| (from..=to).step_by(step as usize).fold(0, |bits, value| bits | 1 << value))
}

#[cfg(test)]
mod tests {
    use kubeplex_proto::quantity::parse_time_ms;

    use super::*;

    #[test]
    fn schedules_run_when_cron_says() {
        for (schedule, after, expected) in [
            ("*/15 * * * *", "2026-11-23T12:00:00Z", "2026-11-23T12:15:00Z"),
            ("0 3 * * *", "2026-11-23T12:00:00Z", "2026-11-24T03:00:00Z"),
            ("0 0 1 * *", "2026-11-23T12:00:00Z", "2026-12-01T00:00:00Z"),
            ("30 8 * * MON-FRI", "2026-11-20T12:00:00Z", "2026-11-23T08:30:00Z"),
            ("0 0 29 2 *", "2026-11-23T12:00:00Z", "2028-02-29T00:00:00Z"),
            ("0 0 13 * 5", "2026-11-23T12:00:00Z", "2026-11-27T00:00:00Z"),
            ("5/20 10-11 * * *", "2026-11-23T10:05:00Z", "2026-11-23T10:25:00Z"),
            ("@hourly", "2026-11-23T12:30:00Z", "2026-11-23T13:00:00Z"),
        ] {
            let next = Schedule::parse(schedule).unwrap().next_after_ms(parse_time_ms(after).unwrap());
            assert_eq!(next, parse_time_ms(expected), "{schedule}");
        }
        assert_eq!(Schedule::parse("0 0 30 2 *").unwrap().next_after_ms(0), None);
    }

    #[test]
    fn what_is_none_is_not_read() {
        for text in
            ["", "* * * *", "60 * * * *", "* * * * 7", "*/0 * * * *", "a * * * *", "5-1 * * * *", "@every 5m"]
        {
            assert_eq!(Schedule::parse(text), None, "{text}");
        }
    }
}
