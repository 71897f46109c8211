//! One cache, and two that share a store.

use super::super::{Cache, classes};
use super::{House, MIB, class_of};
use crate::tracker::state::{Generation, Slot, State};

const SIZES: [u64; 8] = [16, 100, 1024, 9000, 32 << 10, 40 << 10, 100 << 10, MIB];

#[test]
fn chunks_come_back_last_in_first_out() {
    let (mut house, mut cache) = (House::default(), Cache::default());
    for size in SIZES {
        let class = class_of(size);
        let (one, other) = (house.take_stamped(&mut cache, class), house.take_stamped(&mut cache, class));
        for _ in 0..3 {
            house.put(&mut cache, one);
            house.put(&mut cache, other);
            assert_eq!(house.take_stamped(&mut cache, class), other);
            assert_eq!(house.take_stamped(&mut cache, class), one);
        }
    }
    house.check(&[&cache]);
}

#[test]
fn new_small_chunks_come_with_rising_addresses() {
    let (mut house, mut cache) = (House::default(), Cache::default());
    let taken: Vec<u64> = (0..30).map(|_| house.take(&mut cache, class_of(64)).unwrap()).collect();
    assert!(taken.is_sorted(), "{taken:x?}");
}

#[test]
fn what_one_cache_spills_another_takes_before_anything_new_is_cut() {
    for size in SIZES {
        let (mut house, mut one, mut other) = (House::default(), Cache::default(), Cache::default());
        let taken: Vec<u64> = (0..200).map(|_| house.take_stamped(&mut one, class_of(size))).collect();
        for address in &taken {
            house.put(&mut one, *address);
        }
        house.check(&[&one, &other]);
        let cut = |house: &House| (house.chunks.atlas.count(), house.tracker.used());
        let before = cut(&house);
        let kept = one.check(&house.tracker).len();
        for _ in kept..200 {
            house.take_stamped(&mut other, class_of(size));
        }
        assert_eq!(cut(&house), before, "{size}: cut although spilled chunks wait");
        house.check(&[&one, &other]);
        one.spill(&house.chunks, &house.tracker);
        for _ in 0..kept {
            house.take_stamped(&mut other, class_of(size));
        }
        assert_eq!(cut(&house), before);
        house.check(&[&one, &other]);
    }
}

#[test]
fn a_cache_hoards_at_most_64_chunks_and_a_mebibyte_of_a_class() {
    let (mut house, mut cache) = (House::default(), Cache::default());
    for size in SIZES {
        let taken: Vec<u64> = (0..200).map(|_| house.take(&mut cache, class_of(size)).unwrap()).collect();
        for address in taken {
            house.put(&mut cache, address);
        }
        let class = class_of(size);
        let waiting = cache.check(&house.tracker);
        let of_class = waiting
            .iter()
            .filter(|slot| house.tracker.shared(**slot).unwrap().place().class == class)
            .count();
        let bytes = of_class as u64 * classes::size_of(class);
        assert!(
            (1..=64).contains(&of_class) && (bytes <= MIB || of_class <= 2),
            "{of_class} chunks of {size}"
        );
    }
    house.check(&[&cache]);
}

#[test]
fn a_viewed_chunk_never_leaves_its_cache_while_that_lives() {
    for size in SIZES {
        let (mut house, mut one, mut other) = (House::default(), Cache::default(), Cache::default());
        let class = class_of(size);
        let viewed: Vec<u64> = (0..100).map(|_| house.take_stamped(&mut one, class)).collect();
        for address in &viewed {
            house.view(*address);
            house.put(&mut one, *address);
        }
        one.spill(&house.chunks, &house.tracker);
        house.chunks.trim(&mut one, &house.tracker);
        house.check(&[&one, &other]);
        for _ in 0..100 {
            let address = house.take_stamped(&mut other, class);
            assert!(!viewed.contains(&address), "a buffer of another isolate is over it");
        }
        one.release();
        let again: Vec<u64> = (0..100).map(|_| house.take_stamped(&mut one, class)).collect();
        assert!(viewed.iter().all(|address| again.contains(address)), "its own isolate takes it again");
        house.check(&[&one, &other]);
    }
}

#[test]
fn a_chunk_that_was_viewed_once_stays_though_its_next_owner_did_not_look() {
    let (mut house, mut one, mut other) = (House::default(), Cache::default(), Cache::default());
    let class = class_of(64);
    let address = house.take_stamped(&mut one, class);
    house.view(address);
    house.put(&mut one, address);
    one.release();
    // Only this one is left in the cache: whatever is taken first, it must come back as viewed.
    let taken: Vec<u64> = (0..200).map(|_| house.take_stamped(&mut one, class)).collect();
    assert!(taken.contains(&address));
    for address in taken {
        house.put(&mut one, address);
    }
    one.spill(&house.chunks, &house.tracker);
    assert_eq!(one.check(&house.tracker).len(), 1);
    for _ in 0..200 {
        assert_ne!(house.take_stamped(&mut other, class), address);
    }
    house.check(&[&one, &other]);
}

#[test]
fn a_dissolved_cache_leaves_everything_to_the_others() {
    for size in SIZES {
        let (mut house, mut one, mut other) = (House::default(), Cache::default(), Cache::default());
        let class = class_of(size);
        let taken: Vec<u64> = (0..90).map(|_| house.take_stamped(&mut one, class)).collect();
        for (index, address) in taken.iter().enumerate() {
            if index % 2 == 0 {
                house.view(*address);
            }
            house.put(&mut one, *address);
        }
        one.release();
        one.dissolve(&house.chunks, &house.tracker);
        assert!(one.check(&house.tracker).is_empty());
        let (records, waiting) = (house.tracker.used(), house.chunks.check(&house.tracker).len());
        let again: Vec<u64> = (0..waiting).map(|_| house.take_stamped(&mut other, class)).collect();
        assert!(taken.iter().all(|address| again.contains(address)));
        assert_eq!(house.tracker.used(), records);
        house.check(&[&one, &other]);
    }
}

#[test]
fn a_spent_chunk_goes_on_under_a_fresh_record_and_keeps_its_place_in_the_accounts() {
    for (size, viewed) in [(64, false), (64, true), (MIB, false), (MIB, true)] {
        let (mut house, mut cache) = (House::default(), Cache::default());
        let address = house.take_stamped(&mut cache, class_of(size));
        if viewed {
            house.view(address);
        }
        let old = house.put(&mut cache, address);
        cache.release();
        house.tracker.age(old, Generation::MAX);
        // A viewed chunk waits below those that nobody looked at.
        let mut others: Vec<Slot> = Vec::new();
        let fresh = loop {
            let slot = cache.take(&house.chunks, &house.tracker, class_of(size)).unwrap();
            if slot == old {
                break house.tracker.replace_spent(slot).unwrap();
            }
            others.push(slot);
        };
        assert_eq!(house.tracker.shared(fresh).unwrap().state().has(State::EVER_VIEWED), viewed);
        let state = house.tracker.shared(fresh).unwrap().state();
        cache.put(&house.chunks, &house.tracker, class_of(size), fresh, state);
        cache.release();
        assert_eq!(house.take_stamped(&mut cache, class_of(size)), address, "the same memory");
        for slot in others {
            let state = house.tracker.shared(slot).unwrap().state();
            cache.put(&house.chunks, &house.tracker, class_of(size), slot, state);
        }
        house.check(&[&cache]);
    }
}
