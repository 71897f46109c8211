//! Raw: the only room that touches memory. Turns offsets into pointers; owns every byte.
//! Room: raw (1). May use: base.
#![expect(unsafe_code, reason = "raw memory is what this room is for; the other rooms forbid it")]

pub mod atlas;
pub mod bytes;
#[cfg(offheap_canary)]
pub mod canary;
#[cfg(offheap_faults)]
pub mod faults;
pub mod mem;
pub mod os;
pub mod processor;
pub mod region;
pub mod scratch;
pub mod words;
pub mod zeroes;

#[cfg(offheap_tsan)]
use crate::base::sync::AtomicU64;
use crate::base::sync::{Ordering, fence};
use os::Os as _;

/// ThreadSanitizer does not know the system's fence. What a script did before it said so here happens before the end of
/// the next [`fence_everywhere`], which is what the fence promises.
#[cfg(offheap_tsan)]
static PASSED: AtomicU64 = AtomicU64::new(0);

/// Whether memory reads 0 after its pages were given back.
pub const DECOMMIT_ZEROES: bool = os::System::DECOMMIT_ZEROES;

/// Size of a page in bytes, as the system reports it.
#[must_use]
pub fn page_size() -> usize {
    os::System::page_size()
}

/// Size of a data cache line in bytes, as the system reports it.
#[must_use]
pub fn cache_line_size() -> usize {
    os::System::cache_line_size()
}

/// Milliseconds of a monotonic clock, resolution 16 ms or better.
#[must_use]
pub fn now_ms() -> u64 {
    os::System::now_ms()
}

/// The clock of [`now_ms`] at this moment. `now_ms` lags behind it by a tick, and for as long as a busy machine's
/// tick is late.
#[must_use]
pub fn precise_now_ms() -> u64 {
    os::System::precise_now_ms()
}

/// Whether [`fence_everywhere`] works here.
#[must_use]
pub fn can_fence_everywhere() -> bool {
    cfg!(loom) || os::System::can_fence_everywhere()
}

/// Returns when every running thread of the process has passed a full memory fence, where that works: the
/// expensive half of a pair whose cheap half is a compiler fence.
pub fn fence_everywhere() {
    if cfg!(loom) {
        fence(Ordering::SeqCst); // a model's threads are none of the system's
        return;
    }
    os::System::fence_everywhere();
    #[cfg(offheap_tsan)]
    PASSED.fetch_add(1, Ordering::AcqRel);
}

/// A script is about to say that it is done.
#[cfg(offheap_tsan)]
pub fn note_done() {
    PASSED.fetch_add(1, Ordering::Release);
}

/// Bytes that the system could still give: an estimate for error texts, 0 where unknown.
#[must_use]
pub fn available_bytes() -> u64 {
    os::System::available()
}

/// Whether the calling thread is the process's first; false where the system does not say.
#[must_use]
pub fn is_main_thread() -> bool {
    os::System::is_main_thread()
}
