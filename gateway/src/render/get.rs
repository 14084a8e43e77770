//! Whole objects, each once with its clusters.

use serde::Serialize;
use serde_json::Value;

use crate::merge::GetPage;
use crate::request::GetQuery;

use super::coverage::{CoverageContent, Nouns};
use super::{RenderContext, Rendered, escaped, is_false, omit, plain};
use crate::json_len::json_len;

#[derive(Serialize)]
struct GetContent {
    objects: Vec<ObjectContent>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    omitted: Vec<String>,
    clusters: CoverageContent,
    #[serde(skip_serializing_if = "is_false")]
    partial: bool,
}

#[derive(Serialize)]
struct ObjectContent {
    clusters: Vec<String>,
    object: Value,
}

/// The reply to a [`GetQuery`].
pub(crate) fn get(query: &GetQuery, page: GetPage, context: &RenderContext<'_>) -> Rendered {
    let nouns = Nouns { shown: "objects", kind: &query.kind.resource };
    let mut clusters = CoverageContent::new(&page.coverage, nouns, false, context.now_ms);
    clusters.leave_room(query.options.max_bytes);
    let mut content = GetContent {
        clusters,
        partial: page.coverage.is_partial(),
        omitted: Vec::new(),
        objects: page
            .objects
            .into_iter()
            .map(|shared| ObjectContent {
                clusters: shared.legs.iter().map(|leg| query.targets[leg.0].cluster.id.to_string()).collect(),
                object: escaped(shared.object),
            })
            .collect(),
    };
    content.fit(query.options.max_bytes);
    Rendered { text: content.text(), structured: serde_json::to_value(&content).unwrap_or_default() }
}

impl GetContent {
    /// The list of omitted paths takes room as well, so this may take several rounds; each leaves out something more.
    fn fit(&mut self, max_bytes: usize) {
        loop {
            let over = json_len(self).saturating_sub(max_bytes);
            if over == 0 {
                return;
            }
            let mut objects: Vec<_> = self.objects.iter_mut().map(|shared| &mut shared.object).collect();
            let paths = omit::shorten_objects(&mut objects, over);
            if paths.is_empty() {
                return;
            }
            self.omitted.extend(paths);
            self.omitted.sort_unstable();
            self.omitted.dedup();
        }
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for shared in &self.objects {
            text.push_str(&format!("# in {}\n{}\n", shared.clusters.join(", "), shared.object));
        }
        if self.objects.is_empty() {
            text.push_str("nothing found in the clusters that answered\n");
        }
        if !self.omitted.is_empty() {
            let paths = self.omitted.join(", ");
            text.push_str(&format!(
                "left out for size: {paths}; repeat the call with fields to get one of them\n"
            ));
        }
        plain::coverage(&mut text, &self.clusters, self.partial);
        text
    }
}

#[cfg(test)]
mod tests;
