//! What a thread holds of the heap.

use std::ptr;

use tikv_jemalloc_sys::mallctl;

/// Bytes that this thread has taken from the allocator and not given back, whichever language asked for them, each
/// allocation with all that it occupies. Below zero for who frees what others took.
pub(crate) fn held() -> i64 {
    counter(c"thread.allocated") - counter(c"thread.deallocated")
}

#[expect(unsafe_code, reason = "the allocator's own counters are behind its C interface")]
fn counter(name: &std::ffi::CStr) -> i64 {
    let (mut value, mut length) = (0_u64, size_of::<u64>());
    // SAFETY: both counters are read as 64 bits, into a place of that size, and nothing is written to them.
    let failure = unsafe {
        mallctl(name.as_ptr(), ptr::from_mut(&mut value).cast(), &raw mut length, ptr::null_mut(), 0)
    };
    assert_eq!(failure, 0, "{name:?} can't be read");
    value.cast_signed()
}
