//! Cells that the API server computed from an object before anything was masked in it.
//!
//! A cell has no path that would tell what it shows, only the name of its column. So two things decide: that name, as if the
//! cell were a field of it, and what was masked in the object itself, wherever in the row it comes back.

use serde_json::{Map, Value};

use super::mask::{MASK, is_credential_name};
use super::{IDENTITY, walk_map};

/// What was masked in one object.
#[derive(Debug)]
pub(crate) struct Masked {
    /// What stood there and what stands there now. Longest first: what holds another goes before it.
    replaced: Vec<(String, String)>,
    /// What the object is found by.
    identity: Vec<String>,
}

/// What is shorter is masked only where it is the whole of a cell: it stands in too many words by chance.
const SHORTEST_WITHIN: usize = 6;

impl Masked {
    /// From the same object before it was redacted and after that.
    pub(super) fn between(before: &Value, after: &Value) -> Self {
        let mut replaced = Vec::new();
        collect(before, after, &mut replaced);
        replaced.sort_unstable_by(|(one, _), (other, _)| other.len().cmp(&one.len()).then(one.cmp(other)));
        replaced.dedup();
        let names = IDENTITY.iter().filter_map(|field| after.get("metadata")?.get(*field)?.as_str());
        Self { replaced, identity: names.map(str::to_owned).collect() }
    }

    /// What may be shown of the cell in the column of this name.
    pub(crate) fn cell(&self, column: &str, cell: Value) -> Value {
        let is_identity = cell.as_str().is_some_and(|text| self.identity.iter().any(|name| name == text));
        if is_identity && !is_credential_name(column) {
            return cell;
        }
        let mut field = Map::from_iter([(column.to_owned(), cell)]);
        walk_map(&mut field);
        let mut cell = field.shift_remove(column).unwrap_or_default();
        self.take_out_of(&mut cell);
        cell
    }

    // No deeper than the row was parsed.
    fn take_out_of(&self, value: &mut Value) {
        match value {
            Value::String(text) => self.take_out_of_text(text),
            Value::Number(number) => {
                let digits = number.to_string();
                if let Some((_, mask)) = self.replaced.iter().find(|(before, _)| *before == digits) {
                    *value = mask.as_str().into();
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.take_out_of(item)),
            Value::Object(map) => map.values_mut().for_each(|value| self.take_out_of(value)),
            Value::Null | Value::Bool(_) => {}
        }
    }

    fn take_out_of_text(&self, text: &mut String) {
        for (before, after) in &self.replaced {
            if text == before {
                after.clone_into(text);
                return;
            }
            if before.len() >= SHORTEST_WITHIN && text.contains(before) {
                *text = text.replace(before, after);
            }
        }
    }
}

/// Texts and numbers that are not what they were. Switches and nothing tell nothing.
fn collect(before: &Value, after: &Value, replaced: &mut Vec<(String, String)>) {
    let now = || after.as_str().unwrap_or(MASK).to_owned();
    match (before, after) {
        (Value::String(before), _) if !before.is_empty() && after != before => {
            replaced.push((before.clone(), now()));
        }
        (Value::Number(number), _) if before != after => replaced.push((number.to_string(), now())),
        (Value::Array(before), Value::Array(after)) => {
            before.iter().zip(after).for_each(|(before, after)| collect(before, after, replaced));
        }
        (Value::Object(before), Value::Object(after)) => {
            for (field, value) in before {
                collect(value, after.get(field).unwrap_or_default(), replaced);
            }
        }
        // Masked as a whole, or left out.
        (Value::Array(items), _) => items.iter().for_each(|item| collect(item, &Value::Null, replaced)),
        (Value::Object(fields), _) => {
            fields.values().for_each(|value| collect(value, &Value::Null, replaced));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use kubeplex_proto::kind::GroupResource;
    use serde_json::json;

    use super::super::{LAST_APPLIED, object_and_tell};
    use super::*;

    #[test]
    fn no_cell_shows_what_its_object_does_not() {
        let mut object = json!({
            "metadata": {"name": "orders", "namespace": "shop", "annotations": {LAST_APPLIED: "{whole}"}},
            "spec": {
                "password": "hunter2", "pin": 4711, "token": "abc", "user": "root", "port": 5432, "secret": "orders",
                "url": "postgres://shop:s3same@db", "args": ["-u", "root", "--token", "zzz"],
                "credentials": ["first-one"], "apiToken": {"value": "second-one", "ref": "vault/x"},
            },
        });
        let masked = object_and_tell(&GroupResource::new("example.com", "databases"), &mut object);
        for (column, cell, shown) in [
            // By the object.
            ("login", json!("hunter2"), json!(MASK)),
            ("login", json!("root:hunter2"), json!("root:[redacted]")),
            ("code", json!(4711), json!(MASK)),
            ("code", json!("4711"), json!(MASK)),
            ("short", json!("abc"), json!(MASK)),
            ("short", json!("abcdef"), json!("abcdef")),
            ("url", json!("postgres://shop:s3same@db"), json!("postgres://shop:[redacted]@db")),
            ("argument", json!("zzz"), json!(MASK)),
            ("list", json!(["first-one", "vault/x"]), json!([MASK, "vault/x"])),
            ("deep", json!({"a": [{"b": "second-one"}]}), json!({"a": [{"b": MASK}]})),
            ("applied", json!("{whole}"), json!(MASK)),
            // By the column.
            ("password", json!("other"), json!(MASK)),
            ("clientSecret", json!(12), json!(MASK)),
            ("apiKey", json!(["x", "y"]), json!([MASK, MASK])),
            ("token", json!({"value": "v", "ref": "r"}), json!({"value": MASK, "ref": "r"})),
            ("secret", json!("orders"), json!(MASK)),
            // By a name or a shape within.
            ("settings", json!({"dbPassword": "other", "size": 3}), json!({"dbPassword": MASK, "size": 3})),
            ("command", json!(["run", "--token", "other"]), json!(["run", "--token", MASK])),
            ("note", json!("password=other"), json!("password=[redacted]")),
            // What tells nothing.
            ("name", json!("orders"), json!("orders")),
            ("user", json!("root"), json!("root")),
            ("port", json!(5432), json!(5432)),
            ("secretName", json!("orders"), json!("orders")),
            ("token", json!(true), json!(true)),
            ("password", json!(null), json!(null)),
        ] {
            assert_eq!(masked.cell(column, cell.clone()), shown, "{column}: {cell}");
        }
    }
}
