//! Custom resource definitions: from the CRD object to the resources it serves.

use serde_json::Value;
use thiserror::Error;

use super::resource::{Origin, Resource, Scope, Verbs};
use crate::json::{items, text};

/// One of `additionalPrinterColumns`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PrinterColumn {
    pub(crate) name: String,
    pub(crate) column_type: String,
    pub(crate) format: String,
    pub(crate) description: String,
    pub(crate) priority: i64,
    pub(crate) json_path: String,
}

/// A CRD that can't be served.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum CrdError {
    #[error(
        "metadata.name: Invalid value: {name:?}: must be spec.names.plural+\".\"+spec.group, here {expected:?}"
    )]
    Name { name: String, expected: String },
    #[error("spec.{0}: Required value")]
    Missing(&'static str),
    #[error("spec.scope: Unsupported value: {0:?}: supported values: \"Cluster\", \"Namespaced\"")]
    Scope(String),
    #[error("spec.versions: Invalid value: must have exactly one version marked as storage version")]
    Storage,
}

/// The resources that a CRD serves, one a version.
///
/// # Errors
/// Where the CRD is not one a server would accept.
pub(crate) fn parse_crd(crd: &Value) -> Result<Vec<Resource>, CrdError> {
    for (pointer, field) in [
        ("/spec/group", "group"),
        ("/spec/names/plural", "names.plural"),
        ("/spec/names/kind", "names.kind"),
        ("/spec/versions/0/name", "versions"),
    ] {
        if text(crd, pointer).is_empty() {
            return Err(CrdError::Missing(field));
        }
    }
    let name = text(crd, "/metadata/name");
    let expected = format!("{}.{}", text(crd, "/spec/names/plural"), text(crd, "/spec/group"));
    if name != expected {
        return Err(CrdError::Name { name: name.into(), expected });
    }
    let versions = items(crd, "/spec/versions");
    let stored = |version: &&Value| version["storage"] == Value::Bool(true);
    if versions.iter().filter(stored).count() != 1 {
        return Err(CrdError::Storage);
    }
    let scope = scope(crd)?;
    let served = versions.iter().filter(|version| version["served"] == Value::Bool(true));
    Ok(served.map(|version| resource(crd, version, scope)).collect())
}

fn scope(crd: &Value) -> Result<Scope, CrdError> {
    match text(crd, "/spec/scope") {
        "Namespaced" => Ok(Scope::Namespaced),
        "Cluster" => Ok(Scope::Cluster),
        other => Err(CrdError::Scope(other.into())),
    }
}

fn resource(crd: &Value, version: &Value, scope: Scope) -> Resource {
    let names =
        |pointer: &str| items(crd, pointer).iter().filter_map(Value::as_str).map(str::to_owned).collect();
    let kind = text(crd, "/spec/names/kind");
    let singular = match text(crd, "/spec/names/singular") {
        "" => kind.to_ascii_lowercase(),
        given => given.to_owned(),
    };
    let has = |name: &&str| version.pointer(&format!("/subresources/{name}")).is_some();
    Resource {
        group: text(crd, "/spec/group").into(),
        version: text(version, "/name").into(),
        kind: kind.into(),
        plural: text(crd, "/spec/names/plural").into(),
        singular,
        short_names: names("/spec/names/shortNames"),
        categories: names("/spec/names/categories"),
        scope,
        verbs: Verbs::All,
        subresources: ["scale", "status"]
            .iter()
            .filter(|name| has(name))
            .map(|name| (*name).to_owned())
            .collect(),
        selectable: selectable(version),
        origin: Origin::Custom { crd: text(crd, "/metadata/name").into(), columns: columns(version) },
    }
}

fn selectable(version: &Value) -> Vec<String> {
    let paths = items(version, "/selectableFields").iter();
    paths.map(|field| text(field, "/jsonPath").trim_start_matches('.').to_owned()).collect()
}

/// Without printer columns of its own a custom kind shows its age.
fn columns(version: &Value) -> Vec<PrinterColumn> {
    let given = items(version, "/additionalPrinterColumns");
    if given.is_empty() {
        return vec![PrinterColumn {
            name: "Age".into(),
            column_type: "date".into(),
            format: String::new(),
            description: crate::table::CREATION_DESCRIPTION.into(),
            priority: 0,
            json_path: ".metadata.creationTimestamp".into(),
        }];
    }
    given.iter().map(column).collect()
}

fn column(column: &Value) -> PrinterColumn {
    let description = match text(column, "/description") {
        "" => {
            format!("Custom resource definition column (in JSONPath format): {}", text(column, "/jsonPath"))
        }
        given => given.to_owned(),
    };
    PrinterColumn {
        name: text(column, "/name").into(),
        column_type: text(column, "/type").into(),
        format: text(column, "/format").into(),
        description,
        priority: column["priority"].as_i64().unwrap_or(0),
        json_path: text(column, "/jsonPath").into(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn crd() -> Value {
        json!({"metadata": {"name": "widgets.example.com"}, "spec": {
            "group": "example.com", "scope": "Namespaced",
            "names": {"plural": "widgets", "kind": "Widget", "shortNames": ["wd"]},
            "versions": [
                {"name": "v1", "served": true, "storage": true, "subresources": {"status": {}},
                 "additionalPrinterColumns": [{"name": "Size", "type": "integer", "jsonPath": ".spec.size"}]},
                {"name": "v1beta1", "served": true, "storage": false},
                {"name": "v1alpha1", "served": false, "storage": false}]}})
    }

    #[test]
    fn serves_each_served_version() {
        let resources = parse_crd(&crd()).unwrap();
        assert_eq!(resources.iter().map(|r| &*r.version).collect::<Vec<_>>(), ["v1", "v1beta1"]);
        assert_eq!(resources[0].singular, "widget");
        assert_eq!(resources[0].subresources, ["status"]);
        let Origin::Custom { columns, .. } = &resources[1].origin else { panic!("not custom") };
        assert_eq!(columns[0].name, "Age");
    }

    #[test]
    fn refuses_a_name_that_does_not_fit() {
        let mut wrong = crd();
        wrong["metadata"]["name"] = "gadgets.example.com".into();
        let error = parse_crd(&wrong).unwrap_err();
        assert!(error.to_string().contains("widgets.example.com"), "{error}");
    }
}
