//! What a gateway is asked so that a word can be completed.

use serde_json::{Map, Value, json};

use super::PATIENCE;
use crate::arguments::Target;
use crate::table::{NOTHING, Table};

/// More than somebody chooses from, and more than a shell shows without asking first.
const MOST: u32 = 1_000;

/// Answers are read by a program: the rows of a page count, not its bytes.
const BYTES: u32 = 1 << 20;

/// A listing, of which some columns matter.
pub(super) struct Question<const N: usize> {
    tool: &'static str,
    columns: [&'static str; N],
    arguments: Map<String, Value>,
}

/// Those columns of one row; of what has no value nothing.
pub(super) type Row<const N: usize> = [Option<String>; N];

impl<const N: usize> Question<N> {
    pub(super) fn of(tool: &'static str, columns: [&'static str; N]) -> Self {
        let mut arguments = Map::new();
        for (name, value) in
            [("limit", json!(MOST)), ("maxBytes", json!(BYTES)), ("timeoutSeconds", json!(1))]
        {
            arguments.insert(name.to_owned(), value);
        }
        Self { tool, columns, arguments }
    }

    pub(super) fn about(mut self, argument: &str, value: Option<&str>) -> Self {
        if let Some(value) = value {
            self.arguments.insert(argument.to_owned(), json!(value));
        }
        self
    }

    /// In the order of the answer; nothing where none came in time.
    pub(super) fn ask(self, target: Target) -> Vec<Row<N>> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let Ok(runtime) = runtime else { return Vec::new() };
        let answer = runtime.block_on(async { tokio::time::timeout(PATIENCE, self.answer(target)).await });
        // A connection that is still being made must not keep the shell waiting.
        runtime.shutdown_background();
        answer.ok().flatten().map_or_else(Vec::new, |content| self.rows(&content))
    }

    async fn answer(&self, target: Target) -> Option<Value> {
        let exchange = target.client().ok()?.call(self.tool, self.arguments.clone(), false).await.ok()?;
        exchange.structured().ok().cloned()
    }

    fn rows(&self, content: &Value) -> Vec<Row<N>> {
        let table = Table::of(content);
        let at = self.columns.map(|column| table.header().iter().position(|name| name == column));
        let cell = |row: &Vec<String>, at: Option<usize>| {
            at.map(|at| row[at].clone()).filter(|text| text != NOTHING)
        };
        table.rows().iter().map(|row| at.map(|at| cell(row, at))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_have_the_columns_that_matter() {
        let content = json!({"columns": ["name", "kind", "group"],
            "groups": [{"rows": [["pods", "Pod", null], ["leases", "Lease", "coordination.k8s.io"]]}]});
        let question = Question::of("api_resources_list", ["group", "name", "missing"]);
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            question.rows(&content),
            [[None, some("pods"), None], [some("coordination.k8s.io"), some("leases"), None]]
        );
    }
}
