//! Every size and pace that bounds a link, in one place.

use std::time::Duration;

/// HTTP/2 streams open at once, the control stream among them. The gateway's bulkhead per cluster stays below.
pub const STREAMS: u32 = 64;

/// What one unread reply may occupy, in bytes.
pub const STREAM_WINDOW: u32 = 256 * 1024;

/// What all unread replies of a link may occupy together: as much as every stream's window, so that no set of slow readers
/// can take the connection's window away from the heartbeats.
pub const CONNECTION_WINDOW: u32 = STREAMS * STREAM_WINDOW;

/// What a stream may have written and not yet sent, in bytes.
pub const SEND_BUFFER: usize = 64 * 1024;

/// Streams that the gateway may cancel before the agent has accepted them. Past it h2 sees an attack and ends the
/// connection; both ends of a link are authenticated, and a gateway may well drop a thousand calls at once.
pub const PENDING_ACCEPT_RESETS: usize = 1024;

/// Cancelled streams that are remembered, so that what the agent still sends on them is ignored instead of counted as a
/// violation (h2 ends a connection after 1,024 of those).
pub const REMEMBERED_RESETS: usize = 4096;

/// All header lines of one request or reply, in bytes.
pub const HEADERS: u32 = 16 * 1024;

/// One binary WebSocket message as this crate writes it, in bytes.
pub const MESSAGE: usize = 64 * 1024;

/// One WebSocket message as this crate accepts it, in bytes.
pub const MAX_MESSAGE: usize = 4 * MESSAGE;

/// One line of a reply to a call, in bytes: an object of the largest size that etcd takes, with room for its escapes.
pub const REPLY_FRAME: usize = 8 * 1024 * 1024;

/// One line of the control stream, in bytes: the discovery of a cluster with some ten thousand kinds.
pub const CONTROL_FRAME: usize = 4 * 1024 * 1024;

/// What is kept of a body that explains a failure, in bytes.
pub const ERROR_BODY: usize = 64 * 1024;

/// The fastest and the slowest heartbeat that a gateway can ask for.
pub const HEARTBEAT: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(60));

/// How often the files of a certificate are looked at, unless told otherwise.
pub const CERTIFICATE_CHECK: Duration = Duration::from_secs(10);

/// From when on the end of a certificate is warned of: whoever has to renew it needs a while.
pub const CERTIFICATE_WARNING: Duration = Duration::from_secs(14 * 86_400);
