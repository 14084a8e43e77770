//! resourceVersions: which of two is newer.

use std::cmp::Ordering;

/// How the version of an arriving object relates to the stored one's. Decimals of any length compare by value; anything
/// else tells only whether it is the same, and then what arrives later is newer (`None`).
///
/// Rules: <https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions>
pub(super) fn compare(arriving: &str, stored: &str) -> Option<Ordering> {
    if is_decimal(arriving) && is_decimal(stored) {
        return Some(compare_decimals(arriving, stored));
    }
    (!arriving.is_empty() && arriving == stored).then_some(Ordering::Equal)
}

fn is_decimal(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn compare_decimals(a: &str, b: &str) -> Ordering {
    let (a, b) = (a.trim_start_matches('0'), b.trim_start_matches('0'));
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_by_value_and_the_rest_by_arrival() {
        use Ordering::{Equal, Greater, Less};
        for (arriving, stored, expected) in [
            ("9", "10", Some(Less)),
            ("10", "9", Some(Greater)),
            ("7", "7", Some(Equal)),
            ("007", "7", Some(Equal)),
            ("18446744073709551617", "18446744073709551616", Some(Greater)),
            ("99999999999999999999", "100000000000000000000", Some(Less)),
            ("abc", "abc", Some(Equal)),
            ("abc", "abd", None),
            ("10", "1a", None),
            ("", "", None),
            ("5", "", None),
            ("", "5", None),
        ] {
            assert_eq!(compare(arriving, stored), expected, "{arriving} against {stored}");
        }
    }
}
