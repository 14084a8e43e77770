//! One line a step on stderr, coloured only on a terminal.

use std::io::IsTerminal;
use std::time::Instant;

/// Tells a person how far things are. Shared by the threads of the clusters.
pub(crate) struct Progress {
    start: Instant,
    colour: bool,
}

impl Progress {
    /// Times are counted from here.
    pub(crate) fn start() -> Self {
        let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Self { start: Instant::now(), colour }
    }

    /// Something about one cluster (or about `who` else) is done.
    pub(crate) fn step(&self, who: &str, what: &str) {
        let seconds = self.start.elapsed().as_secs_f64();
        if self.colour {
            eprintln!("\x1b[2m{seconds:6.1}s\x1b[0m \x1b[1;36m{who:<8}\x1b[0m {what}");
        } else {
            eprintln!("{seconds:6.1}s {who:<8} {what}");
        }
    }
}
