//! How long a viewed chunk waits before it has a next owner.

use super::super::{Cache, classes};
use super::{GIVES_PAGES_BACK, House, MIB, class_of};
use crate::tracker::stack::Links;
use crate::tracker::state::State;

/// Takes a chunk, shows it, and frees it.
fn show_and_free(house: &mut House, cache: &mut Cache, size: u64) -> u64 {
    let address = house.take_stamped(cache, class_of(size));
    house.view(address);
    house.put(cache, address);
    address
}

#[test]
fn a_viewed_chunk_waits_for_256_others() {
    let (mut house, mut cache) = (House::default(), Cache::default());
    let first = show_and_free(&mut house, &mut cache, 64);
    for round in 1..256 {
        assert_ne!(show_and_free(&mut house, &mut cache, 64), first, "round {round}");
        house.check(&[&cache]);
    }
    assert_eq!(cache.quarantined_bytes(), 256 * 64);
    show_and_free(&mut house, &mut cache, 64);
    assert_eq!(cache.quarantined_bytes(), 256 * 64);
    house.check(&[&cache]);
    // The first is free to go now; those that nobody ever looked at go before it.
    let waiting = cache.check(&house.tracker).len();
    let taken: Vec<u64> = (0..waiting - 256).map(|_| house.take_stamped(&mut cache, class_of(64))).collect();
    assert!(taken.contains(&first));
    house.check(&[&cache]);
}

#[test]
fn a_viewed_run_waits_for_8_mib_of_others() {
    let (mut house, mut cache) = (House::default(), Cache::default());
    let first = show_and_free(&mut house, &mut cache, MIB);
    for _ in 0..8 {
        assert_ne!(show_and_free(&mut house, &mut cache, MIB), first);
        house.check(&[&cache]);
    }
    assert_eq!(cache.quarantined_bytes(), 8 * MIB);
    assert_eq!(house.take_stamped(&mut cache, class_of(MIB)), first);
    house.check(&[&cache]);
}

#[test]
fn a_run_larger_than_the_quarantine_gives_its_pages_back_and_waits_too() {
    let (mut house, mut cache) = (House::default(), Cache::default());
    let first = show_and_free(&mut house, &mut cache, 20 * MIB);
    assert_eq!(house.chunks.committed_bytes(), if GIVES_PAGES_BACK { 0 } else { 20 * MIB });
    let second = show_and_free(&mut house, &mut cache, 20 * MIB);
    assert_ne!(first, second);
    assert_eq!(cache.quarantined_bytes(), 40 * MIB);
    house.check(&[&cache]);
}

#[test]
fn a_loop_of_views_goes_round_the_quarantine_and_cuts_nothing_new() {
    for size in [64, 1000, 40 << 10, 64 << 10, MIB, 5 * MIB] {
        let (mut house, mut cache) = (House::default(), Cache::default());
        for _ in 0..600 {
            show_and_free(&mut house, &mut cache, size);
        }
        let before = (house.chunks.atlas.count(), house.tracker.used(), house.chunks.committed_bytes());
        for _ in 0..600 {
            show_and_free(&mut house, &mut cache, size);
        }
        let after = (house.chunks.atlas.count(), house.tracker.used(), house.chunks.committed_bytes());
        assert_eq!(before, after, "{size}");
        house.check(&[&cache]);
    }
}

#[test]
fn trim_takes_the_pages_of_what_waits_and_hands_none_of_it_out() {
    let (mut house, mut cache) = (House::default(), Cache::default());
    let waiting: Vec<u64> = (0..7).map(|_| show_and_free(&mut house, &mut cache, MIB)).collect();
    let small: Vec<u64> = (0..200).map(|_| show_and_free(&mut house, &mut cache, 4096)).collect();
    let given = house.chunks.trim(&mut cache, &house.tracker);
    assert!(!GIVES_PAGES_BACK || given >= 7 * MIB);
    assert_eq!(cache.quarantined_bytes(), 7 * MIB + 200 * 4096);
    house.check(&[&cache]);
    for _ in 0..7 {
        let address = house.take_stamped(&mut cache, class_of(MIB));
        assert!(!waiting.contains(&address));
    }
    for _ in 0..200 {
        let address = house.take_stamped(&mut cache, class_of(4096));
        assert!(!small.contains(&address));
    }
    house.check(&[&cache]);
}

#[test]
fn with_no_memory_for_another_the_oldest_that_waits_is_handed_out() {
    let (mut house, mut cache) = (House::default(), Cache::default());
    // A class that no second chunk of fits into the addresses of a process.
    let class = class_of(classes::SIZE_MAX / 2);
    let Ok(address) = house.take(&mut cache, class) else {
        return assert_class_is_refused(&mut house, &mut cache, class);
    };
    house.view(address);
    house.put(&mut cache, address);
    assert_eq!(house.take(&mut cache, class).unwrap(), address);
}

/// Where not even one such chunk is to be had, a waiting one is made by hand.
fn assert_class_is_refused(house: &mut House, cache: &mut Cache, class: u8) {
    let address = house.take(cache, class_of(64)).unwrap();
    house.view(address);
    house.put(cache, address);
    let before = cache.quarantined_bytes();
    house.take(cache, class).unwrap_err();
    assert_eq!(cache.quarantined_bytes(), before, "a chunk of another class is no help");
    let slot = *cache.check(&house.tracker).last().unwrap();
    assert_eq!(cache.reissue(&house.chunks, class_of(64)), Some(slot));
    let state = house.tracker.shared(slot).unwrap().state();
    assert!(state.has(State::EVER_VIEWED));
    cache.put(&house.chunks, &house.tracker, class_of(64), slot, state);
    house.check(&[&*cache]);
}

#[test]
fn what_an_ended_isolate_left_waiting_waits_on() {
    let (mut house, mut one, mut other) = (House::default(), Cache::default(), Cache::default());
    let first = show_and_free(&mut house, &mut one, 1000);
    one.dissolve(&house.chunks, &house.tracker);
    assert_eq!((one.quarantined_bytes(), house.chunks.left_bytes()), (0, 1024));
    for _ in 0..300 {
        assert_ne!(house.take_stamped(&mut other, class_of(1000)), first);
    }
    house.check(&[&one, &other]);
    for _ in 0..3 {
        let mut next = Cache::default();
        for _ in 0..100 {
            let address = house.take_stamped(&mut next, class_of(64));
            house.view(address);
            house.put(&mut next, address);
        }
        next.dissolve(&house.chunks, &house.tracker);
    }
    house.check(&[&one, &other]);
    let free = house.chunks.pop(&house.tracker, class_of(1000), u32::MAX).unwrap();
    let mut found = false;
    house.tracker.walk(free, |slot| found |= house.bytes(slot, 0, 1).address() as u64 == first);
    house.chunks.push(&house.tracker, class_of(1000), free);
    assert!(found, "others displaced it");
}
