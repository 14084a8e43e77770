//! `kubeplex clusters`: what a running gateway knows of its clusters.

use std::process::ExitCode;

use serde_json::Map;

use crate::arguments::Clusters;
use crate::call;
use crate::client::Client;

/// # Errors
/// When no gateway answers.
pub async fn run(options: Clusters) -> anyhow::Result<ExitCode> {
    let endpoint = options.target.endpoint;
    let exchange = Client::of(endpoint.clone())?.call("clusters_list", Map::new(), false).await?;
    call::print_result(&exchange, &endpoint, options.json)
}
