//! Texts that are read, not compared: in a table that is too wide for its terminal they stand below their rows, whole.

use console::measure_text_width;

/// Columns of sentences.
const TEXTS: [&str; 7] = ["message", "evidence", "symptoms", "change", "folded", "reasons", "next"];

/// What is there to be copied is not broken into lines.
const COPIED: &str = "next";

const INDENT: usize = 4;

/// A text is not broken into shorter lines than this, however narrow the terminal.
const SHORTEST: usize = 24;

/// Where texts stand among the columns.
pub(super) fn texts(header: &[String]) -> Vec<usize> {
    (0..header.len()).filter(|at| TEXTS.contains(&header[*at].as_str())).collect()
}

/// The lines of one text: its name before the first of them. `label` is how wide names are.
pub(super) fn lines(name: &str, text: &str, label: usize, room: usize) -> Vec<String> {
    let margin = INDENT + label + 2;
    let width = if name == COPIED { usize::MAX } else { room.saturating_sub(margin).max(SHORTEST) };
    let mut lines = wrapped(text, width);
    for (at, line) in lines.iter_mut().enumerate() {
        let before = if at == 0 { name } else { "" };
        *line = format!("{:INDENT$}{before:label$}  {line}", "");
    }
    lines
}

/// Broken between words; a longer word is a line of its own.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if measure_text_width(line) + 1 + measure_text_width(word) <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_broken_between_words_and_commands_are_not() {
        assert_eq!(
            lines("message", "one two three four five six seven eight", 8, 39),
            ["    message   one two three four five", "              six seven eight"]
        );
        let command = "kubeplex describe deployments/checkout -n shop --cluster prod-eu";
        assert_eq!(lines("next", command, 4, 40), [format!("    next  {command}")]);
        assert_eq!(wrapped("", 10), [""]);
    }
}
