//! `kubeplex logs -f`: what was written, and then what is written, until Ctrl-C.
//!
//! A call follows for a bounded time, so that it is asked again and again. Each round asks from the last line that came; the
//! lines of that moment come twice, and are shown once.

use std::collections::HashSet;
use std::time::Duration;

use jiff::Timestamp;
use kubeplex_program::output;
use kubeplex_program::signals::StopSignals;
use serde_json::{Map, Value, json};

use crate::answer;
use crate::client::Client;
use crate::exit::Exit;

use super::aside;
use super::pages::{self, Answer};
use super::question::Question;

/// The argument of the tool that follows.
pub(super) const ARGUMENT: &str = "followSeconds";

/// How long one call follows: what is written shows at most so much later.
pub(super) const ROUND: Duration = Duration::from_secs(2);

/// Lines of a container that one round may bring; a gateway grants no more.
const MOST_LINES: u32 = 10_000;

/// Until Ctrl-C. The outcome is that of the last round.
///
/// # Errors
/// When no gateway answers.
pub(super) async fn run(client: &Client, question: &Question) -> anyhow::Result<Exit> {
    let mut stop = StopSignals::listen()?;
    let mut exit = Exit::Found;
    let mut seen = Seen::default();
    let mut arguments = question.arguments.clone();
    let mut said = None;
    loop {
        let began = Timestamp::now();
        let answer = tokio::select! {
            () = stop.next() => return Ok(exit),
            answer = pages::read_with(client, question, &arguments) => answer?,
        };
        for line in seen.news(lines(&answer), newest(&answer)) {
            output::line(&line)?;
        }
        let trouble = answer.content.as_ref().map(|content| content["clusters"]["problems"].clone());
        if said.is_none() || said != trouble {
            exit = aside(&answer, client, question);
            said = trouble;
        }
        if answer.error.is_some() {
            return Ok(exit);
        }
        go_on(&mut arguments, seen.last.unwrap_or(began));
    }
}

/// The next round begins where this one ended, however much came before.
fn go_on(arguments: &mut Map<String, Value>, last: Timestamp) {
    arguments.insert("since".to_owned(), json!(last.to_string()));
    arguments.insert("tail".to_owned(), json!(MOST_LINES));
}

/// One text a line, in the order of the answer.
fn lines(answer: &Answer) -> Vec<String> {
    answer.content.as_ref().map(answer::written_lines).unwrap_or_default()
}

/// When the newest line was written. The day stands once, where it is the same of all.
fn newest(answer: &Answer) -> Option<Timestamp> {
    let content = answer.content.as_ref()?;
    let column = content["columns"].as_array()?.iter().position(|column| column == "time")?;
    let moment = |row: &Value| {
        let time = row[column].as_str()?;
        let day = content["date"].as_str().map(|day| format!("{day}T")).unwrap_or_default();
        format!("{day}{time}").parse::<Timestamp>().ok()
    };
    content["rows"].as_array()?.iter().filter_map(moment).max()
}

/// What has been shown, as far as it may come again.
#[derive(Debug, Default)]
struct Seen {
    /// When the newest line was written.
    last: Option<Timestamp>,
    /// The lines of the round before.
    round: HashSet<String>,
}

impl Seen {
    /// The lines that were not among those of the round before.
    fn news(&mut self, lines: Vec<String>, newest: Option<Timestamp>) -> Vec<String> {
        self.last = self.last.max(newest);
        let news = lines.iter().filter(|line| !self.round.contains(*line)).cloned().collect();
        if !lines.is_empty() {
            self.round = lines.into_iter().collect();
        }
        news
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(rows: Value) -> Answer {
        let content = json!({"date": "2026-01-01", "columns": ["time", "line"], "rows": rows});
        Answer { content: Some(content), ..Answer::default() }
    }

    #[test]
    fn each_line_is_shown_once() {
        let mut seen = Seen::default();
        let mut round = |rows: Value| {
            let answer = answer(rows);
            seen.news(lines(&answer), newest(&answer))
        };
        assert_eq!(round(json!([["00:00:01Z", "a"], ["00:00:02Z", "b"]])).len(), 2);
        assert_eq!(round(json!([["00:00:02Z", "b"], ["00:00:02Z", "c"]])), ["00:00:02Z  c"]);
        assert!(round(json!([])).is_empty());
        assert!(round(json!([["00:00:02Z", "b"], ["00:00:02Z", "c"]])).is_empty());
        assert_eq!(seen.last.unwrap().to_string(), "2026-01-01T00:00:02Z");
    }

    #[test]
    fn a_round_begins_where_the_one_before_ended() {
        let mut arguments = Map::from_iter([("tail".to_owned(), json!(5))]);
        go_on(&mut arguments, "2026-01-01T00:00:02.5Z".parse().unwrap());
        assert_eq!(Value::Object(arguments), json!({"since": "2026-01-01T00:00:02.5Z", "tail": MOST_LINES}));
    }
}
