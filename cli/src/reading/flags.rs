//! Flags that commands share. A field is called as the argument of the tools that it becomes; what no tool has an argument
//! for is skipped in writing them.

use clap::{Args, ValueEnum};
use serde::{Serialize, Serializer};

use crate::arguments::Target;
use crate::completion;

/// Where to look.
#[derive(Debug, Clone, Default, Args, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Place {
    #[command(flatten)]
    #[serde(flatten)]
    pub(super) clusters: Clusters,
    /// Namespaces, by name, comma list or glob; otherwise all that you may see
    #[arg(short, long, value_name = "NAMES", add = completion::namespaces(), help_heading = "Where")]
    pub(super) namespace: Option<String>,
    /// All namespaces, which is what is meant without -n, too
    #[arg(short = 'A', long, conflicts_with = "namespace", help_heading = "Where")]
    #[serde(skip)]
    pub(super) all_namespaces: bool,
}

/// In which clusters to look.
#[derive(Debug, Clone, Default, Args, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Clusters {
    /// Clusters, by name, comma list or glob, as in 'prod-*'; otherwise all
    #[arg(long, visible_alias = "context", value_name = "NAMES", add = completion::clusters(), help_heading = "Where")]
    pub(super) cluster: Option<String>,
    /// Clusters, by their labels, as in 'env=prod,region in (eu,us)'
    #[arg(long, value_name = "SELECTOR", help_heading = "Where")]
    pub(super) cluster_selector: Option<String>,
}

/// Which objects, by their labels.
#[derive(Debug, Clone, Default, Args, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Labels {
    /// Objects by their labels, as in app=cart,tier!=cache
    #[arg(short = 'l', long = "selector", value_name = "SELECTOR", help_heading = "Which")]
    pub(super) label_selector: Option<String>,
}

/// Which objects, by what stands in them.
#[derive(Debug, Clone, Default, Args, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Selectors {
    #[command(flatten)]
    #[serde(flatten)]
    pub(super) labels: Labels,
    /// Objects by any single value, as in status.phase!=Running,spec.nodeName=n1
    #[arg(long, value_name = "SELECTOR", help_heading = "Which")]
    pub(super) field_selector: Option<String>,
}

/// Which time.
#[derive(Debug, Clone, Default, Args, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Times {
    /// From then on: a duration before now or a time, as in 90s, 2h, 3d, 2026-11-23T10:00:00Z
    #[arg(long, value_name = "TIME", help_heading = "Which")]
    pub(super) since: Option<String>,
    /// Until then, as --since
    #[arg(long, value_name = "TIME", help_heading = "Which")]
    pub(super) until: Option<String>,
}

/// What to show of many, and in which order.
#[derive(Debug, Clone, Default, Args, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Listing {
    /// Columns or paths, as in name,spec.nodeName,cluster.labels.region
    #[arg(long, value_name = "FIELDS", help_heading = "Rows")]
    pub(super) fields: Option<String>,
    /// One order over all clusters; - descends, as in -restarts,name
    #[arg(long, value_name = "FIELDS", allow_hyphen_values = true, help_heading = "Rows")]
    pub(super) sort_by: Option<String>,
    /// Counts and sums instead of rows, as in namespace,sum(restarts)
    #[arg(long, value_name = "FIELDS", help_heading = "Rows")]
    pub(super) group_by: Option<String>,
    /// At most so many rows; otherwise all of them
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Rows")]
    #[serde(skip)]
    pub(super) limit: Option<u32>,
    /// Go on where an answer to the same question ended
    #[arg(long, value_name = "CURSOR", help_heading = "Rows")]
    pub(super) r#continue: Option<String>,
    /// Ask the API servers, as you, instead of what the agents hold
    #[arg(long, help_heading = "How")]
    #[serde(rename = "freshness", serialize_with = "live_or_nothing")]
    pub(super) live: bool,
    /// Fail unless so many percent of the clusters answer
    #[arg(long, value_name = "PERCENT", help_heading = "How")]
    pub(super) min_coverage: Option<u32>,
}

/// How long an answer may take, and how it is shown: of every command.
#[derive(Debug, Clone, Args, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct How {
    /// For each call, in seconds; clusters that are later are missing from the answer
    #[arg(long = "timeout", value_name = "SECONDS", help_heading = "How")]
    pub(super) timeout_seconds: Option<u32>,
    /// A table; one as wide as it takes with all columns of the kind; JSON or YAML as the gateway answers; or names only
    #[arg(short, long, value_enum, default_value_t = Output::Table, hide_possible_values = false, help_heading = "How")]
    #[serde(skip)]
    pub(super) output: Output,
    /// Ask again and again, and show what changed, until Ctrl-C
    #[arg(short, long, help_heading = "How")]
    #[serde(skip)]
    pub(super) watch: bool,
    /// How often to ask again, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 2, requires = "watch", value_parser = clap::value_parser!(u64).range(1..=3_600), help_heading = "How")]
    #[serde(skip)]
    pub(super) interval: u64,
    #[command(flatten)]
    #[serde(skip)]
    pub(super) target: Target,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Output {
    #[default]
    Table,
    Wide,
    Json,
    Yaml,
    Name,
}

/// The argument has two words, and the other is what is meant without it.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands references")]
fn live_or_nothing<S: Serializer>(live: &bool, serializer: S) -> Result<S::Ok, S::Error> {
    live.then_some("live").serialize(serializer)
}
