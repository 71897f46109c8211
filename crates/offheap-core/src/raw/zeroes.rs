//! Zeroed arrays of the heap that may be refused: what the size of a region makes long must not end the process.

use crate::base::sync::AtomicU32;
use std::alloc::{Layout, alloc_zeroed};
use std::ptr::{NonNull, slice_from_raw_parts_mut};

/// What may begin as zero bytes.
///
/// # Safety
/// - All bytes 0 are a value of the type.
pub unsafe trait Zero {}
// SAFETY: numbers are 0, and false is.
unsafe impl Zero for u32 {}
// SAFETY: as above.
unsafe impl Zero for u64 {}
// SAFETY: as above.
unsafe impl Zero for bool {}
// SAFETY: as above; it has the layout of `u32`.
#[cfg(not(loom))]
unsafe impl Zero for AtomicU32 {}

/// `count` zeroes, whose pages come with the first touch where there are many. `None` when the heap has no room.
#[must_use]
pub fn zeroes<T: Zero>(count: usize) -> Option<Box<[T]>> {
    let layout = Layout::array::<T>(count).ok()?;
    if layout.size() == 0 {
        return Some(Box::default());
    }
    // SAFETY: the size is not 0.
    let start = NonNull::new(unsafe { alloc_zeroed(layout) })?.cast::<T>();
    // SAFETY: - allocated by the global allocator with the layout of `[T; count]`, and nobody else has it.
    // - initialised: all bytes are 0, which is a value of `T`.
    unsafe { Some(Box::from_raw(slice_from_raw_parts_mut(start.as_ptr(), count))) }
}

/// `count` zeroes. A model makes its atomics one by one.
#[must_use]
pub fn zeroed_atomics(count: usize) -> Option<Box<[AtomicU32]>> {
    #[cfg(loom)]
    {
        Some((0..count).map(|_| AtomicU32::new(0)).collect())
    }
    #[cfg(not(loom))]
    zeroes(count)
}

#[cfg(test)]
mod tests {
    use std::hint::black_box;

    use super::{zeroed_atomics, zeroes};
    use crate::base::sync::Ordering;

    #[test]
    fn they_are_as_many_as_were_asked_for_and_none_is_set() {
        for count in [0, 1, 1000, 1 << 20] {
            assert!(zeroes::<u32>(count).unwrap().iter().all(|number| *number == 0));
            assert_eq!(zeroes::<bool>(count).unwrap().len(), count);
            let atomics = zeroed_atomics(count).unwrap();
            assert!(atomics.len() == count && atomics.iter().all(|word| word.load(Ordering::Relaxed) == 0));
        }
    }

    #[test]
    fn what_no_heap_has_is_refused() {
        // A compiler may leave out an allocation that nobody looks at, and take it for granted.
        assert!(zeroes::<u64>(usize::MAX).is_none() && black_box(zeroes::<u64>(1 << 50)).is_none());
    }
}
