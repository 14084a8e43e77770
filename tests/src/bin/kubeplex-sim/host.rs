//! What a process takes from its machine by chance: the time, and random bytes. Here both follow from the seed, for every
//! library in the process: hash tables, jitter, identifiers, and the order in which a runtime looks at what is ready. By both
//! clocks no time passes but the runtime's, so that it does not matter how fast the machine is.
//!
//! The two functions stand in the place of the C library's. Only Linux asks it for both by these names.

#![expect(unsafe_code, reason = "functions of the C library can't be replaced otherwise")]

use std::cell::Cell;
use std::ffi::{c_int, c_long, c_uint, c_void};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::Instant;

use crate::dice::Dice;

/// When every simulation begins, in seconds since 1970: in November 2026.
const ORIGIN_S: u64 = 1_795_000_000;

static SEED: AtomicU64 = AtomicU64::new(0);
static BEGAN: OnceLock<Began> = OnceLock::new();

/// The same moment by the runtime's clock and by the machine's.
struct Began {
    at: Instant,
    monotonic: Duration,
}

thread_local! {
    /// Each thread has a sequence of its own: threads may run in any order.
    static SEQUENCE: Cell<Option<Dice>> = const { Cell::new(None) };
}

/// From now on random bytes follow from `seed`. To be called before anything has asked for some.
pub(crate) fn seed(seed: u64) {
    SEED.store(seed, Ordering::Relaxed);
}

/// From now on time passes by the clock of the runtime that this is called in.
pub(crate) fn start_clock() {
    BEGAN.get_or_init(|| Began { at: Instant::now(), monotonic: machine_time(libc::CLOCK_MONOTONIC) });
}

fn machine_time(clock: libc::clockid_t) -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the place is ours.
    unsafe { libc::syscall(libc::SYS_clock_gettime, clock, &raw mut time) };
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or_default())
}

#[unsafe(no_mangle)]
unsafe extern "C" fn getrandom(buffer: *mut c_void, length: usize, _flags: c_uint) -> isize {
    // SAFETY: whoever asks owns a buffer of this length, as the C library's function demands.
    let bytes = unsafe { std::slice::from_raw_parts_mut(buffer.cast::<u8>(), length) };
    let mut dice = SEQUENCE.take().unwrap_or_else(|| Dice::new(SEED.load(Ordering::Relaxed)));
    for chunk in bytes.chunks_mut(8) {
        chunk.copy_from_slice(&dice.roll().to_le_bytes()[..chunk.len()]);
    }
    SEQUENCE.set(Some(dice));
    length.cast_signed()
}

#[unsafe(no_mangle)]
unsafe extern "C" fn clock_gettime(clock: libc::clockid_t, time: *mut libc::timespec) -> c_int {
    // Outside the runtime its clock is this one.
    let began = BEGAN.get().filter(|_| Handle::try_current().is_ok());
    let passed = began.map(|began| began.at.elapsed()).unwrap_or_default();
    let now = match (clock, began) {
        (libc::CLOCK_REALTIME, _) => Duration::from_secs(ORIGIN_S) + passed,
        (libc::CLOCK_MONOTONIC, Some(began)) => began.monotonic + passed,
        _ => machine_time(clock),
    };
    let (tv_sec, tv_nsec) = (now.as_secs().cast_signed(), c_long::from(now.subsec_nanos()));
    // SAFETY: whoever asks owns the place.
    unsafe { time.write(libc::timespec { tv_sec, tv_nsec }) };
    0
}
