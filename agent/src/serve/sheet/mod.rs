//! Everything about an object, put together from the cache. What each part tells is what the caller may see of its own kind.

mod changes;
mod events;
mod lean;
mod logs;
mod look;
mod relatives;

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use kubeplex_proto::call::CallContext;
use kubeplex_proto::gather::{GatherEnd, GatherHead};
use kubeplex_proto::get::GetRequest;
use kubeplex_proto::kind::{GroupResource, KindInfo};
use kubeplex_proto::pattern::Pattern;
use kubeplex_proto::problems::{Problem, ProblemSeverity, ProblemsRequest};
use kubeplex_proto::quantity::parse_time_ms;
use kubeplex_proto::selector::LabelSelector;
use kubeplex_proto::sheet::{Relative, Sheet, SheetRequest, SheetUsage};
use kubeplex_proto::status::AgentError;
use kubeplex_proto::usage::METRICS_GROUP;
use serde_json::Value;

use super::Service;
use super::body::{Ask, Failure};
use super::deadline::Deadline;
use super::gathering;
use super::health::capacity::Sum;
use super::opening::{NotRead, Question};
use crate::limits::{SHEET_PROBLEMS, SHEETS};
use crate::query::{self, ScanBudget};

use look::Child;

pub(super) async fn sheet(
    State(service): State<Service>,
    Ask(request): Ask<SheetRequest>,
) -> Result<Response, Failure> {
    let patterns = (request.namespaces.as_slice(), request.names.as_slice());
    let question = Question::new(&request.kind, request.version.as_ref(), patterns, &request.context);
    let deadline = question.deadline;
    let clock = service.0.api.clock();
    let head = |status, message, source, api_version, total, age_ms| GatherHead {
        status,
        message,
        source,
        api_version,
        total,
        age_ms,
        cluster_now_ms: clock.cluster_now_ms(),
        clock_offset_ms: clock.offset_ms(),
    };
    let readable = match service.open(&question).await {
        Ok(readable) => readable,
        Err(NotRead::Nothing(nothing)) => {
            let version = nothing.info.map(|info| info.api_version()).unwrap_or_default();
            let head = head(nothing.status, nothing.message, nothing.source, version, 0, 0);
            return Ok(gathering::reply(head, Vec::<Sheet>::new(), GatherEnd { cut: None }));
        }
        Err(NotRead::Refused(error)) => return Err(error.into()),
    };
    let get = get_request(&request);
    let rows = readable.rows.clone();
    let scan = move |budget: &ScanBudget| query::get(rows.store(), &get, budget);
    let found = service.0.scans.run(deadline, scan).await?;
    let composing = Composing {
        service: &service,
        context: &request.context,
        info: &readable.info,
        deadline: deadline.with_time_to_tell(),
        logs: request.logs,
    };
    let mut sheets = Vec::new();
    for found in found.objects {
        sheets.push(composing.sheet(found.object).await);
    }
    let version = readable.info.api_version();
    let head =
        head(readable.status, readable.message, readable.source, version, found.total, readable.age_ms);
    Ok(gathering::reply(head, sheets, GatherEnd { cut: None }))
}

fn get_request(request: &SheetRequest) -> GetRequest {
    GetRequest {
        context: request.context.clone(),
        kind: request.kind.clone(),
        version: request.version.clone(),
        namespaces: request.namespaces.clone(),
        names: request.names.clone(),
        label_selector: LabelSelector::default(),
        fields: Vec::new(),
        limit: request.limit.min(SHEETS as u32),
    }
}

/// What is known while an object is described.
struct Composing<'a> {
    service: &'a Service,
    context: &'a CallContext,
    info: &'a KindInfo,
    deadline: Deadline,
    /// Whether logs are told of.
    logs: bool,
}

/// The object, as its parts are looked for.
struct Described {
    object: Value,
    uid: String,
    namespace: Option<String>,
    name: String,
}

/// A part, or that it could not be told.
fn told<T>(part: &str, found: Result<Vec<T>, AgentError>, not_told: &mut Vec<String>) -> Vec<T> {
    found.unwrap_or_else(|error| {
        not_told.push(format!("{part}: {error}"));
        Vec::new()
    })
}

impl Composing<'_> {
    async fn sheet(&self, object: Value) -> Sheet {
        let text = |pointer: &str| relatives::text(&object, pointer).to_owned();
        let namespace = Some(text("/metadata/namespace")).filter(|namespace| !namespace.is_empty());
        let described =
            Described { uid: text("/metadata/uid"), name: text("/metadata/name"), namespace, object };
        let object = &described.object;
        let children = Box::pin(self.children(&described)).await;
        let (uses, selected_by, usage, events, problems, changes, logs) = tokio::join!(
            Box::pin(self.uses(&described)),
            Box::pin(self.selected_by(&described)),
            Box::pin(self.usage(&described, &children)),
            Box::pin(self.events(&described, &children)),
            Box::pin(self.problems(&described)),
            Box::pin(self.changes(&described)),
            Box::pin(self.logs(&described, &children)),
        );
        let children = children.into_iter().map(|child| child.relative).collect();
        let mut not_told = Vec::new();
        Sheet {
            created_ms: parse_time_ms(relatives::text(object, "/metadata/creationTimestamp")),
            owners: relatives::some(self.owners(&described)),
            children: relatives::some(children),
            uses: relatives::some(uses),
            selected_by: relatives::some(selected_by),
            usage,
            events,
            problems: told("problems", problems, &mut not_told),
            changes: told("changes", changes, &mut not_told),
            logs: logs.told(&mut not_told),
            not_told,
            object: lean::lean(described.object),
        }
    }

    fn owners(&self, described: &Described) -> Vec<Relative> {
        let kinds = self.service.0.kinds.discovery();
        let owners = relatives::owners(&described.object, &kinds).into_iter().filter(|(kind, owner)| {
            // An owner is in the object's namespace, or in none.
            let seen = self.context.visibility.for_kind(kind);
            seen.shows(described.namespace.as_deref(), &owner.name) || seen.shows(None, &owner.name)
        });
        owners.map(|(_, owner)| owner).collect()
    }

    /// Of what it makes and is: requests and limits of its pods, and what they use.
    async fn usage(&self, described: &Described, children: &[Child]) -> Option<SheetUsage> {
        let own = (described.object["kind"] == "Pod").then_some(&described.object);
        let pods: Vec<&Value> = children.iter().filter_map(|child| child.pod.as_ref()).chain(own).collect();
        if pods.is_empty() {
            return None;
        }
        let (mut requested, mut limits) = (Sum::default(), Sum::default());
        for pod in &pods {
            requested.request(pod);
            limits.limit(pod);
        }
        let names: BTreeSet<String> =
            pods.iter().map(|pod| relatives::text(pod, "/metadata/name").to_owned()).collect();
        let metrics = GroupResource::new(METRICS_GROUP, "pods");
        let namespace = described.namespace.as_deref();
        let used = self.read(&metrics, namespace, Sum::default(), move |sum, metrics| {
            if names.contains(relatives::text(metrics, "/metadata/name")) {
                let containers = metrics["containers"].as_array();
                containers.into_iter().flatten().for_each(|container| sum.usage(container));
            }
        });
        Some(SheetUsage {
            requested: requested.resources(),
            limits: limits.resources(),
            used: used.await.map(Sum::resources),
        })
    }

    async fn problems(&self, described: &Described) -> Result<Vec<Problem>, AgentError> {
        let looked = Arc::new(self.service.0.problems.look(self.deadline.at(), Some(&self.info.id)).await);
        let request = ProblemsRequest {
            context: self.context.clone(),
            kind: Some(self.info.id.clone()),
            namespaces: described.namespace.iter().cloned().map(Pattern::new).collect(),
            names: vec![Pattern::new(described.name.clone())],
            since: None,
            until: None,
            severity: ProblemSeverity::Info,
            limit: SHEET_PROBLEMS as u32,
        };
        let mut problems = self.service.fold_problems(&looked, request, self.deadline).await?;
        problems.truncate(SHEET_PROBLEMS);
        Ok(problems)
    }

    /// Goes over the visible objects of a kind in one namespace or, without it, in all; `None` where they are not known.
    async fn read<T: Send + 'static>(
        &self,
        kind: &GroupResource,
        namespace: Option<&str>,
        start: T,
        see: impl Fn(&mut T, &Value) + Send + 'static,
    ) -> Option<T> {
        if self.context.visibility.for_kind(kind).is_empty() {
            return None;
        }
        let namespaces: Vec<Pattern> = namespace.into_iter().map(Pattern::new).collect();
        let question = Question {
            deadline: self.deadline,
            ..Question::new(kind, None, (&namespaces, &[]), self.context)
        };
        let readable = self.service.open(&question).await.ok()?;
        let (rows, visibility) = (readable.rows.clone(), self.context.visibility.clone());
        let scan = move |budget: &ScanBudget| {
            let mut made = start;
            query::visit(rows.store(), &visibility, &namespaces, budget, &mut |object| {
                see(&mut made, object);
            })?;
            Ok(made)
        };
        self.service.0.scans.run(self.deadline, scan).await.ok()
    }
}
