//! Rows whose memory is asked for ahead, against the others.

use super::*;

#[test]
fn rows_that_are_asked_for_ahead_come_as_the_others_do() {
    let mut store = store();
    for namespace in ["shop", "web"] {
        for number in 0..50 {
            let name = format!("cart-{number:02}");
            store.apply(object(namespace, &name, &format!("{namespace}/{name}"), "1", "a"));
        }
    }
    let key = |row: RowRef<'_>| format!("{}/{}", row.namespace().unwrap(), row.name());
    for (namespace, name, expected) in [
        ("", "", 100),
        ("shop", "", 100),
        ("shop", "cart-07", 93),
        ("shop", "cart-49", 51),
        ("web", "cart-34", 16),
        ("web", "cart-34x", 15),
        ("web", "cart-9", 0),
    ] {
        let plain: Vec<String> = store.rows_from(namespace, name).map(key).collect();
        let ahead: Vec<String> = store.named_rows_from(namespace, name).map(key).collect();
        assert_eq!((plain.len(), ahead), (expected, plain), "from {namespace}/{name}");
    }
}
