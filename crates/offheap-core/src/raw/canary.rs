//! Bugs that are there on purpose: a sanitizer that does not report them is not watching. Only with `--cfg offheap_canary`,
//! which nothing that ships has.

use super::bytes::Bytes;
use super::mem;
use std::hint::black_box;
use std::ptr::NonNull;

const SIZE: usize = 64;

/// Writes one byte past the end of an allocation.
pub fn overflow() {
    let mut memory = vec![0_u8; SIZE];
    let start = NonNull::from(memory.as_mut_slice()).cast();
    // SAFETY: none. The last byte is nobody's; that is the bug.
    let bytes = unsafe { Bytes::from_raw_parts(start, black_box(SIZE + 1)) };
    mem::fill(bytes, 1.into());
    black_box(&memory);
}

/// Writes to memory that was freed.
pub fn use_after_free() {
    let mut memory = vec![0_u8; SIZE];
    let start = NonNull::from(memory.as_mut_slice()).cast();
    // SAFETY: none. The range outlives its owner; that is the bug.
    let bytes = unsafe { Bytes::from_raw_parts(start, black_box(SIZE)) };
    drop(black_box(memory));
    mem::fill(bytes, 1.into());
}
