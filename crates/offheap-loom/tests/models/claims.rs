//! Bits that one takes many of: of a word by one exchange, or of several words by one exchange each, of which each may fail.

use super::bitmaps::Cut;
use offheap_core::alloc::buddy::Buddy;
use offheap_core::alloc::slab::Slab;
use offheap_core::alloc::strategy::{Grant, Strategy};
use offheap_loom::{explore_exactly, join, spawn};
use std::sync::Arc;

const SPAN: u64 = 64 << 10;
/// Four in a span.
const LARGE: u64 = 16 << 10;
/// Two words of bits in a span.
const SMALL: u64 = 512;
const WORD: usize = 64;
const PAGE: u64 = 4096;

fn slab() -> Arc<Cut<Slab>> {
    Cut::of(Slab::new(SPAN, 16).unwrap(), SPAN)
}

fn end(cut: &Cut<impl Strategy>, grants: impl IntoIterator<Item = Grant>, largest: u64) {
    grants.into_iter().for_each(|grant| cut.give(grant));
    cut.assert_free(largest);
}

#[test]
fn of_slots_that_are_claimed_a_word_at_once_while_one_is_freed_and_taken_none_is_lost_or_given_twice() {
    // Who claims gets what is free now, and then the freed slot, unless the other takes that, or takes one before.
    explore_exactly(3, [(3, 1), (4, 0)], || {
        let slab = slab();
        let held = slab.take(LARGE).unwrap();
        let claims = {
            let slab = Arc::clone(&slab);
            spawn(move || slab.take_many(LARGE, 4))
        };
        slab.give(held);
        let mine = slab.take(LARGE);
        let theirs = join(claims);
        let outcome = (theirs.len(), usize::from(mine.is_some()));
        end(&slab, theirs.into_iter().chain(mine), LARGE);
        outcome
    });
}

#[test]
fn of_two_who_claim_slots_of_one_word_at_once_one_gets_all_it_wants_and_one_the_rest() {
    explore_exactly(None, [(1, 3), (3, 1)], || {
        let slab = slab();
        let claims = {
            let slab = Arc::clone(&slab);
            spawn(move || slab.take_many(LARGE, 3))
        };
        let mine = slab.take_many(LARGE, 3);
        let theirs = join(claims);
        let outcome = (mine.len(), theirs.len());
        end(&slab, theirs.into_iter().chain(mine), LARGE);
        outcome
    });
}

/// Who got what it asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Served {
    Small,
    Large,
}

fn served(small: Option<Grant>, large: Option<Grant>) -> Served {
    assert_ne!(small.is_some(), large.is_some(), "both, or none");
    if small.is_some() { Served::Small } else { Served::Large }
}

#[test]
fn a_span_of_two_words_is_claimed_whole_for_another_class_or_goes_on_serving_its_own() {
    explore_exactly(2, [Served::Small, Served::Large], || {
        let slab = slab();
        let mut first_word = Vec::new();
        slab.strategy.allocate_many(SMALL, WORD, &mut |grant| first_word.push(grant.offset));
        let held = slab.take(SMALL).unwrap();
        assert_eq!(first_word.len(), WORD);
        for offset in first_word {
            slab.strategy.free(offset).unwrap();
        }
        let other = {
            let slab = Arc::clone(&slab);
            spawn(move || slab.take(LARGE)) // claims the first word, and the second if that is empty too
        };
        slab.give(held);
        let mine = slab.take(SMALL);
        let theirs = join(other);
        let served = served(mine, theirs);
        end(&slab, mine.into_iter().chain(theirs), LARGE);
        served
    });
}

#[test]
fn two_pages_of_a_buddy_are_claimed_together_or_one_goes_on_serving_small_runs() {
    explore_exactly(2, [Served::Small, Served::Large], || {
        let buddy = Cut::of(Buddy::new(2 * PAGE, 16).unwrap(), 2 * PAGE);
        let halves = [PAGE / 2, PAGE / 2].map(|size| buddy.take(size).unwrap());
        let held = buddy.take(64).unwrap(); // on the second page
        assert!(held.offset >= PAGE);
        halves.into_iter().for_each(|half| buddy.give(half));
        let other = {
            let buddy = Arc::clone(&buddy);
            spawn(move || buddy.take(2 * PAGE)) // claims a page, and the other if that is empty too
        };
        buddy.give(held);
        let mine = buddy.take(64);
        let theirs = join(other);
        let served = served(mine, theirs);
        end(&buddy, mine.into_iter().chain(theirs), 2 * PAGE);
        served
    });
}
