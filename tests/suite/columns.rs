//! Columns: what a row shows, compared cell by cell with what the API server prints itself, for every kind that it serves.
//!
//! On real servers only, our own and foreign ones: a simulated one prints fewer columns than a real one does.
//!
//! Once on the very objects that the server printed, so at the same revision by construction; and once through agent and
//! gateway, where a kind may move between two looks and is looked at again.

use kubeplex_agent::columns::{Cell, Columns};
use kubeplex_proto::column::column_name;
use kubeplex_proto::kind::GroupResource;
use kubeplex_tests::fleet::{Contents, TestFleet};
use kubeplex_tests::rows::{self, plain};
use kubeplex_tests::server::{ServedKind, Server, Table, key};
use kubeplex_tests::wait;
use serde_json::{Value, json};

use crate::ground;

/// Ages may differ by this much: both sides count from their own now.
const TOLERANCE_S: i64 = 2;

#[test]
fn real_objects_are_printed_as_the_server_prints_them() {
    ground::real("real_objects_are_printed_as_the_server_prints_them", objects_are_printed_as_by_the_server);
}

#[test]
fn rows_of_real_clusters_show_what_the_server_prints() {
    ground::real("rows_of_real_clusters_show_what_the_server_prints", rows_show_what_the_server_prints);
}

#[test]
fn foreign_objects_are_printed_as_the_server_prints_them() {
    ground::foreign(
        "foreign_objects_are_printed_as_the_server_prints_them",
        objects_are_printed_as_by_the_server,
    );
}

#[test]
fn rows_of_foreign_clusters_show_what_the_server_prints() {
    ground::foreign("rows_of_foreign_clusters_show_what_the_server_prints", rows_show_what_the_server_prints);
}

async fn objects_are_printed_as_by_the_server(fleet: &'static TestFleet) {
    let (mut compared, mut wrong) = (0, Vec::new());
    for server in &fleet.servers {
        for kind in server.kinds().await {
            let id = GroupResource::new(kind.group.clone(), kind.resource.clone());
            let Some(columns) = Columns::builtin(&id) else { continue };
            let table = server.table(&kind.path()).await;
            compared += table.rows.len();
            wrong.extend(differences_of_columns(fleet, &kind, &columns, &table));
            wrong.extend(differences_of_objects(&kind, &columns, &table));
        }
    }
    ground::compared(fleet, compared > 200, format_args!("only {compared} objects"));
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
}

/// Columns that one side has and the other not, or in another order. Somebody's server may be of a release that prints
/// others; then what both have is compared.
fn differences_of_columns(
    fleet: &TestFleet,
    kind: &ServedKind,
    columns: &Columns,
    table: &Table,
) -> Option<String> {
    let ours: Vec<_> = columns.defs().iter().map(|def| (def.column.name.clone(), def.wide)).collect();
    let theirs: Vec<_> = table.columns.iter().map(|(name, wide)| (column_name(name), *wide)).collect();
    let difference = format!("{kind}: columns {ours:?}, the server has {theirs:?}");
    match fleet.contents {
        Contents::Seeded => (ours != theirs).then_some(difference),
        Contents::Foreign => {
            ground::compared(fleet, ours == theirs, difference);
            None
        }
    }
}

fn differences_of_objects(kind: &ServedKind, columns: &Columns, table: &Table) -> Vec<String> {
    let theirs: Vec<_> = table.columns.iter().map(|(name, _)| column_name(name)).collect();
    let mut wrong = Vec::new();
    for row in &table.rows {
        let cells = columns.defs().iter().zip(columns.all(&row.object));
        for (column, cell) in cells.map(|(def, cell)| (&def.column.name, cell)) {
            let Some(place) = theirs.iter().position(|name| name == column) else { continue };
            let printed = &row.cells[place];
            if !cell_is(&cell, printed, column) {
                let key = key(&row.object);
                wrong.push(format!("{kind} {key:?} {column}: {cell:?}, the server prints {printed}"));
            }
        }
    }
    wrong
}

fn cell_is(cell: &Cell, printed: &Value, column: &str) -> bool {
    match cell {
        Cell::Time(at_ms) => {
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
            let passed = now.as_secs().cast_signed() - at_ms / 1_000;
            // What lies ahead is printed as a duration too, and by its amount.
            duration(printed).is_some_and(|(printed, unit)| is_about(passed.abs(), printed, unit))
        }
        other => shows(&Value::from(other.clone()), printed, column),
    }
}

async fn rows_show_what_the_server_prints(fleet: &'static TestFleet) {
    let mut compared = 0;
    for server in &fleet.servers {
        let custom = server.list("/apis/apiextensions.k8s.io/v1/customresourcedefinitions").await;
        for kind in server.kinds().await.into_iter().filter(|kind| kind.watchable) {
            // Secrets are watched without their data, whose number of keys is a column.
            if kind.resource == "secrets" || shows_name_and_age(&kind, &custom) {
                continue;
            }
            compared += wait::until(&format!("rows of {kind} in {}", server.name), async || {
                differences_of_rows(fleet, server, &kind).await
            })
            .await;
        }
    }
    ground::compared(fleet, compared > 200, format_args!("only {compared} rows"));
}

/// Kinds of the server's own that are shown as any unknown kind is.
fn shows_name_and_age(kind: &ServedKind, definitions: &[Value]) -> bool {
    let defines = |definition: &Value| {
        let spec = &definition["spec"];
        spec["group"] == kind.group.as_str() && spec["names"]["plural"] == kind.resource.as_str()
    };
    let is_custom = definitions.iter().any(defines);
    !is_custom && Columns::builtin(&GroupResource::new(kind.group.clone(), kind.resource.clone())).is_none()
}

/// How many rows are alike, or what is not.
async fn differences_of_rows(
    fleet: &TestFleet,
    server: &Server,
    kind: &ServedKind,
) -> Result<usize, Vec<String>> {
    let table = server.table(&kind.path()).await;
    let names: Vec<_> = table.columns.iter().map(|(name, _)| column_name(name)).collect();
    let fields = format!("metadata.name,{}", names.join(","));
    let question = json!({"kind": kind.to_string(), "cluster": server.name, "fields": fields});
    let rows = fleet.rows("resources_list", question).await;
    let mut wrong = Vec::new();
    for row in &table.rows {
        let (namespace, name) = key(&row.object);
        let ours =
            rows.iter().find(|ours| ours.namespace == namespace && ours.cell("metadata.name") == &name);
        let Some(ours) = ours else {
            wrong.push(format!("{namespace}/{name} is missing"));
            continue;
        };
        let differs = |(column, printed): &(&String, &Value)| !shows(ours.cell(column), printed, column);
        let differing = names.iter().zip(&row.cells).filter(differs);
        wrong.extend(differing.map(|(column, printed)| {
            format!("{namespace}/{name} {column}: {}, the server prints {printed}", ours.cell(column))
        }));
    }
    if rows.len() != table.rows.len() {
        wrong.push(format!("{} rows, the server has {}", rows.len(), table.rows.len()));
    }
    if wrong.is_empty() { Ok(rows.len()) } else { Err(wrong) }
}

/// Whether a cell says what the server prints. Nothing is nothing, in whichever way the server writes it.
fn shows(ours: &Value, printed: &Value, column: &str) -> bool {
    if column == "restarts" {
        let number = plain(printed).split(' ').next().unwrap_or_default().to_owned();
        return plain(ours) == number;
    }
    if plain(ours) == plain(printed) {
        return true;
    }
    if let (Some((ours, a)), Some((theirs, b))) = (duration(ours), duration(printed)) {
        return is_about(ours, theirs, a.max(b));
    }
    // A number of a CRD may be printed with or without a fraction.
    match (ours.as_f64(), printed.as_f64()) {
        (Some(ours), Some(theirs)) => ours == theirs,
        _ => ours.is_null() && matches!(plain(printed).as_str(), "" | "<none>" | "<unset>" | "<unknown>"),
    }
}

/// A duration counts as any that is printed so.
fn is_about(seconds: i64, printed: i64, unit: i64) -> bool {
    (seconds - printed).abs() < unit + TOLERANCE_S
}

/// The seconds of `3d4h`, and those of its smallest unit.
fn duration(value: &Value) -> Option<(i64, i64)> {
    let mut rest = value.as_str().filter(|text| !text.is_empty())?;
    let (mut seconds, mut unit) = (0, 0);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: i64 = rest[..digits].parse().ok()?;
        unit = match rest.as_bytes()[digits] {
            b's' => 1,
            b'm' => 60,
            b'h' => 3_600,
            b'd' => 86_400,
            b'y' => 365 * 86_400,
            _ => return None,
        };
        seconds += number * unit;
        rest = &rest[digits + 1..];
    }
    Some((seconds, unit))
}

#[test]
fn comparing_cells_notices_differences() {
    for (ours, printed) in
        [("Running", "Pending"), ("1/1", "0/1"), ("5m", "7m"), ("3d", "3h"), ("10s", "13s")]
    {
        assert!(!shows(&json!(ours), &json!(printed), "any"), "{ours} {printed}");
    }
    assert!(!shows(&json!(7), &json!("8 (3m ago)"), "restarts") && !shows(&Value::Null, &json!("x"), "any"));
    assert!(
        shows(&json!(7), &json!("7 (3m ago)"), "restarts") && shows(&json!("5m2s"), &json!("5m3s"), "age")
    );
    assert!(rows::of(&json!({"columns": [], "groups": []})).is_empty());
}
