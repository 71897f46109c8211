//! macOS: mmap, mprotect, and a fresh mapping laid over pages that are given back.

use super::Os;
use std::ptr::NonNull;
use std::sync::OnceLock;

/// The macOS implementation.
#[derive(Debug)]
pub struct MacOs;

fn map(hint: *mut u8, size: usize, protection: libc::c_int, fixed: bool) -> Option<NonNull<u8>> {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANON | if fixed { libc::MAP_FIXED } else { 0 };
    // SAFETY: - without MAP_FIXED the kernel picks a free range; with it, the callers below pass a
    //   range of our own mapping, which may be replaced.
    // - anonymous: the descriptor is -1.
    let start = unsafe { libc::mmap(hint.cast(), size, protection, flags, -1, 0) };
    if start == libc::MAP_FAILED { None } else { NonNull::new(start.cast()) }
}

fn sysctl(name: &std::ffi::CStr) -> Option<u64> {
    let mut value = 0_u64;
    let mut size = size_of::<u64>();
    // SAFETY: - `name` ends in NUL. - `value` has the `size` bytes that the call may write; a
    //   4-byte value fills the low half, which is right on a little-endian machine. - no new value.
    let status = unsafe {
        libc::sysctlbyname(name.as_ptr(), (&raw mut value).cast(), &raw mut size, std::ptr::null_mut(), 0)
    };
    (status == 0).then_some(value)
}

impl Os for MacOs {
    const DECOMMIT_ZEROES: bool = true;

    fn page_size() -> usize {
        static SIZE: OnceLock<usize> = OnceLock::new();
        *SIZE.get_or_init(|| {
            // SAFETY: sysconf has no precondition.
            let value = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
            usize::try_from(value).ok().filter(|value| value.is_power_of_two()).unwrap_or(16384)
        })
    }

    fn cache_line_size() -> usize {
        static SIZE: OnceLock<usize> = OnceLock::new();
        *SIZE.get_or_init(|| {
            sysctl(c"hw.cachelinesize")
                .and_then(|value| usize::try_from(value).ok())
                .filter(|value| value.is_power_of_two())
                .unwrap_or(64)
        })
    }

    fn reserve(size: usize, alignment: usize) -> Option<NonNull<u8>> {
        let start = map(std::ptr::null_mut(), size, libc::PROT_NONE, false)?;
        if (start.as_ptr() as usize).is_multiple_of(alignment) {
            return Some(start);
        }
        // SAFETY: just mapped with this size, and nobody else has seen it.
        unsafe { libc::munmap(start.as_ptr().cast(), size) };
        let padded = size.checked_add(alignment)?;
        let start = map(std::ptr::null_mut(), padded, libc::PROT_NONE, false)?.as_ptr();
        let head = start.align_offset(alignment);
        // SAFETY: head, range and tail are consecutive parts of the mapping, on page bounds;
        // nobody has seen it yet. An empty part is not unmapped.
        unsafe {
            let range = start.add(head);
            if head > 0 {
                libc::munmap(start.cast(), head);
            }
            if alignment > head {
                libc::munmap(range.add(size).cast(), alignment - head);
            }
            NonNull::new(range)
        }
    }

    unsafe fn commit(start: NonNull<u8>, size: usize) -> bool {
        // SAFETY: the caller's contract: page bounds inside our own mapping.
        unsafe { libc::mprotect(start.as_ptr().cast(), size, libc::PROT_READ | libc::PROT_WRITE) == 0 }
    }

    unsafe fn decommit(start: NonNull<u8>, size: usize) -> usize {
        // MADV_FREE may leave the old bytes; a fresh mapping over the range reads 0 for certain.
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        if map(start.as_ptr(), size, protection, true).is_some() { size } else { 0 }
    }

    unsafe fn release(start: NonNull<u8>, size: usize, _alignment: usize) {
        // SAFETY: the caller's contract: a whole reservation that nobody uses.
        unsafe { libc::munmap(start.as_ptr().cast(), size) };
    }

    fn now_ms() -> u64 {
        let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: `now` is a valid, writable timespec.
        unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut now) };
        now.tv_sec.unsigned_abs() * 1000 + now.tv_nsec.unsigned_abs() / 1_000_000
    }

    fn is_main_thread() -> bool {
        // SAFETY: no precondition.
        unsafe { libc::pthread_main_np() == 1 }
    }

    fn available() -> u64 {
        sysctl(c"hw.memsize").unwrap_or(0) // the machine's memory: an upper bound, the only cheap figure
    }
}
