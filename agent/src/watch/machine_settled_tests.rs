//! Refusals, and kinds that there are not.

use super::*;

#[test]
fn forbidden_and_absent_are_answers_asked_for_again() {
    for (kind, expected) in
        [(Forbidden, "clear forbidden → WAIT 60000ms"), (NotFound, "clear absent rediscover → WAIT 60000ms")]
    {
        check(
            true,
            &[(Event::Start, "begin → STREAM"), (failed(kind), expected), (Event::Waited, "begin → STREAM")],
        );
        check(false, &[(Event::Start, "begin → PAGE 1 500"), (failed(kind), expected)]);
    }
}

#[test]
fn what_is_back_is_looked_for_in_discovery() {
    let absent = "clear absent rediscover → WAIT 60000ms";
    check(
        false,
        &[
            (Event::Start, "begin → PAGE 1 500"),
            (failed(NotFound), absent),
            (Event::Waited, "begin → PAGE 1 500"),
            (failed(NotFound), absent),
            (Event::Waited, "begin → PAGE 1 500"),
            (page("5", ""), "finish synced rediscover → WATCH 5"),
            (ended_after(200), "→ WATCH 5"),
            (failed(Expired), "unproven stale begin → PAGE 1 500"),
            (page("9", ""), "finish synced → WATCH 9"),
        ],
    );
}

#[test]
fn what_vanishes_is_absent_at_once_and_what_is_refused_is_asked_for_twice() {
    let absent = "clear absent rediscover → WAIT 60000ms";
    check_after_list(&[(broke_after(5, NotFound), absent), (Event::Waited, "begin → PAGE 1 500")]);
    check_after_list(&[(ended_after(200), "→ WATCH 7"), (failed(NotFound), absent)]);
    let forbidden = "clear forbidden → WAIT 60000ms";
    check_after_list(&[
        (broke_after(5, Forbidden), "stale → WAIT 500ms"),
        (Event::Waited, "→ WATCH 7"),
        (failed(Forbidden), forbidden),
        (Event::Waited, "begin → PAGE 1 500"),
        (failed(Forbidden), forbidden),
    ]);
    check_after_list(&[
        (broke_after(5, Forbidden), "stale → WAIT 500ms"),
        (Event::Waited, "→ WATCH 7"),
        (Event::Opened, "reopened synced → READ"),
        (seen("8"), "current synced → READ"),
        (ended_after(250), "→ WATCH 8"),
        (failed(Forbidden), "stale → WAIT 500ms"),
    ]);
}
