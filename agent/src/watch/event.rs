//! One line of a watch.

use std::borrow::Cow;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::api::{ApiError, Status};

/// What a line says. Objects share the line's bytes.
#[derive(Debug)]
pub(crate) enum WatchEvent {
    Put(Bytes),
    Delete(Bytes),
    Bookmark(Bookmark),
    /// The server ends the watch, for this reason.
    Error(ApiError),
}

/// The server has nothing to tell up to this version.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Bookmark {
    pub(crate) version: String,
    /// As [`ObjectHead`]'s: a bookmark may be the first Table of a watch.
    pub(crate) columns: Vec<String>,
    /// Everything that was there when the watch was opened has been sent.
    pub(crate) initial_end: bool,
}

#[derive(Deserialize)]
struct RawEvent<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    object: &'a RawValue,
}

/// The identity of an object, of the first row of a Table, or of such a row by itself.
#[derive(Debug)]
pub(crate) struct ObjectHead {
    pub(crate) meta: ObjectMeta,
    /// The names of a Table's columns, where it tells them: in a watch only the first does.
    pub(crate) columns: Vec<String>,
}

/// What everything but a bare row has.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Outline<'a> {
    #[serde(borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    api_version: Cow<'a, str>,
    metadata: Option<ObjectMeta>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct TableHead {
    rows: Option<Vec<RowHead>>,
    column_definitions: Option<Vec<ColumnName>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ColumnName {
    name: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RowHead {
    object: RowObject,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RowObject {
    metadata: ObjectMeta,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ObjectMeta {
    pub(crate) name: String,
    pub(crate) namespace: Option<String>,
    pub(crate) uid: Option<String>,
    pub(crate) resource_version: String,
    annotations: Option<Annotations>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Annotations {
    #[serde(rename = "k8s.io/initial-events-end")]
    initial_events_end: String,
}

impl WatchEvent {
    /// # Errors
    /// `Decode` where the line is no watch event.
    pub(crate) fn parse(line: &Bytes) -> Result<Self, ApiError> {
        let undecodable = |source| ApiError::Decode { what: "a watch event", source };
        let raw: RawEvent<'_> = serde_json::from_slice(line).map_err(undecodable)?;
        let object = || line.slice_ref(raw.object.get().as_bytes());
        match raw.kind.as_ref() {
            "ADDED" | "MODIFIED" => Ok(Self::Put(object())),
            "DELETED" => Ok(Self::Delete(object())),
            "BOOKMARK" => Ok(Self::Bookmark(Bookmark::parse(raw.object.get()).map_err(undecodable)?)),
            "ERROR" => {
                let status: Status = serde_json::from_str(raw.object.get()).map_err(undecodable)?;
                Ok(Self::Error(ApiError::from_status(status, None)))
            }
            other => {
                let message = format!("{other:?} is no type of a watch event");
                Err(undecodable(serde::de::Error::custom(message)))
            }
        }
    }
}

impl Bookmark {
    fn parse(object: &str) -> serde_json::Result<Self> {
        let ObjectHead { meta, columns } = ObjectHead::parse(object.as_bytes())?;
        let initial_end =
            meta.annotations.is_some_and(|annotations| annotations.initial_events_end == "true");
        Ok(Self { version: meta.resource_version, columns, initial_end })
    }
}

impl ObjectHead {
    pub(crate) fn parse(raw: &[u8]) -> serde_json::Result<Self> {
        let outline: Outline<'_> = serde_json::from_slice(raw)?;
        if outline.kind == "Table" && outline.api_version.starts_with("meta.k8s.io/") {
            return Ok(serde_json::from_slice::<TableHead>(raw)?.head(outline.metadata));
        }
        let of_bare_row = || serde_json::from_slice::<RowHead>(raw).unwrap_or_default().object.metadata;
        let meta = outline.metadata.unwrap_or_else(of_bare_row);
        Ok(Self { meta, columns: Vec::new() })
    }
}

impl TableHead {
    /// The version may stand in the Table's own metadata, the rest is in its row.
    fn head(self, of_table: Option<ObjectMeta>) -> ObjectHead {
        let mut meta = match self.rows.into_iter().flatten().next() {
            Some(row) => row.object.metadata,
            None => ObjectMeta::default(),
        };
        if meta.resource_version.is_empty() {
            meta.resource_version = of_table.unwrap_or_default().resource_version;
        }
        let columns = self.column_definitions.into_iter().flatten();
        ObjectHead { meta, columns: columns.map(|column| column.name).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &'static str) -> Result<WatchEvent, ApiError> {
        WatchEvent::parse(&Bytes::from_static(line.as_bytes()))
    }

    fn bookmark(line: &'static str) -> (String, bool) {
        match parse(line).unwrap() {
            WatchEvent::Bookmark(bookmark) => (bookmark.version, bookmark.initial_end),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn objects_are_passed_on_as_they_came() {
        let line = r#"{"type":"ADDED","object":{"kind":"Pod", "x":[1,{}]}}"#;
        assert!(
            matches!(parse(line).unwrap(), WatchEvent::Put(object) if object == r#"{"kind":"Pod", "x":[1,{}]}"#)
        );
        let line = r#"{"object":{"a":1},"type":"DELETED"}"#;
        assert!(matches!(parse(line).unwrap(), WatchEvent::Delete(object) if object == r#"{"a":1}"#));
    }

    #[test]
    fn bookmarks_of_objects_and_of_tables() {
        for (line, expected) in [
            (
                r#"{"type":"BOOKMARK","object":{"kind":"Pod","metadata":{"resourceVersion":"7"},"spec":{}}}"#,
                ("7", false),
            ),
            (
                r#"{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"8","annotations":{"k8s.io/initial-events-end":"true"}}}}"#,
                ("8", true),
            ),
            (
                r#"{"type":"BOOKMARK","object":{"kind":"Table","apiVersion":"meta.k8s.io/v1","metadata":{},"columnDefinitions":null,"rows":[{"cells":[],"object":{"metadata":{"resourceVersion":"9"}}}]}}"#,
                ("9", false),
            ),
        ] {
            assert_eq!(bookmark(line), (expected.0.to_owned(), expected.1), "{line}");
        }
    }

    #[test]
    fn objects_are_known_by_their_heads_whatever_else_they_hold() {
        let row = |version: &str| {
            format!(
                r#"{{"cells":[1],"object":{{"kind":"W","metadata":{{"name":"a","resourceVersion":"{version}"}}}}}}"#
            )
        };
        let table = |version: &str, columns: &str, row: &str| {
            format!(
                r#"{{"kind":"Table","apiVersion":"meta.k8s.io/v1","metadata":{{"resourceVersion":"{version}"}},
                "columnDefinitions":{columns},"rows":[{row}]}}"#
            )
        };
        for (raw, name, version, columns) in [
            (r#"{"metadata":{"name":"a","resourceVersion":"1"}}"#.to_owned(), "a", "1", 0),
            (
                r#"{"kind":"Table","apiVersion":"example.com/v1","rows":"x","metadata":{"name":"a"}}"#.into(),
                "a",
                "",
                0,
            ),
            (
                r#"{"kind":"W","rows":7,"object":7,"columnDefinitions":7,"metadata":{"name":"a"}}"#.into(),
                "a",
                "",
                0,
            ),
            (row("2"), "a", "2", 0),
            (table("3", "null", &row("2")), "a", "2", 0),
            (table("3", r#"[{"name":"Name"},{"name":"Age"}]"#, &row("")), "a", "3", 2),
            (table("3", "[]", ""), "", "3", 0),
            (r#"{"object":7}"#.into(), "", "", 0),
        ] {
            let head = ObjectHead::parse(raw.as_bytes()).unwrap();
            let told = (head.meta.name.as_str(), head.meta.resource_version.as_str(), head.columns.len());
            assert_eq!(told, (name, version, columns), "{raw}");
        }
    }

    #[test]
    fn an_error_says_which() {
        let line = r#"{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old"}}"#;
        assert!(matches!(parse(line).unwrap(), WatchEvent::Error(ApiError::Expired { .. })));
    }

    #[test]
    fn what_is_no_event_is_an_error() {
        for line in [
            "",
            "{}",
            "[]",
            r#"{"type":"ADDED"}"#,
            r#"{"type":"RENAMED","object":{}}"#,
            r#"{"type":"ADDED","obj"#,
        ] {
            assert!(matches!(parse(line), Err(ApiError::Decode { .. })), "{line}");
        }
    }
}
