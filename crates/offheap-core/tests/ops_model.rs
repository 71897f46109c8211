//! The memory operations against one-line models on vectors.
//!
//! Properties:
//! - Every mode of copy equals a copy through a temporary, whatever the sizes, addresses and overlaps,
//!   and writes not one byte beside the target; so do fill and snapshot.
//! - compare, mismatch and equals agree with the same questions asked of slices.
//! - A refusal carries both numbers and writes nothing.
//! - Sizes on both sides of the streaming thresholds give the same bytes.
//! - Bytes that change under a comparison give some answer inside the range.

use std::ops::Range;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU8, Ordering};

use offheap_core::base::error::{Code, Error};
use offheap_core::ops::{self, CopyMode, Element, Pattern, Thresholds};
use offheap_core::raw::bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};
use proptest::sample::select;

/// More than four rounds of the page walk (16 KiB each), plus room for a shift.
const SIZE_MAX_BYTES: usize = 70_000;

/// Small sizes find the borders of vectors, large ones the borders of pages.
fn size() -> impl Strategy<Value = usize> {
    prop_oneof![8 => 0..300_usize, 1 => 300..SIZE_MAX_BYTES]
}

/// Two ranges of one size in one buffer: apart, overlapping a little or much, or the same.
/// Gives (buffer size, target, source, size).
fn two_ranges() -> impl Strategy<Value = (usize, usize, usize, usize)> {
    size().prop_flat_map(|size| {
        let near = prop_oneof![Just(0), 0..70_usize, 0..=size];
        (0..70_usize, near, any::<bool>(), 0..70_usize, Just(size)).prop_map(
            |(head, shift, up, tail, size)| {
                let (target, source) = if up { (head + shift, head) } else { (head, head + shift) };
                (head + shift + size + tail, target, source, size)
            },
        )
    })
}

fn mode() -> impl Strategy<Value = CopyMode> {
    let swap = select(&Element::ALL[..]).prop_map(CopyMode::SwapEndian);
    prop_oneof![1 => Just(CopyMode::Normal), 1 => Just(CopyMode::NonTemporal), 2 => swap]
}

/// Bytes that are all different from their neighbours, up to a distance of 250.
fn numbered(size: usize) -> Vec<u8> {
    (0..size).map(|index| (index % 251) as u8).collect()
}

/// `size` down to a multiple of what `mode` swaps.
fn whole_elements(size: usize, mode: CopyMode) -> usize {
    match mode {
        CopyMode::SwapEndian(element) => size - size % element.bytes(),
        CopyMode::Normal | CopyMode::NonTemporal => size,
    }
}

/// The model of copy: through a temporary.
fn copy_in_model(buffer: &mut [u8], target: usize, source: Range<usize>, mode: CopyMode) {
    let mut temporary = buffer[source].to_vec();
    if let CopyMode::SwapEndian(element) = mode {
        temporary.chunks_mut(element.bytes()).for_each(<[u8]>::reverse);
    }
    buffer[target..target + temporary.len()].copy_from_slice(&temporary);
}

/// The part of `all` that begins at `offset`.
fn part(all: Bytes<'_>, offset: usize, size: usize) -> Bytes<'_> {
    all.slice(offset as u64, size as u64).unwrap()
}

/// Copies within `buffer` and checks all of it against the model.
fn copies_as_the_model(
    (room, target, source, size): (usize, usize, usize, usize),
    mode: CopyMode,
) -> Result<(), proptest::test_runner::TestCaseError> {
    let size = whole_elements(size, mode);
    let mut buffer = numbered(room);
    let mut expected = buffer.clone();
    copy_in_model(&mut expected, target, source..source + size, mode);
    let all = Bytes::from_mut(&mut buffer);
    prop_assert_eq!(ops::copy(part(all, target, size), part(all, source, size), mode), Ok(()));
    prop_assert!(buffer == expected, "{:?} of {} bytes from {} to {}", mode, size, source, target);
    Ok(())
}

proptest! {
    #[test]
    fn copy_in_every_mode_equals_a_copy_through_a_temporary(ranges in two_ranges(), mode in mode()) {
        copies_as_the_model(ranges, mode)?;
    }

    #[test]
    fn swap_copy_of_overlapping_ranges_equals_a_copy_through_a_temporary(
        ranges in two_ranges(),
        shift in 0..20_usize,
        element in select(&Element::ALL[..]),
    ) {
        let (room, target, _, size) = ranges;
        let source = target.saturating_sub(shift);
        copies_as_the_model((room, target, source, size), CopyMode::SwapEndian(element))?;
        copies_as_the_model((room, source, target, size), CopyMode::SwapEndian(element))?;
    }

    #[test]
    fn swapping_twice_gives_the_original(size in size(), offset in 0..70_usize, element in select(&Element::ALL[..])) {
        let mode = CopyMode::SwapEndian(element);
        let size = whole_elements(size, mode);
        let mut buffer = numbered(offset + size);
        let range = part(Bytes::from_mut(&mut buffer), offset, size);
        prop_assert_eq!(ops::copy(range, range, mode), Ok(()));
        prop_assert_eq!(ops::copy(range, range, mode), Ok(()));
        prop_assert!(buffer == numbered(offset + size));
    }

    #[test]
    fn a_pattern_fills_the_range_and_nothing_else(
        size in size(), head in 0..70_usize, tail in 0..70_usize, bytes: [u8; 16], log2 in 0..5_u32
    ) {
        let bytes = &bytes[..1 << log2];
        let mut buffer = numbered(head + size + tail);
        let mut expected = buffer.clone();
        expected[head..head + size].iter_mut().zip(bytes.iter().cycle()).for_each(|(to, from)| *to = *from);
        ops::fill(part(Bytes::from_mut(&mut buffer), head, size), Pattern::repeated(bytes).unwrap());
        prop_assert_eq!(buffer, expected);
    }

    #[test]
    fn fill_sets_the_range_and_nothing_else(size in size(), head in 0..70_usize, tail in 0..70_usize, value: u8) {
        let mut buffer = numbered(head + size + tail);
        let mut expected = buffer.clone();
        expected[head..head + size].fill(value);
        ops::fill(part(Bytes::from_mut(&mut buffer), head, size), value);
        prop_assert!(buffer == expected);
    }

    #[test]
    fn snapshot_takes_the_range_and_leaves_it(size in size(), offset in 0..70_usize) {
        let mut buffer = numbered(offset + size);
        let mut target = vec![0; size];
        prop_assert_eq!(ops::snapshot(part(Bytes::from_mut(&mut buffer), offset, size), &mut target), Ok(()));
        prop_assert!(target == numbered(offset + size)[offset..]);
        prop_assert!(buffer == numbered(offset + size));
    }

    #[test]
    fn comparisons_agree_with_slices(
        size in size(),
        one_offset in 0..70_usize,
        other_offset in 0..70_usize,
        changes in vec((any::<usize>(), any::<u8>()), 0..4),
    ) {
        let content = numbered(size);
        let mut one = [vec![0; one_offset], content.clone(), vec![1]].concat();
        let mut other = [vec![0; other_offset], content, vec![2]].concat();
        for (index, value) in changes {
            if size > 0 {
                other[other_offset + index % size] = value;
            }
        }
        let model = (one[one_offset..one_offset + size].to_vec(), other[other_offset..other_offset + size].to_vec());
        let first = model.0.iter().zip(&model.1).position(|(byte, other_byte)| byte != other_byte);
        let one = part(Bytes::from_mut(&mut one), one_offset, size);
        let other = part(Bytes::from_mut(&mut other), other_offset, size);
        prop_assert_eq!(ops::mismatch(one, other), Ok(first));
        prop_assert_eq!(ops::compare(one, other), Ok(model.0.cmp(&model.1)));
        prop_assert_eq!(ops::compare(other, one), Ok(model.1.cmp(&model.0)));
        prop_assert_eq!(ops::equals(one, other), first.is_none());
    }

    #[test]
    fn a_refusal_carries_both_numbers_and_writes_nothing(sizes in (0..200_usize, 0..200_usize), mode in mode()) {
        let (target_size, source_size) = sizes;
        let (mut target, mut source) = (vec![0xEE; target_size], numbered(source_size));
        let result = ops::copy(Bytes::from_mut(&mut target), Bytes::from_mut(&mut source), mode);
        let whole = whole_elements(source_size, mode);
        if target_size != source_size {
            prop_assert_eq!(result, Err(Error::new(Code::OutOfRange, source_size as u64, target_size as u64)));
        } else if whole != source_size {
            prop_assert_eq!(result, Err(Error::new(Code::InvalidValue, source_size as u64, whole as u64)));
        } else {
            prop_assert_eq!(result, Ok(()));
        }
        prop_assert!(result.is_ok() || target.iter().all(|byte| *byte == 0xEE));
    }
}

#[test]
fn copies_on_both_sides_of_the_streaming_threshold_give_the_same_bytes() {
    // Off a cache line, but on an element: elsewhere a swap does not stream.
    const HEAD: usize = 16;
    let threshold = Thresholds::here().copy_min_bytes;
    let mut source = numbered(251).repeat(threshold / 251 + 2);
    let mut target = vec![0; source.len()];
    for size in [threshold - 16, threshold + 48] {
        for mode in [CopyMode::Normal, CopyMode::SwapEndian(Element::E16)] {
            target.fill(0xEE);
            let range = part(Bytes::from_mut(&mut target), HEAD, size);
            assert_eq!(ops::copy(range, part(Bytes::from_mut(&mut source), 7, size), mode), Ok(()));
            let mut expected = source[7..7 + size].to_vec();
            copy_in_model(&mut expected, 0, 0..size, mode);
            assert!(target[HEAD..HEAD + size] == expected, "{mode:?} of {size} bytes");
            assert!(target[..HEAD].iter().chain(&target[HEAD + size..]).all(|byte| *byte == 0xEE));
        }
    }
}

#[test]
fn fills_on_both_sides_of_the_streaming_threshold_give_the_same_bytes() {
    // Where fills never stream: what other processors stream.
    let threshold = Thresholds::here().fill_min_bytes.min(64 << 20);
    let mut target = vec![0xEE; threshold + 100];
    for (size, value) in [(threshold - 1, 1), (threshold, 2), (threshold + 50, 3)] {
        ops::fill(part(Bytes::from_mut(&mut target), 5, size), value);
        let expected = vec![value; size];
        assert!(target[5..5 + size] == expected, "{size} bytes");
        assert!(target[..5] == [0xEE; 5] && target[5 + size..].iter().all(|byte| *byte == 0xEE));
    }
}

/// Wrong by the letter of the memory model (the operations do not read atomically), and exactly what
/// JavaScript does to us: so it is the crash that is tested for, not the answer.
#[test]
fn bytes_that_change_under_a_comparison_give_an_answer_inside_the_range() {
    const SIZE: usize = 40_000;
    const WRITES: usize = 1_000_000;
    let one: Vec<AtomicU8> = (0..SIZE).map(|_| AtomicU8::new(0)).collect();
    let mut other = vec![0; SIZE];
    let other = Bytes::from_mut(&mut other);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for write in 0..WRITES {
                let index = write * 7919 % SIZE;
                one[index].store(1, Ordering::Relaxed);
                one[index].store(0, Ordering::Relaxed);
            }
        });
        let pointer = NonNull::new(one.as_ptr().cast_mut()).unwrap().cast();
        // SAFETY: - valid: the vector outlives the scope. - `AtomicU8` is one byte and may be written
        //   through a shared reference; nobody holds `&[u8]` into it.
        let one = unsafe { Bytes::from_raw_parts(pointer, SIZE) };
        while !writer.is_finished() {
            assert!(ops::mismatch(one, other).unwrap().is_none_or(|index| index < SIZE));
            // The writer only ever makes `one` larger.
            assert_ne!(ops::compare(one, other), Ok(std::cmp::Ordering::Less));
        }
    });
}
