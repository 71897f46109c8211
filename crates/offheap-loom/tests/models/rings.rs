//! Rings: a head that moves on by exchanges, and a back that is taken together under a lock.

use super::bitmaps::Cut;
use offheap_core::alloc::ring::Ring;
use offheap_core::alloc::strategy::{Grant, Strategy};
use offheap_loom::{explore, explore_exactly, join, spawn};
use std::sync::Arc;

const STEP: u64 = 64;
const STEPS: u64 = 4;
const TOTAL: u64 = STEPS * STEP;

type Shared = Arc<Cut<Ring>>;

/// A ring that has granted so many steps, one each.
fn ring(steps: u64) -> (Shared, Vec<Grant>) {
    let ring = Cut::of(Ring::new(TOTAL, 16).unwrap(), TOTAL);
    let grants = (0..steps).map(|_| ring.take(STEP).unwrap()).collect();
    (ring, grants)
}

/// What another thread does meanwhile.
fn runs<T: Send + 'static>(
    ring: &Shared,
    act: impl FnOnce(&Cut<Ring>) -> T + Send + 'static,
) -> loom::thread::JoinHandle<T> {
    let ring = Arc::clone(ring);
    spawn(move || act(&ring))
}

/// All go back; then one grant can have the whole circle.
fn end(ring: &Cut<Ring>, grants: impl IntoIterator<Item = Grant>) {
    grants.into_iter().for_each(|grant| ring.give(grant));
    let whole = ring.take(TOTAL).unwrap();
    ring.give(whole);
    ring.assert_free(TOTAL);
}

/// What a request found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Found {
    Room,
    None,
}

impl Found {
    const fn of(grant: Option<Grant>) -> Self {
        if grant.is_some() { Self::Room } else { Self::None }
    }
}

#[test]
fn two_who_take_and_free_in_one_ring_never_hold_the_same_bytes() {
    explore(3, || {
        let (ring, _) = ring(0);
        let uses = |ring: &Cut<Ring>| {
            let first = ring.take(STEP).unwrap();
            let second = ring.take(STEP).unwrap();
            ring.give(first);
            second
        };
        let other = runs(&ring, uses);
        let mine = uses(&ring);
        end(&ring, [mine, join(other)]);
    });
}

#[test]
fn who_wants_room_while_the_oldest_grant_is_freed_gets_it_or_finds_the_ring_full() {
    explore_exactly(None, [Found::Room, Found::None], || {
        let (ring, mut held) = ring(STEPS);
        let other = runs(&ring, |ring| ring.take(STEP));
        ring.give(held.remove(0));
        let theirs = join(other);
        let mine = ring.take(STEP);
        assert!(mine.is_some() != theirs.is_some(), "the room is lost, or was given twice");
        end(&ring, held.into_iter().chain(mine).chain(theirs));
        Found::of(theirs)
    });
}

#[test]
fn room_of_grants_that_two_free_at_once_comes_back_in_the_order_of_the_grants_and_whole() {
    explore_exactly(None, [(Found::Room, Found::Room), (Found::None, Found::Room)], || {
        let (ring, held) = ring(STEPS);
        let second = held[1];
        let other = runs(&ring, move |ring| {
            ring.give(second);
            let _ = ring.strategy.oldest(); // takes back what it can
        });
        ring.give(held[0]);
        let early = ring.take(2 * STEP);
        join(other);
        let late = early.or_else(|| ring.take(2 * STEP));
        end(&ring, held[2..].iter().copied().chain(late));
        (Found::of(early), Found::of(late))
    });
}

#[test]
fn who_finds_room_that_another_took_back_sees_what_was_written_there() {
    explore_exactly(3, [Found::Room, Found::None], || {
        let (ring, held) = ring(STEPS - 1);
        held.into_iter().for_each(|grant| ring.give(grant));
        let other = runs(&ring, |ring| {
            if let Some(grant) = ring.take(STEP) {
                ring.give(grant);
            }
            let _ = ring.strategy.oldest(); // takes back what it can
        });
        let mine = ring.take(TOTAL);
        join(other);
        end(&ring, mine);
        Found::of(mine)
    });
}

#[test]
fn a_grant_that_skips_the_end_and_one_that_fits_there_share_no_byte() {
    explore_exactly(None, [(Found::Room, Found::Room), (Found::None, Found::Room)], || {
        let (ring, mut held) = ring(STEPS - 1);
        ring.give(held.remove(0));
        ring.give(held.remove(0)); // free: one step at the end, two at the start
        let other = runs(&ring, |ring| ring.take(2 * STEP)); // skips the end
        let mine = ring.take(STEP);
        let theirs = join(other);
        end(&ring, held.into_iter().chain(mine).chain(theirs));
        (Found::of(mine), Found::of(theirs))
    });
}

#[test]
fn an_empty_ring_goes_to_its_start_for_a_large_grant_while_others_take_and_free() {
    explore_exactly(3, [Found::Room, Found::None], || {
        let (ring, held) = ring(1);
        let other = runs(&ring, |ring| ring.take(TOTAL)); // only from the start on, with nothing granted
        end_one(&ring, held[0]);
        let theirs = join(other);
        end(&ring, theirs);
        Found::of(theirs)
    });
}

/// Frees one, and takes another for a moment.
fn end_one(ring: &Cut<Ring>, grant: Grant) {
    ring.give(grant);
    if let Some(next) = ring.take(STEP) {
        ring.give(next);
    }
}

#[test]
fn who_trims_holds_up_who_wants_room_and_refuses_nothing_for_which_there_is_room() {
    explore(3, || {
        let (ring, held) = ring(2);
        let other = runs(&ring, |ring| ring.strategy.trim(&|_, size| size));
        let mine = ring.take(STEP).unwrap();
        let next = ring.take(STEP).unwrap();
        join(other);
        end(&ring, held.into_iter().chain([mine, next]));
    });
}

#[test]
fn a_grant_that_is_freed_while_another_thread_counts_is_there_or_not_and_nothing_is_lost() {
    explore_exactly(3, [1, 2], || {
        let (ring, mut held) = ring(2);
        let other = runs(&ring, |ring| ring.strategy.usage());
        ring.give(held.remove(0));
        let usage = join(other);
        assert!(usage.held + usage.free == TOTAL && usage.held >= usage.blocks * STEP);
        end(&ring, held);
        usage.blocks
    });
}
