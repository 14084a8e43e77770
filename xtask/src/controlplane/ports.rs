//! Ports that stay free for a server that may be stopped and started again.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, TcpListener};

use anyhow::bail;

/// Below the ranges from which systems take the ports of outgoing connections: such a port could be taken by
/// anybody's connection while its server is stopped.
const RANGE: std::ops::Range<u16> = 20_000..32_000;

/// Takes ports one after the other, never one twice.
pub(crate) struct Ports {
    taken: BTreeSet<u16>,
    next: u16,
}

impl Ports {
    /// `taken` are those that belong to clusters already, running or not.
    pub(crate) fn new(taken: BTreeSet<u16>) -> Self {
        // Two checkouts on one machine start their search at different places.
        let span = u32::from(RANGE.end - RANGE.start);
        let offset = u16::try_from(std::process::id().wrapping_mul(97) % span).unwrap_or(0);
        Self { taken, next: RANGE.start + offset }
    }

    /// A port of loopback on which nobody listens.
    ///
    /// # Errors
    /// Every port of the range is in use.
    pub(crate) fn take(&mut self) -> anyhow::Result<u16> {
        for _ in RANGE {
            let port = self.next;
            self.next = if port + 1 == RANGE.end { RANGE.start } else { port + 1 };
            let free = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
            if free && self.taken.insert(port) {
                return Ok(port);
            }
        }
        bail!("no port of 127.0.0.1 is free between {} and {}", RANGE.start, RANGE.end - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_is_listened_on_or_taken_is_passed_over() {
        let first = Ports::new(BTreeSet::new()).take().unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, first)).unwrap();
        let mut ports = Ports::new(BTreeSet::new());
        let second = ports.take().unwrap();
        assert_ne!(first, second);
        assert_ne!(second, ports.take().unwrap());
        drop(listener);
        assert_ne!(Ports::new(BTreeSet::from([first])).take().unwrap(), first);
    }

    #[test]
    fn the_search_wraps_at_the_end_of_the_range() {
        let mut ports = Ports { taken: (RANGE.start + 1..RANGE.end).collect(), next: RANGE.end - 1 };
        let taken = ports.take();
        assert!(taken.is_err() || taken.is_ok_and(|port| port == RANGE.start));
    }
}
