//! Steps that other threads would have to interrupt at one moment: here they are interrupted by hand.

use super::claim::lowest;
use super::{FIGURES, SPAN_BYTES, SPAN_SHIFT, Slab};
use crate::alloc::chunks::classes;
use crate::alloc::strategy::Strategy;
use crate::base::sync::Ordering;
use std::collections::BTreeSet;

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
    assert!(slab.take(0, class(100), 0, 1).is_none());
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
    for most in [1, 5, 64] {
        assert!(slab.take(0, class(16), 0, most).is_none(), "a thread that saw the old class");
        assert_eq!(slab.taken[0].load(Ordering::Relaxed), before, "{most}");
    }
    slab.check().unwrap();
}

/// Takes many, and tells in how many words they lie.
fn words_of_many(slab: &Slab, size: u64, count: usize) -> (usize, Vec<u64>) {
    let (mut words, mut offsets) = (BTreeSet::new(), Vec::new());
    let given = slab.allocate_many(size, count, &mut |grant| {
        words.insert((grant.offset >> SPAN_SHIFT, grant.offset % SPAN_BYTES / grant.size / 64));
        offsets.push(grant.offset);
    });
    assert_eq!(given, offsets.len());
    (words.len(), offsets)
}

#[test]
fn many_slots_come_from_as_few_words_as_hold_them() {
    let slab = Slab::new(TWO_SPANS, 1).unwrap();
    let (words, first) = words_of_many(&slab, 16, 64);
    assert_eq!((words, slab.taken[0].load(Ordering::Relaxed)), (1, !0), "a whole word at once");
    let (words, next) = words_of_many(&slab, 16, 100);
    assert_eq!((words, next.len()), (2, 100));
    assert!(
        first.iter().chain(&next).copied().eq((0..164).map(|index| 16 * index)),
        "in order, and none left out"
    );
    for offset in [16, 48, 80, 1008] {
        slab.free(offset).unwrap();
    }
    let (words, again) = words_of_many(&slab, 16, 3);
    assert_eq!((words, again), (1, vec![16, 48, 80]), "what is free of a word, and no more than is wanted");
    slab.check().unwrap();
}

#[test]
fn the_lowest_bits_are_as_many_as_are_wanted_or_as_there_are() {
    for word in [1, 1 << 63, !0, 0xf0f0, 0x8000_0000_0000_0001_u64] {
        for most in 1..=64 {
            let bits = lowest(word, most);
            assert_eq!((bits & !word, bits.count_ones()), (0, word.count_ones().min(most)));
            let left = word & !bits;
            assert!(left == 0 || left.trailing_zeros() > 63 - bits.leading_zeros(), "{word:x} {most}");
        }
    }
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
