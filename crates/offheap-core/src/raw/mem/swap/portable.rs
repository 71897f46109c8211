//! Byte swap with integers alone. Compilers turn the block into vector instructions where the target
//! has them by default (aarch64: `rev16`, `rev32`, `rev64`).

use super::{Element, step_offset};

/// One step. A whole number of elements of any size, and of vectors of any CPU.
const BLOCK_BYTES: usize = 64;

/// An integer as wide as an element.
trait Word: Copy {
    fn swapped(self) -> Self;
}

macro_rules! words {
    ($($word:ty)*) => { $(impl Word for $word {
        #[inline(always)]
        fn swapped(self) -> Self {
            self.swap_bytes()
        }
    })* };
}
words!(u16 u32 u64 u128);

/// Copies `size_bytes` with the bytes of each element reversed.
///
/// # Safety
/// - `source` is readable and `target` writable for `size_bytes`, a multiple of the element.
/// - Where the ranges overlap: `BACKWARD` if `target` is above `source`, not `BACKWARD` if below.
pub(in super::super) unsafe fn swap<const BACKWARD: bool>(
    target: *mut u8,
    source: *const u8,
    size_bytes: usize,
    element: Element,
) {
    // SAFETY: the caller's promises are the callee's; each word is as wide as its element.
    unsafe {
        match element {
            Element::E2 => swap_words::<u16, { BLOCK_BYTES / 2 }, BACKWARD>(target, source, size_bytes),
            Element::E4 => swap_words::<u32, { BLOCK_BYTES / 4 }, BACKWARD>(target, source, size_bytes),
            Element::E8 => swap_words::<u64, { BLOCK_BYTES / 8 }, BACKWARD>(target, source, size_bytes),
            Element::E16 => swap_words::<u128, { BLOCK_BYTES / 16 }, BACKWARD>(target, source, size_bytes),
        }
    }
}

/// # Safety
/// As for [`swap`], with `W` as the element and `COUNT` words in a block.
unsafe fn swap_words<W: Word, const COUNT: usize, const BACKWARD: bool>(
    target: *mut u8,
    source: *const u8,
    size_bytes: usize,
) {
    const { assert!(COUNT * size_of::<W>() == BLOCK_BYTES) };
    let mut done = 0;
    // SAFETY: - in range: the loop conditions leave a whole step.
    // - alignment: unaligned reads and writes. - any bytes are a valid integer.
    // - overlap: a step loads all it reads before it stores, and the direction keeps its stores off
    //   what later steps load.
    unsafe {
        while size_bytes - done >= BLOCK_BYTES {
            let at = step_offset::<BACKWARD>(size_bytes, done, BLOCK_BYTES);
            let block = source.add(at).cast::<[W; COUNT]>().read_unaligned().map(W::swapped);
            target.add(at).cast::<[W; COUNT]>().write_unaligned(block);
            done += BLOCK_BYTES;
        }
        while size_bytes - done >= size_of::<W>() {
            let at = step_offset::<BACKWARD>(size_bytes, done, size_of::<W>());
            let word = source.add(at).cast::<W>().read_unaligned().swapped();
            target.add(at).cast::<W>().write_unaligned(word);
            done += size_of::<W>();
        }
    }
}
