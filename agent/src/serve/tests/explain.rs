//! Kinds, explained by their schemas.

use kubeplex_proto::explain::{ExplainRequest, Field};
use kubeplex_proto::gather::{GatherFrame, GatherHead};
use kubeplex_proto::status::{AgentErrorCode, LegStatus};
use kubeplex_proto::visibility::{Reach, VisibilityRule};
use serde_json::json;

use super::*;

fn explain(kind: &str, path: &str) -> ExplainRequest {
    let path = path.split('.').filter(|name| !name.is_empty()).map(str::to_owned).collect();
    ExplainRequest { context: context(), kind: kind.parse().unwrap(), version: None, path, depth: 1 }
}

impl World {
    async fn explain(&self, request: &ExplainRequest) -> Result<(GatherHead, Vec<Field>), AgentError> {
        let (mut head, mut fields) = (None, Vec::new());
        for frame in self.ask::<GatherFrame<Field>>(paths::EXPLAIN, request).await? {
            match frame {
                GatherFrame::Head(first) => head = Some(*first),
                GatherFrame::Items(more) => fields.extend(more),
                GatherFrame::End(_) => {}
            }
        }
        Ok((head.unwrap(), fields))
    }
}

#[tokio::test(start_paused = true)]
async fn a_built_in_kind_is_explained_and_its_document_read_once() {
    let world = World::start();
    for _ in 0..2 {
        let (head, fields) = world.explain(&explain("deployments.apps", "spec.strategy")).await.unwrap();
        assert_eq!((head.status, head.api_version.as_str()), (LegStatus::Ok, "apps/v1"));
        let names: Vec<_> = fields.iter().map(|field| field.path.as_str()).collect();
        assert_eq!(names, ["", "rollingUpdate", "type"]);
    }
    assert_eq!(world.asked("/openapi/v3/apis/apps/v1?hash=").len(), 1);
    let index = world.asked("/openapi/v3");
    assert!(index.iter().all(|asked| asked.caller() == Some("ann")), "as the caller");
    let refused = world.explain(&explain("deployments.apps", "spec.replcias")).await.unwrap_err();
    assert_eq!(
        (refused.code, refused.hint.as_deref()),
        (AgentErrorCode::InvalidArgument, Some("did you mean replicas?"))
    );
}

#[tokio::test(start_paused = true)]
async fn custom_kinds_are_explained_with_a_schema_and_without() {
    let world = World::start();
    let definition = |plural: &str, kind: &str, schema: serde_json::Value| {
        json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": format!("{plural}.example.com")},
            "spec": {
                "group": "example.com", "scope": "Namespaced", "names": {"kind": kind, "plural": plural},
                "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}}],
            },
        })
    };
    let spec = json!({"type": "object", "required": ["size"], "properties": {
        "size": {"type": "integer", "default": 3, "description": "How many. At least one."},
        "mode": {"type": "string", "enum": ["fast", "safe"]},
    }});
    world
        .sim
        .apply(definition(
            "widgets",
            "Widget",
            json!({"type": "object", "description": "A widget.", "properties": {"spec": spec}}),
        ))
        .unwrap();
    world
        .sim
        .apply(definition(
            "blobs",
            "Blob",
            json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true}),
        ))
        .unwrap();
    let (head, fields) = world.explain(&explain("widgets.example.com", "spec")).await.unwrap();
    assert_eq!((head.status, fields.len()), (LegStatus::Ok, 3), "{head:?}");
    assert_eq!((fields[1].path.as_str(), fields[1].one_of.len()), ("mode", 2));
    assert_eq!((fields[2].required, &fields[2].default), (true, &Some(json!(3))));
    let (_, fields) = world.explain(&explain("blobs.example.com", "")).await.unwrap();
    assert!(fields.iter().any(|field| field.path == "metadata"), "{fields:?}");
    let refused = world.explain(&explain("blobs.example.com", "data")).await.unwrap_err();
    assert!(refused.message.contains("blobs.example.com has no field \"data\""), "{refused:?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_hidden_or_not_there_is_absent() {
    let world = World::start();
    let mut hidden = explain("deployments.apps", "");
    let pods = VisibilityRule::of(Reach::of([Pattern::new("pods")]), Reach::All);
    hidden.context.visibility = Visibility::of(vec![pods]);
    for request in [hidden, explain("unicorns.example.com", "")] {
        let (head, fields) = world.explain(&request).await.unwrap();
        assert_eq!((head.status, fields.len()), (LegStatus::Absent, 0));
    }
}
