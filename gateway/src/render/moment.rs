//! Moments as answers write them.

/// A moment in RFC 3339, to the second.
pub(crate) fn rfc3339(ms: i64) -> String {
    let moment = jiff::Timestamp::from_second(ms.div_euclid(1_000)).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    moment.to_string()
}

/// The same as a day and the time of it, for rows that stand under their day.
pub(crate) fn day_and_time(ms: i64) -> (String, String) {
    let moment = rfc3339(ms);
    match moment.split_once('T') {
        Some((day, time)) => (day.to_owned(), time.to_owned()),
        None => (String::new(), moment),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_rfc_3339() {
        assert_eq!(rfc3339(1_795_458_279_999), "2026-11-23T18:24:39Z");
        assert_eq!(rfc3339(-1), "1969-12-31T23:59:59Z");
        assert_eq!(day_and_time(1_795_458_279_999), ("2026-11-23".to_owned(), "18:24:39Z".to_owned()));
    }
}
