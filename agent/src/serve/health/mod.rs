//! How the cluster is, for one caller: parts that are found out at once, each told only where it can be told whole.

pub(super) mod capacity;
mod certificates;
mod deprecated;
mod nodes;
mod readyz;
mod requested;
mod workloads;

use axum::extract::State;
use axum::response::Response;
use kubeplex_proto::call::{CallContext, Identity};
use kubeplex_proto::gather::{GatherEnd, GatherHead};
use kubeplex_proto::health::{ApiFacts, CapacityFacts, HealthFacts, HealthRequest, Resources};
use kubeplex_proto::kind::{GroupResource, Scope};
use kubeplex_proto::status::{LegStatus, Source};
use kubeplex_proto::usage::METRICS_GROUP;
use serde_json::Value;

use super::Service;
use super::body::{Ask, Failure};
use super::deadline::Deadline;
use super::gathering;
use super::opening::{NotRead, Question};
use crate::limits::{HEALTH_KEPT, READYZ, REQUESTED_APIS_CALLERS, REQUESTED_APIS_KEPT};
use crate::query::{self, ScanBudget};
use crate::recent::Recent;

use capacity::Sum;
use certificates::Certificates;
use nodes::Nodes;
use requested::Requested;
use workloads::Workloads;

/// What is found out for one caller serves the next ones for a moment: it is the same for all of them.
pub(super) struct Known {
    readyz: Recent<(), ApiFacts>,
    requested: Recent<(), Part<Sum>>,
    /// By who asked: it is read as the caller.
    requested_apis: Recent<Identity, Requested>,
}

/// What was made of one kind.
#[derive(Clone, Default)]
struct Part<T> {
    /// `None` where there is nothing to make it of: the cluster has no such kind, or the caller may not see all of it.
    made: Option<T>,
    age_ms: u64,
    is_stale: bool,
    /// Why it can't be told.
    not_known: Option<String>,
}

impl Default for Known {
    fn default() -> Self {
        Self {
            readyz: Recent::new(HEALTH_KEPT, 1),
            requested: Recent::new(HEALTH_KEPT, 1),
            requested_apis: Recent::new(REQUESTED_APIS_KEPT, REQUESTED_APIS_CALLERS),
        }
    }
}

pub(super) async fn health(
    State(service): State<Service>,
    Ask(request): Ask<HealthRequest>,
) -> Result<Response, Failure> {
    let context = &request.context;
    let looking = Looking { service: &service, context, deadline: Deadline::after_ms(context.deadline_ms) };
    let (api, nodes, deployments, stateful_sets, daemon_sets, requested, used, certificates, deprecated) = tokio::join!(
        looking.api(),
        Box::pin(looking.nodes()),
        Box::pin(looking.workloads("deployments", Workloads::deployment)),
        Box::pin(looking.workloads("statefulsets", Workloads::stateful_set)),
        Box::pin(looking.workloads("daemonsets", Workloads::daemon_set)),
        Box::pin(looking.requested()),
        Box::pin(looking.used()),
        Box::pin(looking.certificates()),
        Box::pin(looking.deprecated()),
    );
    let mut told = Told::default();
    let nodes = told.take(nodes);
    let workloads = [deployments, stateful_sets, daemon_sets].map(|part| told.take(part));
    let requested = told.take(requested).map(Sum::resources);
    let used = told.take(used).map(Sum::resources);
    let certificates = told.take(certificates).map(Certificates::facts);
    let capacity =
        nodes.as_ref().map(|nodes| CapacityFacts { allocatable: nodes.allocatable(), requested, used });
    let facts = HealthFacts {
        api,
        workloads: workloads.into_iter().flatten().reduce(Workloads::with).map(Workloads::facts),
        nodes: nodes.map(Nodes::facts),
        capacity,
        certificates,
        deprecated: told.take(deprecated).unwrap_or_default(),
        not_known: told.not_known,
    };
    let clock = service.0.api.clock();
    let head = GatherHead {
        status: if told.is_stale { LegStatus::Stale } else { LegStatus::Ok },
        message: told.is_stale.then(|| "some of what it holds has no recent proof".to_owned()),
        source: Source::Cache,
        api_version: String::new(),
        total: 1,
        age_ms: told.age_ms,
        cluster_now_ms: clock.cluster_now_ms(),
        clock_offset_ms: clock.offset_ms(),
    };
    Ok(gathering::reply(head, vec![facts], GatherEnd { cut: None }))
}

/// What all parts come to.
#[derive(Default)]
struct Told {
    age_ms: u64,
    is_stale: bool,
    not_known: Vec<String>,
}

impl Told {
    fn take<T>(&mut self, part: Part<T>) -> Option<T> {
        self.age_ms = self.age_ms.max(part.age_ms);
        self.is_stale |= part.is_stale;
        self.not_known.extend(part.not_known);
        part.made
    }
}

/// One caller's look.
struct Looking<'a> {
    service: &'a Service,
    context: &'a CallContext,
    deadline: Deadline,
}

impl Looking<'_> {
    async fn api(&self) -> ApiFacts {
        let shared = &self.service.0;
        let ask = async {
            let timeout = READYZ.min(self.deadline.remaining());
            let probed = shared.api.probe(readyz::PATH, timeout).await;
            Ok::<_, std::convert::Infallible>(readyz::facts(probed))
        };
        let mut facts = match shared.known.readyz.about(&()).or_find_out(ask).await {
            Ok(facts) => facts,
            Err(never) => match never {},
        };
        if facts.problem.is_empty() {
            facts.problem = shared.api.problem();
        }
        facts
    }

    async fn nodes(&self) -> Part<Nodes> {
        self.at("nodes", &GroupResource::new("", "nodes"), Nodes::see).await
    }

    async fn workloads(&self, resource: &str, see: fn(&mut Workloads, &Value)) -> Part<Workloads> {
        self.read(resource, &GroupResource::new("apps", resource), see).await
    }

    /// Summing up every pod takes a while where there are many.
    async fn requested(&self) -> Part<Sum> {
        let pods = GroupResource::new("", "pods");
        if !self.sees_all(&pods, Scope::Namespaced) {
            return Part::default();
        }
        let sum = async {
            let part = self.read("pods", &pods, Sum::request).await;
            // What can't be told now may be told the next time.
            if part.made.is_some() { Ok(part) } else { Err(part) }
        };
        let finding = self.service.0.known.requested.about(&());
        let age_ms = u64::try_from(finding.age().as_millis()).unwrap_or(u64::MAX);
        match finding.or_find_out(sum).await {
            Ok(part) => Part { age_ms: part.age_ms.saturating_add(age_ms), ..part },
            Err(part) => part,
        }
    }

    /// Read live, as the caller.
    async fn used(&self) -> Part<Sum> {
        let metrics = GroupResource::new(METRICS_GROUP, "nodes");
        if !self.serves(&metrics) {
            return Part::default();
        }
        self.at("usage", &metrics, Sum::usage).await
    }

    async fn certificates(&self) -> Part<Certificates> {
        let certificates = GroupResource::new("cert-manager.io", "certificates");
        if !self.serves(&certificates) {
            return Part::default();
        }
        self.read("certificates", &certificates, Certificates::see).await
    }

    /// Nothing is known before the first discovery, which opening a kind waits for.
    fn serves(&self, kind: &GroupResource) -> bool {
        let known = self.service.0.kinds.discovery();
        known.kinds.is_empty() || known.kinds.iter().any(|info| info.id == *kind)
    }

    fn sees_all(&self, kind: &GroupResource, scope: Scope) -> bool {
        let seen = self.context.visibility.for_kind(kind);
        match scope {
            Scope::Cluster => seen.shows_all_cluster_scoped(),
            Scope::Namespaced => seen.is_unrestricted(),
        }
    }

    /// Of a kind that is in no namespace: what a part of them comes to says nothing.
    async fn at<T: Default + Send + 'static>(
        &self,
        part: &str,
        kind: &GroupResource,
        see: fn(&mut T, &Value),
    ) -> Part<T> {
        if self.sees_all(kind, Scope::Cluster) { self.read(part, kind, see).await } else { Part::default() }
    }

    /// Makes something of every visible object of a kind.
    async fn read<T: Default + Send + 'static>(
        &self,
        part: &str,
        kind: &GroupResource,
        see: fn(&mut T, &Value),
    ) -> Part<T> {
        if self.context.visibility.for_kind(kind).is_empty() {
            return Part::default();
        }
        let question = Question::new(kind, None, (&[], &[]), self.context);
        let readable = match self.service.open(&question).await {
            Ok(readable) => readable,
            Err(NotRead::Nothing(nothing)) if nothing.status == LegStatus::Absent => return Part::default(),
            Err(NotRead::Nothing(nothing)) => return Part::unknown(part, nothing.message),
            Err(NotRead::Refused(error)) => return Part::unknown(part, Some(error.message)),
        };
        let (rows, visibility) = (readable.rows.clone(), self.context.visibility.clone());
        let scan = move |budget: &ScanBudget| {
            let mut made = T::default();
            query::visit(rows.store(), &visibility, &[], budget, &mut |object| see(&mut made, object))?;
            Ok(made)
        };
        match self.service.0.scans.run(self.deadline, scan).await {
            Ok(made) => Part {
                made: Some(made),
                age_ms: readable.age_ms,
                is_stale: readable.status == LegStatus::Stale,
                not_known: readable.message.map(|limit| format!("{part}: {limit}")),
            },
            Err(error) => Part::unknown(part, Some(error.message)),
        }
    }
}

impl<T: Default> Part<T> {
    fn unknown(part: &str, why: Option<String>) -> Self {
        let why = why.unwrap_or_else(|| "no reason was given".to_owned());
        Self { not_known: Some(format!("{part}: {why}")), ..Self::default() }
    }
}

/// Text at a place in an object; empty where there is none.
fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn count(object: &Value, pointer: &str) -> u64 {
    object.pointer(pointer).and_then(Value::as_u64).unwrap_or_default()
}

/// The condition of a type, where the object has one.
fn condition<'a>(object: &'a Value, condition_type: &str) -> Option<&'a Value> {
    let conditions = object.pointer("/status/conditions")?.as_array()?;
    conditions.iter().find(|condition| condition["type"] == condition_type)
}

/// What is there of two resources of each object.
fn resources(of: &Value) -> Resources {
    Resources {
        cpu_milli: capacity::milli(&of["cpu"]),
        memory_bytes: capacity::whole(&of["memory"]),
        pods: capacity::whole(&of["pods"]),
    }
}

#[cfg(test)]
mod tests;
