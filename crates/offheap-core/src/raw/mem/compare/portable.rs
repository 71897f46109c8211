//! First mismatch with integers alone.

const WORD_BYTES: usize = size_of::<u64>();

/// One step. Compilers turn it into a few vector instructions.
const BLOCK_WORDS: usize = 8;
const BLOCK_BYTES: usize = BLOCK_WORDS * WORD_BYTES;

/// The index of the first byte in which `size_bytes` at `one` and `other` differ.
///
/// # Safety
/// - `one` and `other` are readable for `size_bytes`.
pub(super) unsafe fn mismatch(one: *const u8, other: *const u8, size_bytes: usize) -> Option<usize> {
    let mut at = 0;
    // SAFETY: - in range: every loop condition leaves the bytes that its turn reads; the last word
    //   begins `WORD_BYTES` before the end and the range has at least as many.
    // - alignment: unaligned reads. - any bytes are a valid integer.
    unsafe {
        while size_bytes - at >= BLOCK_BYTES {
            let block = one.add(at).cast::<[u64; BLOCK_WORDS]>().read_unaligned();
            let other_block = other.add(at).cast::<[u64; BLOCK_WORDS]>().read_unaligned();
            let differences: [u64; BLOCK_WORDS] = std::array::from_fn(|word| block[word] ^ other_block[word]);
            if differences.iter().fold(0, |all, difference| all | difference) != 0 {
                let word = differences.iter().position(|difference| *difference != 0)?;
                return Some(at + word * WORD_BYTES + first_byte(differences[word]));
            }
            at += BLOCK_BYTES;
        }
        while size_bytes - at >= WORD_BYTES {
            let difference = difference_at(one, other, at);
            if difference != 0 {
                return Some(at + first_byte(difference));
            }
            at += WORD_BYTES;
        }
        if size_bytes >= WORD_BYTES {
            // The rest as one word that overlaps what was found equal.
            let last = size_bytes - WORD_BYTES;
            let difference = difference_at(one, other, last);
            return (difference != 0).then(|| last + first_byte(difference));
        }
        (at..size_bytes).find(|&index| one.add(index).read() != other.add(index).read())
    }
}

/// # Safety
/// - Both pointers are readable for `at` bytes and a word.
#[inline(always)]
unsafe fn difference_at(one: *const u8, other: *const u8, at: usize) -> u64 {
    // SAFETY: - in range: the caller's promise. - alignment: unaligned reads.
    unsafe { one.add(at).cast::<u64>().read_unaligned() ^ other.add(at).cast::<u64>().read_unaligned() }
}

/// The index of the first byte in memory order that is not 0, of a word that is not 0.
fn first_byte(difference: u64) -> usize {
    (u64::from_le(difference).trailing_zeros() / u8::BITS) as usize
}
