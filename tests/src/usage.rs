//! What this process holds: to be compared with what it held before.

use std::time::Duration;

use crate::{heap, wait};

/// How often and how far apart a process at rest is looked at: what is only passing shows in some looks, what is held in all.
const LOOKS: usize = 10;
const APART: Duration = Duration::from_millis(100);

/// The state of a process that is at rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Usage {
    /// Bytes of the heap in use; see [`heap`].
    pub live: usize,
    /// Bytes that the system has given, where it tells.
    pub resident: Option<usize>,
    /// Open files, sockets among them, where the system tells.
    pub files: Option<usize>,
}

impl Usage {
    /// The least of several looks.
    pub async fn at_rest() -> Self {
        let mut least = Self::now();
        for _ in 1..LOOKS {
            wait::pass(APART).await;
            let now = Self::now();
            let less = |a: Option<usize>, b: Option<usize>| a.zip(b).map(|(a, b)| a.min(b));
            least = Self {
                live: least.live.min(now.live),
                resident: less(least.resident, now.resident),
                files: less(least.files, now.files),
            };
        }
        least
    }

    fn now() -> Self {
        Self { live: heap::live(), resident: resident(), files: files() }
    }
}

fn resident() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<usize>().ok()? << 10)
}

fn files() -> Option<usize> {
    // The folder itself is open while it is read.
    std::fs::read_dir("/proc/self/fd").ok().map(|files| files.count() - 1)
}
