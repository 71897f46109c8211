//! Numbers for a moment, in memory of their own that goes back to the system as a whole. From the heap, a list of many
//! megabytes may stay resident after its end, for the heap keeps what it was once given.

use super::os::{Os, System};
use super::region::Region;

/// So many numbers, all 0.
#[derive(Debug)]
pub struct Scratch {
    region: Option<Region>, // none only while it is dropped
    count: usize,
}

impl Scratch {
    /// Room for `count` numbers; `None` for none, and when the system refuses.
    #[must_use]
    pub fn of(count: usize) -> Option<Self> {
        let size = count.checked_mul(size_of::<u64>())?.checked_next_multiple_of(System::page_size())?;
        if size == 0 {
            return None;
        }
        let region = Region::reserve(size, 1)?;
        if region.commit_to(size).is_none() {
            region.discard(1);
            return None;
        }
        Some(Self { region: Some(region), count })
    }

    /// The numbers.
    pub fn numbers(&mut self) -> &mut [u64] {
        let Some(region) = &self.region else { return &mut [] };
        // SAFETY: - in bounds: `count` numbers were reserved and committed, and they are not unmapped before the end of `self`.
        // - aligned: a region starts on a page. - initialised: fresh memory reads 0, and all bit patterns are valid.
        // - exclusive: nobody else knows the region, and the slice borrows `self` mutably.
        unsafe { std::slice::from_raw_parts_mut(region.start().cast().as_ptr(), self.count) }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Some(region) = self.region.take() {
            region.discard(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Scratch;

    #[test]
    fn numbers_of_a_moment_read_zero_and_keep_what_is_written() {
        for count in [1, 511, 512, 513, 100_000] {
            let mut scratch = Scratch::of(count).unwrap();
            assert_eq!(scratch.numbers(), vec![0; count]);
            scratch.numbers().iter_mut().zip(1..).for_each(|(number, value)| *number = value);
            assert!(scratch.numbers().iter().zip(1..).all(|(number, value)| *number == value));
        }
    }

    #[test]
    fn more_numbers_than_memory_holds_are_refused() {
        assert!(Scratch::of(0).is_none());
        assert!(Scratch::of(1 << 58).is_none());
        assert!(Scratch::of(usize::MAX).is_none());
    }
}
