//! `kubeplex clusters`: what a running gateway knows of its clusters.

use std::process::ExitCode;

use serde_json::Map;

use crate::arguments::Clusters;
use crate::call;

/// # Errors
/// When no gateway answers.
pub async fn run(options: Clusters) -> anyhow::Result<ExitCode> {
    let client = options.target.client()?;
    let exchange = client.call("clusters_list", Map::new(), false).await?;
    call::print_result(&exchange, client.endpoint(), options.json)
}
