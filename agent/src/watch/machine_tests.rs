//! The machine by tables: what happened on the left, what it makes of it on the right.

#[path = "machine_settled_tests.rs"]
mod settled;
#[path = "machine_silence_tests.rs"]
mod silence;

use super::*;

/// Runs a script through one machine, from its start on. Reactions are written as `effect effect → STEP`.
#[track_caller]
fn check(streaming: bool, script: &[(Event, &str)]) {
    let mut machine = Machine::new(WatchTimings::default(), streaming, OnRefusal::Settle);
    for (at, (event, expected)) in script.iter().enumerate() {
        let reaction = machine.on(event.clone());
        assert_eq!(written(&reaction), *expected, "line {at}: {event:?}");
    }
}

fn written(reaction: &Reaction) -> String {
    let mut text = String::new();
    for effect in &reaction.effects {
        text += &match effect {
            Effect::BeginList => "begin ".to_owned(),
            Effect::FinishList => "finish ".to_owned(),
            Effect::Clear => "clear ".to_owned(),
            Effect::State(state, _) => format!("{state:?} ").to_lowercase(),
            Effect::Current => "current ".to_owned(),
            Effect::Reopened => "reopened ".to_owned(),
            Effect::ReopeningFailed => "unproven ".to_owned(),
            Effect::Rediscover => "rediscover ".to_owned(),
        };
    }
    text + &match &reaction.step {
        Step::Stream => "→ STREAM".to_owned(),
        Step::Page { next, objects } => format!("→ PAGE {} {objects}", next.as_deref().unwrap_or("1")),
        Step::Watch { from } => format!("→ WATCH {from}"),
        Step::Read => "→ READ".to_owned(),
        Step::Nudge => "→ NUDGE".to_owned(),
        Step::Wait(pause) => format!("→ WAIT {}ms", pause.as_millis()),
        Step::WaitForServer(pause) => format!("→ WAIT FOR SERVER {}ms", pause.as_millis()),
        Step::GiveUp => "→ GIVE UP".to_owned(),
        Step::Rebuild => "→ REBUILD".to_owned(),
    }
}

fn page(version: &str, next: &str) -> Event {
    Event::Page { version: version.into(), next: Some(next.to_owned()).filter(|next| !next.is_empty()) }
}

fn seen(version: &str) -> Event {
    Event::Progress { version: Some(version.into()), initial_end: false, bookmark: true }
}

fn initial_end(version: &str) -> Event {
    Event::Progress { version: Some(version.into()), initial_end: true, bookmark: false }
}

fn failed(kind: FailureKind) -> Event {
    Event::Failed(failure(kind))
}

fn failure(kind: FailureKind) -> Failure {
    Failure { kind, ..Failure::transient("why") }
}

fn ended_after(seconds: u64) -> Event {
    Event::Ended { lived: Duration::from_secs(seconds), failure: None }
}

fn broke_after(seconds: u64, kind: FailureKind) -> Event {
    Event::Ended { lived: Duration::from_secs(seconds), failure: Some(failure(kind)) }
}

/// A machine that listed in one page and opened its watch.
fn listed() -> Vec<(Event, &'static str)> {
    vec![
        (Event::Start, "begin → PAGE 1 500"),
        (page("7", ""), "finish synced → WATCH 7"),
        (Event::Opened, "reopened synced → READ"),
    ]
}

#[track_caller]
fn check_after_list(script: &[(Event, &'static str)]) {
    let mut whole = listed();
    whole.extend_from_slice(script);
    check(false, &whole);
}

use FailureKind::{
    Expired, Forbidden, FutureVersion, Garbled, Invalid, NotFound, TooLarge, Transient, Unreached,
};

#[test]
fn a_streamed_list_becomes_the_watch() {
    check(
        true,
        &[
            (Event::Start, "begin → STREAM"),
            (Event::Opened, "→ READ"),
            (seen("3"), "→ READ"),
            (initial_end("9"), "finish current synced → READ"),
            (seen("10"), "current synced → READ"),
            (ended_after(250), "→ WATCH 10"),
        ],
    );
}

#[test]
fn a_server_without_streamed_lists_is_listed_in_pages_for_good() {
    check(
        true,
        &[
            (Event::Start, "begin → STREAM"),
            (failed(Invalid), "begin → PAGE 1 500"),
            (page("5", "a"), "→ PAGE a 500"),
            (page("5", "b"), "→ PAGE b 500"),
            (page("5", ""), "finish synced → WATCH 5"),
            (Event::Opened, "reopened synced → READ"),
            (broke_after(9, Expired), "unproven stale begin → PAGE 1 500"),
        ],
    );
}

#[test]
fn streamed_lists_that_fail_twice_give_way_to_pages() {
    for break_off in
        [failed(Transient), Event::Silent, ended_after(1), broke_after(1, Garbled), failed(Expired)]
    {
        check(
            true,
            &[
                (Event::Start, "begin → STREAM"),
                (break_off.clone(), "syncing → WAIT 500ms"),
                (Event::Waited, "begin → STREAM"),
                (break_off, "error → WAIT 1000ms"),
                (Event::Waited, "begin → PAGE 1 500"),
                (page("5", ""), "finish synced → WATCH 5"),
            ],
        );
    }
}

#[test]
fn a_page_is_asked_for_again_where_it_was() {
    check(
        false,
        &[
            (Event::Start, "begin → PAGE 1 500"),
            (page("5", "a"), "→ PAGE a 500"),
            (failed(Transient), "syncing → WAIT 500ms"),
            (Event::Waited, "→ PAGE a 500"),
            (failed(Garbled), "error → WAIT 1000ms"),
            (Event::Waited, "→ PAGE a 500"),
            (page("5", ""), "finish synced → WATCH 5"),
        ],
    );
}

#[test]
fn an_expired_continue_token_means_fewer_and_larger_pages() {
    check(
        false,
        &[
            (Event::Start, "begin → PAGE 1 500"),
            (page("5", "a"), "→ PAGE a 500"),
            (failed(Expired), "begin → PAGE 1 2000"),
            (failed(Expired), "error → WAIT 1000ms"),
            (Event::Waited, "begin → PAGE 1 8000"),
            (page("6", ""), "finish synced → WATCH 6"),
        ],
    );
}

#[test]
fn a_page_too_large_is_asked_for_in_pieces() {
    check(
        false,
        &[
            (Event::Start, "begin → PAGE 1 500"),
            (failed(TooLarge), "→ PAGE 1 125"),
            (failed(TooLarge), "→ PAGE 1 31"),
            (failed(TooLarge), "→ PAGE 1 7"),
            (failed(TooLarge), "→ PAGE 1 1"),
            (failed(TooLarge), "syncing → WAIT 500ms"),
        ],
    );
}

#[test]
fn the_server_says_how_long_to_wait() {
    let busy = |seconds| {
        Event::Failed(Failure { retry_after: Some(Duration::from_secs(seconds)), ..failure(Transient) })
    };
    check(
        false,
        &[
            (Event::Start, "begin → PAGE 1 500"),
            (busy(7), "syncing → WAIT 7000ms"),
            (Event::Waited, "→ PAGE 1 500"),
            (busy(0), "error → WAIT 500ms"),
        ],
    );
}

#[test]
fn a_watch_that_ends_is_opened_again_and_stale_when_that_fails() {
    check_after_list(&[
        (seen("8"), "current synced → READ"),
        (ended_after(250), "→ WATCH 8"),
        (failed(Transient), "stale → WAIT 500ms"),
        (Event::Waited, "→ WATCH 8"),
        (failed(Transient), "stale → WAIT 1000ms"),
        (Event::Waited, "→ WATCH 8"),
        (Event::Opened, "reopened synced → READ"),
        (seen("9"), "current synced → READ"),
        (broke_after(30, Transient), "→ WATCH 9"),
    ]);
}

#[test]
fn a_watch_that_ends_at_once_is_no_busy_loop() {
    check_after_list(&[
        (ended_after(0), "stale → WAIT 500ms"),
        (Event::Waited, "→ WATCH 7"),
        (Event::Opened, "reopened synced → READ"),
        (broke_after(10, Transient), "stale → WAIT 1000ms"),
        (Event::Waited, "→ WATCH 7"),
        (Event::Opened, "reopened synced → READ"),
        (seen("8"), "current synced → READ"),
        (ended_after(0), "→ WAIT 500ms"),
    ]);
}

#[test]
fn an_expired_version_means_a_list() {
    check_after_list(&[
        (seen("8"), "current synced → READ"),
        (broke_after(30, Expired), "begin → PAGE 1 500"),
        (page("20", ""), "finish synced → WATCH 20"),
        (failed(Expired), "unproven stale → WAIT 1000ms"),
        (Event::Waited, "begin → PAGE 1 500"),
        (page("30", ""), "finish synced → WATCH 30"),
        (Event::Opened, "reopened synced → READ"),
        (seen("31"), "current synced → READ"),
        (broke_after(1, Expired), "begin → PAGE 1 500"),
    ]);
}

#[test]
fn a_line_that_cannot_be_read_twice_means_a_list() {
    check_after_list(&[
        (broke_after(3, Garbled), "stale → WAIT 500ms"),
        (Event::Waited, "→ WATCH 7"),
        (Event::Opened, "reopened synced → READ"),
        (broke_after(3, TooLarge), "stale → WAIT 1000ms"),
        (Event::Waited, "begin → PAGE 1 500"),
    ]);
}

#[test]
fn a_server_restored_from_a_backup_gets_a_new_store() {
    check_after_list(&[
        (failed(FutureVersion), "unproven stale → WAIT 500ms"),
        (Event::Waited, "→ WATCH 7"),
        (failed(FutureVersion), "unproven stale → WAIT 1000ms"),
        (Event::Waited, "→ WATCH 7"),
        (failed(FutureVersion), "unproven stale → WAIT 2000ms"),
        (Event::Waited, "→ WATCH 7"),
        (failed(FutureVersion), "unproven stale → REBUILD"),
    ]);
    check_after_list(&[
        (broke_after(1, Expired), "unproven stale begin → PAGE 1 500"),
        (page("3", ""), "stale → REBUILD"),
    ]);
}

#[test]
fn late_events_do_not_turn_the_watch_back() {
    check_after_list(&[
        (seen("12"), "current synced → READ"),
        (seen("9"), "current synced → READ"),
        (ended_after(250), "→ WATCH 12"),
    ]);
}

#[test]
fn pauses_grow_to_their_bound() {
    let mut machine = Machine::new(WatchTimings::default(), false, OnRefusal::Settle);
    machine.on(Event::Start);
    let mut longest = Duration::ZERO;
    for _ in 0..40 {
        if let Step::Wait(pause) = machine.on(failed(Transient)).step {
            assert!(pause >= longest);
            longest = pause;
        }
        machine.on(Event::Waited);
    }
    assert_eq!(longest, WatchTimings::default().retry_most);
}

#[test]
fn a_server_that_is_back_is_asked_at_once_and_often_again() {
    check_after_list(&[
        (broke_after(100, Transient), "→ WATCH 7"),
        (failed(Unreached), "stale → WAIT FOR SERVER 500ms"),
        (Event::Waited, "→ WATCH 7"),
        (failed(Unreached), "stale → WAIT FOR SERVER 1000ms"),
        (Event::Waited, "→ WATCH 7"),
        (failed(Unreached), "stale → WAIT FOR SERVER 2000ms"),
        (Event::Reached, "→ WATCH 7"),
        (failed(Transient), "stale → WAIT 500ms"),
        (Event::Waited, "→ WATCH 7"),
        (Event::Opened, "reopened synced → READ"),
    ]);
}

#[test]
fn a_refusal_ends_a_watch_that_there_is_another_way_for() {
    for (script, expected) in [
        (vec![Event::Start, failed(FailureKind::Forbidden)], "clear → GIVE UP"),
        // What could be read once is tried once more.
        (
            vec![Event::Start, page("5", ""), Event::Opened, failed(FailureKind::Forbidden)],
            "stale → WAIT 500ms",
        ),
        (
            vec![
                Event::Start,
                page("5", ""),
                Event::Opened,
                failed(FailureKind::Forbidden),
                Event::Waited,
                failed(FailureKind::Forbidden),
            ],
            "clear → GIVE UP",
        ),
        (vec![Event::Start, failed(FailureKind::NotFound)], "clear absent rediscover → WAIT 60000ms"),
    ] {
        let mut machine = Machine::new(WatchTimings::default(), false, OnRefusal::GiveUp);
        let reactions: Vec<_> = script.iter().map(|event| machine.on(event.clone())).collect();
        assert_eq!(written(reactions.last().unwrap()), expected, "{script:?}");
    }
}

#[test]
fn a_list_alone_proves_nothing_after_a_watch_was_refused() {
    check(
        false,
        &[
            (Event::Start, "begin → PAGE 1 500"),
            (page("5", ""), "finish synced → WATCH 5"),
            (failed(FailureKind::Forbidden), "stale → WAIT 500ms"),
            (Event::Waited, "→ WATCH 5"),
            (failed(FailureKind::Forbidden), "clear forbidden → WAIT 60000ms"),
            (Event::Waited, "begin → PAGE 1 500"),
            (page("7", ""), "finish → WATCH 7"),
            (failed(FailureKind::Forbidden), "clear forbidden → WAIT 60000ms"),
            (Event::Waited, "begin → PAGE 1 500"),
            (page("9", ""), "finish → WATCH 9"),
            (Event::Opened, "reopened synced → READ"),
        ],
    );
}
