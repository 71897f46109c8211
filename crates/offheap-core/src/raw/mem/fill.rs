//! Plain fill.

use std::ptr;

use super::Bytes;

/// Sets every byte of `target` to `value`.
pub fn fill(target: Bytes<'_>, value: u8) {
    // SAFETY: - writable: `Bytes` promises it for its whole size.
    // - aligned: bytes need no alignment.
    unsafe { ptr::write_bytes(target.as_ptr(), value, target.size()) }
}
