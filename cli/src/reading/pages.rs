//! An answer read to its end: page behind page, put together as one.

use serde_json::{Map, Value, json};

use crate::client::{Client, ClientError};
use crate::table::PLACES;

use super::question::{Paging, Question};

/// What a page may have; a gateway grants no more.
const PAGE_ROWS: u32 = 1_000;

/// What an answer may have: this program has no window to fill, and nothing is to be cut. A gateway grants no more.
const ANSWER_BYTES: u32 = 4 << 20;

/// What came of a question.
#[derive(Debug, Default)]
pub(super) struct Answer {
    /// All pages that came.
    pub(super) content: Option<Value>,
    /// What the gateway itself would show of the last page.
    pub(super) text: String,
    /// Why there is no more than that, or nothing.
    pub(super) error: Option<Value>,
}

/// # Errors
/// When nothing is answered.
pub(super) async fn read(client: &Client, question: &Question) -> Result<Answer, ClientError> {
    read_with(client, question, &question.arguments).await
}

/// As [`read`], with other arguments than the question's own.
///
/// # Errors
/// When nothing is answered.
pub(super) async fn read_with(
    client: &Client,
    question: &Question,
    arguments: &Map<String, Value>,
) -> Result<Answer, ClientError> {
    let mut arguments = arguments.clone();
    arguments.insert("maxBytes".to_owned(), json!(ANSWER_BYTES));
    let mut answer = Answer::default();
    let mut wanted = match question.paging {
        Some(Paging::AtMost(rows)) => rows,
        Some(Paging::ToTheEnd) | None => u32::MAX,
    };
    loop {
        if question.paging.is_some() {
            arguments.insert("limit".to_owned(), json!(wanted.min(PAGE_ROWS)));
        }
        let exchange = client.call(question.tool, arguments.clone(), false).await?;
        let page = match exchange.structured() {
            Ok(page) => page.clone(),
            Err(error) => {
                answer.error = Some(error.clone());
                return Ok(answer);
            }
        };
        exchange.text().clone_into(&mut answer.text);
        let (shown, cursor) = (page["shown"].as_u64().unwrap_or_default(), page["continue"].clone());
        answer.content = Some(match answer.content.take() {
            Some(before) => together(before, page),
            None => page,
        });
        wanted = wanted.saturating_sub(u32::try_from(shown).unwrap_or(u32::MAX));
        if question.paging.is_none() || !cursor.is_string() || shown == 0 || wanted == 0 {
            break;
        }
        arguments.insert("continue".to_owned(), cursor);
    }
    if let Some(content) = &mut answer.content {
        whole(content);
    }
    Ok(answer)
}

/// Two pages of one answer. What the later one says of clusters and of how it goes on holds for both: a cursor carries what
/// was missing before.
fn together(before: Value, mut page: Value) -> Value {
    let columns = columns_of_both(&before, &page);
    let mut groups = groups(&before, &columns);
    for group in self::groups(&page, &columns) {
        match groups.last_mut().filter(|last| is_of(last, &group)) {
            Some(last) => {
                if let (Some(rows), Some(more)) = (last["rows"].as_array_mut(), group["rows"].as_array()) {
                    rows.extend(more.iter().cloned());
                }
            }
            None => groups.push(group),
        }
    }
    page["shown"] =
        json!(before["shown"].as_u64().unwrap_or_default() + page["shown"].as_u64().unwrap_or_default());
    if before["partial"] == true {
        page["partial"] = json!(true);
    }
    page["columns"] = columns;
    page["groups"] = Value::Array(groups);
    page
}

/// Counts stand in for rows that were cut. Where none were, the rows say it.
fn whole(content: &mut Value) {
    if content["continue"].is_string() {
        return;
    }
    if let Some(content) = content.as_object_mut() {
        content.remove("statusCounts");
    }
    if let Some(clusters) = content["clusters"].as_object_mut() {
        clusters.remove("counts");
    }
}

/// Kinds may have other columns where another page's clusters serve another version.
fn columns_of_both(before: &Value, page: &Value) -> Value {
    let mut columns = before["columns"].as_array().cloned().unwrap_or_default();
    for column in page["columns"].as_array().into_iter().flatten() {
        if !columns.contains(column) {
            columns.push(column.clone());
        }
    }
    Value::Array(columns)
}

/// The groups of a page, with the cells of their rows where `columns` has them.
fn groups(page: &Value, columns: &Value) -> Vec<Value> {
    let mut groups = page["groups"].as_array().cloned().unwrap_or_default();
    if page["columns"] == *columns {
        return groups;
    }
    let own: Vec<&Value> = page["columns"].as_array().into_iter().flatten().collect();
    let places: Vec<Option<usize>> = columns
        .as_array()
        .into_iter()
        .flatten()
        .map(|column| own.iter().position(|known| *known == column))
        .collect();
    for group in &mut groups {
        for row in group["rows"].as_array_mut().into_iter().flatten().filter(|row| row.is_array()) {
            *row = places.iter().map(|place| place.map_or(Value::Null, |at| row[at].clone())).collect();
        }
    }
    groups
}

fn is_of(a: &Value, b: &Value) -> bool {
    PLACES.iter().all(|place| a[*place] == b[*place])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(columns: &[&str], cluster: &str, rows: Value, more: Value) -> Value {
        let mut page = json!({"columns": columns, "groups": [{"cluster": cluster, "rows": rows}], "total": 5,
            "shown": rows.as_array().unwrap().len(), "statusCounts": {"Running": 5},
            "clusters": {"expected": 2, "answered": 2, "counts": {"eu": 5}}});
        if more.is_string() {
            page["continue"] = more;
        }
        page
    }

    #[test]
    fn pages_are_put_together_where_groups_go_on() {
        let first = page(&["name"], "eu", json!([["a"], ["b"]]), json!("C1"));
        let second = page(&["name"], "eu", json!([["c"]]), json!("C2"));
        let mut third = page(&["name", "age"], "us", json!([["d", "3d"]]), Value::Null);
        third["partial"] = json!(true);
        let two = together(first, second);
        assert_eq!(
            (&two["shown"], &two["continue"], &two["groups"][0]["rows"][2][0]),
            (&json!(3), &json!("C2"), &json!("c"))
        );
        let mut all = together(two, third);
        whole(&mut all);
        assert_eq!(
            all,
            json!({"columns": ["name", "age"], "groups": [
                {"cluster": "eu", "rows": [["a", null], ["b", null], ["c", null]]},
                {"cluster": "us", "rows": [["d", "3d"]]}],
                "total": 5, "shown": 4, "clusters": {"expected": 2, "answered": 2}, "partial": true})
        );
    }

    #[test]
    fn what_was_missing_on_an_earlier_page_is_missing() {
        let mut first = page(&["name"], "eu", json!([["a"]]), json!("C1"));
        first["partial"] = json!(true);
        let all = together(first, page(&["name"], "us", json!([["b"]]), Value::Null));
        assert_eq!(all["partial"], true);
    }

    #[test]
    fn counts_stay_where_rows_are_cut() {
        let mut cut = page(&["name"], "eu", json!([["a"]]), json!("C1"));
        whole(&mut cut);
        assert_eq!(
            (cut["statusCounts"]["Running"].as_u64(), cut["clusters"]["counts"]["eu"].as_u64()),
            (Some(5), Some(5))
        );
    }
}
