//! Page runs: their pages, their accounts, and what happens when there are none.

use super::super::{Cache, classes};
use super::{GIVES_PAGES_BACK, House, MIB, class_of};
use crate::base::error::Code;

/// As in the store: free runs beyond this have no pages.
const IDLE_MAX: u64 = 64 * MIB;
/// A block larger than one ArrayBuffer of Node 20. The portable fallback writes every page when it
/// reserves, so it gets a smaller one.
const BIG: u64 = if GIVES_PAGES_BACK { 5 << 30 } else { 320 * MIB };

fn fill(house: &mut House, cache: &mut Cache, size: u64, count: usize) -> Vec<u64> {
    (0..count).map(|_| house.take_stamped(cache, class_of(size))).collect()
}

#[test]
fn fresh_runs_are_clean_and_read_zero() {
    let (mut house, mut cache) = (House::default(), Cache::default());
    for size in [33 << 10, 100 << 10, 3 * MIB, 20 * MIB] {
        let address = house.take(&mut cache, class_of(size)).unwrap();
        assert!(house.live[&address].clean);
        house.assert_reads(house.live[&address].handle.slot, classes::size_of(class_of(size)), 0);
    }
    house.check(&[&cache]);
}

#[test]
fn a_used_run_does_not_claim_to_be_clean() {
    let (mut house, mut cache) = (House::default(), Cache::default());
    for size in [40 << 10, MIB] {
        let address = house.take_stamped(&mut cache, class_of(size));
        house.put(&mut cache, address);
        assert_eq!(house.take(&mut cache, class_of(size)).unwrap(), address);
        assert!(!house.live[&address].clean);
    }
}

#[test]
fn idle_runs_keep_at_most_64_mib_of_pages() {
    let (mut house, mut cache) = (House::default(), Cache::default());
    let taken = fill(&mut house, &mut cache, MIB, 100);
    assert_eq!(house.chunks.committed_bytes(), 100 * MIB);
    for address in taken {
        house.put(&mut cache, address);
        house.check(&[&cache]);
        assert!(!GIVES_PAGES_BACK || house.idle_bytes(&[&cache]) <= IDLE_MAX);
    }
    if GIVES_PAGES_BACK {
        assert_eq!((house.chunks.committed_bytes(), house.idle_bytes(&[&cache])), (IDLE_MAX, IDLE_MAX));
    }
    fill(&mut house, &mut cache, MIB, 100);
    assert_eq!((house.chunks.committed_bytes(), house.idle_bytes(&[&cache])), (100 * MIB, 0));
    house.check(&[&cache]);
}

#[test]
fn a_viewed_run_that_comes_and_goes_keeps_its_pages_whatever_peaks_there_were() {
    let (mut house, mut cache) = (House::default(), Cache::default());
    for _ in 0..3 {
        let taken: Vec<u64> = (0..200).map(|_| house.take(&mut cache, class_of(MIB)).unwrap()).collect();
        for address in taken {
            house.view(address);
            house.put(&mut cache, address);
            house.check(&[&cache]);
        }
        for round in 0..40 {
            let address = house.take(&mut cache, class_of(MIB)).unwrap();
            // The first ones may take pages that came back late.
            assert!(round < 20 || !house.live[&address].clean, "its pages had gone, round {round}");
            house.view(address);
            house.put(&mut cache, address);
            house.check(&[&cache]);
        }
    }
}

#[test]
fn trim_gives_the_pages_of_idle_runs_back_once() {
    let (mut house, mut cache, mut other) = (House::default(), Cache::default(), Cache::default());
    let mut taken = fill(&mut house, &mut cache, MIB, 20);
    taken.extend(fill(&mut house, &mut cache, 200 << 10, 20));
    let kept = taken.split_off(35);
    for (index, address) in taken.iter().enumerate() {
        if index % 3 == 0 {
            house.view(*address);
        }
        house.put(&mut cache, *address);
    }
    let idle = house.idle_bytes(&[&cache]);
    assert_eq!(idle, 20 * MIB + 15 * classes::size_of(class_of(200 << 10)));
    let given = house.chunks.trim(&mut cache, &house.tracker);
    assert_eq!(given, if GIVES_PAGES_BACK { idle } else { 0 });
    house.check(&[&cache, &other]);
    assert_eq!(house.chunks.trim(&mut cache, &house.tracker), 0, "nothing is left to give");
    assert_eq!(house.chunks.trim(&mut other, &house.tracker), 0);
    house.check(&[&cache, &other]);
    for address in kept {
        house.put(&mut cache, address); // their stamps were not trimmed away
    }
    house.check(&[&cache, &other]);
}

#[test]
fn a_trimmed_run_reads_zero_where_it_says_so_and_is_counted_again() {
    let (mut house, mut cache) = (House::default(), Cache::default());
    let taken = fill(&mut house, &mut cache, MIB, 10);
    for address in &taken {
        house.put(&mut cache, *address);
    }
    house.chunks.trim(&mut cache, &house.tracker);
    for _ in &taken {
        let address = house.take(&mut cache, class_of(MIB)).unwrap(); // reads zero if it is clean
        assert!(taken.contains(&address));
        assert!(house.live[&address].clean || !GIVES_PAGES_BACK);
        house.check(&[&cache]);
    }
    assert_eq!((house.chunks.committed_bytes(), house.idle_bytes(&[&cache])), (10 * MIB, 0));
}

#[test]
fn a_trimmed_run_that_is_taken_and_put_back_unused_is_counted_once() {
    let (mut house, mut cache) = (House::default(), Cache::default());
    let class = class_of(MIB);
    let address = house.take_stamped(&mut cache, class);
    house.put(&mut cache, address);
    house.chunks.trim(&mut cache, &house.tracker);
    for _ in 0..3 {
        // What a reallocation does that is prepared and then given up.
        let slot = cache.take(&house.chunks, &house.tracker, class).unwrap();
        let state = house.tracker.shared(slot).unwrap().state();
        cache.put(&house.chunks, &house.tracker, class, slot, state);
        house.check(&[&cache]);
    }
    house.take(&mut cache, class).unwrap();
    house.check(&[&cache]);
    assert_eq!((house.chunks.committed_bytes(), house.idle_bytes(&[&cache])), (MIB, 0));
}

#[test]
fn trim_takes_whole_free_pages_under_small_chunks_and_leaves_the_live_ones() {
    let (mut house, mut cache) = (House::default(), Cache::default());
    for size in [16, 48, 1000, 5000, 20 << 10, 32 << 10] {
        let taken = fill(&mut house, &mut cache, size, 300);
        for (index, address) in taken.into_iter().enumerate() {
            if index % 100 != 50 {
                house.put(&mut cache, address);
            }
        }
    }
    let spans = house.chunks.committed_bytes();
    let given = house.chunks.trim(&mut cache, &house.tracker);
    assert_eq!(given > 0, GIVES_PAGES_BACK);
    assert_eq!(spans - house.chunks.committed_bytes(), given);
    assert!(
        !GIVES_PAGES_BACK || house.chunks.trim(&mut cache, &house.tracker) == 0,
        "a second trim finds nothing"
    );
    house.check(&[&cache]);
    for address in house.live.keys().copied().collect::<Vec<_>>() {
        house.put(&mut cache, address); // checks the stamp
    }
    let rest = house.chunks.trim(&mut cache, &house.tracker);
    assert_eq!(rest > 0, GIVES_PAGES_BACK, "the pages of the chunks that were live");
    assert_eq!(house.chunks.trim(&mut cache, &house.tracker), 0);
    house.check(&[&cache]);
}

#[test]
fn a_page_goes_once_all_its_chunks_are_free_whichever_cache_trimmed_before() {
    let (mut house, mut one, mut other) = (House::default(), Cache::default(), Cache::default());
    let viewed = house.take_stamped(&mut one, class_of(64)); // stays in `one` when it is free
    let plain = house.take_stamped(&mut other, class_of(64)); // 31 more of its page wait in `other`
    house.view(viewed);
    let (page, slot) = (viewed, house.put(&mut one, viewed));
    house.put(&mut other, plain);
    assert!(page.is_multiple_of(crate::raw::page_size() as u64), "the first chunk of a span");
    for cache in [&mut one, &mut other] {
        house.chunks.trim(cache, &house.tracker); // neither sees all of the page
    }
    let rest = house.chunks.trim(&mut one, &house.tracker);
    house.check(&[&one, &other]);
    assert_eq!(rest > 0, GIVES_PAGES_BACK);
    if GIVES_PAGES_BACK {
        house.assert_reads(slot, 64, 0); // its page is gone: nobody holds what it said
    }
}

#[test]
fn small_chunks_are_used_again_after_a_trim() {
    let (mut house, mut cache) = (House::default(), Cache::default());
    for round in 0..3 {
        let taken = fill(&mut house, &mut cache, 1000, 500);
        house.check(&[&cache]);
        let spans = house.chunks.atlas.count();
        for address in taken {
            house.put(&mut cache, address);
        }
        let given = house.chunks.trim(&mut cache, &house.tracker);
        assert_eq!(given > 400_000, GIVES_PAGES_BACK, "round {round} gave {given}");
        fill(&mut house, &mut cache, 1000, 500);
        assert_eq!(house.chunks.atlas.count(), spans, "the same spans serve again");
        for address in house.live.keys().copied().collect::<Vec<_>>() {
            house.put(&mut cache, address);
        }
    }
}

#[test]
fn a_big_run_takes_address_space_and_only_the_pages_that_are_touched() {
    let (mut house, mut cache) = (House::default(), Cache::default());
    let class = class_of(BIG);
    assert_eq!(classes::size_of(class), BIG);
    let address = house.take_stamped(&mut cache, class); // touches three pages
    assert_eq!(house.chunks.committed_bytes(), BIG);
    house.check(&[&cache]);
    house.put(&mut cache, address);
    house.check(&[&cache]);
    if GIVES_PAGES_BACK {
        assert_eq!(house.chunks.committed_bytes(), 0, "above the idle budget at once");
    }
    let again = house.take(&mut cache, class).unwrap(); // reads zero if it is clean
    assert_eq!(again, address);
    assert!(house.live[&again].clean || !GIVES_PAGES_BACK);
    house.check(&[&cache]);
}

#[test]
fn what_no_address_space_holds_is_refused_and_nothing_has_changed() {
    let (mut house, mut cache) = (House::default(), Cache::default());
    house.take_stamped(&mut cache, class_of(100));
    let before = (house.chunks.committed_bytes(), house.idle_bytes(&[&cache]), house.chunks.atlas.count());
    let used = house.tracker.used();
    for round in 0..10 {
        for size in [classes::SIZE_MAX, classes::SIZE_MAX / 8 * 7] {
            let error = house.take(&mut cache, class_of(size)).unwrap_err();
            assert_eq!(
                (error.code, error.requested),
                (Code::OutOfMemory, classes::size_of(class_of(size))),
                "round {round}"
            );
        }
    }
    assert_eq!(
        (house.chunks.committed_bytes(), house.idle_bytes(&[&cache]), house.chunks.atlas.count()),
        before
    );
    assert!(house.tracker.used()[0] <= used[0] + 1, "the record that was taken for it was given back");
    house.check(&[&cache]);
    house.take_stamped(&mut cache, class_of(MIB));
    house.check(&[&cache]);
}

#[test]
fn runs_of_all_classes_share_segments_without_overlap() {
    let (mut house, mut cache) = (House::default(), Cache::default());
    let last = if GIVES_PAGES_BACK { 24 * MIB } else { 5 * MIB };
    for round in 0..3 {
        for class in (0..classes::COUNT as u8).filter(|class| classes::is_run(*class)) {
            if classes::size_of(class) <= last
                && classes::class_for(classes::size_of(class), 1) == Some(class)
            {
                house.take_stamped(&mut cache, class);
            }
        }
        house.check(&[&cache]);
        if round == 1 {
            for address in house.live.keys().copied().step_by(2).collect::<Vec<_>>() {
                house.put(&mut cache, address);
            }
        }
    }
    for address in house.live.keys().copied().collect::<Vec<_>>() {
        house.put(&mut cache, address);
        house.check(&[&cache]);
    }
}
