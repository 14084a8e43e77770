//! Logs: which pods are meant, from the cache; and what their containers wrote, read live as the caller.
//!
//! A log is searched and cut down while it comes from the API server ([`crate::logs`]), and what is meant of it is sent when
//! it is known. Nothing of it is kept. Dropping the reply drops the reads at the API server.

mod containers;
mod job;
mod outcome;
mod pods;
mod reply;
mod sink;
mod source;

use axum::extract::State;
use axum::response::Response;
use kubeplex_proto::log::{LogPodsRequest, LogRequest};
use kubeplex_proto::status::{AgentError, AgentErrorCode};

use super::Service;
use super::body::{Ask, Failure};
use super::deadline::Deadline;
use super::gathering;
use super::opening::NotRead;
use crate::logs::Grep;
use job::Job;

pub(super) use job::Folded;

pub(super) async fn pods(
    State(service): State<Service>,
    Ask(request): Ask<LogPodsRequest>,
) -> Result<Response, Failure> {
    match service.find_pods(&request).await {
        Ok((readable, found)) => {
            let head = reply::head(&service, readable, found.total);
            Ok(gathering::reply(head, found.pods, reply::END))
        }
        Err(NotRead::Nothing(nothing)) => {
            let head = reply::head_of_nothing(&service, nothing);
            Ok(gathering::reply(head, Vec::<()>::new(), reply::END))
        }
        Err(NotRead::Refused(error)) => Err(error.into()),
    }
}

pub(super) async fn read(
    State(service): State<Service>,
    Ask(request): Ask<LogRequest>,
) -> Result<Response, Failure> {
    let deadline = Deadline::after_ms(request.context.deadline_ms);
    let grep = request.lines.grep.as_deref().map(Grep::new).transpose();
    let grep = grep.map_err(|problem| {
        AgentError::new(AgentErrorCode::InvalidArgument, format!("grep: not a pattern: {problem}"))
    })?;
    match Job::prepare(&service, request, grep, deadline).await {
        Ok((head, job)) => Ok(reply::stream(head, |out| job.run(out))),
        Err(NotRead::Nothing(nothing)) => {
            let head = reply::head_of_nothing(&service, nothing);
            Ok(gathering::reply(head, Vec::<()>::new(), reply::END))
        }
        Err(NotRead::Refused(error)) => Err(error.into()),
    }
}

/// Those of the lines that a request means that match, folded: for who tells of logs beside other things.
///
/// # Errors
/// Why nothing is read.
pub(super) async fn folded(
    service: &Service,
    request: LogRequest,
    grep: Grep,
    deadline: Deadline,
) -> Result<Folded, NotRead> {
    let (_, job) = Job::prepare(service, request, Some(grep), deadline).await?;
    Ok(job.folded().await)
}
