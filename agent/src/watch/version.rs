//! resourceVersions: opaque by contract, decimal numbers of any length in practice.

use std::cmp::Ordering;

/// Which of two is newer, where both are decimal.
pub(crate) fn compare(a: &str, b: &str) -> Option<Ordering> {
    let (a, b) = (digits(a)?, digits(b)?);
    Some(a.len().cmp(&b.len()).then_with(|| a.cmp(b)))
}

/// Moves on to `seen`, unless it is known to be older: a late event must not turn the watch back.
pub(crate) fn advance(version: &mut String, seen: String) {
    if compare(&seen, version) != Some(Ordering::Less) {
        *version = seen;
    }
}

fn digits(text: &str) -> Option<&str> {
    let decimal = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    decimal.then(|| text.trim_start_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_advance_and_opaque_ones_replace_each_other() {
        for (version, seen, expected) in [
            ("9", "10", "10"),
            ("10", "9", "10"),
            ("99999999999999999999999", "100000000000000000000000", "100000000000000000000000"),
            ("7", "007", "007"),
            ("", "5", "5"),
            ("a9", "a1", "a1"),
        ] {
            let mut version = version.to_owned();
            advance(&mut version, seen.to_owned());
            assert_eq!(version, expected);
        }
    }
}
