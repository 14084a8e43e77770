//! One page of a list, cut into its items without building a tree of them.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::ApiError;

/// A page. The items share the page's bytes.
#[derive(Debug)]
pub struct Page {
    /// The version of the whole list; a watch goes on from it.
    pub resource_version: String,
    /// Where the next page begins.
    pub next: Option<String>,
    /// How many items follow on later pages, where the server says.
    pub remaining: Option<u64>,
    /// The items of a list, the rows of a Table.
    pub items: Vec<Bytes>,
    /// The names of a Table's columns; empty for a list.
    pub columns: Vec<String>,
}

#[derive(Deserialize)]
struct RawPage<'a> {
    #[serde(default)]
    metadata: PageMetadata,
    /// Absent or null in an empty list of some servers.
    #[serde(borrow, default)]
    items: Option<Vec<&'a RawValue>>,
    #[serde(borrow, default)]
    rows: Option<Vec<&'a RawValue>>,
    #[serde(default, rename = "columnDefinitions")]
    column_definitions: Option<Vec<ColumnDefinition>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct PageMetadata {
    resource_version: String,
    #[serde(rename = "continue")]
    next: String,
    remaining_item_count: Option<u64>,
}

#[derive(Deserialize)]
struct ColumnDefinition {
    name: String,
}

impl Page {
    /// # Errors
    /// `Decode` where the body is no list and no Table.
    pub fn parse(body: &Bytes) -> Result<Self, ApiError> {
        let raw: RawPage<'_> =
            serde_json::from_slice(body).map_err(|source| ApiError::Decode { what: "a list", source })?;
        let items = raw.items.or(raw.rows).unwrap_or_default();
        Ok(Self {
            resource_version: raw.metadata.resource_version,
            next: Some(raw.metadata.next).filter(|next| !next.is_empty()),
            remaining: raw.metadata.remaining_item_count,
            items: items.iter().map(|item| body.slice_ref(item.get().as_bytes())).collect(),
            columns: raw
                .column_definitions
                .unwrap_or_default()
                .into_iter()
                .map(|column| column.name)
                .collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(body: &'static str) -> Page {
        Page::parse(&Bytes::from_static(body.as_bytes())).unwrap()
    }

    #[test]
    fn items_are_the_bytes_the_server_sent() {
        let page = parse(
            r#"{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"7","continue":"abc","remainingItemCount":9},
                "items":[{"a": [1, {"items":[]}]} , {"b":"}]"}]}"#,
        );
        assert_eq!(page.items, [r#"{"a": [1, {"items":[]}]}"#, r#"{"b":"}]"}"#]);
        assert_eq!((page.resource_version.as_str(), page.next.as_deref()), ("7", Some("abc")));
        assert_eq!(page.remaining, Some(9));
    }

    #[test]
    fn an_empty_list_may_say_so_in_three_ways() {
        for body in [
            r#"{"metadata":{}}"#,
            r#"{"metadata":{},"items":null}"#,
            r#"{"metadata":{"continue":""},"items":[]}"#,
        ] {
            let page = parse(body);
            assert!(page.items.is_empty() && page.next.is_none(), "{body}");
        }
    }

    #[test]
    fn rows_of_a_table_are_items() {
        let page = parse(
            r#"{"kind":"Table","metadata":{},"columnDefinitions":[{"name":"Type"}],"rows":[{"cells":["x"]}]}"#,
        );
        assert_eq!(page.items, [r#"{"cells":["x"]}"#]);
        assert_eq!(page.columns, ["Type"]);
    }

    #[test]
    fn what_is_no_list_is_refused() {
        for body in ["<html>", "{\"items\":[{]}", "", "[1]", "{\"items\":7}"] {
            let result = Page::parse(&Bytes::from_static(body.as_bytes()));
            assert!(matches!(result, Err(ApiError::Decode { .. })), "{body}");
        }
    }
}
