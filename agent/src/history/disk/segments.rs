//! The files of a directory: appended to one after the other, the oldest goes first.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::frame;

/// A file is left for the next one from so many bytes on …
const SEGMENT_BYTES: u64 = 4 << 20;

/// … or when it is so old: what is too old goes by whole files.
const SEGMENT_MS: i64 = 6 * 3_600_000;

const EXTENSION: &str = "changes";

/// What a directory may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bounds {
    pub(crate) bytes: u64,
    pub(crate) age_ms: i64,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Segment {
    number: u64,
    pub(super) path: PathBuf,
    bytes: u64,
    pub(super) first_ms: i64,
    pub(super) last_ms: i64,
}

/// All of them, the oldest first; the last one is appended to.
#[derive(Debug)]
pub(super) struct Segments {
    directory: PathBuf,
    bounds: Bounds,
    all: Vec<Segment>,
    current: Option<File>,
    /// Files that had to go.
    pub(super) dropped: u64,
}

impl Segments {
    /// What is in a directory, which is made where there is none. What was torn off the last file's end is cut off.
    ///
    /// # Errors
    /// A directory that can't be read or written.
    pub(super) fn open(directory: &Path, bounds: Bounds) -> io::Result<Self> {
        fs::create_dir_all(directory)?;
        let mut all = Vec::new();
        for entry in fs::read_dir(directory)? {
            let path = entry?.path();
            if let Some(number) = number(&path) {
                all.extend(Segment::read(number, path)?);
            }
        }
        all.sort_by_key(|segment| segment.number);
        if let Some(last) = all.last() {
            OpenOptions::new().write(true).open(&last.path)?.set_len(last.bytes)?;
        }
        Ok(Self { directory: directory.to_owned(), bounds, all, current: None, dropped: 0 })
    }

    /// # Errors
    /// Those of the disk. What was not written whole is cut off when it is read.
    pub(super) fn append(&mut self, lines: &[frame::Line]) -> io::Result<()> {
        let Some(frame) = frame::write(lines)? else { return Ok(()) };
        let Some((head, _)) = frame::first(&frame) else { return Ok(()) };
        let is_full =
            |last: &Segment| last.bytes >= SEGMENT_BYTES || last.first_ms + SEGMENT_MS < head.last_ms;
        if self.current.is_none() || self.all.last().is_none_or(is_full) {
            self.begin(head)?;
        }
        let Some((file, segment)) = self.current.as_mut().zip(self.all.last_mut()) else { return Ok(()) };
        if let Err(error) = file.write_all(&frame) {
            // Nothing may follow a frame that is torn.
            self.current = None;
            return Err(error);
        }
        segment.bytes += frame.len() as u64;
        segment.first_ms = segment.first_ms.min(head.first_ms);
        segment.last_ms = segment.last_ms.max(head.last_ms);
        Ok(())
    }

    fn begin(&mut self, head: frame::Head) -> io::Result<()> {
        let number = self.all.last().map_or(1, |last| last.number + 1);
        let path = self.directory.join(format!("{number:010}.{EXTENSION}"));
        self.current = Some(OpenOptions::new().create_new(true).append(true).open(&path)?);
        let (first_ms, last_ms) = (head.first_ms, head.last_ms);
        self.all.push(Segment { number, path, bytes: 0, first_ms, last_ms });
        Ok(())
    }

    /// Drops the oldest files while there are too many bytes, and those that are too old.
    ///
    /// # Errors
    /// A file that can't be removed.
    pub(super) fn prune(&mut self, now_ms: i64) -> io::Result<()> {
        while let Some(oldest) = self.all.first() {
            let is_too_much = self.bytes() > self.bounds.bytes && self.all.len() > 1;
            if !is_too_much && oldest.last_ms >= now_ms - self.bounds.age_ms {
                break;
            }
            let path = self.all.remove(0).path;
            if self.all.is_empty() {
                self.current = None;
            }
            self.dropped += 1;
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    pub(super) fn bytes(&self) -> u64 {
        self.all.iter().map(|segment| segment.bytes).sum()
    }

    pub(super) fn first_ms(&self) -> Option<i64> {
        self.all.iter().map(|segment| segment.first_ms).min()
    }

    pub(super) fn last_ms(&self) -> Option<i64> {
        self.all.iter().map(|segment| segment.last_ms).max()
    }

    /// Those that reach into a span.
    pub(super) fn between(&self, from_ms: i64, to_ms: i64) -> Vec<PathBuf> {
        let reaches = |segment: &&Segment| segment.first_ms <= to_ms && segment.last_ms >= from_ms;
        self.all.iter().filter(reaches).map(|segment| segment.path.clone()).collect()
    }
}

fn number(path: &Path) -> Option<u64> {
    let is_ours = path.extension().is_some_and(|extension| extension == EXTENSION);
    is_ours.then(|| path.file_stem()?.to_str()?.parse().ok())?
}

impl Segment {
    /// A file up to where it is whole; `None`, and no file, where nothing of it is.
    fn read(number: u64, path: PathBuf) -> io::Result<Option<Self>> {
        let content = fs::read(&path)?;
        let mut segment = Self { number, path, bytes: 0, first_ms: i64::MAX, last_ms: i64::MIN };
        while let Some((head, _)) = frame::first(&content[segment.bytes as usize..]) {
            segment.bytes += head.len() as u64;
            segment.first_ms = segment.first_ms.min(head.first_ms);
            segment.last_ms = segment.last_ms.max(head.last_ms);
        }
        if segment.bytes == 0 {
            fs::remove_file(&segment.path)?;
            return Ok(None);
        }
        Ok(Some(segment))
    }
}
