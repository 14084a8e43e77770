//! `--watch`: the answer once, and then what became different in it, each time that it is asked for again.
//!
//! Nothing is pushed to a client that asks one call at a time; but a gateway gives an answer again without asking anybody
//! for as long as nothing has changed, so asking costs a fraction of a millisecond.

mod changes;

use console::Style;
use kubeplex_program::output;
use kubeplex_program::signals::StopSignals;

use crate::answer::Look;
use crate::client::Client;
use crate::exit::Exit;
use crate::table::{Paint, Table};

use self::changes::{Change, changes};
use super::flags::Output;
use super::pages::{self, Answer};
use super::question::Question;
use super::{aside, show};

/// Until Ctrl-C. The outcome is that of the last answer.
///
/// # Errors
/// When the first time no gateway answers; later it is said, and asked again.
pub(super) async fn run(client: &Client, question: &Question) -> anyhow::Result<Exit> {
    let mut stop = StopSignals::listen()?;
    let interval = question.watch.unwrap_or_default();
    let mut last = pages::read(client, question).await?;
    show::content(&last, question)?;
    let mut exit = aside(&last, client, question);
    loop {
        let next = async {
            tokio::time::sleep(interval).await;
            pages::read(client, question).await
        };
        let next = tokio::select! {
            () = stop.next() => return Ok(exit),
            next = next => next,
        };
        match next {
            Ok(answer) => {
                show_news(&last, &answer, question)?;
                if trouble(&answer) != trouble(&last) {
                    exit = aside(&answer, client, question);
                }
                last = answer;
            }
            Err(error) => output::note(&format!("{error}; asking again in {} s", interval.as_secs())),
        }
    }
}

/// Rows that became different, with a mark each; what has no rows is shown anew.
fn show_news(last: &Answer, answer: &Answer, question: &Question) -> anyhow::Result<()> {
    let (Some(before), Some(after)) = (&last.content, &answer.content) else {
        return show::content(answer, question);
    };
    if !question.is_for_people() || !after["groups"].is_array() {
        if before != after {
            if question.output == Output::Yaml {
                output::line("---")?;
            }
            show::content(answer, question)?;
        }
        return Ok(());
    }
    let (before, after) = (Table::of(before), Table::of(after));
    let look = Look::of_stdout();
    let mut news = changes(&before, &after);
    if question.is_of_the_past() {
        // What is past does not go away: the time that was asked for went on. And the newest of it comes last, where it is read.
        news.retain(|change| !matches!(change, Change::Gone(_)));
        news.reverse();
    }
    for change in news {
        output::line(&marked(&change, &after, look))?;
    }
    Ok(())
}

/// `+` is new, `~` different, `-` gone.
fn marked(change: &Change<'_>, table: &Table, look: Look) -> String {
    let (mark, row, colour) = match change {
        Change::New(row) => ("+", row, Style::new().green()),
        Change::Different(row) => ("~", row, Style::new().yellow()),
        Change::Gone(row) => ("-", row, Style::new().red()),
    };
    let width = look.width.map(|width| width.saturating_sub(2));
    let line = table.line(row, width, Paint(false));
    look.paint(&format!("{mark} {line}"), colour)
}

/// Without what changes by itself.
fn trouble(answer: &Answer) -> Option<(&serde_json::Value, &serde_json::Value)> {
    match (&answer.error, &answer.content) {
        (Some(error), _) => Some((error, error)),
        (None, Some(content)) => Some((&content["clusters"]["problems"], &content["partial"])),
        (None, None) => None,
    }
}
