//! A question for logs.

use kubeplex_proto::events::Moment;
use kubeplex_proto::kind::{GroupResource, Scope};
use kubeplex_proto::log::{LogLines, LogPodsRequest, LogRequest, PodName};
use kubeplex_proto::pattern::Pattern;
use kubeplex_proto::selector::LabelSelector;

use super::{CallOptions, LegContext, Target};
use crate::limits::{MAX_LOG_PODS, MAX_MAX_BYTES};
use crate::resolve::Understood;

/// What the pods of some objects wrote, over the targets.
#[derive(Debug)]
#[cfg_attr(test, derive(Clone))]
pub struct LogsQuery {
    pub targets: Vec<Target>,
    /// Of the objects whose pods are meant; pods themselves among them.
    pub kind: GroupResource,
    /// `None` where nobody said it.
    pub scope: Option<Scope>,
    /// Set where the caller named one.
    pub version: Option<String>,
    pub namespaces: Vec<Pattern>,
    pub names: Vec<Pattern>,
    pub label_selector: LabelSelector,
    /// `None`: all that have something to say.
    pub container: Option<String>,
    /// Lines of a container.
    pub tail: u32,
    pub previous: bool,
    pub grep: Option<String>,
    pub context_lines: u32,
    pub since: Option<Moment>,
    pub until: Option<Moment>,
    /// 0: what there is.
    pub follow_ms: u64,
    pub patterns: bool,
    pub options: CallOptions,
    pub understood: Understood,
}

impl LogsQuery {
    /// The first request of a leg: which pods are meant. One more than may be read is asked for, so that "too many" is noticed.
    pub fn pods_request(&self, context: LegContext) -> LogPodsRequest {
        LogPodsRequest {
            context: context.into_call(MAX_MAX_BYTES as u64, self.options.freshness),
            kind: self.kind.clone(),
            version: self.version.clone(),
            namespaces: self.namespaces.clone(),
            names: self.names.clone(),
            label_selector: self.label_selector.clone(),
            limit: MAX_LOG_PODS as u32 + 1,
        }
    }

    /// The second one, for these pods of its cluster.
    pub fn log_request(&self, pods: Vec<PodName>, context: LegContext) -> LogRequest {
        LogRequest {
            context: context.into_call(self.options.max_bytes as u64, self.options.freshness),
            pods,
            container: self.container.clone(),
            lines: LogLines {
                tail: self.tail,
                previous: self.previous,
                grep: self.grep.clone(),
                context_lines: self.context_lines,
                since: self.since,
                until: self.until,
            },
            follow_ms: self.follow_ms,
            patterns: self.patterns,
        }
    }
}
