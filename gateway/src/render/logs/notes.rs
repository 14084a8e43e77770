//! What there is to say of single containers.

use std::fmt;

use kubeplex_proto::json_len::json_len;
use serde::Serialize;

use crate::escape::one_line;
use crate::merge::LogPage;
use crate::request::LogsQuery;

/// A message comes from far away and is cut to this many characters.
const MAX_MESSAGE_CHARS: usize = 300;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Note {
    cluster: String,
    namespace: String,
    pod: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    container: String,
    message: String,
}

/// As many as fit into so many bytes, and how many more there are. What could not be read comes first.
pub(super) fn notes(query: &LogsQuery, page: &LogPage, max_bytes: usize) -> (Vec<Note>, usize) {
    let mut told: Vec<_> = page.origins.iter().filter(|origin| origin.over.message.is_some()).collect();
    told.sort_by_key(|origin| !origin.over.unread);
    let clean = |text: &str| one_line(text).into_owned();
    let all = told.iter().map(|origin| {
        let message = origin.over.message.as_deref().unwrap_or_default();
        let message: String = message.chars().take(MAX_MESSAGE_CHARS).collect();
        Note {
            cluster: query.targets[origin.leg.0].cluster.id.to_string(),
            namespace: clean(&origin.source.namespace),
            pod: clean(&origin.source.pod),
            container: clean(&origin.source.container),
            message: clean(&message),
        }
    });
    let mut room = max_bytes;
    let notes: Vec<_> = all
        .map_while(|note| {
            room = room.checked_sub(json_len(&note) + 1)?;
            Some(note)
        })
        .collect();
    let more = told.len() - notes.len();
    (notes, more)
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cluster, namespace, pod, container, message } = self;
        let container = if container.is_empty() { String::new() } else { format!("/{container}") };
        write!(f, "{cluster}/{namespace}/{pod}{container}: {message}")
    }
}
