//! What the gateway and an agent say to each other.
//!
//! Plain values with serde derives, and the few pure rules that both ends must apply alike: how sort keys compare, what a
//! selector matches, what a visibility hides. No I/O and no runtime, so either end can be tested without the other.
//!
//! The agent is an HTTP service and the gateway its client (see [`paths`]). Bodies are JSON; replies that may be long are
//! newline-delimited JSON frames. Unknown fields are ignored, so that neighbours one version apart understand each other.

pub mod call;
pub mod changes;
pub mod column;
pub mod compare;
pub mod control;
pub mod digest;
pub mod duration;
pub mod events;
pub mod explain;
pub mod gather;
pub mod get;
pub mod group;
pub mod health;
pub mod ids;
pub mod json_len;
pub mod keys;
pub mod kind;
pub mod list;
pub mod log;
pub mod nearest;
pub mod pattern;
pub mod problems;
pub mod quantity;
pub mod search;
pub mod selector;
pub mod sheet;
pub mod sort;
pub mod status;
pub mod template;
pub mod usage;
pub mod visibility;

/// Paths of the agent's HTTP service, and of the gateway's endpoint that agents dial.
pub mod paths {
    /// `POST`, [`ListRequest`](crate::list::ListRequest) → frames of [`ListFrame`](crate::list::ListFrame).
    pub const LIST: &str = "/agent/v1/list";
    /// `POST`, a [`ListRequest`](crate::list::ListRequest) with a [`Search`](crate::search::Search) → frames of
    /// [`ListFrame`](crate::list::ListFrame).
    pub const SEARCH: &str = "/agent/v1/search";
    /// `POST`, a [`ListRequest`](crate::list::ListRequest) for [`usage`](crate::usage) → frames of
    /// [`ListFrame`](crate::list::ListFrame).
    pub const USAGE: &str = "/agent/v1/usage";
    /// `POST`, [`DigestRequest`](crate::digest::DigestRequest) → frames of [`GatherFrame`](crate::gather::GatherFrame) of
    /// [`DigestItem`](crate::digest::DigestItem).
    pub const DIGESTS: &str = "/agent/v1/digests";
    /// `POST`, [`IntentRequest`](crate::digest::IntentRequest) → the same of [`ObjectIntent`](crate::digest::ObjectIntent).
    pub const INTENTS: &str = "/agent/v1/intents";
    /// `POST`, [`GetRequest`](crate::get::GetRequest) → frames of [`GetFrame`](crate::get::GetFrame).
    pub const GET: &str = "/agent/v1/get";
    /// `POST`, [`ChangesRequest`](crate::changes::ChangesRequest) → frames of
    /// [`GatherFrame`](crate::gather::GatherFrame) of [`ChangesItem`](crate::changes::ChangesItem).
    pub const CHANGES: &str = "/agent/v1/changes";
    /// `POST`, [`ProblemsRequest`](crate::problems::ProblemsRequest) → frames of
    /// [`GatherFrame`](crate::gather::GatherFrame) of [`Problem`](crate::problems::Problem).
    pub const PROBLEMS: &str = "/agent/v1/problems";
    /// `POST`, [`ExplainRequest`](crate::explain::ExplainRequest) → [gathered](crate::gather)
    /// [`Field`](crate::explain::Field)s.
    pub const EXPLAIN: &str = "/agent/v1/explain";
    /// `POST`, [`LogPodsRequest`](crate::log::LogPodsRequest) → [gathered](crate::gather) [`PodName`](crate::log::PodName)s.
    pub const LOG_PODS: &str = "/agent/v1/log/pods";
    /// `POST`, [`LogRequest`](crate::log::LogRequest) → [gathered](crate::gather) [`LogItem`](crate::log::LogItem)s.
    pub const LOG: &str = "/agent/v1/log";
    /// `POST`, [`SheetRequest`](crate::sheet::SheetRequest) → [gathered](crate::gather) [`Sheet`](crate::sheet::Sheet)s.
    pub const SHEET: &str = "/agent/v1/sheet";
    /// `POST`, [`HealthRequest`](crate::health::HealthRequest) → frames of [`GatherFrame`](crate::gather::GatherFrame).
    pub const HEALTH: &str = "/agent/v1/health";
    /// `POST`, open in both directions for the life of a link: frames of
    /// [`GatewayFrame`](crate::control::GatewayFrame) one way, [`AgentFrame`](crate::control::AgentFrame) the other.
    pub const CONTROL: &str = "/agent/v1/control";
    /// On the gateway: the WebSocket that an agent dials.
    pub const LINK: &str = "/agent/v1/link";
}

/// Content type of a reply made of newline-delimited JSON frames.
pub const FRAMES: &str = "application/x-ndjson";

/// The protocol versions that this build speaks, oldest and newest.
pub const PROTOCOL: control::ProtocolRange = control::ProtocolRange { min: 1, max: 1 };

/// The most rows that one frame carries.
pub const ROWS_PER_FRAME: usize = 64;
