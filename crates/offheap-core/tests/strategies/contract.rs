//! One law a test, six strategies a law.

use super::house::{ALL, House};
use offheap_core::alloc::strategy::{Grant, Usage};
use offheap_core::base::error::Code;
use std::collections::BTreeMap;
use std::sync::Mutex;

const MIB: u64 = 1 << 20;
const TOTALS: [u64; 6] = [1000, 40_000, 64 << 10, 100_000, MIB, 5 * MIB + 12_345];
const ALIGNMENTS: [u64; 5] = [1, 8, 64, 4096, 16 << 10];

/// Every strategy with every total and alignment that it takes.
fn every(mut each: impl FnMut(&House)) {
    let mut houses = 0;
    for strategy in ALL {
        for total in TOTALS {
            for alignment in ALIGNMENTS {
                if let Some(house) = House::new(strategy, total, alignment) {
                    each(&house);
                    house.strategy.check().unwrap();
                    houses += 1;
                } else {
                    assert!(alignment * 4 > total, "{} refuses {total} by {alignment}", strategy.0);
                }
            }
        }
    }
    assert!(houses > 150);
}

fn fill_up(house: &House, size: u64) -> Vec<Grant> {
    let mut grants = Vec::new();
    loop {
        match house.strategy.allocate(size) {
            Ok(grant) => grants.push(grant),
            Err(error) => {
                assert_eq!((error.code, error.requested), (Code::RegionFull, size), "{}", house.name);
                assert_eq!(error.available, house.strategy.usage().largest_free, "{}", house.name);
                return grants;
            }
        }
    }
}

fn free_all<'a>(house: &House, grants: impl IntoIterator<Item = &'a Grant>) {
    for grant in grants {
        assert_eq!(house.strategy.free(grant.offset).unwrap(), grant.size, "{}", house.name);
    }
}

fn assert_all_free(house: &House) {
    let usage = house.strategy.usage();
    assert_eq!((usage.held, usage.free, usage.blocks), (0, house.total, 0), "{}", house.name);
    assert_eq!(usage.scattered, 0, "{}: of {} by {}", house.name, house.total, house.alignment);
    let largest = house.strategy.allocate(house.largest()).unwrap();
    house.assert_proper(largest, house.largest());
    house.strategy.free(largest.offset).unwrap();
}

#[test]
fn grants_of_one_class_have_one_size_and_serve_every_request_of_that_class() {
    let mut classes_seen = 0;
    every(|house| {
        let sizes: Vec<u64> =
            (0..20).flat_map(|log2| [(1 << log2) - 1, 1 << log2, (1 << log2) * 5 / 4]).collect();
        let mut classes: BTreeMap<u32, (u64, u64)> = BTreeMap::new(); // size of the grants, largest request
        let mut try_all = || {
            for size in &sizes {
                let Ok(grant) = house.strategy.allocate(*size) else { continue };
                let class = house.strategy.class_of(*size);
                if let Some(class) = class.filter(|_| house.strategy.has_class_at(grant.offset, *size)) {
                    let (granted, largest) = classes.entry(class).or_insert((grant.size, *size));
                    *largest = (*largest).max(*size);
                    assert_eq!((grant.size, grant.size >= *largest), (*granted, true), "{}", house.name);
                }
                house.strategy.free(grant.offset).unwrap();
            }
        };
        try_all();
        let grants = fill_up(house, house.largest().min(20_000)); // no room for another span
        house.strategy.free(grants[0].offset).unwrap();
        try_all();
        free_all(house, &grants[1..]);
        assert_all_free(house);
        assert_eq!(house.strategy.class_of(0), None);
        assert_eq!(house.strategy.class_of(house.largest() + 1), None);
        classes_seen += classes.len();
    });
    assert!(classes_seen > 500);
}

#[test]
fn a_strategy_that_has_seen_thousands_of_sizes_still_serves_every_size() {
    for strategy in ALL {
        for alignment in [8, 64] {
            let house = House::new(strategy, 5 * MIB + 12_345, alignment).unwrap();
            for size in (1..3000).map(|step| step * 16).filter(|size| *size <= house.largest()) {
                let grant = house.strategy.allocate(size).unwrap();
                house.assert_proper(grant, size);
                house.strategy.free(grant.offset).unwrap();
            }
            for size in [1, 100, 10_000, 100_000, MIB + 1, house.largest()] {
                if size <= house.largest() {
                    let grant = house.strategy.allocate(size).unwrap();
                    house.assert_proper(grant, size);
                    house.strategy.free(grant.offset).unwrap();
                    house.strategy.check().unwrap();
                }
            }
            assert_all_free(&house);
        }
    }
}

#[test]
fn grants_are_large_enough_aligned_inside_and_apart() {
    every(|house| {
        let mut grants = Vec::new();
        for size in [1, 7, 64, 100, 1000, 5000, 1, 20_000, 300] {
            if size <= house.largest()
                && let Ok(grant) = house.strategy.allocate(size)
            {
                house.assert_proper(grant, size);
                assert_eq!(house.strategy.granted(grant.offset), Some(grant.size), "{}", house.name);
                grants.push(grant);
            }
        }
        grants.sort();
        for pair in grants.windows(2) {
            assert!(pair[0].offset + pair[0].size <= pair[1].offset, "{}: {pair:?}", house.name);
        }
    });
}

/// As many as a strategy gives at once, of which each is proper and none shares a byte with another.
fn take_many(house: &House, size: u64, count: usize) -> Vec<Grant> {
    let mut grants = Vec::new();
    let given = house.strategy.allocate_many(size, count, &mut |grant| grants.push(grant));
    assert!(given == grants.len() && given <= count, "{}: {given} of {count}", house.name);
    house.strategy.check().unwrap();
    let mut sorted = grants.clone();
    sorted.sort();
    for pair in sorted.windows(2) {
        assert!(pair[0].offset + pair[0].size <= pair[1].offset, "{}: {pair:?}", house.name);
    }
    for grant in &grants {
        house.assert_proper(*grant, size);
        assert_eq!(house.strategy.granted(grant.offset), Some(grant.size), "{}", house.name);
        if house.strategy.class_of(size).is_some() {
            assert!(
                house.strategy.has_class_at(grant.offset, size) && grant.size == grants[0].size,
                "{}",
                house.name
            );
        }
    }
    grants
}

#[test]
fn many_at_once_are_what_as_many_single_requests_would_be_granted() {
    every(|house| {
        for (part, count) in [(1500, 200), (300, 63), (40, 7)] {
            let size = (house.total / part).clamp(1, house.largest());
            let single = fill_up(house, size);
            let of_class = single.iter().filter(|grant| {
                house.strategy.class_of(size).is_none() || house.strategy.has_class_at(grant.offset, size)
            });
            let room = of_class.count();
            free_all(house, &single);
            let mut all = Vec::new();
            loop {
                let some = take_many(house, size, count);
                let is_short = some.len() < count;
                all.extend(some);
                assert_eq!(house.strategy.usage().blocks, all.len() as u64, "{}", house.name);
                if is_short {
                    break;
                }
            }
            assert_eq!(all.len(), room, "{}: {size}, {count} at once", house.name);
            assert!(take_many(house, size, 1).is_empty());
            // Into holes, of which one word may have several.
            let (kept, freed): (Vec<_>, Vec<_>) =
                all.iter().enumerate().partition(|(index, _)| index % 3 == 0);
            free_all(house, freed.iter().map(|(_, grant)| *grant));
            let again = take_many(house, size, count);
            if !["ring", "arena"].contains(&house.name) {
                assert_eq!(again.len(), count.min(freed.len()), "{}", house.name);
            }
            free_all(house, kept.into_iter().map(|(_, grant)| grant).chain(&again));
            assert_all_free(house);
        }
        for size in [0, house.largest() + 1, u64::MAX] {
            assert!(take_many(house, size, 3).is_empty(), "{}", house.name);
        }
        assert!(take_many(house, 1, 0).is_empty());
    });
}

#[test]
fn size_zero_and_what_can_never_fit_are_out_of_range_with_the_maximum() {
    every(|house| {
        let largest = house.largest();
        assert!(largest > 0 && largest <= house.total);
        for size in [0, largest + 1, 1 << 53, u64::MAX] {
            let refused = house.strategy.allocate(size).unwrap_err();
            assert_eq!(
                (refused.code, refused.requested, refused.available),
                (Code::OutOfRange, size, largest)
            );
        }
        assert_eq!(house.strategy.usage().blocks, 0);
        assert_all_free(house);
    });
}

#[test]
fn a_full_region_refuses_with_what_would_fit_and_changes_nothing() {
    every(|house| {
        for size in [house.largest(), house.largest().div_ceil(3), 1 + house.largest() / 40] {
            let grants = fill_up(house, size);
            assert!(!grants.is_empty());
            let usage = house.strategy.usage();
            assert!(house.strategy.allocate(size).is_err());
            assert_eq!(house.strategy.usage(), usage, "{}", house.name);
            free_all(house, &grants);
            assert_all_free(house);
        }
    });
}

#[test]
fn largest_free_is_what_can_be_granted() {
    every(|house| {
        let grants = fill_up(house, 1 + house.largest() / 10);
        for grant in grants.iter().skip(1).step_by(2) {
            house.strategy.free(grant.offset).unwrap();
        }
        let Usage { held, free, largest_free, scattered, .. } = house.strategy.usage();
        assert_eq!(held + free, house.total, "{}", house.name);
        assert!(largest_free <= free && scattered <= free, "{}", house.name);
        if largest_free > 0 {
            let grant = house.strategy.allocate(largest_free).unwrap();
            house.assert_proper(grant, largest_free);
        }
    });
}

#[test]
fn a_second_free_is_refused_and_gives_no_range_two_owners() {
    every(|house| {
        let first = house.strategy.allocate(house.largest().min(100)).unwrap();
        let other = house.strategy.allocate(1).ok();
        assert_eq!(house.strategy.free(first.offset).unwrap(), first.size);
        let usage = house.strategy.usage();
        assert_eq!(house.strategy.free(first.offset).unwrap_err().code, Code::DoubleFree, "{}", house.name);
        assert_eq!(house.strategy.granted(first.offset), None);
        assert_eq!(house.strategy.usage(), usage, "{}", house.name);
        let mut again = fill_up(house, 1 + house.largest() / 30);
        again.extend(other);
        again.sort();
        for pair in again.windows(2) {
            assert!(pair[0].offset + pair[0].size <= pair[1].offset, "{}: {pair:?}", house.name);
        }
    });
}

#[test]
fn a_second_free_is_refused_also_while_an_older_grant_lives() {
    every(|house| {
        let size = 1 + house.largest() / 40;
        let Ok(older) = house.strategy.allocate(size) else { return };
        let Ok(newer) = house.strategy.allocate(size) else { return };
        house.strategy.free(newer.offset).unwrap();
        assert_eq!(house.strategy.free(newer.offset).unwrap_err().code, Code::DoubleFree, "{}", house.name);
        assert_eq!(house.strategy.granted(newer.offset), None, "{}", house.name);
        house.strategy.free(older.offset).unwrap();
        assert_all_free(house);
    });
}

#[test]
fn an_offset_at_which_no_grant_starts_cannot_be_freed() {
    every(|house| {
        let grant = house.strategy.allocate(house.largest().min(5000)).unwrap();
        let usage = house.strategy.usage();
        let inside = [1, 8, 16, 64, 100, 256, 4096].map(|step| grant.offset + step);
        let outside =
            [grant.offset + grant.size, house.total - 1, house.total, house.total + 64, 1 << 36, u64::MAX];
        for offset in inside.into_iter().chain(outside).filter(|offset| *offset != grant.offset) {
            let refused = house.strategy.free(offset).unwrap_err();
            assert_eq!(refused.code, Code::DoubleFree, "{}: {offset}", house.name);
            assert_eq!(house.strategy.granted(offset), None, "{}: {offset}", house.name);
        }
        assert_eq!(house.strategy.usage(), usage, "{}", house.name);
        house.strategy.free(grant.offset).unwrap();
        assert_all_free(house);
    });
}

#[test]
fn when_small_ones_are_freed_in_any_order_the_largest_fits_again() {
    every(|house| {
        for step in [1, 3, 7] {
            let grants = fill_up(house, 1 + house.largest() / 50);
            let count = grants.len();
            // Every step-th, then the rest.
            let order = (0..step).flat_map(|first| (first..count).step_by(step));
            free_all(house, order.map(|index| &grants[index]));
            house.strategy.check().unwrap();
            assert_all_free(house);
        }
    });
}

#[test]
fn trim_gives_back_only_what_is_free_and_nothing_twice() {
    every(|house| {
        let grants = fill_up(house, 1 + house.largest() / 20);
        let (kept, freed): (Vec<_>, Vec<_>) =
            grants.iter().enumerate().partition(|(index, _)| index % 5 == 0);
        kept.iter().for_each(|(index, grant)| house.stamp(**grant, *index as u8));
        free_all(house, freed.iter().map(|(_, grant)| *grant));
        let ranges = Mutex::new(Vec::new());
        let decommit = |offset: u64, size: u64| {
            ranges.lock().unwrap().push(Grant { offset, size });
            house.region.decommit(offset as usize, size as usize);
            size
        };
        let usage = house.strategy.usage();
        let given = house.strategy.trim(&decommit);
        assert_eq!(given, ranges.lock().unwrap().iter().map(|range| range.size).sum::<u64>());
        assert_eq!(house.strategy.usage(), usage, "{}", house.name);
        kept.iter().for_each(|(index, grant)| house.assert_stamp(**grant, *index as u8));
        assert_eq!(house.strategy.trim(&decommit), 0, "{}: a second trim found something", house.name);
        free_all(house, kept.iter().map(|(_, grant)| *grant));
        house.strategy.trim(&decommit);
        house.strategy.check().unwrap();
        assert_all_free(house);
    });
}

#[test]
fn an_alignment_above_the_region_is_refused_with_the_maximum() {
    for (name, make) in ALL {
        for (total, alignment) in [(1000, 1024), (64 << 10, 1 << 30), (15, 1 << 20)] {
            let Err(refused) = make(total, alignment) else { panic!("{name} took {alignment} in {total}") };
            assert_eq!(refused.code, Code::OutOfRange, "{name}");
            assert!(refused.available <= total, "{name}");
        }
    }
}
