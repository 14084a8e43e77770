//! The newest lines that match, with those around them, in bounded room.

use std::collections::VecDeque;

use kubeplex_proto::log::LogLine;

/// A ring of lines. The oldest go when there are more matches than wanted, or more bytes.
#[derive(Debug)]
pub(super) struct Kept {
    lines: VecDeque<Entry>,
    /// Matches among them.
    matches: usize,
    bytes: usize,
    most_matches: usize,
    most_bytes: usize,
    /// Matches since the lines were last taken.
    pushed: usize,
    /// Of the newest matches that are wanted, those that went for their bytes, up to when the lines were last taken.
    pub(super) dropped: u64,
}

#[derive(Debug)]
struct Entry {
    line: LogLine,
    /// The number of the match that it is, or that it stands beside.
    of_match: u64,
}

impl Kept {
    pub(super) fn new(most_matches: usize, most_bytes: usize) -> Self {
        Self { lines: VecDeque::new(), matches: 0, bytes: 0, most_matches, most_bytes, pushed: 0, dropped: 0 }
    }

    /// `of_match` never decreases.
    pub(super) fn push(&mut self, line: LogLine, of_match: u64) {
        self.matches += usize::from(!line.beside);
        self.pushed += usize::from(!line.beside);
        self.bytes += line.weight();
        self.lines.push_back(Entry { line, of_match });
        while self.matches > self.most_matches
            && let Some(gone) = self.pop()
        {
            // What stands beside a match goes with it.
            while self.lines.front().is_some_and(|entry| entry.of_match <= gone.of_match) {
                self.pop();
            }
        }
        while self.bytes > self.most_bytes && self.pop().is_some() {}
    }

    fn pop(&mut self) -> Option<Entry> {
        let entry = self.lines.pop_front()?;
        self.matches -= usize::from(!entry.line.beside);
        self.bytes -= entry.line.weight();
        Some(entry)
    }

    /// Puts `text` in the place of the newest lines, as far back as they are of that sort.
    pub(super) fn hide_newest(&mut self, is_of_sort: impl Fn(&str) -> bool, text: &str) {
        for entry in self.lines.iter_mut().rev().take_while(|entry| is_of_sort(&entry.line.text)) {
            self.bytes -= entry.line.weight();
            text.clone_into(&mut entry.line.text);
            self.bytes += entry.line.weight();
        }
    }

    /// All of them, oldest first; none are left.
    pub(super) fn take(&mut self) -> Vec<LogLine> {
        self.dropped += (self.pushed.min(self.most_matches) - self.matches) as u64;
        (self.matches, self.pushed, self.bytes) = (0, 0, 0);
        self.lines.drain(..).map(|entry| entry.line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str, beside: bool) -> LogLine {
        LogLine { source: 0, at_ns: None, text: text.to_owned(), beside }
    }

    fn kept(most_matches: usize, most_lines: usize, pushed: &[(&str, u64)]) -> (String, u64) {
        let mut kept = Kept::new(most_matches, most_lines * line("a", false).weight());
        for (text, of_match) in pushed {
            kept.push(line(text, text.chars().all(char::is_lowercase)), *of_match);
        }
        let texts = kept.take().into_iter().map(|line| line.text).collect();
        (texts, kept.dropped)
    }

    #[test]
    fn the_newest_matches_stay_with_what_is_beside_them() {
        let lines = [("a", 1), ("B", 1), ("c", 1), ("d", 2), ("E", 2), ("f", 2), ("G", 3)];
        assert_eq!(kept(9, 9, &lines), ("aBcdEfG".to_owned(), 0));
        assert_eq!(kept(2, 9, &lines), ("dEfG".to_owned(), 0));
        assert_eq!(kept(1, 9, &lines), ("G".to_owned(), 0));
        assert_eq!(kept(9, 3, &lines), ("EfG".to_owned(), 1));
        assert_eq!(kept(2, 3, &lines), ("EfG".to_owned(), 0));
        assert_eq!(kept(9, 0, &lines), (String::new(), 3));
    }
}
