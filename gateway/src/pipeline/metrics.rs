//! What is counted about calls.

use std::collections::HashMap;
use std::time::Duration;

use metrics::{Counter, Histogram};

use crate::error::ErrorCode;
use crate::telemetry::Telemetry;
use crate::tools::{self, Tool};

const CODES: [ErrorCode; 12] = [
    ErrorCode::InvalidArgument,
    ErrorCode::NotFound,
    ErrorCode::Forbidden,
    ErrorCode::Unauthenticated,
    ErrorCode::Conflict,
    ErrorCode::RateLimited,
    ErrorCode::Timeout,
    ErrorCode::Unavailable,
    ErrorCode::NeedsApproval,
    ErrorCode::PlanMismatch,
    ErrorCode::TooLarge,
    ErrorCode::Internal,
];

/// Calls by tool and result, and how long they took.
pub(super) struct CallMetrics(HashMap<&'static str, ToolMetrics>);

struct ToolMetrics {
    answered: Counter,
    failed: HashMap<ErrorCode, Counter>,
    seconds: Histogram,
}

impl CallMetrics {
    pub(super) fn new(telemetry: &Telemetry) -> Self {
        let of_tool = |tool: &'static Tool| (tool.name, ToolMetrics::new(tool.name));
        telemetry.register(|| Self(tools::catalogue().tools().iter().map(of_tool).collect()))
    }

    /// A call is over; `failed` says with which code, if it failed.
    pub(super) fn over(&self, tool: &Tool, failed: Option<ErrorCode>, took: Duration) {
        let Some(metrics) = self.0.get(tool.name) else { return };
        let counter = failed.map_or(Some(&metrics.answered), |code| metrics.failed.get(&code));
        if let Some(counter) = counter {
            counter.increment(1);
        }
        metrics.seconds.record(took.as_secs_f64());
    }
}

impl ToolMetrics {
    fn new(tool: &'static str) -> Self {
        let counter =
            |result| metrics::counter!("kubeplex_gateway_calls_total", "tool" => tool, "result" => result);
        Self {
            answered: counter("ok"),
            failed: CODES.map(|code| (code, counter(code.as_str()))).into(),
            seconds: metrics::histogram!("kubeplex_gateway_call_seconds", "tool" => tool),
        }
    }
}
