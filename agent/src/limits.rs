//! Every limit of what the agent holds and of what callers may ask it, in one file; how a cache is laid out is its own matter.
//! Ceilings that no gateway can lift are constants; what an operator may set is in
//! [`Limits`], with its default.

use std::time::Duration;

/// What a credential plugin may take, unless told otherwise: kubectl waits for ever, but has a person before it.
pub const PLUGIN_TIMEOUT: Duration = Duration::from_secs(30);

/// What a credential plugin may print.
pub const PLUGIN_OUTPUT_BYTES: usize = 1024 * 1024;

/// How much of a credential plugin's complaint is read …
pub const PLUGIN_MESSAGE_BYTES: usize = 16 * 1024;

/// … and how many of its lines are told.
pub const PLUGIN_MESSAGE_LINES: usize = 3;

/// A watch event longer than this ends the watch: etcd holds 1.5 MiB an object by default, and JSON is longer than that.
pub const WATCH_LINE_BYTES: usize = 16 * 1024 * 1024;

/// A page of a list longer than this is asked for again in smaller pieces.
pub const PAGE_BYTES: usize = 64 * 1024 * 1024;

/// Objects asked for in one page of a list.
pub const PAGE_OBJECTS: u32 = 500;

/// The most that a page grows to where a list is too slow for its continue tokens.
pub const PAGE_OBJECTS_MOST: u32 = 8_000;

/// Discovery, one object, a Table: replies that are read whole.
pub const REPLY_BYTES: usize = 64 * 1024 * 1024;

/// A certificate chain of a Secret that is longer is not read.
pub const TOLD_CERTIFICATE_BYTES: usize = 256 * 1024;

/// Names of a certificate that are told.
pub const TOLD_DNS_NAMES: usize = 100;

/// What is told of a Secret's data is texts of at most so many characters.
pub const TOLD_CHARACTERS: usize = 512;

/// So much of a Helm release is decompressed; a few kilobytes may stand for gigabytes.
pub const TOLD_RELEASE_BYTES: u64 = 32 * 1024 * 1024;

/// The API server's word on what somebody may do.
pub const REVIEW_BYTES: usize = 64 * 1024;

/// An object whose JSON is longer keeps its row, not its body.
pub const OBJECT_BYTES: usize = 1_536 * 1024;

/// Objects that are prepared together, and applied under one write lock.
pub const INGEST_BATCH: usize = 64;

/// Columns of a kind that its definition may declare; nothing bounds them there, and each costs a cell in every row. Of more
/// than that the first are shown, and the others found by their paths.
pub const DECLARED_COLUMNS: usize = 64;

/// Objects that a list sweeps at once of which it is told what they were; of the others, that they are gone.
pub const SWEPT_COMPARED: usize = 2_000;

/// Watch events up to this many bytes together are prepared where they arrive; more go to a blocking thread.
pub const INLINE_INGEST_BYTES: usize = 64 * 1024;

/// Objects of a kind that could not be read, remembered by name. Of more only the number is known, until the next whole list.
pub const UNREADABLE_NAMED: usize = 10_000;

/// UIDs remembered per kind as deleted, so that a late event does not bring the object back.
pub const TOMBSTONES: usize = 4_096;

/// Events kept: the newest so many …
pub const EVENTS_KEPT: usize = 20_000;

/// … or so many bytes of them, with the strings and rows that they need.
pub const EVENT_BYTES_KEPT: usize = 16 * 1024 * 1024;

/// Objects that a scan decodes before it lets writers in and looks at its deadline: a few milliseconds …
pub const DECODED_UNDER_LOCK: usize = 64;

/// … and rows, where it decodes nothing: they are a hundred times cheaper.
pub const ROWS_UNDER_LOCK: usize = 8_000;

/// No answer is longer than about this many bytes, whatever a gateway allows: the rest is cut and said.
pub const ANSWER_BYTES: u64 = 32 * 1024 * 1024;

/// No page has more rows, whatever a gateway asks for …
pub const ANSWER_ROWS: usize = 10_000;

/// … and no answer more whole objects.
pub const ANSWER_OBJECTS: usize = 1_000;

/// Different values of the status column that are counted apart; the others together, as `other`.
pub const STATUS_VALUES: usize = 64;

/// Groups of one answer: what has more different values is no grouping.
pub const GROUPS: usize = 2_000;

/// Objects that are compared at once.
pub const COMPARED_OBJECTS: usize = 5_000;

/// How long a search waits for kinds whose first lists are under way; one that is later is named as not searched.
pub const SEARCH_SYNC: Duration = Duration::from_secs(2);

/// Kinds that one search names and nobody watches yet, and that are therefore opened.
pub const SEARCH_OPENED: usize = 5;

/// Longer paths and longer chains of steps are nobody's honest question.
pub const PATH_CHARACTERS: usize = 1_024;
pub const PATH_STEPS: usize = 64;

/// A descent inside a descent visits everything once for each pair of levels.
pub const PATH_DESCENTS: usize = 2;

/// Objects that verdicts of problems are remembered of: those with which something is wrong, and those that hang on others …
pub const PROBLEM_OBJECTS: usize = 5_000;

/// … and what these hang on, altogether. Each takes some hundred bytes; of objects beyond, only the number is known.
pub const PROBLEM_LOOKS: usize = 20_000;

/// Changed objects that are noted until they are judged; of kinds with more, all objects are.
pub const PROBLEM_CHANGES: usize = 4_096;

/// Objects that are judged before others get the thread: some milliseconds.
pub const PROBLEM_BATCH: usize = 64;

/// Events of one object that an analyser of problems gets, the newest.
pub const PROBLEM_EVENTS_LOOKED_AT: usize = 20;

/// Problems of one answer, the gravest.
pub const PROBLEMS_TOLD: usize = 500;

/// Objects of one problem that are named …
pub const PROBLEM_EXAMPLES: usize = 3;

/// … what shows it …
pub const PROBLEM_EVIDENCE: usize = 3;

/// … and different sorts of consequences.
pub const PROBLEM_SYMPTOMS: usize = 5;

/// Objects that an analyser of problems gets where it asks for several, each decoded.
pub const PROBLEM_OBJECTS_LISTED: usize = 500;

/// No call is worked on for longer, whatever it says.
pub const LONGEST_CALL: Duration = Duration::from_secs(120);

/// Rows go into a frame until it has this many bytes; a frame must stay far below what the gateway reads as one line.
pub const FRAME_BYTES: usize = 512 * 1024;

/// Scans at once for each processor, so that one that waits for a lock does not leave it idle.
pub const SCANS_A_PROCESSOR: usize = 2;

/// Namespaces that kinds are watched in one by one: each costs a watch a kind.
pub const WATCHED_NAMESPACES: usize = 50;

/// Objects that a live list reads at most …
pub const LIVE_OBJECTS: usize = 10_000;

/// … and bytes of them, as the API server sends them.
pub const LIVE_BYTES: usize = 128 * 1024 * 1024;

/// Objects that are read one by one where a call names them; more are listed.
pub const LIVE_NAMED: usize = 20;

/// Namespaces that are listed live one by one; of more the whole cluster is.
pub const LIVE_NAMESPACES: usize = 20;

/// How long the API server's word on what a caller may do is believed …
pub const REVIEW_KEPT: Duration = Duration::from_secs(10);

/// … and how many such words at once.
pub const REVIEWS_KEPT: usize = 2_048;

/// Groups of a caller that are passed on to the API server; a caller with more reads nothing live.
pub const CALLER_GROUPS: usize = 100;

/// How long one live read of a kind that can't be watched answers its caller …
pub const LIVE_READ_KEPT: Duration = Duration::from_secs(10);

/// … and how many such reads at once, over all callers.
pub const LIVE_READS_KEPT: usize = 16;

/// Live reads of single objects under way at once for one call, of the few that the agent allows itself altogether.
pub const LIVE_OBJECTS_AT_ONCE: usize = 4;

/// What documents that describe kinds may take, compressed: a few dozen of them.
pub const DOCUMENTS_BYTES: usize = 4 * 1024 * 1024;

/// Fields of a kind that are told at once.
pub const EXPLAINED_FIELDS: usize = 1_000;

/// Logs that are read or followed at once, over all calls …
pub const LOGS_AT_ONCE: usize = 100;

/// … for one call, unless it follows them …
pub const LOGS_OF_A_CALL_AT_ONCE: usize = 4;

/// … and containers whose logs one call reads.
pub const LOG_CONTAINERS: usize = 100;

/// Lines of a container that are kept at most, whatever a gateway asks for …
pub const LOG_LINES: usize = 100_000;

/// … and lines shown around one that matches.
pub const LOG_LINES_BESIDE: usize = 50;

/// Workloads whose pods are looked for at once.
pub const LOG_WORKLOADS: usize = 1_000;

/// What a gateway says first on a link is short; more than this is no first word.
pub const FIRST_WORD_BYTES: usize = 64 * 1024;

/// How long the API server's word on what the agent may do in a namespace is believed: as long as all kinds take to ask.
pub const OWN_RULES_KEPT: Duration = Duration::from_secs(10);

/// Fields that one change is told by; of more the number.
pub const CHANGE_FIELDS: usize = 8;

/// Characters of a value in a change.
pub const CHANGE_VALUE_CHARS: usize = 160;

/// Changes of late that are held in memory, in bytes.
pub const HISTORY_RING_BYTES: usize = 16 * 1024 * 1024;

/// Changes that wait to be written to a disk, in bytes.
pub const HISTORY_PENDING_BYTES: usize = 4 * 1024 * 1024;

/// Changes that are kept on a disk, in bytes, compressed …
pub const HISTORY_DISK_BYTES: u64 = 256 * 1024 * 1024;

/// … and for how long.
pub const HISTORY_DISK_DAYS: u32 = 7;

/// Spans of which not every change is known, remembered by kind; of more the oldest become one.
pub const HISTORY_GAPS: usize = 512;

/// Changes that one question looks at; of more the newest.
pub const CHANGES_READ: usize = 200_000;

/// Changes that one answer tells, whatever a gateway asks for.
pub const ANSWER_CHANGES: usize = 5_000;

/// Connections of gateways that dial the agent, at once.
pub const GATEWAYS: usize = 16;

/// After a failed `accept` (no file descriptors left, most likely) the listener waits this long instead of spinning.
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// That somebody dials with a wrong token is said once in so long.
pub const REFUSAL_SAID_EVERY: Duration = Duration::from_secs(600);

/// The longest request that the agent's HTTP service reads.
pub const REQUEST_BYTES: usize = 1024 * 1024;

/// Of a message that the cluster wrote, as evidence of a problem, so much is kept.
pub const EVIDENCE_CHARACTERS: usize = 300;

/// What an operator may set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Calls to the API server at once, watches not counted.
    pub calls_in_flight: usize,
    /// Calls to the API server a second, watches not counted.
    pub calls_per_second: u32,
    /// Whole lists (a first one, or one after a gap) under way at once, over all kinds.
    pub lists_at_once: usize,
    /// Kinds watched because somebody asked for them.
    pub on_demand_kinds: usize,
    /// How long such a kind is watched after its last use.
    pub on_demand_idle: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            calls_in_flight: 10,
            calls_per_second: 20,
            lists_at_once: 4,
            on_demand_kinds: 64,
            on_demand_idle: Duration::from_secs(10 * 60),
        }
    }
}

/// How long what a cluster is like is told again: who asks for the health of a fleet asks more than once.
pub(crate) const HEALTH_KEPT: Duration = Duration::from_secs(5);

/// For the API server to say whether it is ready.
pub(crate) const READYZ: Duration = Duration::from_secs(5);

/// How long it is believed which deprecated APIs the API server was asked for: its metrics are megabytes …
pub(crate) const REQUESTED_APIS_KEPT: Duration = Duration::from_secs(10 * 60);

/// … that are waited for so long …
pub(crate) const REQUESTED_APIS: Duration = Duration::from_secs(5);

/// … and read up to so many bytes; for so many callers it is known at once.
pub(crate) const METRICS_BYTES: usize = 64 * 1024 * 1024;
pub(crate) const REQUESTED_APIS_CALLERS: usize = 16;

/// Objects named one by one in each part of a cluster's health; of the others the number is told.
pub(crate) const HEALTH_NAMED: usize = 10;

/// Objects described in one answer, and in each part of a description the most that is told one by one.
pub(crate) const SHEETS: usize = 5;
pub(crate) const SHEET_RELATIVES: usize = 8;
pub(crate) const SHEET_EVENTS: usize = 5;
pub(crate) const SHEET_PROBLEMS: usize = 3;
pub(crate) const SHEET_CHANGES: usize = 5;

/// How far back a description looks for changes.
pub(crate) const SHEET_CHANGES_FOR: Duration = Duration::from_secs(7 * 24 * 3600);

/// What an object may take of its description.
pub(crate) const SHEET_OBJECT_BYTES: usize = 1_600;

/// Pods whose logs a description looks through, the last lines of each container that it reads, and sorts of errors that it
/// tells.
pub(crate) const SHEET_LOG_PODS: usize = 10;
pub(crate) const SHEET_LOG_LINES: u32 = 500;
pub(crate) const SHEET_LOG_PATTERNS: usize = 5;
