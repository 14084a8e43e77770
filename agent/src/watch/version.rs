//! How far a watch has come: the newest resourceVersion that it has seen, by the order that the cache goes by, too.

use std::cmp::Ordering;

pub(super) use crate::cache::version::compare;

/// Moves on to `seen`, unless it is known to be older: a late event must not turn the watch back.
pub(crate) fn advance(version: &mut String, seen: String) {
    if compare(&seen, version) != Some(Ordering::Less) {
        *version = seen;
    }
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
            ("a9", "a9", "a9"),
            ("10", "a1", "a1"),
        ] {
            let mut version = version.to_owned();
            advance(&mut version, seen.to_owned());
            assert_eq!(version, expected);
        }
    }
}
