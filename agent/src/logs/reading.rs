//! One container's log, read once.

use std::borrow::Cow;
use std::collections::VecDeque;

use kubeplex_proto::log::LogLine;
use kubeplex_proto::template::Fold;
use memchr::{memchr, memchr_iter, memrchr};

use super::kept::Kept;
use super::key_block::{KeyBlock, is_of_key};
use super::matching::Grep;
use super::split::{LINE_BYTES, Splitter};
use crate::redact;

/// Of a line, so many bytes are shown.
const SHOWN_BYTES: usize = 4 * 1024;

/// A time at the beginning of a line is not longer.
const TIME_BYTES: usize = 40;

/// Which lines of a log are meant. Times are in nanoseconds since 1970, both ends included.
#[derive(Debug, Clone)]
pub struct Wanted {
    pub grep: Option<Grep>,
    pub since_ns: Option<i64>,
    pub until_ns: Option<i64>,
    /// The newest so many of those that match …
    pub tail: usize,
    /// … in at most about so many bytes.
    pub max_bytes: usize,
    /// Lines before and after one that matches.
    pub beside: usize,
}

/// Takes a log in as it comes; each line begins with its time, as the kubelet writes it.
#[derive(Debug)]
pub struct Reading {
    source: u32,
    wanted: Wanted,
    split: Splitter,
    key: KeyBlock,
    kept: Kept,
    /// The last lines, while they may turn out to stand before a match.
    before: VecDeque<LogLine>,
    /// Lines that are still shown after a match.
    after: usize,
    matched: u64,
    shortened: u64,
    /// When the latest line with a time was written.
    at_ns: Option<i64>,
    /// A line later than all that are meant has come.
    is_past: bool,
}

impl Reading {
    /// `source` is what its lines are marked with.
    pub fn new(source: u32, wanted: Wanted) -> Self {
        Self {
            source,
            split: Splitter::default(),
            key: KeyBlock::default(),
            kept: Kept::new(wanted.tail, wanted.max_bytes),
            before: VecDeque::with_capacity(wanted.beside),
            after: 0,
            matched: 0,
            shortened: 0,
            at_ns: None,
            is_past: false,
            wanted,
        }
    }

    /// The next piece, which may begin and end anywhere.
    pub fn take(&mut self, piece: &[u8]) {
        let mut split = std::mem::take(&mut self.split);
        split.take(piece, |lines| self.lines(lines));
        self.split = split;
    }

    /// The log is over; what came last may have had no end.
    pub fn end(&mut self) {
        if let Some(line) = self.split.end() {
            self.lines(&line);
        }
    }

    /// Whether nothing that is still to come can be meant.
    pub fn is_past(&self) -> bool {
        self.is_past
    }

    /// The lines that are meant so far, oldest first; they are handed out once.
    pub fn lines_kept(&mut self) -> Vec<LogLine> {
        self.kept.take()
    }

    /// The same, folded.
    pub fn fold_into(&mut self, fold: &mut Fold) {
        for line in self.kept.take() {
            fold.line(line.source, line.at_ns, &line.text);
        }
    }

    /// Lines that match, kept or not.
    pub fn matched(&self) -> u64 {
        self.matched
    }

    /// Lines that were meant, and too many to be kept.
    pub fn dropped(&self) -> u64 {
        self.kept.dropped
    }

    /// Lines of which only the beginning is kept.
    pub fn shortened(&self) -> u64 {
        self.shortened
    }

    /// When the latest line was written.
    pub fn latest_ns(&self) -> Option<i64> {
        self.at_ns
    }

    /// From now on only lines written later are meant.
    pub fn go_on_after(&mut self, at_ns: Option<i64>) {
        self.wanted.since_ns = at_ns.map(|at| at.saturating_add(1)).or(self.wanted.since_ns);
    }

    fn lines(&mut self, lines: &[u8]) {
        let looks_for_keys = self.key.may_be_in(lines);
        let mut begin = 0;
        for end in memchr_iter(b'\n', lines) {
            self.line(&lines[begin..end], looks_for_keys);
            begin = end + 1;
        }
        if begin < lines.len() {
            self.line(&lines[begin..], looks_for_keys);
        }
        // What was passed over has a time as well.
        let last = lines.strip_suffix(b"\n").unwrap_or(lines);
        let begin = memrchr(b'\n', last).map_or(0, |at| at + 1);
        self.is_in_time(parts(&last[begin..]).0);
    }

    fn line(&mut self, line: &[u8], looks_for_keys: bool) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let (time, message) = parts(line);
        let passes_over = self.wanted.grep.as_ref().is_some_and(|grep| grep.passes_over(message));
        let is_beside = self.wanted.beside > 0;
        if passes_over && !is_beside && !looks_for_keys {
            return;
        }
        let text = String::from_utf8_lossy(&message[..message.len().min(LINE_BYTES)]);
        let is_hidden = looks_for_keys && self.key.hides(&text);
        if looks_for_keys && self.key.ends_unbegun() {
            self.kept.hide_newest(is_of_key, redact::MASK);
            self.before.iter_mut().filter(|line| is_of_key(&line.text)).for_each(|line| {
                redact::MASK.clone_into(&mut line.text);
            });
        }
        if passes_over && !is_beside {
            return;
        }
        if !self.is_in_time(time) {
            return;
        }
        let masked = if is_hidden { Cow::Owned(redact::MASK.to_owned()) } else { redact::text(&text) };
        let has_masks = matches!(masked, Cow::Owned(_));
        let matches =
            !passes_over && self.wanted.grep.as_ref().is_none_or(|grep| grep.matches(&masked, has_masks));
        self.keep(&masked, message.len() > LINE_BYTES, matches);
    }

    fn keep(&mut self, masked: &str, is_cut: bool, matches: bool) {
        if !matches && self.wanted.beside == 0 {
            return;
        }
        let (text, is_shortened) = shown(masked, is_cut);
        let line = LogLine { source: self.source, at_ns: self.at_ns, text, beside: !matches };
        if matches {
            self.matched += 1;
            self.shortened += u64::from(is_shortened);
            for before in self.before.drain(..) {
                self.kept.push(before, self.matched);
            }
            self.kept.push(line, self.matched);
            self.after = self.wanted.beside;
        } else if self.after > 0 {
            self.after -= 1;
            self.kept.push(line, self.matched);
        } else {
            if self.before.len() == self.wanted.beside {
                self.before.pop_front();
            }
            self.before.push_back(line);
        }
    }

    /// Notes the time of a line, and says whether it is meant by that.
    fn is_in_time(&mut self, time: Option<&str>) -> bool {
        self.at_ns = time.and_then(nanoseconds).or(self.at_ns);
        let Some(at) = self.at_ns else { return true };
        let is_late = self.wanted.until_ns.is_some_and(|until| at > until);
        self.is_past |= is_late;
        !is_late && self.wanted.since_ns.is_none_or(|since| at >= since)
    }
}

/// The time that a line begins with, and the rest.
fn parts(line: &[u8]) -> (Option<&str>, &[u8]) {
    let head = &line[..line.len().min(TIME_BYTES)];
    let time = memchr(b' ', head).map(|at| (&line[..at], &line[at + 1..]));
    match time {
        Some((time, message)) if is_time(time) => (std::str::from_utf8(time).ok(), message),
        // A line without a word has its time alone.
        _ if is_time(line) => (std::str::from_utf8(line).ok(), &[]),
        _ => (None, line),
    }
}

/// As far as its beginning tells.
fn is_time(text: &[u8]) -> bool {
    text.len() >= 20
        && text.len() <= TIME_BYTES
        && text[4] == b'-'
        && text[10] == b'T'
        && text[0].is_ascii_digit()
}

fn nanoseconds(time: &str) -> Option<i64> {
    let time: jiff::Timestamp = time.parse().ok()?;
    i64::try_from(time.as_nanosecond()).ok()
}

/// What is shown of a line, and whether that is not all.
fn shown(text: &str, is_cut: bool) -> (String, bool) {
    if text.len() <= SHOWN_BYTES {
        return (text.to_owned(), is_cut);
    }
    let end = text.floor_char_boundary(SHOWN_BYTES);
    (format!("{}\u{2026}", &text[..end]), true)
}

#[cfg(test)]
mod tests;
