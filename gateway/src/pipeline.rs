//! What happens to a call: seven stages, each one taking what only a stage before it can make.
//!
//! ```text
//! identify → Caller → resolve → Request → authorize → Permit → admit → Admitted → fanout → Answers → merge → Merged → render
//! ```
//!
//! A page that no cluster has changed since it was answered is not asked for again: `results` may stand in for `fanout` and
//! `merge`, and for nothing else. It looks by a `Permit`, and shows to who is `Admitted`.
//!
//! What is worked out for a call beside that is worked out once: a question in the same words, by the same caller, of the same
//! snapshot of the fleet is the same `Request` ([`questions`]), and where its page was seen is noted beside it. Every stage is
//! passed all the same.
//!
//! A check that is skipped does not compile: a `Request` comes from `resolve` alone and can't be written or copied; who has no
//! `Permit` for one can't be admitted; who is not admitted can't ask; and only what a permit asks is rendered.
//!
//! `identify` runs before bodies are read, because which tools there are depends on the caller. `resolve` finds no cluster
//! and no kind that they may not see. `resolve`, `authorize` and `render` are pure. `admit` may wait for a place. `fanout`
//! readies a leg for each cluster, and merging sends them: [`merge`](crate::merge) is pure, and says which rows are next.

use std::time::Duration;

use kubeplex_proto::ids::ClusterId;
use serde_json::{Map, Value};
use tokio::time::{Instant, timeout_at};
use tracing::Instrument as _;

use crate::admit::{Admission, Admitted};
use crate::clock::{Now, millis, now_ms};
use crate::config::GatewayConfig;
use crate::cursor::CursorSealer;
use crate::error::{CallError, ErrorCode};
use crate::fanout::Fanout;
use crate::identify::Caller;
use crate::limits::{CURSOR_LIFE, HANDLER_GRACE, Rates};
use crate::policy::{self, Decision};
use crate::registry::Registry;
use crate::render::{Again, RenderContext, Rendered, Reply};
use crate::resolve::{Scope, TimeOfDay};
use crate::results;
use crate::results::pages::{Keep, KeptPages, Turn};
use crate::telemetry::Telemetry;
use crate::tools::{self, Tool};
use crate::trace::{Stage, Trace};

mod metrics;
mod questions;

use self::metrics::CallMetrics;
use self::questions::{Asked, Questions, Words};

/// The stages with what they need. One for all calls of a gateway.
pub struct Pipeline {
    registry: Registry,
    sealer: CursorSealer,
    questions: Questions,
    admission: Admission,
    pages: KeptPages,
    fanout: Fanout,
    metrics: CallMetrics,
}

/// What a caller asks.
pub struct Question<'a> {
    pub caller: Caller,
    /// As [`Pipeline::tool`] found it.
    pub tool: &'static Tool,
    pub arguments: &'a Map<String, Value>,
}

impl Pipeline {
    pub fn new(config: &GatewayConfig, registry: Registry, telemetry: &Telemetry) -> Self {
        let key = config.cursor_key().map_or_else(rand::random, |key| key.0);
        Self {
            sealer: CursorSealer::new(key, millis(CURSOR_LIFE)),
            questions: Questions::default(),
            admission: Admission::new(config.limits(), telemetry),
            pages: KeptPages::new(results::bytes_of_pages(config.limits()), registry.clone(), telemetry),
            fanout: Fanout::new(registry.clone(), config.limits(), *config.health(), telemetry.clone()),
            metrics: CallMetrics::new(telemetry),
            registry,
        }
    }

    /// The tools that exist for a caller.
    pub fn tools(&self, caller: &Caller) -> impl Iterator<Item = &'static Tool> {
        tools::catalogue()
            .tools()
            .iter()
            .filter(|tool| policy::decide(caller, tool.deed()) == Decision::Allow)
    }

    /// A tool by name, if it exists for the caller. One that is hidden is as unknown as one that is not there.
    pub fn tool(&self, caller: &Caller, name: &str) -> Option<&'static Tool> {
        tools::catalogue().get(name).filter(|tool| policy::decide(caller, tool.deed()) == Decision::Allow)
    }

    /// From now on callers are held to these rates.
    pub fn set_rates(&self, rates: &Rates) {
        self.admission.set_rates(rates);
    }

    /// A cluster is not expected any more.
    pub fn forget(&self, cluster: &ClusterId) {
        self.fanout.forget(cluster);
    }

    /// Calls that are being worked on.
    pub fn calls_in_flight(&self) -> usize {
        self.admission.calls_in_flight()
    }

    /// Lets no further call in, and returns when the last one is over.
    pub async fn drain(&self) {
        self.admission.drain().await;
    }

    /// Answers a call. Dropping the future cancels it, in the clusters too.
    ///
    /// # Errors
    /// [`CallError`], when there is nothing to answer with; a cluster that failed is part of the answer.
    pub async fn call(&self, question: Question<'_>, trace: &Trace) -> Result<Reply, CallError> {
        let span = tracing::info_span!(
            "call",
            id = trace.call_id().0,
            tool = question.tool.name,
            caller = question.caller.user()
        );
        let tool = question.tool;
        let result = self.run(question, trace).instrument(span.clone()).await;
        self.metrics.over(tool, result.as_ref().err().map(|error| error.code), trace.started().elapsed());
        span.in_scope(|| log(&result, trace));
        result
    }

    async fn run(&self, question: Question<'_>, trace: &Trace) -> Result<Reply, CallError> {
        let Question { caller, tool, arguments } = question;
        let clock = trace.stage(Stage::Identify, trace.started());
        let Asked { request, seen } = self.resolve(&caller, tool, arguments)?;
        let clock = trace.stage(Stage::Resolve, clock);
        let deadline = trace.started() + Duration::from_millis(request.options().timeout_ms);
        let permit = policy::authorize(caller, tool.deed(), request)?;
        let clock = trace.stage(Stage::Authorize, clock);
        let sight = self.pages.look(tool, &permit, &seen, clock);
        let (effort, give_up) = (sight.effort(), halfway(clock, deadline));
        let admitted = self.admission.admit(permit, tool.class, effort, give_up).await?;
        let clock = trace.stage(Stage::Admit, clock);
        match self.pages.turn(sight, &admitted, clock).await {
            Turn::Show(page) => {
                let reply = page.reply(trace);
                trace.stage(Stage::Render, clock);
                Ok(reply)
            }
            // Apart, so that the future of a call whose page is kept is small: it is moved from task to task.
            Turn::Ask(keep) => {
                let asking = Box::pin(self.ask(tool, &admitted, deadline, trace, keep));
                asking.await.map(Reply::Rendered)
            }
        }
    }

    async fn ask(
        &self,
        tool: &Tool,
        admitted: &Admitted,
        deadline: Instant,
        trace: &Trace,
        keep: Keep<'_>,
    ) -> Result<Rendered, CallError> {
        let clock = Instant::now();
        let answers = self.fanout.ask(admitted, deadline, trace);
        let clock = trace.stage(Stage::Fanout, clock);
        let merged = timeout_at(deadline + HANDLER_GRACE, answers.merge()).await;
        let clock = trace.stage(Stage::Merge, clock);
        let merged = merged.map_err(|_| overdue(deadline, trace))??;
        let context = RenderContext { now: Now::read(), sealer: &self.sealer, nonce: rand::random() };
        let again = Again::of_merged(&merged, context.now.steady);
        let rendered = tool.render(merged, &context)?;
        trace.stage(Stage::Render, clock);
        keep.keep(again, &rendered, trace);
        Ok(rendered)
    }

    /// Pure but for the fleet and the time: where neither is another one than before, nor is what the same words mean.
    fn resolve(
        &self,
        caller: &Caller,
        tool: &'static Tool,
        arguments: &Map<String, Value>,
    ) -> Result<Asked, CallError> {
        let fleet = self.registry.snapshot();
        let words = Words { caller, tool, arguments };
        if let Some(asked) = self.questions.find(words, &fleet) {
            return Ok(asked);
        }
        let scope = Scope {
            fleet: &policy::visible(caller, fleet.clone()),
            visibility: caller.visibility(),
            caller: caller.user(),
            sealer: &self.sealer,
            time: TimeOfDay::new(now_ms()),
        };
        let asked = Asked::new(tool.resolve(arguments, &scope)?);
        if !scope.time.was_read() {
            self.questions.remember(words, &fleet, &asked);
        }
        Ok(asked)
    }
}

fn halfway(from: Instant, to: Instant) -> Instant {
    from + to.saturating_duration_since(from) / 2
}

/// Every leg has a deadline of its own, so this is a defect; but one call's, and not for ever.
fn overdue(deadline: Instant, trace: &Trace) -> CallError {
    let waited = (deadline - trace.started()).as_secs();
    CallError::new(ErrorCode::Timeout, format!("the call was cut off: nothing was decided within {waited} s"))
}

fn log(result: &Result<Reply, CallError>, trace: &Trace) {
    let elapsed_ms = millis(trace.started().elapsed());
    match result {
        Ok(_) => tracing::debug!(elapsed_ms, "answered"),
        Err(error) => tracing::info!(elapsed_ms, code = %error.code, "refused or failed: {error}"),
    }
}
