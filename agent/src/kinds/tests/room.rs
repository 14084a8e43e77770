//! What tasks hold while nothing happens: room for the largest thing that they may ever do, a task for each kind.

use super::super::{slots, upkeep};

#[test]
fn tasks_at_rest_take_little_room() {
    let (a_kind, upkeep) = (room_with_three(slots::keep), room(upkeep::run));
    assert!(a_kind <= 4 << 10, "{a_kind} bytes for each kind that is watched");
    assert!(upkeep <= 8 << 10, "{upkeep} bytes for the upkeep");
}

fn room<A, F: Future>(_: impl Fn(A) -> F) -> usize {
    size_of::<F>()
}

fn room_with_three<A, B, C, F: Future>(_: impl Fn(A, B, C) -> F) -> usize {
    size_of::<F>()
}
