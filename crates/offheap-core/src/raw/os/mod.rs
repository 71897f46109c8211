//! The whole contract with the operating system, as one trait; one file per system implements it.

use std::ptr::NonNull;

#[cfg(any(offheap_portable, not(any(target_os = "linux", target_os = "macos", windows))))]
mod portable;
#[cfg(any(offheap_portable, not(any(target_os = "linux", target_os = "macos", windows))))]
pub use portable::Portable as System;

#[cfg(all(not(offheap_portable), target_os = "linux"))]
mod linux;
#[cfg(all(not(offheap_portable), not(offheap_faults), target_os = "linux"))]
pub use linux::Linux as System;
/// Linux, which refuses on order.
#[cfg(all(not(offheap_portable), offheap_faults, target_os = "linux"))]
pub type System = super::faults::Refusing<linux::Linux>;

#[cfg(all(not(offheap_portable), target_os = "macos"))]
mod macos;
#[cfg(all(not(offheap_portable), target_os = "macos"))]
pub use macos::MacOs as System;

#[cfg(all(not(offheap_portable), windows))]
mod windows;
#[cfg(all(not(offheap_portable), windows))]
pub use windows::Windows as System;

/// What the core asks of an operating system. Sizes and offsets are bytes and multiples of
/// [`Os::page_size`]; `reserve` gives addresses, `commit` makes them memory.
pub trait Os {
    /// Whether memory reads 0 after [`Os::decommit`].
    const DECOMMIT_ZEROES: bool;

    /// Whether [`Os::decommit`] gives pages back; else it only keeps its promises, by writing.
    const GIVES_PAGES_BACK: bool = true;

    /// Size of a page, in bytes; a power of two.
    fn page_size() -> usize;

    /// Size of a data cache line, in bytes, as the system reports it. A power of two; 64 where
    /// the system does not say, the line of every x86-64 and of most arm64 cores.
    fn cache_line_size() -> usize;

    /// Reserves a range of addresses whose first is a multiple of `alignment`. Reading or writing
    /// it is a fault until [`Os::commit`].
    ///
    /// pre: `size` > 0, a page multiple; `alignment` a power of two, at least a page.
    fn reserve(size: usize, alignment: usize) -> Option<NonNull<u8>>;

    /// Makes a part of a reservation readable and writable. Its bytes read 0.
    ///
    /// # Safety
    /// - `[start, start + size)` lies inside one reservation of this trait, on page bounds.
    /// - No part of it is committed.
    unsafe fn commit(start: NonNull<u8>, size: usize) -> bool;

    /// Gives the pages of a committed part back. The range stays readable and writable; its old
    /// bytes are lost. Returns the bytes that the system took.
    ///
    /// # Safety
    /// - `[start, start + size)` is committed, on page bounds.
    /// - Nobody needs the bytes.
    unsafe fn decommit(start: NonNull<u8>, size: usize) -> usize;

    /// Ends a reservation as a whole.
    ///
    /// # Safety
    /// - `start`, `size` and `alignment` are those of one [`Os::reserve`]; nobody uses it any more.
    unsafe fn release(start: NonNull<u8>, size: usize, alignment: usize);

    /// Milliseconds of a monotonic clock whose origin is not defined. Resolution 16 ms or better.
    fn now_ms() -> u64;

    /// The same clock, read in a way that costs more and never lags, where there is one.
    fn precise_now_ms() -> u64 {
        Self::now_ms()
    }

    /// Whether the calling thread is the process's first; false where the system does not say.
    fn is_main_thread() -> bool {
        false
    }

    /// Whether [`Os::fence_everywhere`] works.
    fn can_fence_everywhere() -> bool {
        false
    }

    /// Returns when every running thread of the process has passed a full memory fence. Only where it works.
    fn fence_everywhere() {}

    /// Bytes the system could still give, for an error's text: an estimate, 0 where unknown.
    fn available() -> u64;
}
