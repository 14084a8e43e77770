//! One group's document.

use std::borrow::Cow;
use std::collections::HashMap;

use kubeplex_proto::kind::KindInfo;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// The schemas of a group and version, by name.
pub struct Document<'d> {
    schemas: HashMap<Cow<'d, str>, &'d RawValue>,
}

/// A schema without references on its surface, and what it is called.
#[derive(Debug, Clone)]
pub(super) struct Schema {
    pub(super) value: Value,
    /// `PodSpec`; `None` for one that stands where it is used.
    pub(super) name: Option<String>,
}

#[derive(Deserialize)]
struct Raw<'d> {
    #[serde(borrow)]
    components: Components<'d>,
}

#[derive(Deserialize)]
struct Components<'d> {
    #[serde(borrow)]
    schemas: HashMap<Cow<'d, str>, &'d RawValue>,
}

/// References that lead to references; a document does not have more.
const REFERENCES: usize = 8;

impl<'d> Document<'d> {
    /// # Errors
    /// Where it is no such document.
    pub fn parse(json: &'d [u8]) -> serde_json::Result<Self> {
        let raw: Raw<'d> = serde_json::from_slice(json)?;
        Ok(Self { schemas: raw.components.schemas })
    }

    /// The schema of a kind in this version.
    pub(super) fn of_kind(&self, info: &KindInfo, version: &str) -> Option<Schema> {
        let word = format!("\"{}\"", info.kind);
        let described = self.schemas.iter().filter(|(_, raw)| raw.get().contains(&word));
        let is_it = |value: &Value| {
            let kinds = value["x-kubernetes-group-version-kind"].as_array();
            kinds.into_iter().flatten().any(|kind| {
                kind["group"] == info.id.group.as_str()
                    && kind["version"] == version
                    && kind["kind"] == info.kind.as_str()
            })
        };
        let found =
            described.filter_map(|(name, raw)| Some((name, serde_json::from_str::<Value>(raw.get()).ok()?)));
        let (name, value) = found.into_iter().find(|(_, value)| is_it(value))?;
        Some(Schema { value, name: Some(short(name)) })
    }

    /// A schema with what it refers to put in. What stands beside a reference counts before what it leads to.
    pub(super) fn resolve(&self, schema: &Value) -> Schema {
        let mut found = Schema { value: schema.clone(), name: None };
        for _ in 0..REFERENCES {
            let Some(reference) = reference(&found.value) else { break };
            let name = reference.rsplit('/').next().unwrap_or_default().to_owned();
            let target: Option<Value> =
                self.schemas.get(name.as_str()).and_then(|raw| serde_json::from_str(raw.get()).ok());
            let Some(mut target) = target else { break };
            for said in ["description", "default"] {
                let beside = found.value[said].take();
                // An empty default of an object says nothing.
                if !beside.is_null() && beside != serde_json::json!({}) {
                    target[said] = beside;
                }
            }
            found = Schema { value: target, name: Some(short(&name)) };
        }
        found
    }
}

fn reference(schema: &Value) -> Option<&str> {
    let alone = schema["allOf"].as_array().filter(|all| all.len() == 1).map(|all| &all[0]["$ref"]);
    schema["$ref"].as_str().or_else(|| alone?.as_str())
}

/// `io.k8s.api.core.v1.PodSpec` → `PodSpec`.
fn short(name: &str) -> String {
    name.rsplit('.').next().unwrap_or(name).to_owned()
}
