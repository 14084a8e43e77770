//! What arguments say of how a call is answered, beside what it asks.

use kubeplex_proto::call::Freshness;

use crate::error::CallError;
use crate::limits::{DEFAULT_LIMIT, DEFAULT_MAX_BYTES, DEFAULT_TIMEOUT_S};
use crate::request::{CallOptions, Output};

use super::Arguments;

pub(super) fn limit(arguments: &Arguments) -> u32 {
    arguments.integer("limit").and_then(|limit| u32::try_from(limit).ok()).unwrap_or(DEFAULT_LIMIT)
}

pub(super) fn freshness(arguments: &Arguments) -> Freshness {
    if arguments.text("freshness") == Some("live") { Freshness::Live } else { Freshness::Cache }
}

/// What agents push is as fresh as the gateway can be without asking them.
pub(super) fn nothing_live(arguments: &Arguments) -> Result<(), CallError> {
    match freshness(arguments) {
        Freshness::Cache => Ok(()),
        Freshness::Live => Err(CallError::invalid(
            "freshness: \"live\" is for what clusters hold; this is what their agents said last, and they say it when it changes",
        )),
    }
}

pub(super) fn options(arguments: &Arguments) -> CallOptions {
    let max_bytes = arguments.integer("maxBytes").and_then(|bytes| usize::try_from(bytes).ok());
    CallOptions {
        timeout_ms: arguments.integer("timeoutSeconds").unwrap_or(DEFAULT_TIMEOUT_S) * 1_000,
        max_bytes: max_bytes.unwrap_or(DEFAULT_MAX_BYTES),
        output: if arguments.text("output") == Some("json") { Output::Json } else { Output::Table },
        freshness: freshness(arguments),
        min_coverage: arguments.integer("minCoverage").and_then(|percent| u8::try_from(percent).ok()),
    }
}
