//! Fields of a kind, a row each.

use kubeplex_proto::explain::Field;
use kubeplex_proto::json_len::json_len;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::merge::Gathered;
use crate::request::ExplainQuery;

use super::coverage::{CoverageContent, Nouns};
use super::{RenderContext, Rendered, is_false, plain};
use crate::escape::one_line;

const NOUNS: Nouns<'_> = Nouns { shown: "fields", kind: "fields", lack: None };
/// Characters of a description that are shown, the longest first that fit all fields into the budget.
const BRIEF: [usize; 4] = [300, 160, 80, 0];

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ExplainContent {
    cluster: String,
    kind: String,
    /// `apps/v1`.
    api_version: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    path: String,
    #[serde(rename = "type")]
    type_name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    #[serde(skip_serializing_if = "is_false")]
    required: bool,
    /// Fields below it.
    columns: Vec<&'static str>,
    rows: Vec<[Value; 3]>,
    shown: usize,
    total: usize,
    /// Clusters that serve another version.
    #[serde(skip_serializing_if = "Map::is_empty")]
    other_versions: Map<String, Value>,
    clusters: CoverageContent,
    #[serde(skip_serializing_if = "is_false")]
    partial: bool,
}

/// The reply to an [`ExplainQuery`].
pub(crate) fn explain(
    query: &ExplainQuery,
    answer: &Gathered<Field>,
    context: &RenderContext<'_>,
) -> Rendered {
    let mut clusters = CoverageContent::new(&answer.coverage, NOUNS, false, context.now);
    clusters.leave_room(query.options.max_bytes);
    let mut fields = answer.items.iter().map(|(_, field)| field);
    let first = fields.next().cloned().unwrap_or_default();
    let below: Vec<&Field> = fields.collect();
    let head = answer.heads.first().and_then(Option::as_ref);
    let others = query.others.iter().map(|(cluster, version)| (cluster.clone(), version.clone().into()));
    let mut content = ExplainContent {
        cluster: query.targets.first().map(|target| target.cluster.id.to_string()).unwrap_or_default(),
        kind: query.kind.to_string(),
        api_version: head.map(|heard| one_line(&heard.head.api_version).into_owned()).unwrap_or_default(),
        path: query.path.join("."),
        type_name: one_line(&first.type_name).into_owned(),
        description: description(&first, usize::MAX),
        required: first.required,
        columns: vec!["field", "type", "description"],
        rows: Vec::new(),
        shown: 0,
        total: below.len(),
        other_versions: others.collect(),
        clusters,
        partial: answer.coverage.is_partial(),
    };
    content.fill(&below, query.options.max_bytes);
    Rendered { text: content.text(), structured: serde_json::to_value(&content).unwrap_or_default() }
}

impl ExplainContent {
    /// All fields, with shorter descriptions where they do not fit; of still more the first.
    fn fill(&mut self, below: &[&Field], max_bytes: usize) {
        let whole = std::mem::take(&mut self.description);
        // What was asked for takes a half at most.
        self.description = whole.chars().take(max_bytes / 4).collect();
        let room = max_bytes.saturating_sub(json_len(self) + 16);
        for brief in BRIEF {
            self.rows = below.iter().map(|field| row(field, brief)).collect();
            if json_len(&self.rows) <= room {
                break;
            }
        }
        while json_len(&self.rows) > room && self.rows.pop().is_some() {}
        self.shown = self.rows.len();
    }

    fn text(&self) -> String {
        let path = if self.path.is_empty() { String::new() } else { format!(" {}", self.path) };
        let required = if self.required { ", required" } else { "" };
        let mut text = format!(
            "# {} ({}) of {}{path}: {}{required}\n",
            self.kind, self.api_version, self.cluster, self.type_name
        );
        if !self.description.is_empty() {
            text.push_str(&format!("{}\n", self.description));
        }
        for row in &self.rows {
            let cells: Vec<_> = row.iter().map(plain::cell).collect();
            plain::line(&mut text, cells.iter().map(String::as_str));
        }
        if self.total > 0 {
            text.push_str(&format!(
                "{} of {} fields shown; * is required, … has fields below it\n",
                self.shown, self.total
            ));
        }
        for (cluster, version) in &self.other_versions {
            text.push_str(&format!("{cluster} serves {}\n", plain::cell(version)));
        }
        plain::coverage(&mut text, &self.clusters, self.partial);
        text
    }
}

/// `selector*` is required, `template*…` has fields below it, too.
fn row(field: &Field, chars: usize) -> [Value; 3] {
    let required = if field.required { "*" } else { "" };
    let more = if field.has_more { "\u{2026}" } else { "" };
    let name = format!("{}{required}{more}", one_line(&field.path));
    [name.into(), one_line(&field.type_name).into(), description(field, chars).into()]
}

/// With the values that there are to choose from, which are never left out.
fn description(field: &Field, chars: usize) -> String {
    let text = one_line(&field.description);
    let mut told: String = text.chars().take(chars).collect();
    if told.len() < text.len() && !told.is_empty() {
        told.push('\u{2026}');
    }
    let mut add = |words: String| {
        if !told.is_empty() {
            told.push(' ');
        }
        told.push_str(&one_line(&words));
    };
    if !field.one_of.is_empty() {
        add(format!("One of {}.", field.one_of.iter().map(plain::cell).collect::<Vec<_>>().join(", ")));
    }
    if let Some(default) = &field.default {
        add(format!("Default {}.", plain::cell(default)));
    }
    told
}

#[cfg(test)]
mod tests {
    use kubeplex_proto::status::LegStatus;
    use serde_json::json;

    use super::*;
    use crate::merge::{Coverage, LegOutcome};
    use crate::request::fixtures::{NOW, cluster, fleet, resolved, sealer};
    use crate::request::{LegId, Request};

    fn rendered(arguments: &Value, fields: Vec<Field>) -> Rendered {
        let request = resolved(&fleet(vec![cluster("eu", &[])]), "resource_explain", arguments).unwrap();
        let Request::Explain(query) = &request else { panic!("{request:?}") };
        let answered = LegOutcome::answered(cluster("eu", &[]).id, LegStatus::Ok);
        let items = fields.into_iter().map(|field| (LegId(0), field)).collect();
        let answer = Gathered { items, heads: vec![None], coverage: Coverage { legs: vec![answered] } };
        let sealer = sealer();
        explain(query, &answer, &RenderContext { now: NOW, sealer: &sealer, nonce: [3; 24] })
    }

    fn field(path: &str, description: &str) -> Field {
        Field {
            path: path.to_owned(),
            type_name: "string".to_owned(),
            description: description.to_owned(),
            ..Field::default()
        }
    }

    #[test]
    fn a_field_is_a_row_with_what_can_be_chosen() {
        let mut policy = field("restartPolicy", "When to restart.");
        (policy.one_of, policy.default) = (vec![json!("Always"), json!("Never")], Some(json!("Always")));
        let containers = Field { required: true, has_more: true, ..field("containers", "") };
        let fields = vec![field("", "What a pod is."), containers, policy];
        let Rendered { structured, text } = rendered(&json!({"kind": "po", "path": "spec"}), fields);
        assert_eq!(
            structured["rows"],
            json!([
                ["containers*\u{2026}", "string", ""],
                ["restartPolicy", "string", "When to restart. One of Always, Never. Default Always."],
            ])
        );
        assert_eq!((structured["path"].as_str(), structured["total"].as_u64()), (Some("spec"), Some(2)));
        assert!(text.contains("2 of 2 fields shown"), "{text}");
    }

    #[test]
    fn descriptions_give_way_before_fields_do() {
        let fields = |count: usize| {
            let below = (0..count).map(|at| field(&format!("field{at}"), &"words ".repeat(40)));
            std::iter::once(field("", "x")).chain(below).collect::<Vec<_>>()
        };
        for (count, max_bytes, all) in [(20, 7_500, true), (40, 4_000, true), (400, 2_000, false)] {
            let Rendered { structured, .. } =
                rendered(&json!({"kind": "po", "maxBytes": max_bytes}), fields(count));
            assert!(structured.to_string().len() <= max_bytes);
            assert_eq!(structured["shown"] == structured["total"], all, "{count} in {max_bytes}");
        }
    }
}
