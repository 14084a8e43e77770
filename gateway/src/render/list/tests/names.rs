//! Columns that a kind calls like what identifies a row.

use serde_json::{Value, json};

use super::*;

/// Three pods of a kind with columns of its own under taken names.
fn answer(arguments: &Value) -> Rendered {
    let (fleet, pods) = three_pods();
    let query = list_query(&fleet, "pods_list", arguments);
    let mut page = page(&query, &pods);
    for name in ["Cluster", "namespace", "name", "age", "age"] {
        page.columns.push(Column { name: name.to_owned(), format: CellFormat::Plain });
        page.rows.iter_mut().for_each(|row| row.cells.push("own".into()));
    }
    rendered(&query, &page)
}

#[test]
fn no_column_takes_the_place_of_another() {
    let own = json!({"column.Cluster": "own", "column.namespace": "own", "column.name": "own", "column.age": "own",
        "column2.age": "own"});
    for (arguments, identity) in [
        (json!({"limit": 1}), json!({"name": "cart"})),
        (
            json!({"limit": 1, "sortBy": "restarts"}),
            json!({"cluster": "eu", "namespace": "shop", "name": "cart"}),
        ),
    ] {
        let mut arguments = arguments;
        let table = answer(&arguments);
        arguments["output"] = json!("json");
        let keyed = answer(&arguments);
        let columns = table.structured["columns"].as_array().unwrap();
        let row = keyed.structured["groups"][0]["rows"][0].as_object().unwrap();
        assert_eq!(
            row.keys().collect::<Vec<_>>(),
            columns.iter().map(|name| name.as_str().unwrap()).collect::<Vec<_>>()
        );
        for (name, value) in identity.as_object().unwrap().iter().chain(own.as_object().unwrap()) {
            assert_eq!(&row[name], value, "{name} of {row:?}");
        }
        // As text both are one table, a cell under each heading.
        assert_eq!(table.text.lines().next(), keyed.text.lines().next());
        for text in [&table.text, &keyed.text] {
            let cells = |line: &str| line.split('\t').count();
            let rows = text.lines().filter(|line| line.contains("\town"));
            assert!(
                rows.clone().count() == 1 && rows.clone().all(|row| cells(row) == columns.len()),
                "{text}"
            );
        }
    }
}
