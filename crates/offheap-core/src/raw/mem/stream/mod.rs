//! Streaming operations: stores that go past the caches, so that what the caches hold stays there.
//!
//! Real on x86_64 (`movntdq`). Elsewhere they are the plain operations: aarch64 has only the `stnp`
//! hint, which stable Rust offers no intrinsic for and most cores ignore.

#[cfg(all(target_arch = "x86_64", not(offheap_portable)))]
mod x86;

use super::{Bytes, Element, Pattern, assert_same_size, copy, copy_swapped};

/// Copies `source` to `target` with streaming stores; at most 63 bytes at either end go the plain way.
/// Overlapping ranges are copied by [`copy`]: their bytes are about to be read again, so the cache is
/// the right place for them.
///
/// When this returns, the bytes are as visible to other threads as after a plain copy.
///
/// # Panics
/// If the sizes differ.
pub fn copy_streaming(target: Bytes<'_>, source: Bytes<'_>) {
    assert_same_size(target, source);
    if target.overlaps(source) {
        return copy(target, source);
    }
    #[cfg(all(target_arch = "x86_64", not(offheap_portable)))]
    // SAFETY: - readable, writable: `Bytes` promises both for its whole size, and the sizes are equal.
    // - no overlap: checked above. - way: this CPU's.
    unsafe {
        x86::copy(target.as_ptr(), source.as_ptr(), target.size(), x86::Way::best());
    }
    #[cfg(not(all(target_arch = "x86_64", not(offheap_portable))))]
    copy(target, source);
}

/// Fills `target` with a pattern that begins with it, with streaming stores; at most 63 bytes at either end go
/// the plain way.
pub fn fill_streaming(target: Bytes<'_>, pattern: Pattern) {
    #[cfg(all(target_arch = "x86_64", not(offheap_portable)))]
    // SAFETY: - writable: `Bytes` promises it for its whole size.
    unsafe {
        x86::fill(target.as_ptr(), pattern, target.size());
    }
    #[cfg(not(all(target_arch = "x86_64", not(offheap_portable))))]
    super::fill(target, pattern);
}

/// [`copy_swapped`] with streaming stores. Overlapping ranges, a `target` whose address is no multiple
/// of the element, and CPUs without SSSE3 take [`copy_swapped`] itself; the bytes are the same.
///
/// # Panics
/// If the sizes differ or are no multiple of the element.
pub fn copy_swapped_streaming(target: Bytes<'_>, source: Bytes<'_>, element: Element) {
    #[cfg(all(target_arch = "x86_64", not(offheap_portable)))]
    if target.address().is_multiple_of(element.bytes())
        && !target.overlaps(source)
        && is_x86_feature_detected!("ssse3")
    {
        super::swap::assert_swappable(target, source, element);
        // SAFETY: - SSSE3: just detected.
        // - way: this CPU's. - readable, writable, no overlap, address and size multiples of the element: all checked above.
        unsafe {
            x86::copy_swapped(target.as_ptr(), source.as_ptr(), target.size(), element, x86::Way::best())
        }
        return;
    }
    copy_swapped(target, source, element);
}

#[cfg(test)]
mod tests {
    use super::{Bytes, Element, Pattern, copy_streaming, copy_swapped_streaming, fill_streaming};
    use crate::raw::mem::pages::{PAGE_BYTES, ROUND_BYTES};

    /// Sizes around every border of the kernels: lines, pages, rounds.
    const SIZES: [usize; 12] = [
        0,
        16,
        48,
        64,
        80,
        128,
        1008,
        PAGE_BYTES,
        ROUND_BYTES - 16,
        ROUND_BYTES,
        ROUND_BYTES + 144,
        3 * ROUND_BYTES,
    ];

    /// Where ranges begin: on a line or off it, by less and by more than a vector.
    const OFFSETS: [usize; 6] = [0, 1, 8, 16, 33, 63];

    /// More than the largest size and both offsets.
    const ROOM: usize = 4 * ROUND_BYTES;

    fn numbered() -> Vec<u8> {
        (0..ROOM).map(|index| (index * 7 % 251) as u8).collect()
    }

    fn part(buffer: &mut [u8], offset: usize, size: usize) -> Bytes<'_> {
        Bytes::from_mut(&mut buffer[offset..offset + size])
    }

    #[test]
    fn streaming_copy_writes_the_range_and_not_one_byte_beside_it() {
        let mut source = numbered();
        for size in SIZES {
            for (target_offset, source_offset) in OFFSETS.into_iter().zip(OFFSETS.into_iter().rev()) {
                let mut target = vec![0xEE; ROOM];
                let mut expected = target.clone();
                expected[target_offset..target_offset + size]
                    .copy_from_slice(&source[source_offset..source_offset + size]);
                copy_streaming(
                    part(&mut target, target_offset, size),
                    part(&mut source, source_offset, size),
                );
                assert!(target == expected, "{size} bytes from {source_offset} to {target_offset}");
            }
        }
    }

    #[test]
    fn streaming_copy_of_overlapping_ranges_equals_a_copy_through_a_temporary() {
        for (target, source) in [(0, 1), (1, 0), (0, 64), (64, 0), (0, PAGE_BYTES), (PAGE_BYTES, 0)] {
            let (mut buffer, size) = (numbered(), 3 * ROUND_BYTES);
            let mut expected = buffer.clone();
            expected.copy_within(source..source + size, target);
            let all = Bytes::from_mut(&mut buffer);
            let range = |offset: usize| all.slice(offset as u64, size as u64).unwrap();
            copy_streaming(range(target), range(source));
            assert!(buffer == expected, "from {source} to {target}");
        }
    }

    #[test]
    fn streaming_fill_writes_the_range_and_not_one_byte_beside_it() {
        for size in SIZES {
            for offset in OFFSETS {
                let mut target = numbered();
                let mut expected = target.clone();
                let pattern: [u8; 16] = std::array::from_fn(|index| index as u8);
                for (index, byte) in expected[offset..offset + size].iter_mut().enumerate() {
                    *byte = pattern[index % 16];
                }
                fill_streaming(part(&mut target, offset, size), Pattern::new(pattern));
                assert!(target == expected, "{size} bytes at {offset}");
            }
        }
    }

    #[test]
    fn streaming_swap_of_overlapping_ranges_equals_a_copy_through_a_temporary() {
        for element in Element::ALL {
            for (target, source) in [(0, 16), (16, 0), (0, 64), (64, 0), (0, PAGE_BYTES), (PAGE_BYTES, 0)] {
                let (mut buffer, size) = (numbered(), 3 * ROUND_BYTES);
                let mut expected = buffer.clone();
                expected.copy_within(source..source + size, target);
                expected[target..target + size].chunks_mut(element.bytes()).for_each(<[u8]>::reverse);
                let all = Bytes::from_mut(&mut buffer);
                let range = |offset: usize| all.slice(offset as u64, size as u64).unwrap();
                copy_swapped_streaming(range(target), range(source), element);
                assert!(buffer == expected, "{element:?} from {source} to {target}");
            }
        }
    }

    #[test]
    fn streaming_swap_equals_the_reversed_elements_at_any_address() {
        let mut source = numbered();
        for element in Element::ALL {
            for size in SIZES {
                for (target_offset, source_offset) in OFFSETS.into_iter().zip(OFFSETS.into_iter().rev()) {
                    let mut target = vec![0xEE; ROOM];
                    let mut expected = target.clone();
                    let range = &mut expected[target_offset..target_offset + size];
                    range.copy_from_slice(&source[source_offset..source_offset + size]);
                    range.chunks_mut(element.bytes()).for_each(<[u8]>::reverse);
                    copy_swapped_streaming(
                        part(&mut target, target_offset, size),
                        part(&mut source, source_offset, size),
                        element,
                    );
                    assert!(
                        target == expected,
                        "{element:?}, {size} from {source_offset} to {target_offset}"
                    );
                }
            }
        }
    }

    /// Ways that are not this CPU's best are another's.
    #[cfg(all(target_arch = "x86_64", not(offheap_portable)))]
    #[test]
    fn every_way_that_this_cpu_can_go_streams_the_same_bytes() {
        use super::x86::{self, Way};

        let mut ways = vec![Way::SideBySide, Way::InOrder];
        if is_x86_feature_detected!("avx2") {
            ways.push(Way::Wide);
        }
        let source = numbered();
        for (way, size) in ways.into_iter().flat_map(|way| SIZES.map(|size| (way, size))) {
            for (to, from) in OFFSETS.into_iter().zip(OFFSETS.into_iter().rev()) {
                let mut target = vec![0xEE; ROOM];
                let mut expected = target.clone();
                expected[to..to + size].copy_from_slice(&source[from..from + size]);
                // SAFETY: - in range: `ROOM` is more than the size and both offsets. - no overlap: two vectors.
                // - way: AVX2 was detected.
                unsafe { x86::copy(target.as_mut_ptr().add(to), source.as_ptr().add(from), size, way) }
                assert!(target == expected, "{way:?}, {size} bytes from {from} to {to}");
                for element in Element::ALL {
                    let is_whole = (target.as_ptr().addr() + to).is_multiple_of(element.bytes());
                    if !is_whole || !is_x86_feature_detected!("ssse3") {
                        continue;
                    }
                    let mut reversed = expected.clone();
                    reversed[to..to + size].chunks_mut(element.bytes()).for_each(<[u8]>::reverse);
                    // SAFETY: - as above. - elements: the address just checked, and all sizes are multiples of 16. - SSSE3: just detected.
                    unsafe {
                        let to = target.as_mut_ptr().add(to);
                        x86::copy_swapped(to, source.as_ptr().add(from), size, element, way);
                    }
                    assert!(target == reversed, "{way:?}, {element:?}, {size} from {from} to {to}");
                }
            }
        }
    }
}
