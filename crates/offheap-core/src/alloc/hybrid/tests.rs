//! Steps between two threads, done by hand.

use super::{CLASSED_MAX, Hybrid, SHARED_MAX, SLOT_MAX, SPAN_BYTES, UNIT_MAX};
use crate::alloc::strategy::Strategy;
use crate::base::error::Code;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

const MIB: u64 = 1 << 20;

#[test]
fn a_span_that_is_lent_and_not_used_yet_cannot_be_freed_by_its_offset() {
    let hybrid = Hybrid::new(4 * SPAN_BYTES, 1).unwrap();
    assert!(hybrid.lend(hybrid.slab.as_ref().unwrap()));
    assert_eq!(hybrid.free(0).unwrap_err().code, Code::DoubleFree);
    assert_eq!(hybrid.granted(0), None);
    assert_eq!(hybrid.allocate(100).unwrap().offset, 0, "the slab has it");
    hybrid.check().unwrap();
}

#[test]
fn small_grants_go_on_where_no_whole_span_is_left() {
    let hybrid = Hybrid::new(SPAN_BYTES + 1000, 1).unwrap();
    let large = hybrid.allocate(SPAN_BYTES - 5000).unwrap();
    let small = hybrid.allocate(100).unwrap();
    assert!(small.offset >= large.size && small.size < 1000);
    hybrid.free(large.offset).unwrap();
    hybrid.free(small.offset).unwrap();
    assert_eq!(hybrid.usage().held, 0);
}

#[test]
fn a_request_above_the_slab_s_has_the_class_of_its_number_of_units_up_to_64_kib() {
    for alignment in [1, 4096, SLOT_MAX, 2 * SLOT_MAX, CLASSED_MAX, MIB] {
        let hybrid = Hybrid::new(8 * MIB, alignment).unwrap();
        let smallest = if alignment > SLOT_MAX { 0 } else { SLOT_MAX };
        let mut classes: BTreeMap<u32, u64> = BTreeMap::new(); // and the size of its grants
        for size in (smallest..CLASSED_MAX).step_by(512).flat_map(|size| [size + 1, size + 512]) {
            let (class, grant) = (hybrid.class_of(size).unwrap(), hybrid.allocate(size).unwrap());
            assert_eq!(grant.size, size.next_multiple_of(UNIT_MAX));
            assert_eq!(*classes.entry(class).or_insert(grant.size), grant.size, "{size} by {alignment}");
            assert!(hybrid.has_class_at(grant.offset, size));
            hybrid.free(grant.offset).unwrap();
        }
        assert_eq!(classes.len() as u64, (CLASSED_MAX - smallest) / UNIT_MAX);
        assert_eq!([0, CLASSED_MAX + 1, MIB, u64::MAX].map(|size| hybrid.class_of(size)), [None; 4]);
        // Who keeps grants has 64 places for them, by the remainder: none of these meets another, or one of the slab's.
        let slots: BTreeSet<u32> = (1..=smallest).filter_map(|size| hybrid.class_of(size)).collect();
        assert!(classes.keys().all(|class| *class < 64 && !slots.contains(class)), "{classes:?}, {slots:?}");
    }
}

#[test]
fn in_a_region_below_4_mib_no_request_above_the_slab_s_has_a_class() {
    for (total, alignment) in [(4 * MIB - 1, 1), (MIB, 1), (MIB, 2 * SLOT_MAX), (SPAN_BYTES - 1, 1)] {
        let hybrid = Hybrid::new(total, alignment).unwrap();
        assert_eq!([SLOT_MAX + 1, 20_000, CLASSED_MAX].map(|size| hybrid.class_of(size)), [None; 3]);
        let has_slots = alignment == 1 && total >= SPAN_BYTES;
        assert_eq!(hybrid.class_of(SLOT_MAX).is_some(), has_slots, "{total} by {alignment}");
    }
}

#[test]
fn a_small_request_that_no_span_had_room_for_is_of_no_class() {
    let hybrid = Hybrid::new(4 * MIB, 1).unwrap();
    let all = hybrid.allocate(4 * MIB - SPAN_BYTES).unwrap();
    // So many units as a request has that is a little larger than the slab's.
    let [large, small] = [SLOT_MAX + 1, SLOT_MAX].map(|size| hybrid.allocate(size).unwrap());
    assert_eq!((large.size, small.size), (SLOT_MAX + UNIT_MAX, SLOT_MAX));
    assert!(hybrid.has_class_at(large.offset, SLOT_MAX + 1) && !hybrid.has_class_at(small.offset, SLOT_MAX));
    for offset in [small.offset, large.offset] {
        hybrid.free(offset).unwrap();
    }
    let slot = hybrid.allocate(SLOT_MAX).unwrap();
    assert!(hybrid.has_class_at(slot.offset, SLOT_MAX), "a span has room now");
    assert!(!hybrid.has_class_at(slot.offset, SLOT_MAX + 1), "no slot is so large");
    hybrid.free(all.offset).unwrap();
}

/// Frees a grant, and tells what was given back on the way.
fn free(hybrid: &Hybrid, offset: u64, refuses: bool) -> (u64, Vec<(u64, u64)>) {
    let given = RefCell::new(Vec::new());
    let decommit = |offset, size| {
        given.borrow_mut().push((offset, size));
        if refuses { 0 } else { size }
    };
    let size = hybrid.free_with(offset, &decommit).unwrap();
    hybrid.check().unwrap();
    (size, given.into_inner())
}

/// What a trim gives back.
fn trim(hybrid: &Hybrid) -> u64 {
    hybrid.trim(&|_, size| size)
}

#[test]
fn above_4_mib_a_grant_has_whole_pages_that_go_back_when_it_is_freed() {
    for page in [4096, 16_384, 65_536] {
        for alignment in [1, 8192, 1 << 17] {
            let hybrid = Hybrid::with_page(32 * MIB + 4096, alignment, page).unwrap();
            hybrid.allocate(100_000).unwrap();
            for size in [SHARED_MAX + 1, SHARED_MAX + 4096, 5 * MIB - 1, 9 * MIB + 1] {
                let grant = hybrid.allocate(size).unwrap();
                assert!(grant.offset.is_multiple_of(page.max(alignment)) && grant.size.is_multiple_of(page));
                assert!((size..size + page).contains(&grant.size), "{size} is served by {grant:?}");
                assert_eq!(
                    free(&hybrid, grant.offset, false),
                    (grant.size, vec![(grant.offset, grant.size)])
                );
                assert_eq!(
                    hybrid.free_with(grant.offset, &|_, _| panic!()).unwrap_err().code,
                    Code::DoubleFree
                );
            }
            let shared = hybrid.allocate(SHARED_MAX).unwrap();
            assert_eq!((shared.size, free(&hybrid, shared.offset, false).1), (SHARED_MAX, vec![]));
        }
    }
}

#[test]
fn what_is_said_to_fit_fits_also_where_a_page_is_more_than_a_unit() {
    for page in [4096, 16_384, 65_536] {
        for total in
            [4 * MIB, 4 * MIB + 4096, 4 * MIB + 24_576, 5 * MIB + 20_480, 21 * MIB - 4096, 32 * MIB + 5]
        {
            let hybrid = Hybrid::with_page(total, 1, page).unwrap();
            let refused = hybrid.allocate(u64::MAX).unwrap_err();
            assert_eq!((refused.code, refused.available), (Code::OutOfRange, hybrid.usage().largest_free));
            assert!(
                refused.available >= SHARED_MAX && refused.available + page + 4096 > total,
                "{total} {page}"
            );
            // Ever less is left, from any unit on.
            for size in [20_000, 30_000, 1, 300_000, 5 * MIB, 40_000] {
                let largest = hybrid.usage().largest_free;
                assert!(hybrid.allocate(largest + 1).is_err_and(|refused| refused.available == largest));
                let grant = hybrid.allocate(largest).unwrap();
                assert!(grant.size >= largest && grant.offset + grant.size <= total);
                free(&hybrid, grant.offset, false);
                if size <= largest {
                    hybrid.allocate(size).unwrap();
                }
            }
        }
    }
}

#[test]
fn a_trim_finds_what_the_system_refused_and_nothing_that_it_has() {
    let hybrid = Hybrid::new(32 * MIB, 1).unwrap();
    let grants = [8, 6, 10].map(|mib| hybrid.allocate(mib * MIB).unwrap());
    assert_eq!(trim(&hybrid), 8 * MIB, "the rest of the region");
    free(&hybrid, grants[1].offset, false);
    assert_eq!(trim(&hybrid), 0, "it has them");
    free(&hybrid, grants[0].offset, true);
    assert_eq!((trim(&hybrid), trim(&hybrid)), (8 * MIB, 0), "locked when it was freed");
    let again = hybrid.allocate(MIB).unwrap();
    assert_eq!(trim(&hybrid), 0);
    hybrid.free(again.offset).unwrap();
    assert_eq!(trim(&hybrid), MIB, "it was used again");
}

#[test]
fn a_grant_whose_pages_are_going_back_is_nobody_s() {
    let hybrid = Hybrid::new(16 * MIB, 1).unwrap();
    let grant = hybrid.allocate(8 * MIB).unwrap();
    let decommit = |offset, size| {
        assert_eq!(hybrid.granted(offset), None);
        assert_eq!(hybrid.free(offset).unwrap_err().code, Code::DoubleFree);
        assert_eq!(trim(&hybrid), 8 * MIB, "of the rest alone");
        let refused = hybrid.allocate(9 * MIB).unwrap_err();
        assert_eq!((refused.code, refused.available), (Code::RegionFull, 8 * MIB));
        let other = hybrid.allocate(5 * MIB).unwrap();
        assert!(other.offset >= offset + size);
        hybrid.check().unwrap();
        hybrid.free(other.offset).unwrap();
        size
    };
    hybrid.free_with(grant.offset, &decommit).unwrap();
    assert_eq!((hybrid.usage().held, hybrid.usage().largest_free), (0, 16 * MIB));
    hybrid.check().unwrap();
}
