//! What answers cost whoever reads them where nobody says how much it may be.

use kubeplex_tests::fleet::TestFleet;
use serde_json::{Map, Value, json};

use crate::ground;

/// Clients move what is longer out of the conversation, and show its beginning.
const MOST_BYTES: usize = 8_000;

/// What a tool can't do without, and what makes it answer with much.
fn usual(tool: &str, schema: &Value) -> Value {
    let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let mut arguments = Map::new();
    for name in required {
        let value = match (tool, name) {
            (_, "kind") => "deployments",
            ("pods_log", "name") => "deployment/web",
            (_, "name") => "deployment/*",
            (_, "query") => "*",
            (tool, name) => panic!("{tool} requires {name}: say here what is usual"),
        };
        arguments.insert(name.to_owned(), value.into());
    }
    Value::Object(arguments)
}

pub(crate) async fn no_usual_answer_is_above_eight_kilobytes(fleet: &'static TestFleet) {
    let mut asked = 0;
    for tool in kubeplex_gateway::tools::catalogue().tools() {
        let arguments = usual(tool.name, tool.input_schema());
        let exchange = fleet.exchange(tool.name, arguments.clone()).await;
        let structured = match exchange.structured() {
            Ok(answer) => answer,
            // With too much to show, there is a sentence.
            Err(error) => error,
        };
        let sizes = [structured.to_string().len(), exchange.text().len()];
        assert!(sizes.iter().all(|size| *size <= MOST_BYTES), "{} {arguments}: {sizes:?} bytes", tool.name);
        asked += usize::from(exchange.structured().is_ok());
    }
    ground::compared(fleet, asked > 3, format_args!("{asked} tools answered"));
    // Of one with more rows than that, what is left out is said.
    let all = fleet.call("resources_list", json!({"kind": "configmaps", "limit": 1_000})).await;
    let cut = all["shown"] != all["total"];
    assert_eq!(cut, all["continue"].is_string(), "{all}");
}
