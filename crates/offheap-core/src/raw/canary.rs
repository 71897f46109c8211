//! Bugs that are there on purpose: a check that does not report them is not watching. Only with `--cfg offheap_canary`,
//! which nothing that ships has.

use super::bytes::Bytes;
use super::mem;
use std::hint::black_box;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering};

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

/// A cache line: a word in it lies in no other.
#[repr(align(64))]
struct Line([u8; 64]);

/// Adds to a word at an odd address. x86 forgives that; arm64 does not (from version 8.4 on, not across 16 bytes).
pub fn odd_word() {
    let mut line = Line([0; 64]);
    let odd = black_box(line.0.as_mut_ptr().wrapping_add(13)).cast();
    // SAFETY: none. It is not aligned; that is the bug.
    let word = unsafe { AtomicU64::from_ptr(odd) };
    word.fetch_add(1, Ordering::AcqRel);
    black_box(&line);
}
