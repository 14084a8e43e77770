use std::collections::BTreeSet;

use super::*;

/// The whole default catalogue of the contract, written out. Tools that exist are replaced by what is really sent, so
/// that the rest of the budget is known to suffice for those that do not exist yet.
const CATALOGUE: &str = include_str!("tests/catalogue.json");
const BUDGET_TOKENS: usize = 4_000;

fn tokens(value: &Value) -> usize {
    tiktoken_rs::o200k_base().unwrap().encode_ordinary(&value.to_string()).len()
}

fn mock() -> Vec<Value> {
    let catalogue: Value = serde_json::from_str(CATALOGUE).unwrap();
    catalogue["tools"].as_array().unwrap().clone()
}

#[test]
fn the_whole_catalogue_fits_its_budget() {
    let mock = mock();
    let sent: Vec<Value> = mock
        .iter()
        .map(|tool| {
            catalogue().get(tool["name"].as_str().unwrap()).map_or_else(|| tool.clone(), Tool::descriptor)
        })
        .collect();
    let (all, real) = (json!({ "tools": mock }), json!({ "tools": sent }));
    let now: Vec<Value> = catalogue().tools().iter().map(Tool::descriptor).collect();
    let now = json!({ "tools": now });
    println!(
        "tools/list in o200k tokens: {} for all {} tools, {} with the real ones in it, {} today; instructions {}",
        tokens(&all),
        mock.len(),
        tokens(&real),
        tokens(&now),
        tokens(&json!(instructions()))
    );
    for tool in &mock {
        println!("{:>5} {}", tokens(tool), tool["name"]);
    }
    assert!(tokens(&all) <= BUDGET_TOKENS, "{}", tokens(&all));
    assert!(tokens(&real) <= BUDGET_TOKENS, "{}", tokens(&real));
}

#[test]
fn real_tools_have_no_argument_that_the_catalogue_does_not_have() {
    for tool in catalogue().tools() {
        let mock = mock().into_iter().find(|mock| mock["name"] == tool.name).unwrap();
        let names = |schema: &Value| -> BTreeSet<String> {
            schema["properties"].as_object().unwrap().keys().cloned().collect()
        };
        let extra: Vec<_> =
            names(tool.input_schema()).difference(&names(&mock["inputSchema"])).cloned().collect();
        assert!(extra.is_empty(), "{}: {extra:?}", tool.name);
        assert_eq!(tool.descriptor()["description"], mock["description"]);
    }
}

#[test]
fn every_tool_keeps_the_rules_of_the_catalogue() {
    let names: BTreeSet<String> =
        mock().iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect();
    let descriptors = catalogue().tools().iter().map(Tool::descriptor);
    for tool in descriptors.chain(mock()) {
        let name = tool["name"].as_str().unwrap();
        let schema = &tool["inputSchema"];
        assert!(jsonschema::validator_for(schema).is_ok(), "{name}");
        assert_eq!(schema["additionalProperties"], false, "{name}");
        let description = tool["description"].as_str().unwrap();
        let sentences = description.matches(". ").count() + usize::from(description.ends_with('.'));
        assert!((1..=3).contains(&sentences), "{name}: {description}");
        let other = names.iter().any(|other| other != name && description.contains(other.as_str()));
        assert!(other, "{name} does not say when to take another tool: {description}");
        for (argument, schema) in schema["properties"].as_object().unwrap() {
            let may_explain =
                name == "resources_list" && ["cluster", "groupBy", "continue"].contains(&argument.as_str());
            assert_eq!(schema.get("description").is_some(), may_explain, "{name} {argument}");
        }
        assert_eq!(tool["annotations"].as_object().unwrap().len(), 4, "{name}");
    }
}

#[test]
fn instructions_are_short() {
    assert!(tokens(&json!(instructions())) <= 400);
}
