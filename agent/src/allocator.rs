//! The allocator that programs with an agent in them use, and its options. Why: `docs/decisions/0003-allocator.md`.
//!
//! A library can't choose an allocator for a program, so each program says [`program_allocator!`](crate::program_allocator)
//! in its `main.rs`.

pub use tikv_jemallocator::Jemalloc;

/// Two heaps for all threads, and memory that is free for half a second goes back to the system, if need be by a thread
/// of the allocator's own. Ends in a zero byte, as C wants it.
#[cfg(not(target_env = "musl"))]
pub const OPTIONS: &[u8; 69] = b"narenas:2,background_thread:true,dirty_decay_ms:500,muzzy_decay_ms:0\0";

/// The same without the thread, which the allocator does not have there: memory goes back as the agent works.
#[cfg(target_env = "musl")]
pub const OPTIONS: &[u8; 47] = b"narenas:2,dirty_decay_ms:500,muzzy_decay_ms:0\0\0";

/// Makes this allocator, with its options, that of the program whose root says so.
#[macro_export]
macro_rules! program_allocator {
    () => {
        #[global_allocator]
        static ALLOCATOR: $crate::allocator::Jemalloc = $crate::allocator::Jemalloc;

        #[expect(
            unsafe_code,
            reason = "the allocator reads its options from a symbol of this name before main"
        )]
        #[cfg_attr(target_os = "linux", unsafe(export_name = "malloc_conf"))]
        #[cfg_attr(not(target_os = "linux"), unsafe(export_name = "_rjem_malloc_conf"))]
        pub static ALLOCATOR_OPTIONS: &[u8; $crate::allocator::OPTIONS.len()] = $crate::allocator::OPTIONS;
    };
}
