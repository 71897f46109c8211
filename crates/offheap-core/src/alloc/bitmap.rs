//! A set of numbers with a summary: one bit of each level says whether a word of the level below has
//! any. Finding the first number of 2^24 takes four words.

use crate::raw::zeroes::zeroes;

/// The set.
#[derive(Debug)]
pub(super) struct Bitmap {
    levels: Vec<Box<[u64]>>, // the numbers themselves first
}

impl Bitmap {
    /// An empty set of numbers below `count`. `None` without memory.
    pub(super) fn new(count: usize) -> Option<Self> {
        let mut words = count.div_ceil(64).max(1);
        let mut levels = vec![zeroes(words)?];
        while words > 1 {
            words = words.div_ceil(64);
            levels.push(zeroes(words)?);
        }
        Some(Self { levels })
    }

    /// Whether a number is in; false past the end.
    pub(super) fn has(&self, number: usize) -> bool {
        self.levels[0].get(number / 64).is_some_and(|word| word >> (number % 64) & 1 == 1)
    }

    pub(super) fn insert(&mut self, mut number: usize) {
        for level in &mut self.levels {
            let before = level[number / 64];
            level[number / 64] = before | 1 << (number % 64);
            if before != 0 {
                return;
            }
            number /= 64;
        }
    }

    pub(super) fn remove(&mut self, mut number: usize) {
        for level in &mut self.levels {
            level[number / 64] &= !(1 << (number % 64));
            if level[number / 64] != 0 {
                return;
            }
            number /= 64;
        }
    }

    /// Inserts `[from, to)`, a word at a time.
    pub(super) fn insert_range(&mut self, mut from: usize, mut to: usize) {
        for level in &mut self.levels {
            if from >= to {
                return;
            }
            each_word(from, to, |word, bits| level[word] |= bits);
            (from, to) = (from / 64, to.div_ceil(64));
        }
    }

    /// Removes `[from, to)`, a word at a time.
    pub(super) fn remove_range(&mut self, mut from: usize, mut to: usize) {
        for level in &mut self.levels {
            if from >= to {
                return;
            }
            each_word(from, to, |word, bits| level[word] &= !bits);
            // Of the words above none but the outer two can have anything left.
            let (first, last) = (from / 64, (to - 1) / 64);
            from = first + usize::from(level[first] != 0);
            to = last + usize::from(level[last] == 0);
        }
    }

    pub(super) fn first(&self) -> Option<usize> {
        let mut index = 0;
        for level in self.levels.iter().rev() {
            let word = level[index];
            if word == 0 {
                return None;
            }
            index = 64 * index + word.trailing_zeros() as usize;
        }
        Some(index)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.levels.last().is_none_or(|top| top[0] == 0)
    }

    pub(super) fn len(&self) -> u64 {
        self.levels[0].iter().map(|word| u64::from(word.count_ones())).sum()
    }

    /// All numbers, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = usize> {
        (0..self.levels[0].len() * 64).filter(|number| self.has(*number))
    }
}

/// Calls `each` with every word that has bits of `[from, to)`, which is not empty, and these bits.
fn each_word(from: usize, to: usize, mut each: impl FnMut(usize, u64)) {
    let (first, last) = (from / 64, (to - 1) / 64);
    for word in first..=last {
        let low = if word == first { !0 << (from % 64) } else { !0 };
        let high = if word == last { !0 >> (63 - (to - 1) % 64) } else { !0 };
        each(word, low & high);
    }
}

#[cfg(test)]
mod tests {
    use super::Bitmap;
    use std::collections::BTreeSet;

    #[test]
    fn the_first_number_is_found_through_all_summaries() {
        for count in [1, 64, 65, 4096, 4097, 300_000] {
            let (mut bitmap, mut set) = (Bitmap::new(count).unwrap(), BTreeSet::new());
            let mut state = 7_usize;
            for _ in 0..2000 {
                state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
                let number = (state >> 33) % count;
                if set.remove(&number) {
                    bitmap.remove(number);
                } else {
                    set.insert(number);
                    bitmap.insert(number);
                }
                assert_eq!(bitmap.first(), set.first().copied());
                assert_eq!((bitmap.is_empty(), bitmap.len()), (set.is_empty(), set.len() as u64));
            }
            assert!(bitmap.iter().eq(set));
            assert!(!bitmap.has(usize::MAX));
        }
    }

    #[test]
    fn a_range_is_what_its_numbers_are_one_by_one() {
        for count in [1, 64, 65, 4096, 4097, 20_000] {
            let (mut ranges, mut single) = (Bitmap::new(count).unwrap(), Bitmap::new(count).unwrap());
            let mut state = 3_usize;
            for step in 0..300 {
                state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
                let from = (state >> 33) % count;
                let to = from + (state >> 20) % (1 + (count - from).min([3, 70, 9000][step % 3]));
                if step % 2 == 0 {
                    ranges.insert_range(from, to);
                    (from..to).for_each(|number| single.insert(number));
                } else {
                    ranges.remove_range(from, to);
                    (from..to).for_each(|number| single.remove(number));
                }
                assert_eq!(ranges.levels, single.levels, "{from} to {to} of {count}");
            }
        }
    }
}
