//! How much callers may use up in a time.

use std::num::NonZeroU32;

/// How much each caller may use up in a time: of the endpoint in requests, and of each cluster in charges. A model in a loop
/// is a caller too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rates {
    /// Requests, whatever they ask. Answered before anything of them is read, so it only has to be far below what keeps a
    /// gateway busy, which is some thousands a second.
    pub requests: Rate,
    /// Sessions that are opened; each costs about 50 kB until it is closed or was unused for long.
    pub initialize: Rate,
    /// Requests that were nobody's, from one address: guesses of tokens, and clients without one.
    pub strangers: Rate,
    /// Calls that the gateway answers by itself, pages that it kept among them.
    pub fleet: Rate,
    /// Charges in one cluster for what its agent holds: one a call, and one for every [`OBJECTS_PER_CHARGE`](super::OBJECTS_PER_CHARGE) objects of the
    /// kind. An agent filters about so many in a millisecond: this is one of its processors.
    pub cached: Rate,
    /// The same for what its agent has to ask the API server, of whom it asks 20 requests a second at most.
    pub live: Rate,
    pub local_user: LocalUser,
}

/// A bucket that holds `burst` and gets `per_second` back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    pub per_second: NonZeroU32,
    pub burst: NonZeroU32,
}

/// Whether the person at this machine, who calls without a token, is held to the rates of callers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LocalUser {
    #[default]
    Free,
    Limited,
}

impl Rate {
    /// # Panics
    /// When either is 0.
    pub const fn new(per_second: u32, burst: u32) -> Self {
        match (NonZeroU32::new(per_second), NonZeroU32::new(burst)) {
            (Some(per_second), Some(burst)) => Self { per_second, burst },
            _ => panic!("a rate of nothing"),
        }
    }
}

impl Default for Rates {
    fn default() -> Self {
        Self {
            requests: Rate::new(500, 1_000),
            initialize: Rate::new(2, 20),
            strangers: Rate::new(5, 50),
            fleet: Rate::new(500, 1_000),
            cached: Rate::new(1_000, 5_000),
            live: Rate::new(10, 40),
            local_user: LocalUser::Free,
        }
    }
}
