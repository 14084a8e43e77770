//! resourceVersions: which of two is newer. Of the stored state of an object and an arriving one, and of two places in a
//! watch.

use std::cmp::Ordering;

/// How an arriving version relates to the known one. Decimals of any length compare by value. Anything else is opaque: it
/// tells only whether it is the same, and if it is not (`None`), what arrives later counts as newer. A version that is
/// missing is not even the same as another that is.
///
/// Rules: <https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions>
pub(crate) fn compare(arriving: &str, known: &str) -> Option<Ordering> {
    if is_decimal(arriving) && is_decimal(known) {
        return Some(compare_decimals(arriving, known));
    }
    (!arriving.is_empty() && arriving == known).then_some(Ordering::Equal)
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
        for (arriving, known, expected) in [
            ("9", "10", Some(Less)),
            ("10", "9", Some(Greater)),
            ("7", "7", Some(Equal)),
            ("007", "7", Some(Equal)),
            ("18446744073709551617", "18446744073709551616", Some(Greater)),
            ("99999999999999999999", "100000000000000000000", Some(Less)),
            ("0", "", None),
            ("0", "00", Some(Equal)),
            ("abc", "abc", Some(Equal)),
            ("abc", "abd", None),
            ("10", "1a", None),
            ("", "", None),
            ("5", "", None),
            ("", "5", None),
        ] {
            assert_eq!(compare(arriving, known), expected, "{arriving} against {known}");
        }
    }
}
