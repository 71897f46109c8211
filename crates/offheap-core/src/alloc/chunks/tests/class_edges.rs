//! The table of classes, and the addresses that come of it.

use super::super::{Cache, classes};
use super::House;
use crate::raw;
use crate::tracker::state::AlignmentCode;
use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

/// Whether a chunk of a class may be given for the request, by the contract alone.
fn suits(class: u8, size: u64, alignment: u64) -> bool {
    let whole_pages =
        !classes::is_run(class) || classes::size_of(class).is_multiple_of(raw::page_size() as u64);
    classes::size_of(class) >= size && classes::alignment_of(class) >= alignment && whole_pages
}

proptest! {
    #[test]
    fn a_request_gets_the_smallest_class_that_suits_it(
        log2 in 0..=47_u32, fraction in 0..1_u64 << 20, alignment in 0..=30_u32,
    ) {
        let size = ((1 << log2) + ((fraction << log2) >> 20)).min(classes::SIZE_MAX);
        let class = classes::class_for(size, 1 << alignment).unwrap();
        prop_assert!(suits(class, size, 1 << alignment));
        let smaller = (0..class).find(|smaller| suits(*smaller, size, 1 << alignment));
        prop_assert_eq!(smaller, None, "a smaller class would do for {}", size);
    }
}

#[test]
fn a_byte_more_than_a_class_holds_is_the_next_class() {
    for class in 0..(classes::COUNT - 1) as u8 {
        let size = classes::size_of(class);
        if suits(class, size, 1) && suits(class + 1, size, 1) {
            assert_eq!(classes::class_for(size, 1), Some(class));
            assert_eq!(classes::class_for(size + 1, 1), Some(class + 1));
        }
    }
    assert_eq!(classes::class_for(1, 1), Some(0));
}

#[test]
fn runs_begin_right_above_the_largest_small_class() {
    let small = classes::class_for(classes::SMALL_MAX, 1).unwrap();
    assert!(classes::size_of(small) == classes::SMALL_MAX && !classes::is_run(small));
    for class in 0..classes::COUNT as u8 {
        assert_eq!(classes::is_run(class), class > small);
        assert!(classes::alignment_of(class).is_power_of_two());
        assert!(classes::size_of(class).is_multiple_of(classes::alignment_of(class)));
    }
}

#[test]
fn what_has_no_size_or_no_address_has_no_class() {
    for size in [0, classes::SIZE_MAX + 1, 1 << 53, u64::MAX] {
        assert_eq!(classes::class_for(size, 1), None);
        assert_eq!(classes::class_for(size, 1 << 30), None);
    }
}

#[test]
fn chunks_lie_at_every_alignment_that_can_be_asked() {
    let (mut house, mut cache) = (House::default(), Cache::default());
    for log2 in 0..=30_u32 {
        for size in [1, 100, 5000, 100_000] {
            if size != 1 && log2 > 20 {
                continue; // the same class again
            }
            let class = classes::class_for(size, 1 << log2).unwrap();
            let count = if log2 > 20 { 1 } else { 3 };
            let taken: Vec<u64> = (0..count).map(|_| house.take_stamped(&mut cache, class)).collect();
            for address in taken {
                assert!(address.is_multiple_of(1 << log2), "{address:#x} for 2^{log2}");
                house.put(&mut cache, address);
            }
        }
    }
    house.check(&[&cache]);
}

#[test]
fn chunks_lie_at_the_alignments_that_have_a_name() {
    let (mut house, mut cache) = (House::default(), Cache::default());
    let modes = [AlignmentCode::NONE, AlignmentCode::WORD, AlignmentCode::CACHE_LINE, AlignmentCode::PAGE];
    for bytes in modes.map(|mode| mode.bytes().unwrap() as u64) {
        for size in [1, bytes - 1, bytes, bytes + 1, 3 * bytes, 50_000] {
            let class = classes::class_for(size, bytes).unwrap();
            for _ in 0..20 {
                let address = house.take(&mut cache, class).unwrap();
                assert!(
                    address.is_multiple_of(bytes),
                    "{size} bytes at {address:#x}, not a multiple of {bytes}"
                );
            }
        }
    }
    house.check(&[&cache]);
}

#[test]
fn every_small_class_fills_its_spans_without_a_gap_or_an_overlap() {
    let (mut house, mut cache) = (House::default(), Cache::default());
    for class in (0..classes::COUNT as u8).filter(|class| !classes::is_run(*class)) {
        for _ in 0..70 {
            house.take_stamped(&mut cache, class);
        }
    }
    house.check(&[&cache]);
    for address in house.live.keys().copied().collect::<Vec<_>>() {
        house.put(&mut cache, address);
    }
    house.check(&[&cache]);
}
