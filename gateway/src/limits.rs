//! Every limit of the gateway, each with its reason: what may be configured, what a caller may ask for, and what one part may
//! cost another in memory or time. They are applied at the edge of the part that they bound. How an answer divides its
//! budget is the rendering's own matter.
//!
//! The transport's own limits (streams, windows, heartbeats) belong to the link crate.

mod rates;

use std::time::Duration;

pub use rates::{LocalUser, Rate, Rates};

/// What may be configured; the defaults suit a laptop and a hundred clusters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The largest request body on `/mcp`. Arguments are small; a manifest to apply is the largest thing a client sends.
    pub request_bytes: usize,
    /// Calls being worked on at once; the rest are told when to come back. Each may hold a page of rows.
    pub calls_in_flight: usize,
    /// Requests whose answers are not out yet, in all: each may hold an answer that its client does not take.
    pub requests_in_flight: usize,
    /// The same of one caller, so that one who takes no answers leaves room for others. The local user has no such limit.
    pub requests_per_caller: usize,
    /// How much each caller may use up in a time.
    pub rates: Rates,
    /// Places for legs, over all calls: a call takes one for each cluster it asks, at most `legs_per_call`, and holds them
    /// until it is answered. Each leg holds the rows that its part of a page was expected to need.
    pub legs_in_flight: usize,
    /// Legs of one call that are being worked on at once; one that was answered does not count.
    pub legs_per_call: usize,
    /// Bytes of all answers of one call for rows. What agents are asked for at first stays below it even where a thousand of
    /// them are asked for the largest page; an answer that goes beyond it costs the rows of its cluster.
    pub answer_bytes: usize,
    /// Bytes of answers that are kept to be given again while nothing has changed, about; 0 keeps none.
    pub result_cache_bytes: u64,
    /// Legs to one cluster at once. Below the 64 streams of a link, so that its control stream always finds room.
    pub legs_per_cluster: usize,
    /// Legacy sessions that may exist at once. Each costs about 50 kB whether it is used or not.
    pub sessions: usize,
    /// The same of one caller. The local user may have all.
    pub sessions_per_caller: usize,
    /// A legacy session that nobody used for so long is closed.
    pub session_idle: Duration,
    /// Connections on a listener at once. File descriptors are a shared good. Links of agents do not count: their number is
    /// that of the clusters.
    pub connections: usize,
    /// Connections from one address of a network (an IPv6 /64) at once, so that one host can't take all of the above. This
    /// machine itself has no such limit: a proxy on it stands for everybody.
    pub connections_per_address: usize,
    /// A connection on which no complete request head came for so long after it was made is closed.
    pub request_head: Duration,
    /// A request body must have arrived after this time: a client that sends a byte a minute holds a connection, not a call.
    pub request_body: Duration,
    /// A connection without any exchange is closed after so long. Clients give up theirs after 90 s at most, and it has to
    /// be the client who closes, or its next request meets a closed connection.
    pub connection_idle: Duration,
    /// A client that takes nothing of its answer for so long loses its connection, and that the answer's memory. Streams
    /// that have nothing to say are not meant.
    pub slow_reader: Duration,
    /// How long running calls may go on after the gateway was told to stop.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            request_bytes: 1 << 20,
            calls_in_flight: 1_024,
            requests_in_flight: 2_048,
            requests_per_caller: 256,
            rates: Rates::default(),
            legs_in_flight: 4_096,
            legs_per_call: 128,
            answer_bytes: 128 << 20,
            result_cache_bytes: 64 << 20,
            legs_per_cluster: 48,
            sessions: 256,
            sessions_per_caller: 32,
            session_idle: Duration::from_secs(1_800),
            connections: 8_192,
            connections_per_address: 256,
            request_head: Duration::from_secs(30),
            request_body: Duration::from_secs(15),
            connection_idle: Duration::from_secs(120),
            slow_reader: Duration::from_secs(20),
            drain: Duration::from_secs(10),
        }
    }
}

/// The streams of one link, as both of its ends set them: what `legs_per_cluster` must stay below.
pub const LINK_STREAMS: usize = kubeplex_link::limits::STREAMS as usize;

// What a caller may ask for. The schemas of the tools and the messages of refusals are made of these.

/// Rows of a page.
pub const DEFAULT_LIMIT: u32 = 50;
pub const MAX_LIMIT: u32 = 1_000;

/// Seconds a call may take.
pub const DEFAULT_TIMEOUT_S: u64 = 10;
pub const MAX_TIMEOUT_S: u64 = 120;

/// Bytes of `structuredContent`. The smallest holds the coverage of a healthy fleet and a row or two.
pub const MIN_MAX_BYTES: usize = 500;
pub const MAX_MAX_BYTES: usize = 4 << 20;
/// VS Code and Copilot CLI move larger results into a file and show the model a preview.
pub const DEFAULT_MAX_BYTES: usize = 7_500;

/// Objects of one cluster that are described at once.
pub const MAX_LEG_SHEETS: u32 = 5;

/// What one description may take, in bytes of JSON: about 1,200 tokens.
pub const SHEET_BYTES: usize = 3_800;

/// Bytes of one argument's text: nobody types more, and selectors are matched against every object.
pub const MAX_ARGUMENT_BYTES: usize = 4_096;
/// Levels of arrays and objects in the arguments; the deepest that a tool knows is one.
pub const MAX_ARGUMENT_DEPTH: usize = 4;
/// Values in the arguments altogether.
pub const MAX_ARGUMENT_VALUES: usize = 512;
/// Parts of a comma list, requirements of a selector, terms of an order.
pub const MAX_LIST_PARTS: usize = 64;

/// Keys and sums of groups.
pub const MAX_GROUP_PARTS: usize = 8;
/// Groups over all clusters, at about 300 bytes each.
pub const MAX_GROUPS: usize = 10_000;

/// Objects that are compared with those of other clusters; agents have a bound of their own.
pub const MAX_COMPARED_OBJECTS: u32 = 5_000;

/// Objects of which it is told by what they differ.
pub const MAX_DIFFERING_OBJECTS: usize = 100;

/// Places named where an object is missing.
pub const MAX_SIDES: usize = 1_000;

/// Of a manifest, which is longer than other arguments.
pub const MAX_MANIFEST_BYTES: usize = 256 << 10;
pub const MAX_MANIFEST_OBJECTS: usize = 200;
/// What a leg may send of groups, in bytes.
pub const LEG_GROUP_BYTES: u64 = 1 << 20;

/// Problems that one cluster tells, the gravest; of more it says how many.
pub const MAX_LEG_PROBLEMS: u32 = 500;

/// Levels of fields that `resource_explain` shows …
pub const USUAL_EXPLAINED_DEPTH: u32 = 1;
pub const MAX_EXPLAINED_DEPTH: u32 = 5;

/// … and steps of a path to them.
pub const MAX_EXPLAINED_PATH: usize = 32;

/// Pods whose logs `pods_log` reads.
pub const MAX_LOG_PODS: usize = 20;

/// Lines of each container; with `patterns`, which shows no lines, more are read.
pub const DEFAULT_TAIL: u32 = 100;
pub const DEFAULT_TAIL_FOLDED: u32 = 10_000;
pub const MAX_TAIL: u32 = 10_000;

/// Lines before and after one that matches.
pub const MAX_CONTEXT_LINES: u32 = 50;

/// Seconds that logs are followed.
pub const MAX_FOLLOW_S: u64 = 60;

/// What a pattern that logs are searched for may take, compiled.
pub const LOG_PATTERN_BYTES: usize = 1 << 20;

/// Lines told of in one notification while logs are followed …
pub const NEWS_LINES: usize = 20;

/// … and characters of each.
pub const NEWS_CHARS: usize = 200;

/// Distinct objects that `resources_get` shows.
pub const MAX_DISTINCT_OBJECTS: usize = 20;

/// Changes that one cluster tells of, the newest; of more the number.
pub const MAX_LEG_CHANGES: u32 = 2_000;

/// Bytes of a cursor. No honest one is longer: the merge lets no key above [`MAX_KEY_BYTES`] through, and a cluster takes a
/// bit.
pub const MAX_CURSOR_BYTES: usize = 16_384;
/// Bytes of text in the key of a row: it has to fit into a cursor.
pub const MAX_KEY_BYTES: usize = 4_096;

/// Agents that may be between their handshake and their first complete report: after a restart of the gateway all come at
/// once, each with the discovery of its cluster.
pub const ARRIVALS: usize = 32;

/// How long a request whose link is being left waits for the one that takes its place: both ends know within a round trip.
pub const HANDOVER: Duration = Duration::from_secs(2);

/// Frames of reports and heartbeats that an agent may send: it reports every 20 ms at most.
pub const AGENT_FRAMES: Rate = Rate::new(200, 1_000);

/// The same in KiB: some discoveries of the largest size at once, and then far more than changes can be.
pub const AGENT_KIB: Rate = Rate::new(1_024, 16 << 10);

/// Kinds of a cluster whose reports are kept. Agents watch the built-in ones and 64 more.
pub const REPORTED_KINDS: usize = 1_000;

/// What is kept of the message in the report of a kind, in bytes.
pub const REPORTED_MESSAGE: usize = 1 << 10;

/// Objects that a caller may have looked at for one charge: about what an agent filters in a millisecond.
pub const OBJECTS_PER_CHARGE: u64 = 1_000;

/// Callers whose rates are remembered, beside those that used nothing for long. There are as many as the configuration has.
pub const RATED_CALLERS: usize = 10_000;

/// The same for callers by clusters, of each class: some 200 bytes each.
pub const RATED_CELLS: usize = 200_000;

/// Addresses of strangers that are remembered. Where there are more, those that are not are told to wait.
pub const RATED_ADDRESSES: usize = 10_000;

/// How deep the JSON of a request may nest. A deeper one is an attack on a recursive parser, not a question.
pub const JSON_DEPTH: usize = 64;

/// What the rows of a page may take on their way, in bytes of the page: they carry their keys, too, and some are not shown.
/// The clusters that are asked at once share it.
pub const PAGE_BYTES_FACTOR: u64 = 4;

/// What a leg may send in any case, in bytes: a few rows, with all that a head may say.
pub const LEG_BYTES: u64 = 64 << 10;

/// What the deadline for the first answers leaves of their call's. One cluster that hangs makes all others wait until then,
/// and the page may need more rows than they were asked for at first: the rest is fetched in this time.
pub const LEG_MARGIN: Duration = Duration::from_secs(1);

/// The most that [`LEG_MARGIN`] takes of a short deadline, as a divisor.
pub const LEG_MARGIN_DIVISOR: u32 = 5;

/// What an answer may take of the time that is left when its cluster is asked again for the same page, as a divisor. If it
/// hangs then, the others have the rest for what the page still needs.
pub const ROUND_SHARE: u32 = 2;

/// What a call gets beyond its deadline before it is cut off: the deadlines of its legs must come first, because then the
/// answer says which clusters were late.
pub const HANDLER_GRACE: Duration = Duration::from_secs(2);

/// A call that runs longer than this reports progress, and goes on doing so in this rhythm.
pub const PROGRESS_EVERY: Duration = Duration::from_secs(1);

/// How long a cursor holds: long enough to read page after page, short enough that the clusters it left out come back.
pub const CURSOR_LIFE: Duration = Duration::from_secs(900);

/// A leg with less time than this says nothing about its cluster, and so does one beside which the cluster answered
/// another one within this time: neither the impatience of a caller nor a queue opens a breaker.
pub const BREAKER_MIN_WAIT: Duration = Duration::from_millis(500);

/// A cluster's breaker looks at so many of its latest legs…
pub const BREAKER_WINDOW: usize = 5;

/// …opens when so many of them timed out…
pub const BREAKER_TRIP: usize = 3;

/// …and lets a probe through after this time, doubling up to the maximum while probes time out.
pub const BREAKER_OPEN: Duration = Duration::from_secs(5);
pub const BREAKER_OPEN_MAX: Duration = Duration::from_secs(60);

/// How long a call waits for a probe that is its own. A cluster that is well again answers sooner; one that is not has shown
/// often enough that it is not worth waiting for.
pub const PROBE_PATIENCE: Duration = Duration::from_millis(500);

/// The most that a probe may take, whatever its call has: a cluster that came back meanwhile is not found before it is over.
pub const PROBE_LONGEST: Duration = Duration::from_secs(DEFAULT_TIMEOUT_S);

/// What a refused call is told to wait when nothing better is known.
pub const RETRY_AFTER: Duration = Duration::from_millis(500);

/// What a client must take of its answers in the time that `slow_reader` says, once its socket takes no more, in bytes:
/// 26 kbit/s with the default. Half of it comes at once, because a kernel that was full waits until there is room for that.
pub const READER_BYTES: u64 = 64 << 10;

/// A TLS handshake takes two round trips; who needs longer than this is no client.
pub const TLS_HANDSHAKE: Duration = Duration::from_secs(10);

/// An answer is handed to its connection in pieces of so many bytes. What a reader over HTTP/2 does not take keeps one piece
/// a stream beyond its window.
pub const ANSWER_PIECE: usize = 16 << 10;

/// What a stream over HTTP/2 may have been handed and not yet sent, in bytes.
pub const ANSWER_BYTES_UNSENT: usize = 64 << 10;

/// Requests at once on one connection over HTTP/2. Clients have a handful under way.
pub const STREAMS: u32 = 128;

/// Requests over HTTP/2 that a client may cancel before they were looked at; beyond that it is a flood, and the connection
/// ends. Agents have a limit of their own: their connections carry one request, the WebSocket.
pub const RESETS_PENDING: usize = 32;

/// What is read and dropped of a request that was answered before it was all there, so that its client gets to read why: some
/// times what a request may have.
pub const UNREAD_BYTES: usize = 8 << 20;

/// How long that may take.
pub const UNREAD_WAIT: Duration = Duration::from_secs(1);

/// All header lines of a request, in bytes.
pub const HEADER_BYTES: usize = 64 << 10;

/// A session unused for so long may be ended when another needs its place. Longer than any call may take.
pub const SESSION_EVICTABLE: Duration = Duration::from_secs(180);

/// The same for one in which nothing was ever said after it was opened.
pub const SESSION_NEVER_USED: Duration = Duration::from_secs(10);

/// Seconds that a client is asked to wait when every session is in use.
pub const SESSION_RETRY_AFTER_S: u64 = 30;

/// How long a gateway that was told to stop still takes calls: what was sent before its clients could know is answered, and
/// a load balancer has read that it is not ready.
pub const LAME_DUCK: Duration = Duration::from_millis(500);

/// Questions that are remembered as they were understood, all of one snapshot of the fleet: some hundred bytes each, and a
/// place for each of its clusters.
pub const UNDERSTOOD_QUESTIONS: usize = 256;

/// Bytes of the arguments of such a question.
pub const UNDERSTOOD_BYTES: usize = 1 << 10;

/// How long an answer is kept, changed or not. What is used is asked for again once in this time: its agent sees that the
/// kind is still in use, and measures its clocks anew.
pub const KEPT_FOR: Duration = Duration::from_secs(60);

/// What is kept of a cluster is given without asking it while its agent said within this time what has changed, or that
/// nothing has; it does so every four seconds. A change that it could not tell is not older.
pub const VOUCHES_FOR: Duration = Duration::from_secs(8);

/// How long a call waits for another one that is asking the same. Many round trips of a healthy fleet; where a cluster hangs,
/// this is what its next caller loses by waiting first.
pub const FOLLOWS_FOR: Duration = Duration::from_millis(200);

/// How often recorded durations are put into their buckets. At a thousand calls a second to ten clusters, 1.3 MB wait for it.
pub const METRICS_UPKEEP: Duration = Duration::from_secs(5);

/// What connections get to send their last bytes, once no call is running any more.
pub const LAST_WORDS: Duration = Duration::from_secs(1);

/// Agents without a link of which the log says why, each with its reason; further ones are said to be there.
pub const REFUSALS_SAID: usize = 256;

/// After so long it is said again.
pub const REFUSALS_SAID_FOR: Duration = Duration::from_secs(3_600);
