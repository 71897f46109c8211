//! Steps that other threads would have to interrupt at one moment: here they are interrupted by hand.

use super::{FIGURES, SPAN_BYTES, Slab};
use crate::alloc::chunks::classes;
use crate::alloc::strategy::Strategy;
use crate::base::sync::Ordering;

const TWO_SPANS: u64 = 2 * SPAN_BYTES;

fn class(size: u64) -> u8 {
    classes::class_for(size, 1).unwrap()
}

#[test]
fn a_claim_that_fails_in_the_last_word_leaves_no_bit_behind() {
    let slab = Slab::new(TWO_SPANS, 1).unwrap();
    let all: Vec<_> = (0..SPAN_BYTES / 16).map(|_| slab.allocate(16).unwrap()).collect();
    for grant in &all[..all.len() - 1] {
        slab.free(grant.offset).unwrap();
    }
    assert!(!slab.claim(0, class(16)));
    assert_eq!(slab.usage().blocks, 1);
    slab.check().unwrap();
    let again: Vec<_> = (1..SPAN_BYTES / 16).map(|_| slab.allocate(16).unwrap()).collect();
    assert!(again.iter().all(|grant| grant.offset < SPAN_BYTES), "every slot of the span is free again");
}

#[test]
fn a_claimed_span_gives_no_slot_and_takes_no_free() {
    let slab = Slab::new(TWO_SPANS, 1).unwrap();
    let grant = slab.allocate(100).unwrap();
    slab.free(grant.offset).unwrap();
    assert!(slab.claim(0, class(100)));
    assert!(slab.take(0, class(100), 0).is_none());
    assert!(!slab.claim(0, class(100)), "claimed twice");
}

#[test]
fn a_slot_taken_from_a_span_that_changed_its_class_goes_back() {
    let slab = Slab::new(TWO_SPANS, 1).unwrap();
    let small = slab.allocate(16).unwrap();
    slab.free(small.offset).unwrap();
    slab.allocate(2048).unwrap();
    let large = slab.allocate(4096).unwrap();
    assert_eq!(large.offset, 0, "the empty span has another class now");
    let before = slab.taken[0].load(Ordering::Relaxed);
    assert!(slab.take(0, class(16), 0).is_none(), "a thread that saw the old class");
    assert_eq!(slab.taken[0].load(Ordering::Relaxed), before);
    slab.check().unwrap();
}

#[test]
fn the_reciprocal_divides_every_offset_of_a_span() {
    for figures in FIGURES {
        for within in 0..SPAN_BYTES {
            assert_eq!(
                (within * figures.reciprocal) >> 32,
                within / u64::from(figures.size),
                "{within} in {figures:?}"
            );
        }
    }
}
