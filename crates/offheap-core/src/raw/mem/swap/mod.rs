//! Copy with the bytes of each element reversed.

pub(super) mod portable;
#[cfg(all(target_arch = "x86_64", not(offheap_portable)))]
mod x86;

use super::{Bytes, assert_same_size};
use crate::base::error::{Code, Error};

/// The size of the elements whose byte order is reversed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Element {
    /// 2 bytes: 16-bit numbers.
    E2,
    /// 4 bytes: 32-bit numbers.
    E4,
    /// 8 bytes: 64-bit numbers.
    E8,
    /// 16 bytes: 128-bit numbers.
    E16,
}

impl Element {
    /// All elements, the smallest first.
    pub const ALL: [Self; 4] = [Self::E2, Self::E4, Self::E8, Self::E16];

    /// Size in bytes: 2, 4, 8 or 16.
    #[must_use]
    pub const fn bytes(self) -> usize {
        match self {
            Self::E2 => 2,
            Self::E4 => 4,
            Self::E8 => 8,
            Self::E16 => 16,
        }
    }

    /// For each of 16 bytes, the index of the byte that comes in its place.
    #[cfg(all(target_arch = "x86_64", not(offheap_portable)))]
    pub(super) fn reversed_order(self) -> &'static [u8; 16] {
        static ORDERS: [[u8; 16]; 4] = [order(2), order(4), order(8), order(16)];
        &ORDERS[self as usize]
    }
}

impl TryFrom<u32> for Element {
    type Error = Error;

    /// # Errors
    /// [`Code::InvalidValue`] for anything but 2, 4, 8 and 16; `requested` is that number.
    fn try_from(bytes: u32) -> Result<Self, Error> {
        match bytes {
            2 => Ok(Self::E2),
            4 => Ok(Self::E4),
            8 => Ok(Self::E8),
            16 => Ok(Self::E16),
            _ => Err(Error::new(Code::InvalidValue, u64::from(bytes), 0)),
        }
    }
}

/// The element is a power of two, so the mirror image of an index inside its element is that index with
/// the low bits flipped.
#[cfg(all(target_arch = "x86_64", not(offheap_portable)))]
const fn order(element_bytes: u8) -> [u8; 16] {
    let mut order = [0; 16];
    let mut index = 0;
    while index < 16 {
        order[index as usize] = index ^ (element_bytes - 1);
        index += 1;
    }
    order
}

/// # Panics
/// If the sizes differ or are no multiple of the element.
pub(super) fn assert_swappable(target: Bytes<'_>, source: Bytes<'_>, element: Element) {
    assert_same_size(target, source);
    assert!(
        target.size().is_multiple_of(element.bytes()),
        "{} bytes are no whole number of {}-byte elements",
        target.size(),
        element.bytes()
    );
}

/// Copies `source` to `target` with the bytes of each element reversed, in one pass. Addresses need no
/// alignment. The ranges may overlap in any way: the result is that of a copy through a temporary, and
/// identical ranges are swapped in place.
///
/// # Panics
/// If the sizes differ or are no multiple of the element.
pub fn copy_swapped(target: Bytes<'_>, source: Bytes<'_>, element: Element) {
    assert_swappable(target, source, element);
    // As memmove: a target that starts inside the source is written from its end, so that a step
    // only overwrites what earlier steps (or the step itself) have loaded.
    if target.overlaps(source) && target.address() > source.address() {
        run::<true>(target, source, element);
    } else {
        run::<false>(target, source, element);
    }
}

/// Runs the best kernel of this CPU in one direction. The sizes were checked.
fn run<const BACKWARD: bool>(target: Bytes<'_>, source: Bytes<'_>, element: Element) {
    let (to, from, size_bytes) = (target.as_ptr(), source.as_ptr().cast_const(), target.size());
    #[cfg(all(target_arch = "x86_64", not(offheap_portable)))]
    {
        if !BACKWARD && x86::pays_avx512(to, from, size_bytes, element) {
            // SAFETY: - AVX-512: it pays only where it is. - the rest as for the portable loop below.
            return unsafe { x86::swap_avx512::<BACKWARD>(to, from, size_bytes, element) };
        }
        if is_x86_feature_detected!("avx2") {
            // SAFETY: - AVX2: just detected. - the rest as for the portable loop below.
            return unsafe { x86::swap_avx2::<BACKWARD>(to, from, size_bytes, element) };
        }
        if is_x86_feature_detected!("ssse3") {
            // SAFETY: - SSSE3: just detected. - the rest as for the portable loop below.
            return unsafe { x86::swap_ssse3::<BACKWARD>(to, from, size_bytes, element) };
        }
    }
    // SAFETY: - readable, writable: `Bytes` promises both for its whole size, and the sizes are equal.
    // - whole elements, and the direction for overlapping ranges: `copy_swapped` saw to both.
    unsafe { portable::swap::<BACKWARD>(to, from, size_bytes, element) }
}

/// Where the next step of `step_bytes` begins when `done_bytes` of `size_bytes` are behind us.
#[inline(always)]
fn step_offset<const BACKWARD: bool>(size_bytes: usize, done_bytes: usize, step_bytes: usize) -> usize {
    if BACKWARD { size_bytes - done_bytes - step_bytes } else { done_bytes }
}

#[cfg(test)]
mod tests {
    use super::{Bytes, Element, copy_swapped, portable};
    use crate::base::error::{Code, Error};

    type Kernel = unsafe fn(*mut u8, *const u8, usize, Element);

    /// Every kernel this CPU runs, as (name, forward, backward).
    fn kernels() -> Vec<(&'static str, Kernel, Kernel)> {
        #[allow(unused_mut, reason = "other builds have one kernel")]
        let mut kernels: Vec<(&'static str, Kernel, Kernel)> =
            vec![("portable", portable::swap::<false>, portable::swap::<true>)];
        #[cfg(all(target_arch = "x86_64", not(offheap_portable)))]
        {
            use super::x86;
            if is_x86_feature_detected!("ssse3") {
                kernels.push(("ssse3", x86::swap_ssse3::<false>, x86::swap_ssse3::<true>));
            }
            if is_x86_feature_detected!("avx2") {
                kernels.push(("avx2", x86::swap_avx2::<false>, x86::swap_avx2::<true>));
            }
            if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw") {
                kernels.push(("avx512", x86::swap_avx512::<false>, x86::swap_avx512::<true>));
            }
        }
        kernels
    }

    /// What `buffer` must hold after `size` bytes went from `source` to `target`, through a temporary.
    fn model(buffer: &[u8], target: usize, source: usize, size: usize, element: Element) -> Vec<u8> {
        let mut expected = buffer.to_vec();
        let mut temporary = buffer[source..source + size].to_vec();
        temporary.chunks_mut(element.bytes()).for_each(<[u8]>::reverse);
        expected[target..target + size].copy_from_slice(&temporary);
        expected
    }

    #[test]
    fn every_kernel_swaps_every_element_at_every_distance_of_overlapping_ranges() {
        const SOURCE: usize = 100;
        /// From which size on a kernel aligns its stores, and more.
        const LARGE: [usize; 4] = [1024, 1040, 1200, 1504];
        const ROOM: usize = SOURCE + 15 + LARGE[3];
        let before: Vec<u8> = (0..ROOM).map(|index| (index * 7 % 251) as u8).collect();
        for (name, forward, backward) in kernels() {
            for element in Element::ALL {
                let small = (0..=304).step_by(element.bytes()).filter(|size| size % 48 < 18);
                for size in small.chain(LARGE) {
                    for target in (0..SOURCE + 15).step_by(3) {
                        let mut buffer = before.clone();
                        let start = buffer.as_mut_ptr();
                        let kernel = if target > SOURCE { backward } else { forward };
                        // SAFETY: - in range: the last target and the largest size fit into the room. - direction: chosen above.
                        unsafe { kernel(start.add(target), start.add(SOURCE), size, element) };
                        assert!(
                            buffer == model(&before, target, SOURCE, size, element),
                            "{name}, {element:?}, {size} bytes from {SOURCE} to {target}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn ranges_are_swapped_right_whichever_kernel_is_chosen_for_how_they_lie() {
        const SOURCE: usize = 208;
        let before: Vec<u8> = (0..4096).map(|index| (index * 7 % 251) as u8).collect();
        for element in Element::ALL {
            for size in [2032, 2048, 2064, 2400, 3000 / element.bytes() * element.bytes()] {
                for target in [0, 8, 16, 80, 144, 176, 192, 207, 208, 209, 224, 272, 720, 1001] {
                    let mut buffer = before.clone();
                    let bytes = Bytes::from_mut(&mut buffer);
                    let part = |start: usize| bytes.slice(start as u64, size as u64).unwrap();
                    copy_swapped(part(target), part(SOURCE), element);
                    assert!(
                        buffer == model(&before, target, SOURCE, size, element),
                        "{element:?}, {size} bytes from {SOURCE} to {target}"
                    );
                }
            }
        }
    }

    #[test]
    fn swapping_in_place_twice_gives_the_original() {
        for element in Element::ALL {
            let before: Vec<u8> = (0..=255).collect();
            let mut buffer = before.clone();
            let bytes = Bytes::from_mut(&mut buffer);
            copy_swapped(bytes, bytes, element);
            assert_ne!(buffer, before);
            let bytes = Bytes::from_mut(&mut buffer);
            copy_swapped(bytes, bytes, element);
            assert_eq!(buffer, before);
        }
    }

    #[test]
    fn elements_are_the_four_powers_of_two_from_2_to_16() {
        for bytes in 0..=64 {
            match Element::try_from(bytes) {
                Ok(element) => assert_eq!(element.bytes(), bytes as usize),
                Err(error) => {
                    assert_eq!(error, Error::new(Code::InvalidValue, u64::from(bytes), 0));
                    assert!(![2, 4, 8, 16].contains(&bytes));
                }
            }
        }
    }

    #[test]
    #[should_panic(expected = "10 bytes are no whole number of 4-byte elements")]
    fn a_size_that_splits_an_element_is_the_callers_bug() {
        let mut buffer = [0; 10];
        let bytes = Bytes::from_mut(&mut buffer);
        copy_swapped(bytes, bytes, Element::E4);
    }
}
