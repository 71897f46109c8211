//! Plain copy.

use std::ptr;

use super::{Bytes, assert_same_size};

/// Copies `source` to `target`. The ranges may overlap: the result is that of a copy through a temporary.
///
/// # Panics
/// If the sizes differ.
pub fn copy(target: Bytes<'_>, source: Bytes<'_>) {
    assert_same_size(target, source);
    // SAFETY: - readable and writable: `Bytes` promises both for its whole size, and the sizes are equal.
    // - aligned: bytes need no alignment.
    // - overlap: `ptr::copy` is memmove.
    unsafe { ptr::copy(source.as_ptr(), target.as_ptr(), target.size()) }
}

#[cfg(test)]
mod tests {
    use super::{Bytes, copy};

    #[test]
    #[should_panic(expected = "sizes differ: 2 and 3")]
    fn different_sizes_are_the_callers_bug() {
        copy(Bytes::from_mut(&mut [0; 2]), Bytes::from_mut(&mut [0; 3]));
    }
}
