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

/// Of an allocation in which `size` bytes lie aligned, behind the address of its own start. It asks for no alignment: an
/// allocator gives zeroed memory that was never touched without touching it, but aligned memory it writes over.
fn layout(size: usize, alignment: usize) -> Option<Layout> {
    let whole = size.checked_add(alignment)?.checked_add(size_of::<NonNull<u8>>())?;
    Layout::from_size_align(whole, 1).ok()
}

impl Os for Portable {
    const DECOMMIT_ZEROES: bool = true;
    const GIVES_PAGES_BACK: bool = false;

    fn page_size() -> usize {
        4096 // nothing is known; the smallest page in use is right for every purpose here
    }

    fn cache_line_size() -> usize {
        64
    }

    fn reserve(size: usize, alignment: usize) -> Option<NonNull<u8>> {
        let layout = layout(size, alignment)?;
        // SAFETY: the layout is not of size 0: it has room for a pointer.
        let base = NonNull::new(unsafe { alloc_zeroed(layout) })?;
        let address = base.addr().get();
        let skip = (address + size_of::<NonNull<u8>>()).next_multiple_of(alignment) - address;
        // SAFETY: `skip` is at most a pointer's size and `alignment`, so `size` bytes lie behind it in the allocation.
        let start = unsafe { base.add(skip) };
        // SAFETY: `skip` is at least a pointer's size: the bytes before `start` are of the allocation, and nobody else's.
        unsafe { start.cast::<NonNull<u8>>().sub(1).write_unaligned(base) };
        Some(start)
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
        if let Some(layout) = layout(size, alignment) {
            // SAFETY: the caller's contract: what `reserve` gave, which left the allocation's own start before it.
            let base = unsafe { start.cast::<NonNull<u8>>().sub(1).read_unaligned() };
            // SAFETY: the caller's contract: the layout is that of `reserve`, and the memory is unused by now.
            unsafe { dealloc(base.as_ptr(), layout) };
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
