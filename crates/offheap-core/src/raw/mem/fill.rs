//! Plain fill, with a byte or with a pattern.

use std::ptr;

use super::Bytes;

/// 16 bytes that repeat from the start of a range on; what is left at its end is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Pattern([u8; Self::BYTES]);

impl Pattern {
    /// Bytes of a pattern.
    pub const BYTES: usize = 16;

    /// These 16 bytes.
    #[must_use]
    pub const fn new(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    /// 1, 2, 4, 8 or 16 bytes, repeated; `None` of another number of them.
    #[must_use]
    pub fn repeated(bytes: &[u8]) -> Option<Self> {
        let fits = bytes.len().is_power_of_two() && bytes.len() <= Self::BYTES;
        fits.then(|| Self(std::array::from_fn(|index| bytes[index % bytes.len()])))
    }

    /// The byte that it is 16 times, if it is one.
    #[must_use]
    pub fn byte(self) -> Option<u8> {
        self.0.iter().all(|byte| *byte == self.0[0]).then_some(self.0[0])
    }

    /// The pattern of a range that begins `bytes` later.
    #[cfg(all(target_arch = "x86_64", not(offheap_portable)))]
    pub(super) fn after(self, bytes: usize) -> Self {
        let mut rotated = self.0;
        rotated.rotate_left(bytes % Self::BYTES);
        Self(rotated)
    }

    /// Its bytes.
    #[cfg(all(target_arch = "x86_64", not(offheap_portable)))]
    pub(super) const fn bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }
}

impl From<u8> for Pattern {
    fn from(byte: u8) -> Self {
        Self([byte; Self::BYTES])
    }
}

/// Fills `target` with a pattern that begins with it.
pub fn fill(target: Bytes<'_>, pattern: Pattern) {
    let (start, size_bytes) = (target.as_ptr(), target.size());
    // SAFETY: - writable: `Bytes` promises it for its whole size.
    // - aligned: bytes need no alignment. - AVX2: detected just before.
    unsafe {
        if let Some(byte) = pattern.byte() {
            return ptr::write_bytes(start, byte, size_bytes);
        }
        #[cfg(all(target_arch = "x86_64", not(offheap_portable)))]
        if is_x86_feature_detected!("avx2") {
            return fill_avx2(start, pattern, size_bytes);
        }
        fill_blocks(start, pattern, size_bytes);
    }
}

/// [`fill_blocks`], of which the compiler then makes stores of 32 bytes.
///
/// # Safety
/// - `target` is writable for `size_bytes`.
/// - The CPU has AVX2.
#[cfg(all(target_arch = "x86_64", not(offheap_portable)))]
#[target_feature(enable = "avx2")]
unsafe fn fill_avx2(target: *mut u8, pattern: Pattern, size_bytes: usize) {
    // SAFETY: the caller's promise is the callee's.
    unsafe { fill_blocks(target, pattern, size_bytes) }
}

/// # Safety
/// - `target` is writable for `size_bytes`.
#[inline(always)]
pub(super) unsafe fn fill_blocks(target: *mut u8, pattern: Pattern, size_bytes: usize) {
    const BLOCK_BYTES: usize = 8 * Pattern::BYTES;
    let block = [pattern.0; BLOCK_BYTES / Pattern::BYTES];
    let mut done = 0;
    // SAFETY: - in range: the loop condition leaves a whole block, and the rest is less than one.
    // - alignment: an unaligned write, and bytes. - no overlap: `block` is ours.
    unsafe {
        while size_bytes - done >= BLOCK_BYTES {
            target
                .add(done)
                .cast::<[[u8; Pattern::BYTES]; BLOCK_BYTES / Pattern::BYTES]>()
                .write_unaligned(block);
            done += BLOCK_BYTES;
        }
        ptr::copy_nonoverlapping(block.as_ptr().cast(), target.add(done), size_bytes - done);
    }
}

#[cfg(test)]
mod tests {
    use super::{Bytes, Pattern, fill};

    #[test]
    fn a_pattern_has_1_2_4_8_or_16_bytes() {
        for size in 0..=32_usize {
            let bytes: Vec<u8> = (1..=size as u8).collect();
            assert_eq!(Pattern::repeated(&bytes).is_some(), [1, 2, 4, 8, 16].contains(&size), "{size}");
        }
    }

    #[test]
    fn a_pattern_begins_with_the_range_and_is_cut_at_its_end() {
        for pattern_size in [1, 2, 4, 8, 16] {
            let bytes: Vec<u8> = (1..=pattern_size as u8).collect();
            let pattern = Pattern::repeated(&bytes).unwrap();
            assert_eq!(pattern.byte().is_some(), pattern_size == 1);
            for size in (0..400).step_by(3) {
                for offset in 0..20 {
                    let mut target = vec![0xEE; 440];
                    let mut expected = target.clone();
                    for (index, byte) in expected[offset..offset + size].iter_mut().enumerate() {
                        *byte = bytes[index % pattern_size];
                    }
                    fill(Bytes::from_mut(&mut target[offset..offset + size]), pattern);
                    assert!(target == expected, "{pattern_size} bytes over {size} at {offset}");
                }
            }
        }
    }
}
