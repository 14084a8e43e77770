//! What stands once for all lines, and what beside each.

use kubeplex_proto::log::LogLine;
use serde_json::{Map, Value};

use crate::escape::one_line;
use crate::merge::{LogOrigin, LogPage};
use crate::request::LogsQuery;

/// The parts of whose a line is.
const PARTS: [&str; 4] = ["cluster", "namespace", "pod", "container"];

pub(super) struct Columns {
    /// Of each container, by its place.
    origins: Vec<[String; 4]>,
    /// Whether all containers that wrote something have the same part.
    is_shared: [bool; 4],
    /// One of those that wrote something.
    writer: Option<usize>,
    /// The day of all lines, where it is one.
    date: Option<String>,
    with_matches: bool,
}

impl Columns {
    pub(super) fn of(query: &LogsQuery, page: &LogPage) -> Self {
        let parts = |LogOrigin { leg, source, .. }: &LogOrigin| {
            let cluster = query.targets[leg.0].cluster.id.to_string();
            [cluster, source.namespace.clone(), source.pod.clone(), source.container.clone()]
        };
        let origins: Vec<_> = page.origins.iter().map(parts).collect();
        let mut writers: Vec<usize> = page.lines.iter().map(|line| line.source as usize).collect();
        writers.sort_unstable();
        writers.dedup();
        let is_shared = std::array::from_fn(|at| {
            let same = writers.windows(2).all(|pair| origins[pair[0]][at] == origins[pair[1]][at]);
            same && !writers.is_empty()
        });
        let mut days = page.lines.iter().map(|line| line.at_ns.and_then(time).map(|time| day(&time)));
        let first = days.next().flatten();
        let date = first.filter(|first| days.all(|day| day.as_ref() == Some(first)));
        let (writer, with_matches) = (writers.first().copied(), query.context_lines > 0);
        Self { origins, is_shared, writer, date, with_matches }
    }

    pub(super) fn names(&self) -> Vec<&'static str> {
        let parts = PARTS.into_iter().zip(self.is_shared).filter(|(_, shared)| !shared).map(|(part, _)| part);
        let matches = self.with_matches.then_some("match");
        std::iter::once("time").chain(parts).chain(matches).chain(["line"]).collect()
    }

    pub(super) fn shared(&self) -> Map<String, Value> {
        let writer = self.writer.map(|writer| &self.origins[writer]);
        let parts = PARTS.into_iter().enumerate().filter(|(at, _)| self.is_shared[*at]);
        let parts = parts.filter_map(|(at, part)| Some((part, one_line(&writer?[at]).into_owned())));
        let date = self.date.clone().map(|date| ("date", date));
        parts.chain(date).map(|(name, text)| (name.to_owned(), text.into())).collect()
    }

    pub(super) fn row(&self, line: &LogLine) -> Vec<Value> {
        let time = line.at_ns.and_then(time).map_or(Value::Null, |time| match &self.date {
            Some(_) => time["2026-11-23T".len()..].into(),
            None => time.into(),
        });
        let origin = &self.origins[line.source as usize];
        let parts = origin.iter().zip(self.is_shared).filter(|(_, shared)| !shared);
        let parts = parts.map(|(part, _)| Value::from(one_line(part)));
        let matches = self.with_matches.then_some(Value::from(!line.beside));
        std::iter::once(time).chain(parts).chain(matches).chain([one_line(&line.text).into()]).collect()
    }
}

/// To the millisecond.
pub(super) fn time(ns: i64) -> Option<String> {
    let time = jiff::Timestamp::from_nanosecond(ns.into()).ok()?;
    Some(time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string())
}

fn day(time: &str) -> String {
    time.split('T').next().unwrap_or_default().to_owned()
}
