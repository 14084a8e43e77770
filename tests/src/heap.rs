//! How much of its heap a program has in use, counted with every allocation.
//!
//! A program that wants to know says [`counted_allocator!`](crate::counted_allocator) in its root. What it then allocates with
//! is what the programs with an agent in them use, and its options are theirs. What C libraries allocate is not counted.

use std::alloc::{GlobalAlloc, Layout};
use std::sync::atomic::{AtomicUsize, Ordering};

use kubeplex_agent::allocator::Jemalloc;

static LIVE: AtomicUsize = AtomicUsize::new(0);

/// Bytes that were asked for and not given back. Zero in programs that do not count.
pub fn live() -> usize {
    LIVE.load(Ordering::Relaxed)
}

/// The allocator of the programs, with a count.
pub struct Counting;

#[expect(unsafe_code, reason = "an allocator can't be written without; every call is passed on as it came")]
// SAFETY: the allocator behind it keeps the promises.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promises are those that this call asks for.
        unsafe { Jemalloc.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { Jemalloc.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { Jemalloc.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        LIVE.fetch_add(size, Ordering::Relaxed);
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { Jemalloc.realloc(pointer, layout, size) }
    }
}

/// Makes the counting allocator that of the program whose root says so, with the options of the agent's.
#[macro_export]
macro_rules! counted_allocator {
    () => {
        #[global_allocator]
        static ALLOCATOR: $crate::heap::Counting = $crate::heap::Counting;

        #[expect(
            unsafe_code,
            reason = "the allocator reads its options from a symbol of this name before main"
        )]
        #[cfg_attr(target_os = "linux", unsafe(export_name = "malloc_conf"))]
        #[cfg_attr(not(target_os = "linux"), unsafe(export_name = "_rjem_malloc_conf"))]
        pub static ALLOCATOR_OPTIONS: &[u8; $crate::heap::OPTIONS.len()] = $crate::heap::OPTIONS;
    };
}

pub use kubeplex_agent::allocator::OPTIONS;
