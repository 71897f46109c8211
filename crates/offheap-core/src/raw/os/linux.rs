//! Linux: mmap, mprotect, madvise.

use super::Os;
use std::ptr::NonNull;
use std::sync::OnceLock;

/// The Linux implementation.
#[derive(Debug)]
pub struct Linux;

fn sysconf(name: libc::c_int) -> Option<usize> {
    // SAFETY: sysconf takes any name and has no other precondition; an unknown one returns -1.
    let value = unsafe { libc::sysconf(name) };
    usize::try_from(value).ok().filter(|value| value.is_power_of_two())
}

/// Milliseconds of one of the system's monotonic clocks.
fn clock_ms(clock: libc::clockid_t) -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `now` is a valid, writable timespec.
    unsafe { libc::clock_gettime(clock, &raw mut now) };
    now.tv_sec.unsigned_abs() * 1000 + now.tv_nsec.unsigned_abs() / 1_000_000
}

fn map(size: usize) -> Option<NonNull<u8>> {
    // SAFETY: - a null hint and no MAP_FIXED: the kernel picks a free range, nothing is replaced.
    // - anonymous: the descriptor is ignored and must be -1.
    let start = unsafe {
        libc::mmap(
            std::ptr::null_mut(),
            size,
            libc::PROT_NONE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
            -1,
            0,
        )
    };
    if start == libc::MAP_FAILED { None } else { NonNull::new(start.cast()) }
}

/// The system call; false when it is refused.
fn membarrier(command: libc::c_int) -> bool {
    // SAFETY: it takes a command, flags and a processor by value, touches no memory of the caller, and
    // answers unknown commands with an error.
    unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) == 0 }
}

/// Unmaps a part of our own mapping that nobody uses.
///
/// # Safety
/// - `[start, start + size)` is mapped by [`map`], on page bounds, and not used any more.
unsafe fn unmap(start: *mut u8, size: usize) {
    if size > 0 {
        // SAFETY: the caller's contract is munmap's.
        let status = unsafe { libc::munmap(start.cast(), size) };
        debug_assert_eq!(status, 0);
    }
}

/// A field of `/proc/meminfo`, in bytes.
fn meminfo(field: &str) -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(field))?;
    let kib = line.trim_start_matches(':').trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?;
    Some(kib << 10)
}

/// What RLIMIT_AS leaves of the address space, in bytes.
fn address_space_left() -> Option<u64> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is a valid, writable rlimit for the duration of the call.
    let status = unsafe { libc::getrlimit(libc::RLIMIT_AS, &raw mut limit) };
    if status != 0 || limit.rlim_cur == libc::RLIM_INFINITY {
        return None;
    }
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages = text.split_whitespace().next()?.parse::<u64>().ok()?;
    Some(limit.rlim_cur.saturating_sub(pages * Linux::page_size() as u64))
}

impl Os for Linux {
    const DECOMMIT_ZEROES: bool = true;

    fn page_size() -> usize {
        static SIZE: OnceLock<usize> = OnceLock::new();
        *SIZE.get_or_init(|| sysconf(libc::_SC_PAGESIZE).unwrap_or(4096))
    }

    fn cache_line_size() -> usize {
        static SIZE: OnceLock<usize> = OnceLock::new();
        *SIZE.get_or_init(|| {
            #[cfg(target_env = "gnu")]
            if let Some(size) = sysconf(libc::_SC_LEVEL1_DCACHE_LINESIZE) {
                return size;
            }
            let path = "/sys/devices/system/cpu/cpu0/cache/index0/coherency_line_size";
            std::fs::read_to_string(path)
                .ok()
                .and_then(|text| text.trim().parse::<usize>().ok())
                .filter(|size| size.is_power_of_two())
                .unwrap_or(64)
        })
    }

    fn reserve(size: usize, alignment: usize) -> Option<NonNull<u8>> {
        let start = map(size)?;
        if (start.as_ptr() as usize).is_multiple_of(alignment) {
            return Some(start);
        }
        // SAFETY: just mapped with this size, and nobody else has seen it.
        unsafe { unmap(start.as_ptr(), size) };
        let padded = size.checked_add(alignment)?;
        let start = map(padded)?.as_ptr();
        let head = start.align_offset(alignment);
        // SAFETY: - `head <= alignment`, so head, range and tail are consecutive parts of the
        //   mapping; all bounds are page bounds because alignment and size are page multiples.
        // - nobody has seen the mapping yet.
        unsafe {
            let range = start.add(head);
            unmap(start, head);
            unmap(range.add(size), alignment - head);
            NonNull::new(range)
        }
    }

    unsafe fn commit(start: NonNull<u8>, size: usize) -> bool {
        // Not MAP_NORESERVE and not mapped writable: the kernel's overcommit check happens here,
        // so that memory nobody could ever have is refused now and not by a kill at first touch.
        // SAFETY: the caller's contract: page bounds inside our own mapping.
        unsafe { libc::mprotect(start.as_ptr().cast(), size, libc::PROT_READ | libc::PROT_WRITE) == 0 }
    }

    unsafe fn decommit(start: NonNull<u8>, size: usize) -> usize {
        // SAFETY: the caller's contract: page bounds in private anonymous memory of ours whose
        // bytes nobody needs; afterwards the pages read 0.
        let status = unsafe { libc::madvise(start.as_ptr().cast(), size, libc::MADV_DONTNEED) };
        if status == 0 { size } else { 0 }
    }

    unsafe fn release(start: NonNull<u8>, size: usize, _alignment: usize) {
        // SAFETY: the caller's contract: a whole reservation that nobody uses.
        unsafe { unmap(start.as_ptr(), size) };
    }

    fn now_ms() -> u64 {
        // The coarse clock exists since Linux 2.6.32; it costs 5 ns where the exact one costs 25, and its tick is
        // 4 ms (10 ms at HZ=100).
        clock_ms(libc::CLOCK_MONOTONIC_COARSE)
    }

    fn precise_now_ms() -> u64 {
        clock_ms(libc::CLOCK_MONOTONIC)
    }

    fn is_main_thread() -> bool {
        // SAFETY: neither call has a precondition.
        unsafe { libc::gettid() == libc::getpid() }
    }

    fn can_fence_everywhere() -> bool {
        static REGISTERED: OnceLock<bool> = OnceLock::new();
        // Since Linux 4.14; a sandbox may refuse it.
        *REGISTERED.get_or_init(|| membarrier(libc::MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED))
    }

    fn fence_everywhere() {
        if !membarrier(libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED) {
            // Registered, so the kernel has no memory for it now, or a sandbox came up since. A processor empties
            // its store buffer within microseconds, and a thread that does not run has passed a fence.
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
    }

    fn available() -> u64 {
        let memory = meminfo("MemAvailable").unwrap_or(0);
        address_space_left().map_or(memory, |left| left.min(memory))
    }
}
