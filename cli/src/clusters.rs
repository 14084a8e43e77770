//! `kubeplex clusters`: what a running gateway knows of its clusters.

use std::process::ExitCode;

use serde_json::Map;

use crate::arguments::Clusters;
use crate::call;
use crate::client::Client;

/// # Errors
/// When no gateway answers.
pub async fn run(options: Clusters) -> anyhow::Result<ExitCode> {
    let exchange = Client::new(options.endpoint.endpoint)?.call("clusters_list", Map::new(), false).await?;
    call::print_result(&exchange, options.json)
}
