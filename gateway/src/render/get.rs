//! Whole objects, each once with its clusters.

use kubeplex_proto::json_len::json_len;
use serde::Serialize;
use serde_json::Value;

use crate::merge::GetPage;
use crate::request::GetQuery;

use super::coverage::{CoverageContent, Nouns, is_zero};
use super::{RenderContext, Rendered, is_false, omit, plain};
use crate::escape::escaped;

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
#[serde(rename_all = "camelCase")]
struct ObjectContent {
    clusters: Vec<String>,
    #[serde(skip_serializing_if = "is_zero")]
    more_clusters: usize,
    object: Value,
}

/// What the names of clusters beside objects may take of an answer, as a divisor of its budget.
const CLUSTERS_SHARE: usize = 4;

/// The reply to a [`GetQuery`].
pub(crate) fn get(query: &GetQuery, page: GetPage, context: &RenderContext<'_>) -> Rendered {
    let nouns = Nouns { shown: "objects", kind: &query.kind.resource, lack: None };
    let mut clusters = CoverageContent::new(&page.coverage, nouns, false, context.now);
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
                more_clusters: 0,
                object: escaped(shared.object),
            })
            .collect(),
    };
    content.name_fewer_clusters(query.options.max_bytes / CLUSTERS_SHARE);
    content.fit(query.options.max_bytes);
    Rendered { text: content.text(), structured: serde_json::to_value(&content).unwrap_or_default() }
}

impl GetContent {
    /// The longest list gives first: whoever is not in a short one has what most have.
    fn name_fewer_clusters(&mut self, max_bytes: usize) {
        let mut bytes: usize = self.objects.iter().map(|shared| json_len(&shared.clusters)).sum();
        while bytes > max_bytes {
            let longest = self.objects.iter_mut().max_by_key(|shared| shared.clusters.len());
            let Some(longest) = longest.filter(|shared| shared.clusters.len() > 1) else { return };
            let left_out = longest.clusters.pop();
            longest.more_clusters += 1;
            bytes -= json_len(&left_out) + 1;
        }
    }

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
            let more = match shared.more_clusters {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            text.push_str(&format!("# in {}{more}\n{}\n", shared.clusters.join(", "), shared.object));
        }
        if self.objects.is_empty() {
            text.push_str("nothing found\n");
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
