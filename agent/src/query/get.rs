//! Whole objects: filter, count, decode, keep the fields that were asked for.

use kubeplex_proto::get::{FoundObject, GetRequest};
use kubeplex_proto::list::Cut;
use kubeplex_proto::nearest::nearest;
use kubeplex_proto::status::{AgentError, AgentErrorCode, LegStatus};
use parking_lot::RwLock;
use serde_json::{Value, json};

use super::budget::ScanBudget;
use super::field::Field;
use super::filter::Filter;
use super::scan::{Decode, parse, scan};
use crate::cache::{KindShape, KindStore, RowRef};
use crate::limits::{ANSWER_BYTES, ANSWER_OBJECTS};
use crate::path::{self, Path};

/// Whole objects, in the order of namespace and name.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Objects that match, here or not.
    pub total: u64,
    /// The revision that the objects show, or an older one.
    pub revision: u64,
    pub objects: Vec<FoundObject>,
    /// Why there are fewer than were asked for.
    pub cut: Option<Cut>,
}

/// What an object is known by stays, whatever fields are asked for.
const IDENTITY: [&str; 4] = ["apiVersion", "kind", "metadata.name", "metadata.namespace"];

/// The objects that a request may see and means.
///
/// # Errors
/// `invalid_argument` for a field that can't be read as a path, or that is a typing mistake of one that the objects have;
/// `timeout` when the budget is used up before the objects are known. Later the answer is only cut.
pub fn get(
    store: &RwLock<KindStore>,
    request: &GetRequest,
    budget: &ScanBudget,
) -> Result<Found, AgentError> {
    let shape = store.read().shape().clone();
    let projection = Projection::parse(&request.fields)?;
    let patterns = (request.namespaces.as_slice(), request.names.as_slice());
    let mut filter = Filter::new(&shape, &request.context.visibility, patterns, &request.label_selector);
    let limit = (request.limit as usize).min(ANSWER_OBJECTS);
    let (mut total, mut keys) = (0, Vec::new());
    let revision = scan(store, &shape, &mut filter, Decode::Rows, budget, &mut |candidate| {
        total += 1;
        if keys.len() < limit {
            let row = candidate.row;
            keys.push((row.namespace().map(str::to_owned), row.name().to_owned()));
        }
    })?;
    let mut found = Found { total, revision, objects: Vec::new(), cut: None };
    let mut bytes_left = request.context.max_bytes.min(ANSWER_BYTES);
    for (namespace, name) in keys {
        if let Err(timeout) = budget.check() {
            found.cut = Some(Cut { status: LegStatus::Timeout, message: timeout.message });
            break;
        }
        let read = {
            let store = store.read();
            store.get(namespace.as_deref(), &name).map(|row| read(&shape, row))
        };
        let Some(object) = read else { continue };
        projection.check(&shape, &object)?;
        let object = projection.apply(object);
        let size = object.to_string().len() as u64;
        if size > bytes_left && !found.objects.is_empty() {
            let message =
                format!("the objects after {} did not fit into the bytes asked for", found.objects.len());
            found.cut = Some(Cut { status: LegStatus::Ok, message });
            break;
        }
        bytes_left = bytes_left.saturating_sub(size);
        found.objects.push(FoundObject { namespace, name, object });
    }
    Ok(found)
}

/// The whole object, or what the row knows of one that was too large to keep.
fn read(shape: &KindShape, row: RowRef<'_>) -> Value {
    if let Some(object) = parse(row, &mut Vec::new()) {
        return object;
    }
    let labels: serde_json::Map<_, _> =
        row.labels().map(|(key, value)| (key.to_owned(), value.into())).collect();
    let mut metadata = json!({
        "name": row.name(), "uid": row.uid(), "resourceVersion": row.resource_version(), "labels": labels,
    });
    if let Some(namespace) = row.namespace() {
        metadata["namespace"] = namespace.into();
    }
    json!({
        "apiVersion": shape.api_version, "kind": shape.kind, "metadata": metadata, "omittedBytes": row.too_large(),
    })
}

/// The fields of an object that were asked for; none: all of it.
struct Projection<'a> {
    words: &'a [String],
    paths: Vec<Path>,
}

impl<'a> Projection<'a> {
    fn parse(words: &'a [String]) -> Result<Self, AgentError> {
        let parse = |word: &str| {
            Path::of_caller(word)
                .map_err(|error| AgentError::new(AgentErrorCode::InvalidArgument, error.to_string()))
        };
        let paths = words.iter().map(String::as_str).chain(IDENTITY).map(parse).collect::<Result<_, _>>()?;
        Ok(Self { words, paths })
    }

    /// A word that leads nowhere is no error: another object may have it. One that is nearly a field of this object, or
    /// that names a column, is a mistake.
    fn check(&self, shape: &KindShape, object: &Value) -> Result<(), AgentError> {
        let Some(object) = object.as_object() else { return Ok(()) };
        for word in self.words {
            if word.contains(['.', '[']) || object.contains_key(word) || USUAL.contains(&word.as_str()) {
                continue;
            }
            let near = nearest(word, object.keys().map(String::as_str));
            let hint = match (near.first(), Field::column(shape, word)) {
                (Some(near), _) => format!("did you mean {near}?"),
                (None, Some(_)) => {
                    "it is a column: lists show it; here paths are wanted, such as status.phase".to_owned()
                }
                (None, None) => continue,
            };
            let message = format!("an object of {} has no field \"{word}\"", shape.id);
            return Err(AgentError::new(AgentErrorCode::InvalidArgument, message).with_hint(hint));
        }
        Ok(())
    }

    fn apply(&self, object: Value) -> Value {
        if self.words.is_empty() {
            return object;
        }
        let mut kept = path::project(&self.paths, &object);
        if let (Some(kept), Some(omitted)) = (kept.as_object_mut(), object.get("omittedBytes")) {
            kept.insert("omittedBytes".to_owned(), omitted.clone());
        }
        kept
    }
}

/// Fields that many kinds have, and not every object of a kind.
const USUAL: [&str; 8] = ["metadata", "spec", "status", "data", "binaryData", "stringData", "type", "rules"];
