//! OpenAPI v3: the index with hashes, and a document a group and version. Custom kinds are described by the schemas of their
//! definitions; of the built-in ones an excerpt of `apps/v1`.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::reply::Reply;
use crate::cluster::Shared;
use crate::json::{items, text};
use crate::names::GroupResource;
use crate::status::ApiError;
use crate::store;

const APPS: &str = include_str!("openapi/apps-v1.json");

/// Answers `/openapi/v3` and what is below it.
///
/// # Errors
/// 404 for a group and version that nobody describes.
pub(super) fn answer(shared: &Shared, below: &[&str]) -> Result<Reply, ApiError> {
    let documents = documents(shared);
    if below.is_empty() {
        let entry = |(name, document): (&String, &Value)| {
            let url = format!("/openapi/v3/{name}?hash={}", hash(document));
            (name.clone(), json!({ "serverRelativeURL": url }))
        };
        let paths: Map<String, Value> = documents.iter().map(entry).collect();
        return Ok(Reply::json(200, &json!({ "paths": paths })));
    }
    let document = documents.get(&below.join("/")).ok_or_else(ApiError::no_such_path)?;
    Ok(Reply::json(200, document))
}

fn documents(shared: &Shared) -> BTreeMap<String, Value> {
    let mut documents = BTreeMap::new();
    if let Ok(apps) = serde_json::from_str(APPS) {
        documents.insert("apis/apps/v1".to_owned(), apps);
    }
    let definitions = GroupResource::new("apiextensions.k8s.io", "customresourcedefinitions");
    let page = shared.store.list(&definitions, store::Scope::default());
    for object in page.map(|page| page.objects).unwrap_or_default() {
        let definition = object.value();
        for version in items(&definition, "/spec/versions") {
            let (group, name) = (text(&definition, "/spec/group"), text(version, "/name"));
            let document = documents.entry(format!("apis/{group}/{name}")).or_insert_with(|| {
                json!({"openapi": "3.0.0", "info": {"title": "Kubernetes CRD Swagger"}, "paths": {}, "components": {"schemas": {}}})
            });
            let kind = text(&definition, "/spec/names/kind");
            let reversed: Vec<&str> = group.rsplit('.').collect();
            let schema = format!("{}.{name}.{kind}", reversed.join("."));
            document["components"]["schemas"][schema] = described(version, group, name, kind);
        }
    }
    documents
}

/// The schema of a version, with what every object has.
fn described(version: &Value, group: &str, name: &str, kind: &str) -> Value {
    let mut schema =
        version.pointer("/schema/openAPIV3Schema").cloned().unwrap_or_else(|| json!({"type": "object"}));
    let usual = [
        ("apiVersion", json!({"type": "string"})),
        ("kind", json!({"type": "string"})),
        ("metadata", json!({"type": "object"})),
    ];
    for (field, usual) in usual {
        if schema["properties"].get(field).is_none() {
            schema["properties"][field] = usual;
        }
    }
    schema["x-kubernetes-group-version-kind"] = json!([{"group": group, "version": name, "kind": kind}]);
    schema
}

fn hash(document: &Value) -> String {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    document.to_string().hash(&mut hasher);
    format!("{:016X}", hasher.finish())
}
