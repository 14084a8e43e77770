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

/// The identity of an object, or of the first row of a Table.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ObjectHead {
    pub(crate) metadata: ObjectMeta,
    rows: Vec<RowHead>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RowHead {
    object: RowObject,
}

#[derive(Debug, Default, Deserialize)]
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
        let meta = ObjectHead::parse(object.as_bytes())?.into_meta();
        let initial_end =
            meta.annotations.is_some_and(|annotations| annotations.initial_events_end == "true");
        Ok(Self { version: meta.resource_version, initial_end })
    }
}

impl ObjectHead {
    pub(crate) fn parse(object: &[u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(object)
    }

    /// An object's own metadata; for a Table the version stands there, the rest in its row.
    pub(crate) fn into_meta(self) -> ObjectMeta {
        let Some(row) = self.rows.into_iter().next() else { return self.metadata };
        let mut meta = row.object.metadata;
        if meta.resource_version.is_empty() {
            meta.resource_version = self.metadata.resource_version;
        }
        meta
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
                r#"{"type":"BOOKMARK","object":{"kind":"Table","metadata":{},"rows":[{"cells":[],"object":{"metadata":{"resourceVersion":"9"}}}]}}"#,
                ("9", false),
            ),
        ] {
            assert_eq!(bookmark(line), (expected.0.to_owned(), expected.1), "{line}");
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
