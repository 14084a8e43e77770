//! Lists of parts of a kind, several at once.

use super::*;

#[test]
fn lists_of_parts_sweep_what_is_theirs() {
    let mut store = store();
    for (namespace, name) in [("a", "x"), ("a", "y"), ("b", "x"), ("b", "y")] {
        store.apply(object(namespace, name, &format!("{namespace}{name}"), "1", "old"));
    }
    let part = |namespace: &str| Part { namespace: Some(namespace.to_owned()), ..Part::default() };
    let (of_a, of_b) = (store.begin_relist(), store.begin_relist());
    store.apply(object("a", "x", "ax", "1", "old"));
    store.apply(object("b", "x", "bx", "2", "new"));
    assert_eq!(store.finish_relist(of_b, &part("b"), &mut |_| ()), 1);
    assert_eq!(names(&store), ["x", "y", "x"]);
    assert_eq!(store.finish_relist(of_a, &part("a"), &mut |_| ()), 1);
    assert_eq!(names(&store), ["x", "x"]);
    // One that mentions nothing empties its part.
    let nothing = store.begin_relist();
    assert_eq!(store.finish_relist(nothing, &part("a"), &mut |_| ()), 1);
    assert_eq!(store.rows().next().unwrap().namespace(), Some("b"));
}
