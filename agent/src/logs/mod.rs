//! A container's log on its way: searched, redacted and cut down as it comes, so that little of it is held.
//!
//! Pure: pieces of a log in, the few lines that are meant out. What is matched is what is shown: a pattern is tried on the
//! redacted line, beside what was masked, so nobody finds out by it what a credential was ([`matching`]).

mod kept;
mod key_block;
mod matching;
mod reading;
mod split;

pub use matching::Grep;
pub use reading::{Reading, Wanted};
