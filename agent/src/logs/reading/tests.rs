use proptest::prelude::*;

use super::*;

fn wanted(pattern: &str) -> Wanted {
    let grep = (!pattern.is_empty()).then(|| Grep::new(pattern).unwrap());
    Wanted { grep, since_ns: None, until_ns: None, tail: 100, max_bytes: 1 << 20, beside: 0 }
}

fn at(second: i64) -> String {
    jiff::Timestamp::from_second(1_700_000_000 + second).unwrap().to_string()
}

fn ns(second: i64) -> i64 {
    (1_700_000_000 + second) * 1_000_000_000
}

/// One line a second.
fn log(lines: &[&str]) -> String {
    (0..).zip(lines).map(|(second, line)| format!("{} {line}\n", at(second))).collect()
}

fn read(wanted: Wanted, log: &str) -> Reading {
    let mut reading = Reading::new(3, wanted);
    reading.take(log.as_bytes());
    reading.end();
    reading
}

fn texts(reading: &mut Reading) -> Vec<String> {
    reading.lines_kept().into_iter().map(|line| line.text).collect()
}

#[test]
fn lines_have_their_times_and_the_newest_are_kept() {
    let mut reading = read(Wanted { tail: 2, ..wanted("") }, &log(&["a", "b", "", "c d"]));
    let line = |second, text: &str| LogLine {
        source: 3,
        at_ns: Some(ns(second)),
        text: text.to_owned(),
        beside: false,
    };
    assert_eq!(reading.lines_kept(), [line(2, ""), line(3, "c d")]);
    assert_eq!((reading.matched(), reading.dropped(), reading.latest_ns()), (4, 0, Some(ns(3))));
}

#[test]
fn a_line_without_a_time_has_that_of_the_one_before() {
    let mut reading = read(wanted(""), &format!("plain\n{} a\n  at b.java:7\nlast", at(5)));
    let times: Vec<_> = reading.lines_kept().into_iter().map(|line| (line.at_ns, line.text)).collect();
    let told = |at, text: &str| (at, text.to_owned());
    let five = Some(ns(5));
    assert_eq!(
        times,
        [told(None, "plain"), told(five, "a"), told(five, "  at b.java:7"), told(five, "last")]
    );
}

#[test]
fn the_time_of_a_line_is_not_searched_and_times_select() {
    assert!(texts(&mut read(wanted("2023"), &log(&["a"]))).is_empty());
    let lines = log(&["a", "b", "c", "d"]);
    let within = Wanted { since_ns: Some(ns(1)), until_ns: Some(ns(2)), ..wanted("") };
    let mut reading = read(within, &lines);
    assert_eq!(texts(&mut reading), ["b", "c"]);
    assert!(reading.is_past());
    let mut reading = read(wanted(""), &lines);
    reading.lines_kept();
    reading.go_on_after(reading.latest_ns());
    reading.take(format!("{lines}{} e\n", at(4)).as_bytes());
    assert_eq!(texts(&mut reading), ["e"], "what was read before is not read twice");
}

#[test]
fn a_match_is_shown_with_the_lines_around_it() {
    let lines = log(&["a", "b", "HIT", "c", "d", "e", "f", "HIT", "HIT", "g"]);
    let mut reading = read(Wanted { beside: 1, ..wanted("HIT") }, &lines);
    let kept: Vec<_> = reading.lines_kept().into_iter().map(|line| (line.text, line.beside)).collect();
    let told = |text: &str| (text.to_owned(), text != "HIT");
    assert_eq!(kept, ["b", "HIT", "c", "f", "HIT", "HIT", "g"].map(told));
    assert_eq!(reading.matched(), 3);
    let mut reading = read(Wanted { beside: 1, tail: 1, ..wanted("HIT") }, &lines);
    assert_eq!(texts(&mut reading), ["HIT", "g"]);
}

#[test]
fn what_is_kept_is_redacted_and_of_bounded_length() {
    let long = format!("x{}", "\u{e9}".repeat(SHOWN_BYTES));
    let mut reading = read(wanted(""), &log(&["login password=hunter2 ok", &long]));
    let kept = texts(&mut reading);
    assert_eq!(kept[0], "login password=[redacted] ok");
    assert!(kept[1].len() <= SHOWN_BYTES + 3 && kept[1].ends_with('\u{2026}'));
    assert_eq!(reading.shortened(), 1);
}

#[test]
fn a_key_over_many_lines_is_hidden_whether_it_is_searched_or_not() {
    let lines = log(&[
        "begin",
        "-----BEGIN EC PRIVATE KEY-----",
        "MHcCAQEEIHunter2",
        "-----END EC PRIVATE KEY-----",
        "end",
    ]);
    let mask = redact::MASK;
    assert_eq!(texts(&mut read(wanted(""), &lines)), ["begin", mask, mask, mask, "end"]);
    assert!(texts(&mut read(wanted("unter"), &lines)).is_empty());
    assert_eq!(texts(&mut read(wanted("e"), &lines)), ["begin", "end"]);
    let mut beside = read(Wanted { beside: 1, ..wanted("^end") }, &lines);
    assert_eq!(texts(&mut beside), [mask, "end"]);
}

#[test]
fn the_rest_of_a_key_is_hidden_once_its_end_is_seen() {
    let lines = log(&["ready to serve", "MHcCAQEEIHunter2", "AbCd", "-----END EC PRIVATE KEY-----", "end"]);
    let mask = redact::MASK;
    let end = "-----END EC PRIVATE KEY-----";
    assert_eq!(texts(&mut read(wanted(""), &lines)), ["ready to serve", mask, mask, end, "end"]);
    let mut beside = read(Wanted { beside: 2, ..wanted("END") }, &lines);
    assert_eq!(texts(&mut beside), [mask, mask, end, "end"]);
}

#[test]
fn a_hundred_thousand_lines_are_not_held() {
    let mut reading = Reading::new(0, Wanted { tail: 50, max_bytes: 8_000, beside: 2, ..wanted("served") });
    for at_line in 0..100_000 {
        reading.take(format!("{} request served in {at_line} ms\n", at(at_line)).as_bytes());
        assert!(reading.before.len() <= 2);
    }
    assert_eq!(reading.matched(), 100_000);
    let kept = reading.lines_kept();
    assert_eq!(kept.len(), 50);
    assert_eq!(kept[49].text, "request served in 99999 ms");
}

proptest! {
    /// However a log is cut into pieces, the same lines are read.
    #[test]
    fn pieces_make_no_difference(lines in prop::collection::vec("[a-c ]{0,6}", 0..20), cuts in prop::collection::vec(0_usize..400, 0..6)) {
        let texts_of: Vec<&str> = lines.iter().map(String::as_str).collect();
        let log = log(&texts_of);
        let whole = read(Wanted { beside: 1, ..wanted("b") }, &log).lines_kept();
        let mut reading = Reading::new(3, Wanted { beside: 1, ..wanted("b") });
        let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(log.len())).chain([0, log.len()]).collect();
        cuts.sort_unstable();
        for pair in cuts.windows(2) {
            reading.take(&log.as_bytes()[pair[0]..pair[1]]);
        }
        reading.end();
        prop_assert_eq!(reading.lines_kept(), whole);
    }

    /// A line that is passed over unmasked is one that would not match masked.
    #[test]
    fn what_is_passed_over_does_not_match(line in "(token=[a-z0-9]{1,8}|[a-z =]{1,6}|\u{e9}){1,4}", pattern in "[a-z0-9.]{1,4}|[a-z]\\|[a-z=]{2}|=[a-z]") {
        let grep = Grep::new(&pattern).unwrap();
        if grep.passes_over(line.as_bytes()) {
            let masked = redact::text(&line);
            prop_assert!(!grep.matches(&masked, matches!(masked, Cow::Owned(_))), "{} in {}", pattern, line);
        }
    }
}
