//! One `tools/call`: identified, watched over, and answered in the protocol's terms.
//!
//! The library neither contains panics nor stops a handler whose client gave up, so both happen here.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;

use futures::FutureExt as _;
use kubeplex_proto::ids::CallId;
use rmcp::model::{
    CallToolRequestParams, CallToolResult, ContentBlock, JsonObject, MetaObject, ProgressNotificationParam,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer};
use serde_json::Value;

use super::written::Desk;
use crate::error::{CallError, ErrorCode};
use crate::escape::one_line;
use crate::identify::Caller;
use crate::limits::PROGRESS_EVERY;
use crate::pipeline::{Pipeline, Question};
use crate::render::{Rendered, Reply};
use crate::trace::{META_KEY, Trace};

/// Answers a call. A tool that fails is a result; only a tool that does not exist is an error of the protocol.
pub(super) async fn call(
    pipeline: &Pipeline,
    request: CallToolRequestParams,
    context: RequestContext<RoleServer>,
) -> Result<CallToolResult, ErrorData> {
    let arguments = request.arguments.unwrap_or_default();
    let trace = Trace::begin(call_id());
    let result = match traced(pipeline, &request.name, &arguments, &context, &trace).await? {
        Ok(Reply::Rendered(rendered)) => success(rendered),
        Ok(Reply::Written(written)) => match Desk::of_call(&context) {
            Some(desk) => desk.leave(written),
            None => success(Reply::Written(written).into_rendered()),
        },
        Err(error) => failure(&error),
    };
    Ok(if wants_trace(&context) { with_trace(result, &trace) } else { result })
}

/// What a tool answers, for requests that are no calls of tools themselves.
pub(super) async fn answer(
    pipeline: &Pipeline,
    tool: &str,
    arguments: &JsonObject,
    context: &RequestContext<RoleServer>,
) -> Result<Result<Reply, CallError>, ErrorData> {
    let trace = Trace::begin(call_id());
    traced(pipeline, tool, arguments, context, &trace).await
}

async fn traced(
    pipeline: &Pipeline,
    tool: &str,
    arguments: &JsonObject,
    context: &RequestContext<RoleServer>,
    trace: &Trace,
) -> Result<Result<Reply, CallError>, ErrorData> {
    let caller = caller(context)?;
    let Some(tool) = pipeline.tool(&caller, tool) else { return Err(unknown_tool(tool)) };
    let question = Question { caller, tool, arguments };
    tokio::select! {
        biased;
        () = context.ct.cancelled() => Err(ErrorData::internal_error("the client cancelled the call", None)),
        answer = contained(pipeline.call(question, trace)) => Ok(answer),
        never = report_progress(context, trace) => match never {},
    }
}

/// Random, by the generator of this thread: the system's own costs a system call each time.
fn call_id() -> CallId {
    CallId(uuid::Builder::from_random_bytes(rand::random()).into_uuid().simple().to_string())
}

/// Who sent a request, as it was found before the protocol began.
pub(super) fn caller(context: &RequestContext<RoleServer>) -> Result<Caller, ErrorData> {
    let parts = context.extensions.get::<http::request::Parts>();
    let caller = parts.and_then(|parts| parts.extensions.get::<Caller>());
    caller.cloned().ok_or_else(|| ErrorData::internal_error("the request came without its caller", None))
}

/// The same for tools that are not there and tools that are hidden.
pub(super) fn unknown_tool(name: &str) -> ErrorData {
    let name: String = one_line(name).chars().take(80).collect();
    ErrorData::invalid_params(format!("unknown tool: \"{name}\"; tools/list names the ones there are"), None)
}

/// A panic costs one call.
async fn contained(call: impl Future<Output = Result<Reply, CallError>>) -> Result<Reply, CallError> {
    AssertUnwindSafe(call).catch_unwind().await.unwrap_or_else(|panic| {
        let what = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let what = what.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
        tracing::error!(panic = what, "a call panicked; this is a defect");
        Err(CallError::new(ErrorCode::Internal, "the gateway has a defect that this call ran into")
            .with_hint("the gateway's log says more; please report it"))
    })
}

/// Tells the client now and then how far the call is, if it asked for that.
async fn report_progress(context: &RequestContext<RoleServer>, trace: &Trace) -> Infallible {
    let Some(token) = context.meta.get_progress_token() else { return std::future::pending().await };
    let mut ticks = tokio::time::interval_at(trace.started() + PROGRESS_EVERY, PROGRESS_EVERY);
    loop {
        ticks.tick().await;
        let news = trace.take_news();
        let progress = trace.progress();
        // The protocol wants a number that grows with every notification, so it is time that is counted.
        let param = ProgressNotificationParam::new(token.clone(), trace.started().elapsed().as_secs_f64())
            .with_message(match news.as_slice() {
                [] => format!("{} of {} clusters answered", progress.over, progress.expected),
                news => news.iter().map(|line| one_line(line)).collect::<Vec<_>>().join("\n"),
            });
        if context.peer.notify_progress(param).await.is_err() {
            return std::future::pending().await;
        }
    }
}

fn success(rendered: Rendered) -> CallToolResult {
    let mut result = CallToolResult::success(vec![ContentBlock::text(rendered.text)]);
    result.structured_content = Some(rendered.structured);
    result
}

fn failure(error: &CallError) -> CallToolResult {
    CallToolResult::structured_error(
        serde_json::to_value(error).unwrap_or_else(|_| Value::String(error.to_string())),
    )
}

fn wants_trace(context: &RequestContext<RoleServer>) -> bool {
    context.meta.get(META_KEY) == Some(&Value::Bool(true))
}

fn with_trace(result: CallToolResult, trace: &Trace) -> CallToolResult {
    let mut meta = JsonObject::new();
    meta.insert(META_KEY.to_owned(), serde_json::to_value(trace.report()).unwrap_or_default());
    result.with_meta(Some(MetaObject(meta)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_becomes_an_answer() {
        let error = contained(async { panic!("index out of bounds") }).await.unwrap_err();
        assert_eq!(error.code, ErrorCode::Internal);
    }

    #[test]
    fn a_failure_is_told_in_both_forms() {
        let result =
            failure(&CallError::invalid("limit: 0 is not between 1 and 1000").with_hint("leave it out"));
        assert_eq!(result.is_error, Some(true));
        let structured = result.structured_content.unwrap();
        assert_eq!(structured["code"], "invalid_argument");
        assert_eq!(structured["hint"], "leave it out");
        assert_eq!(result.content[0].as_text().map(|text| text.text.clone()), Some(structured.to_string()));
    }
}
