//! Memory operations over [`Bytes`]: copy, fill, byte swap, compare; plain and streaming; atomic words.
//! Room: raw (1). May use: base.
//!
//! Rules of this folder:
//! - JavaScript and other threads may write the bytes while we read them. So nothing here forms
//!   `&[u8]` over them, no index or length ever comes out of the bytes, and a result is decided
//!   from values already loaded or decided again: a race gives a mixed answer, never a stray access.
//!   (libc's `memcmp` is not used for that reason: glibc before 2.37 could crash in its SSE2 version
//!   when the bytes changed under it, sourceware bug 29863.)
//! - Streaming stores break the memory model until a fence (rust-lang/rust#114582), so `stream/x86.rs`
//!   is the only file with `_mm_stream_*`, and each function there fences before it returns.
//! - `is_x86_feature_detected!` asks the CPU once and caches the answer; `--cfg offheap_portable`
//!   leaves all SIMD out, so that CI proves the portable loops too.
//! - AVX-512 (stable since Rust 1.89) where it pays: byte swaps and comparisons within the caches, at the sizes and places
//!   that their `x86.rs` tell, on processors on which vectors of 64 bytes cost no clock speed
//!   ([`has_fast_avx512`](super::processor)). Above, memory sets the pace; below, AVX2 is as fast.

mod atomic;
mod compare;
mod copy;
mod fill;
#[cfg(any(test, all(target_arch = "x86_64", not(offheap_portable))))]
mod pages;
mod stream;
mod swap;

pub use atomic::{AtomicOp, atomic};
pub use compare::{compare, compare_part, mismatch};
pub use copy::copy;
pub use fill::{Pattern, fill};
pub use stream::{copy_streaming, copy_swapped_streaming, fill_streaming};
pub use swap::{Element, copy_swapped};

use super::bytes::Bytes;

/// # Panics
/// If the sizes differ. The callers in `ops` have refused that before; here it guards memory safety.
fn assert_same_size(one: Bytes<'_>, other: Bytes<'_>) {
    assert!(one.size() == other.size(), "sizes differ: {} and {}", one.size(), other.size());
}
