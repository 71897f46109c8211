//! Windows: VirtualAlloc and VirtualFree.

use super::Os;
use std::ptr::NonNull;
use std::sync::OnceLock;
use windows_sys::Win32::System::Memory::{
    MEM_COMMIT, MEM_RELEASE, MEM_RESERVE, MEM_RESET, PAGE_NOACCESS, PAGE_READWRITE, VirtualAlloc, VirtualFree,
};
use windows_sys::Win32::System::SystemInformation::{
    GetSystemInfo, GetTickCount64, GlobalMemoryStatusEx, MEMORYSTATUSEX, SYSTEM_INFO,
};

/// The Windows implementation.
#[derive(Debug)]
pub struct Windows;

fn reserve_at(hint: usize, size: usize) -> Option<NonNull<u8>> {
    // SAFETY: MEM_RESERVE takes any hint and fails where the range is not free.
    let start = unsafe { VirtualAlloc(hint as *const _, size, MEM_RESERVE, PAGE_NOACCESS) };
    NonNull::new(start.cast())
}

impl Os for Windows {
    const DECOMMIT_ZEROES: bool = false;

    fn page_size() -> usize {
        static SIZE: OnceLock<usize> = OnceLock::new();
        *SIZE.get_or_init(|| {
            let mut info = SYSTEM_INFO::default();
            // SAFETY: `info` is valid and writable.
            unsafe { GetSystemInfo(&raw mut info) };
            info.dwPageSize as usize
        })
    }

    fn cache_line_size() -> usize {
        64 // every x86-64 and arm64 core that Windows runs on
    }

    fn reserve(size: usize, alignment: usize) -> Option<NonNull<u8>> {
        let start = reserve_at(0, size)?;
        if (start.as_ptr() as usize).is_multiple_of(alignment) {
            return Some(start);
        }
        // SAFETY: a whole reservation that nobody has seen; size 0 is what MEM_RELEASE asks for.
        unsafe { VirtualFree(start.as_ptr().cast(), 0, MEM_RELEASE) };
        // A reservation cannot be trimmed here: find a hole that is large enough, let it go, and
        // take the aligned part of it. Another thread may be quicker: try again.
        for _ in 0..16 {
            let hole = reserve_at(0, size.checked_add(alignment)?)?;
            let aligned = (hole.as_ptr() as usize).next_multiple_of(alignment);
            // SAFETY: as above.
            unsafe { VirtualFree(hole.as_ptr().cast(), 0, MEM_RELEASE) };
            if let Some(start) = reserve_at(aligned, size) {
                return Some(start);
            }
        }
        None
    }

    unsafe fn commit(start: NonNull<u8>, size: usize) -> bool {
        // SAFETY: the caller's contract: page bounds inside one reservation.
        unsafe { !VirtualAlloc(start.as_ptr().cast(), size, MEM_COMMIT, PAGE_READWRITE).is_null() }
    }

    unsafe fn decommit(start: NonNull<u8>, size: usize) -> usize {
        // MEM_RESET and not MEM_DECOMMIT: the range must stay accessible, and committing it again
        // could fail, with no honest way out.
        // SAFETY: the caller's contract: whole committed pages whose bytes nobody needs.
        let start = unsafe { VirtualAlloc(start.as_ptr().cast(), size, MEM_RESET, PAGE_READWRITE) };
        if start.is_null() { 0 } else { size }
    }

    unsafe fn release(start: NonNull<u8>, _size: usize, _alignment: usize) {
        // SAFETY: the caller's contract: a whole reservation that nobody uses.
        unsafe { VirtualFree(start.as_ptr().cast(), 0, MEM_RELEASE) };
    }

    fn now_ms() -> u64 {
        // SAFETY: no precondition. Resolution 10 to 16 ms.
        unsafe { GetTickCount64() }
    }

    fn available() -> u64 {
        let mut status =
            MEMORYSTATUSEX { dwLength: size_of::<MEMORYSTATUSEX>() as u32, ..Default::default() };
        // SAFETY: `status` is valid, writable, and carries its length.
        if unsafe { GlobalMemoryStatusEx(&raw mut status) } == 0 {
            0
        } else {
            status.ullAvailPhys.min(status.ullAvailVirtual)
        }
    }
}
