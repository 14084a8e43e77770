//! Pieces of a log into lines.

use memchr::{memchr, memrchr};

/// Of a line, so many bytes are looked at: a credential that begins in what is shown ends long before.
pub(super) const LINE_BYTES: usize = 64 * 1024;

/// Joins lines that came in several pieces.
#[derive(Debug, Default)]
pub(super) struct Splitter {
    /// The beginning of a line whose end has not come.
    partial: Vec<u8>,
}

impl Splitter {
    /// Calls `whole` with whole lines, each with its end; a piece makes at most two calls.
    pub(super) fn take(&mut self, piece: &[u8], mut whole: impl FnMut(&[u8])) {
        let mut rest = piece;
        if !self.partial.is_empty() {
            let end = memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
            let (line, after) = rest.split_at(end);
            self.keep(line);
            rest = after;
            if line.last() != Some(&b'\n') {
                return;
            }
            self.partial.truncate(LINE_BYTES);
            if self.partial.last() != Some(&b'\n') {
                self.partial.push(b'\n');
            }
            whole(&std::mem::take(&mut self.partial));
        }
        let end = memrchr(b'\n', rest).map_or(0, |at| at + 1);
        if end > 0 {
            whole(&rest[..end]);
        }
        self.keep(&rest[end..]);
    }

    /// The line that has no end, if there is one.
    pub(super) fn end(&mut self) -> Option<Vec<u8>> {
        Some(std::mem::take(&mut self.partial)).filter(|line| !line.is_empty())
    }

    /// One byte more than is looked at is kept, which says that there was more.
    fn keep(&mut self, part: &[u8]) {
        let room = (LINE_BYTES + 1).saturating_sub(self.partial.len());
        self.partial.extend_from_slice(&part[..part.len().min(room)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(pieces: &[&str]) -> (Vec<String>, Option<String>) {
        let (mut splitter, mut lines) = (Splitter::default(), Vec::new());
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        for piece in pieces {
            splitter.take(piece.as_bytes(), |whole| lines.push(text(whole)));
        }
        (lines, splitter.end().map(|line| text(&line)))
    }

    #[test]
    fn lines_are_joined_from_their_pieces() {
        for (pieces, whole, rest) in [
            (&["a\nb\n"][..], &["a\nb\n"][..], None),
            (&["a\nb", "c", "\nd\ne"], &["a\n", "bc\n", "d\n"], Some("e")),
            (&["a", "\n", "\n"], &["a\n", "\n"], None),
            (&["", "a"], &[], Some("a")),
        ] {
            assert_eq!(
                split(pieces),
                (whole.iter().map(ToString::to_string).collect(), rest.map(str::to_owned))
            );
        }
    }

    #[test]
    fn a_line_without_an_end_is_not_kept_for_ever() {
        let long = "x".repeat(3 * LINE_BYTES);
        let (lines, rest) = split(&[&long, &long, "\nnext\n", &long]);
        assert_eq!(lines, [format!("{}\n", "x".repeat(LINE_BYTES)), "next\n".to_owned()]);
        assert_eq!(rest.unwrap().len(), LINE_BYTES + 1);
    }
}
