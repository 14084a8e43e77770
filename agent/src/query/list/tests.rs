//! Rows that are gone when they are read again.

use super::*;
use crate::query::tests::{NOW_MS, budget, list_of, pods};

/// The nine pods in the order of namespace and name.
const ORDER: [(&str, &str); 9] = [
    ("pay", "p0001"),
    ("pay", "p0004"),
    ("pay", "p0007"),
    ("shop", "p0000"),
    ("shop", "p0003"),
    ("shop", "p0006"),
    ("web", "p0002"),
    ("web", "p0005"),
    ("web", "p0008"),
];

/// A store whose first rows go between the first scan and its page; how many scans a page took, and what it shows.
fn page_without(gone: usize) -> (usize, Listing) {
    let store = pods(ORDER.len() as i64);
    let shape = store.read().shape().clone();
    let request = ListRequest { limit: 3, ..list_of("pods") };
    let budget = budget();
    let rows = Rows::of(&store, &shape, &request, NOW_MS, &budget).unwrap();
    let mut reading = Reading::new(rows, &request).unwrap();
    let mut found = reading.find(None).unwrap();
    for (namespace, name) in &ORDER[..gone] {
        store.write().delete(Some(namespace), name, None);
    }
    for scans in 1.. {
        match reading.show(found) {
            Shown::Page(listing) => return (scans, listing),
            Shown::NothingUpTo(last) => found = reading.find(Some(&last)).unwrap(),
        }
    }
    unreachable!("there are not that many rows")
}

#[test]
fn a_page_that_promises_rows_has_some() {
    for (gone, scans, shown, more, total) in [
        (0, 1, &ORDER[..3], true, 9),
        (2, 1, &ORDER[2..3], true, 9),
        (3, 2, &ORDER[3..6], true, 6),
        (6, 2, &ORDER[6..9], false, 3),
        (9, 2, &ORDER[..0], false, 0),
    ] {
        let (taken, listing) = page_without(gone);
        let rows = listing.rows.iter().map(|row| (row.key.namespace.as_str(), row.key.name.as_str()));
        assert_eq!(rows.collect::<Vec<_>>(), shown, "{gone} are gone");
        assert_eq!((taken, listing.more, listing.total), (scans, more, total), "{gone} are gone");
    }
}
