//! Where a model's choices come from: a seed, or bytes that a fuzzer made up.

use std::vec::IntoIter;

/// A small random generator, or a list of choices.
pub enum Random {
    Seeded(u64),
    Bytes(IntoIter<u8>),
}

impl Random {
    /// Choices that are written in bytes: of one byte each where that is enough, and 0 when there are no more.
    pub fn of_bytes(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes.into_iter())
    }

    /// Whether the last byte was used. A seed has no end.
    pub fn is_over(&self) -> bool {
        matches!(self, Self::Bytes(bytes) if bytes.len() == 0)
    }

    pub fn below(&mut self, limit: u64) -> u64 {
        match self {
            Self::Seeded(state) => {
                *state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
                (*state >> 33) % limit
            }
            Self::Bytes(bytes) => {
                let wanted = (u64::BITS - (limit - 1).leading_zeros()).div_ceil(8) as usize;
                bytes.take(wanted).fold(0, |number, byte| number << 8 | u64::from(byte)) % limit
            }
        }
    }

    /// One of a list.
    pub fn pick<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len() as u64) as usize]
    }
}
