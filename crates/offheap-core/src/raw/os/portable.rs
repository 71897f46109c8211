//! Any system: `std::alloc` alone. Memory is committed when reserved and never given back before
//! the end; correct everywhere, thrifty nowhere. Linux CI runs it with `--cfg offheap_portable`.

use super::Os;
use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::ptr::NonNull;
use std::sync::OnceLock;
use std::time::Instant;

/// The implementation that asks nothing of the system but an allocator and a clock.
#[derive(Debug)]
pub struct Portable;

impl Os for Portable {
    const DECOMMIT_ZEROES: bool = true;

    fn page_size() -> usize {
        4096 // nothing is known; the smallest page in use is right for every purpose here
    }

    fn cache_line_size() -> usize {
        64
    }

    fn reserve(size: usize, alignment: usize) -> Option<NonNull<u8>> {
        let layout = Layout::from_size_align(size, alignment).ok()?;
        // SAFETY: the trait's precondition says that `size` is not 0.
        NonNull::new(unsafe { alloc_zeroed(layout) })
    }

    unsafe fn commit(_start: NonNull<u8>, _size: usize) -> bool {
        true
    }

    unsafe fn decommit(start: NonNull<u8>, size: usize) -> usize {
        // Nothing can be given back, but the promise "reads 0 afterwards" is kept.
        // SAFETY: the caller's contract: readable, writable, and nobody needs the bytes.
        unsafe { start.as_ptr().write_bytes(0, size) };
        0
    }

    unsafe fn release(start: NonNull<u8>, size: usize, alignment: usize) {
        if let Ok(layout) = Layout::from_size_align(size, alignment) {
            // SAFETY: the caller's contract: the layout that `reserve` used, unused by now.
            unsafe { dealloc(start.as_ptr(), layout) };
        }
    }

    fn now_ms() -> u64 {
        static ORIGIN: OnceLock<Instant> = OnceLock::new();
        // A start of 1000 keeps 0 free to mean "no time".
        1000 + u64::try_from(ORIGIN.get_or_init(Instant::now).elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn available() -> u64 {
        0
    }
}
