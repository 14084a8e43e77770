//! Raw objects into what a store keeps: parsed once, redacted, stripped of what only the API server needs, shown as a row.
//!
//! Pure: the same bytes give the same [`Prepared`]. So it can run on any thread, outside the store's lock.

mod writers;

use kubeplex_proto::quantity::parse_time_ms;
use serde_json::{Map, Value};

use crate::cache::{KindShape, Prepared, Writer};
use crate::columns::Cell;
use crate::redact::{self, Masked};

/// Why an object can't be taken in.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    #[error("an object that the API server sent is not JSON")]
    Malformed(#[source] serde_json::Error),
    /// The API server itself takes 10,000 levels; whoever recurses that deep over what others wrote loses its stack.
    #[error("an object that the API server sent is nested deeper than 127 levels, which is what can be kept")]
    TooDeep,
    #[error("an object that the API server sent has no {0}")]
    Incomplete(&'static str),
    #[error("an object that the API server sent has a name of {0} bytes; at most 65,535 can be kept")]
    NameTooLong(usize),
}

impl From<serde_json::Error> for IngestError {
    fn from(error: serde_json::Error) -> Self {
        // The library tells the one from the other by its words alone.
        if error.to_string().starts_with("recursion limit exceeded") {
            Self::TooDeep
        } else {
            Self::Malformed(error)
        }
    }
}

/// Parses, redacts and strips an object, and computes its cells.
///
/// # Errors
/// [`IngestError`] for what is no JSON object with a name.
pub fn prepare(shape: &KindShape, raw: &[u8]) -> Result<Prepared, IngestError> {
    prepare_value(shape, serde_json::from_slice(raw)?)
}

/// The same for an object that is parsed already.
///
/// # Errors
/// [`IngestError`] for what is no JSON object with a name.
pub fn prepare_value(shape: &KindShape, mut object: Value) -> Result<Prepared, IngestError> {
    let writers = take_writers(&mut object)?;
    redact::object(&shape.id, &mut object);
    keep(shape, object, writers)
}

/// The same for an object whose cells the server computed, from the object as it was: what is masked in the object is
/// masked in them, too.
///
/// # Errors
/// [`IngestError`] for what is no JSON object with a name.
pub fn prepare_shown(
    shape: &KindShape,
    mut object: Value,
    cells: Vec<Cell>,
) -> Result<Prepared, IngestError> {
    let writers = take_writers(&mut object)?;
    let masked = redact::object_and_tell(&shape.id, &mut object);
    let mut prepared = keep(shape, object, writers)?;
    let columns = shape.columns.defs().iter().map(|def| def.column.name.as_str());
    prepared.cells = columns.zip(cells).map(|(column, cell)| shown(&masked, column, cell)).collect();
    Ok(prepared)
}

fn shown(masked: &Masked, column: &str, cell: Cell) -> Cell {
    if matches!(cell, Cell::Null | Cell::Boolean(_) | Cell::Time(_)) {
        return cell;
    }
    let before = Value::from(cell.clone());
    match masked.cell(column, before.clone()) {
        after if after == before => cell,
        Value::String(text) => Cell::Text(text),
        after => Cell::Json(Box::new(after)),
    }
}

fn take_writers(object: &mut Value) -> Result<Vec<Writer>, IngestError> {
    let metadata = object.get_mut("metadata").and_then(Value::as_object_mut);
    let metadata = metadata.ok_or(IngestError::Incomplete("metadata"))?;
    Ok(metadata.shift_remove("managedFields").as_ref().map(writers::writers).unwrap_or_default())
}

/// What a store keeps of a redacted object.
fn keep(shape: &KindShape, mut object: Value, writers: Vec<Writer>) -> Result<Prepared, IngestError> {
    if shape.id.group.is_empty() && shape.id.resource == "configmaps" {
        redact::config_map(&shape.digest_key, &mut object);
    }
    drop_empty(&mut object, "annotations");
    complete(shape, &mut object);
    describe(shape, &object, writers)
}

fn describe(shape: &KindShape, object: &Value, writers: Vec<Writer>) -> Result<Prepared, IngestError> {
    let metadata = &object["metadata"];
    let text = |field: &str| metadata[field].as_str().unwrap_or_default().to_owned();
    let name = text("name");
    if name.is_empty() {
        return Err(IngestError::Incomplete("metadata.name"));
    }
    if name.len() > usize::from(u16::MAX) {
        return Err(IngestError::NameTooLong(name.len()));
    }
    let mut cells = shape.columns.narrow(object);
    cells.extend(shape.indexed_paths().iter().map(|path| indexed(object, path)));
    cells.extend(shape.pod_spec().map(|spec| images(object, spec)));
    Ok(Prepared {
        namespace: text("namespace"),
        name,
        uid: text("uid"),
        version: text("resourceVersion"),
        created_ms: metadata["creationTimestamp"].as_str().and_then(parse_time_ms),
        labels: labels(&metadata["labels"]),
        last_writer: writers::last(&writers),
        writers,
        cells,
        json: serde_json::to_vec(object)?,
        pressed: None,
    })
}

/// The scalar at a path of plain keys.
fn indexed(object: &Value, path: &str) -> Cell {
    match path.split('.').try_fold(object, |value, key| value.get(key)) {
        Some(Value::String(text)) => Cell::Text(text.clone()),
        Some(Value::Bool(flag)) => Cell::Boolean(*flag),
        Some(Value::Number(number)) => number.as_i64().map_or(Cell::Null, Cell::Integer),
        _ => Cell::Null,
    }
}

/// The images of all containers, each once, with commas between.
fn images(object: &Value, spec: &str) -> Cell {
    let spec = object.pointer(spec);
    let containers = |list: &str| spec.and_then(|spec| spec.get(list)).and_then(Value::as_array);
    let all = ["containers", "initContainers", "ephemeralContainers"].into_iter().filter_map(containers);
    let mut images: Vec<&str> = Vec::new();
    for image in all.flatten().filter_map(|container| container.get("image")?.as_str()) {
        if !images.contains(&image) {
            images.push(image);
        }
    }
    if images.is_empty() { Cell::Null } else { Cell::Text(images.join(",")) }
}

fn labels(labels: &Value) -> Vec<(String, String)> {
    let pairs = labels.as_object().into_iter().flatten();
    let mut labels: Vec<_> =
        pairs.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect();
    // Equal sets must look equal, in whatever order they were written.
    labels.sort_unstable();
    labels
}

/// Objects of a list do not say what they are.
fn complete(shape: &KindShape, object: &mut Value) {
    let Some(object) = object.as_object_mut() else { return };
    let mut lead = |place: usize, field: &str, value: &str| {
        if !object.contains_key(field) {
            object.shift_insert(place.min(object.len()), field.to_owned(), value.into());
        }
    };
    lead(0, "kind", &shape.kind);
    lead(1, "apiVersion", &shape.api_version);
}

fn drop_empty(object: &mut Value, field: &str) {
    let metadata = object.get_mut("metadata").and_then(Value::as_object_mut);
    if let Some(metadata) = metadata
        && metadata.get(field).and_then(Value::as_object).is_some_and(Map::is_empty)
    {
        metadata.shift_remove(field);
    }
}

#[cfg(test)]
mod tests;
