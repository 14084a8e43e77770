//! What containers wrote that were told what to write.

use std::collections::HashMap;
use std::sync::Mutex;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

use super::Line;

/// By namespace, pod and container.
#[derive(Debug, Default)]
pub(crate) struct LogBook {
    lines: Mutex<HashMap<[String; 3], Vec<Line>>>,
    /// Ticks when something is written.
    written: watch::Sender<()>,
}

impl LogBook {
    /// A nanosecond after the line before at the earliest: no two lines of a container have the same time.
    pub(crate) fn write(&self, [namespace, pod, container]: [&str; 3], at: Timestamp, text: &str) {
        let place = [namespace, pod, container].map(str::to_owned);
        {
            let mut books = self.lines.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            let lines = books.entry(place).or_default();
            let earliest = lines.last().map(|(last, _)| *last + SignedDuration::from_nanos(1));
            lines.push((earliest.map_or(at, |earliest| earliest.max(at)), text.to_owned()));
        }
        self.written.send_replace(());
    }

    /// `None` for a container that was never told what to write.
    pub(super) fn lines(&self, namespace: &str, pod: &str, container: &str) -> Option<Vec<Line>> {
        let books = self.lines.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        books.get(&[namespace, pod, container].map(str::to_owned)).cloned()
    }

    pub(super) fn written(&self) -> watch::Receiver<()> {
        self.written.subscribe()
    }
}
