//! Where blocks above a page come from, and how they come together again.

use super::super::Buddy;
use crate::alloc::strategy::{Grant, Strategy};
use crate::base::lane::lane;
use crate::base::sync::{Ordering, lock};
use std::collections::BTreeSet;
use std::sync::{Barrier, mpsc};
use std::thread;
use std::time::Duration;

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
/// 16 shards of 4 MiB.
const TOTAL: u64 = 64 * MIB;
const SHARD: u64 = 4 * MIB;

fn buddy_of(total: u64) -> Buddy {
    Buddy::new(total, 1).unwrap()
}

fn shard_of(grant: Grant) -> u64 {
    grant.offset / SHARD
}

fn take(buddy: &Buddy, size: u64, count: u64) -> Vec<Grant> {
    (0..count).map(|_| buddy.allocate(size).unwrap()).collect()
}

fn free_all<'a>(buddy: &Buddy, grants: impl IntoIterator<Item = &'a Grant>) {
    grants.into_iter().for_each(|grant| assert_eq!(buddy.free(grant.offset).unwrap(), grant.size));
}

/// Takes the largest block that is left, again and again.
fn take_greedily(buddy: &Buddy) -> Vec<Grant> {
    let next = || Some(buddy.usage().largest_free).filter(|largest| *largest > 0);
    std::iter::from_fn(|| next().map(|largest| buddy.allocate(largest).unwrap())).collect()
}

/// Another thread's work, while this one holds a shard's lock.
fn beside(buddy: &Buddy, shard: usize, work: impl FnOnce() + Send) {
    let (sender, receiver) = mpsc::channel();
    thread::scope(|scope| {
        let held = buddy.shards.hold(shard);
        scope.spawn(move || {
            work();
            sender.send(()).unwrap();
        });
        let done = receiver.recv_timeout(Duration::from_secs(20));
        drop(held); // before it panics: the thread must end in any case
        done.unwrap();
    });
}

#[test]
fn a_region_has_few_shards_when_it_is_small_and_never_more_than_sixteen() {
    for (total, shards, shard) in [
        (1000, 1, 256 * KIB),
        (64 * KIB, 1, 256 * KIB),
        (256 * KIB, 1, 256 * KIB),
        (260 * KIB, 2, 256 * KIB),
        (MIB, 4, 256 * KIB),
        (5 * MIB + 12_345, 11, 512 * KIB),
        (TOTAL, 16, SHARD),
        (TOTAL + 4 * KIB, 9, 2 * SHARD),
        (1 << 30, 16, 64 * MIB),
    ] {
        let made = buddy_of(total).shards;
        assert_eq!((made.all.len(), 4096 << made.shift), (shards, shard), "{total}");
    }
}

#[test]
fn when_all_shards_are_free_again_one_block_of_the_whole_size_is() {
    let buddy = buddy_of(TOTAL);
    for size in [64, 4 * KIB, 8 * KIB, 100 * KIB, MIB, SHARD, 2 * SHARD] {
        let size = size.next_power_of_two();
        let grants = take(&buddy, size, (TOTAL / size).min(20_000));
        for step in [3, 1, 2, 0] {
            free_all(&buddy, grants.iter().skip(step).step_by(4));
        }
        // Nobody has counted: the request itself brings it together.
        let whole = buddy.allocate(TOTAL).unwrap();
        assert_eq!((whole.offset, whole.size), (0, TOTAL));
        buddy.free(0).unwrap();
        buddy.check().unwrap();
        let usage = buddy.usage();
        assert_eq!((usage.free, usage.largest_free, usage.free_blocks), (TOTAL, TOTAL, 1));
    }
}

#[test]
fn what_is_counted_lies_in_every_shard_and_at_the_top() {
    let buddy = buddy_of(TOTAL);
    let grants = take(&buddy, SHARD / 4, 64);
    for (index, grant) in grants.iter().enumerate() {
        buddy.free(grant.offset).unwrap();
        let (freed, usage) = (index as u64 + 1, buddy.usage());
        assert_eq!((usage.free, usage.blocks), (freed * SHARD / 4, 64 - freed));
        let largest = if freed < 4 { 1 << freed.ilog2() } else { 4 << (freed / 4).ilog2() };
        assert_eq!(usage.largest_free, largest * SHARD / 4, "{freed} quarters of shards are free");
        assert_eq!(usage.free_blocks, u64::from(freed.count_ones()));
        buddy.check().unwrap();
    }
}

#[test]
fn a_large_request_gathers_what_is_free_in_every_shard() {
    let buddy = buddy_of(TOTAL);
    let grants = take(&buddy, 8 * KIB, TOTAL / (8 * KIB));
    let kept = grants.iter().find(|grant| shard_of(**grant) == 3).unwrap();
    free_all(&buddy, grants.iter().filter(|grant| *grant != kept));
    for (size, offset) in [(8, 8), (4, 4), (2, 0), (1, 2)].map(|(size, at)| (size * SHARD, at * SHARD)) {
        assert_eq!(buddy.allocate(size).unwrap().offset, offset, "the only block of {size}");
    }
    assert_eq!(buddy.usage().largest_free, SHARD / 2, "the rest of the shard in which one lives");
    buddy.check().unwrap();
}

#[test]
fn a_forest_that_ends_in_the_middle_of_a_shard_is_granted_to_its_end() {
    for total in [
        1000,
        4095,
        12 * KIB,
        260 * KIB,
        MIB - 64,
        MIB + 4 * KIB,
        5 * MIB + 12_345,
        TOTAL - 4 * KIB,
        TOTAL + 3 * SHARD + 64,
    ] {
        let buddy = buddy_of(total);
        let trees = u64::from((total / (4 * KIB)).count_ones()) + u64::from(total % (4 * KIB) >= 64);
        assert_eq!(buddy.usage().free_blocks, trees, "{total}");
        for _ in 0..2 {
            let grants = take_greedily(&buddy);
            assert_eq!(grants.iter().map(|grant| grant.size).sum::<u64>(), total / 64 * 64);
            assert_eq!(grants.len() as u64, u64::from((total / 64).count_ones()));
            buddy.check().unwrap();
            free_all(&buddy, grants.iter().rev());
            let small = take(&buddy, 8 * KIB, total / (8 * KIB));
            free_all(&buddy, small.iter().skip(1).step_by(2));
            free_all(&buddy, small.iter().step_by(2));
            buddy.check().unwrap();
            assert_eq!((buddy.usage().free, buddy.usage().free_blocks), (total, trees));
        }
    }
}

#[test]
fn a_thread_stays_in_its_shard_and_breaks_another_only_when_no_broken_one_has_room() {
    let buddy = buddy_of(TOTAL);
    let first = take(&buddy, SHARD / 16, 16);
    let second = take(&buddy, SHARD / 16, 1);
    let (one, two) = (shard_of(first[0]), shard_of(second[0]));
    assert!(first.iter().all(|grant| shard_of(*grant) == one) && two != one);
    free_all(&buddy, &first[4..]);
    let rest = take(&buddy, SHARD / 16, 15);
    assert!(rest.iter().all(|grant| shard_of(*grant) == two), "it was there last");
    assert_eq!(shard_of(buddy.allocate(SHARD / 16).unwrap()), one, "14 shards need not be broken");
    buddy.free(rest[0].offset).unwrap();
    let next = take(&buddy, SHARD / 16, 11);
    assert!(next.iter().all(|grant| shard_of(*grant) == one), "and there it stays");
    assert_eq!(shard_of(buddy.allocate(SHARD / 16).unwrap()), two);
    assert_eq!(lock(&buddy.shards.top).count().0, 14);
    let third = take(&buddy, SHARD / 16, 1);
    assert!(![one, two].contains(&shard_of(third[0])), "now one must");
}

#[test]
fn vacant_pages_at_home_are_joined_before_another_shard_is_broken() {
    let buddy = buddy_of(TOTAL);
    let pages = take(&buddy, 4 * KIB, SHARD / (4 * KIB));
    let home = shard_of(pages[0]);
    free_all(&buddy, &pages);
    assert_eq!(shard_of(buddy.allocate(SHARD / 2).unwrap()), home);
    assert_eq!(lock(&buddy.shards.top).count().0, 15);
}

#[test]
fn a_request_that_whole_shards_make_up_leaves_the_small_sizes_their_pages() {
    let buddy = buddy_of(TOTAL);
    let page = buddy.allocate(64).unwrap();
    let grants = take(&buddy, SHARD, 15);
    buddy.free(page.offset).unwrap();
    free_all(&buddy, &grants);
    assert_eq!(buddy.allocate(TOTAL / 2).unwrap().offset, TOTAL / 2);
    assert_eq!(buddy.pages.used[(page.offset / (4 * KIB)) as usize].load(Ordering::Relaxed), 0);
    assert_eq!(buddy.allocate(64).unwrap().offset, page.offset);
}

#[test]
fn threads_of_one_time_start_in_shards_of_their_own() {
    let buddy = buddy_of(TOTAL);
    let taken = Barrier::new(8);
    let shards: BTreeSet<u64> = thread::scope(|scope| {
        let start = |_| {
            scope.spawn(|| {
                let shards: BTreeSet<u64> = take(&buddy, 8 * KIB, 50).into_iter().map(shard_of).collect();
                taken.wait(); // nobody has ended before all have a shard
                assert_eq!(shards.len(), 1);
                shards
            })
        };
        let threads: Vec<_> = (0..8).map(start).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(shards.len(), 8);
    assert!(shards.iter().all(|shard| *shard < 8), "side by side, so that the other half is one block");
    assert_eq!(buddy.usage().largest_free, TOTAL / 2);
}

#[test]
fn who_holds_one_shard_stops_nobody_who_takes_and_frees_in_others() {
    let buddy = buddy_of(TOTAL);
    let own = buddy.allocate(8 * KIB).unwrap();
    beside(&buddy, shard_of(own) as usize, || {
        for size in [8 * KIB, 64 * KIB, MIB, SHARD, 4 * SHARD] {
            let grants = take(&buddy, size, 3);
            assert!(grants.iter().all(|grant| shard_of(*grant) != shard_of(own)));
            free_all(&buddy, &grants);
        }
    });
    buddy.check().unwrap();
}

#[test]
fn a_thread_waits_at_its_own_home_but_leaves_one_that_it_shares() {
    let buddy = buddy_of(TOTAL);
    let home = shard_of(buddy.allocate(8 * KIB).unwrap()) as usize;
    let while_held = || {
        let (held, is_held) = (Barrier::new(2), &buddy);
        thread::scope(|scope| {
            scope.spawn(|| {
                let _shard = is_held.shards.hold(home);
                held.wait();
                thread::sleep(Duration::from_millis(30)); // as long as somebody frees there, but longer
            });
            held.wait();
            shard_of(buddy.allocate(8 * KIB).unwrap()) as usize
        })
    };
    assert_eq!(while_held(), home);
    assert_eq!(lock(&buddy.shards.top).count().0, 15);
    let other = &buddy.shards.homes[(lane() + 1) % buddy.shards.homes.len()];
    other.store(home as u8 + 1, Ordering::Relaxed);
    assert_ne!(while_held(), home);
}

#[test]
fn when_every_shard_is_somebodys_home_the_room_in_those_that_nobody_holds_is_used() {
    let buddy = buddy_of(MIB); // 4 shards
    let whole = take(&buddy, 256 * KIB, 4);
    free_all(&buddy, &whole);
    for (lane, home) in buddy.shards.homes.iter().enumerate() {
        home.store(lane as u8 % 4 + 1, Ordering::Relaxed);
    }
    for held in 0..4 {
        beside(&buddy, held, || {
            let grants = take(&buddy, 64 * KIB, 12);
            free_all(&buddy, &grants);
        });
    }
    let all = take(&buddy, 64 * KIB, 16);
    assert_eq!(buddy.usage().free, 0);
    free_all(&buddy, &all);
    assert_eq!(buddy.allocate(MIB).unwrap().offset, 0);
}

#[test]
fn a_page_that_is_free_twice_or_shown_wrongly_is_found() {
    type Spoil = fn(&Buddy);
    let wrongs: [(Spoil, &str); 6] = [
        (|buddy| buddy.shards.hold(3).put(7, 0), "free at the top, and so are pages"),
        (|buddy| buddy.shards.hold_all().top.put(1, 0), "shard 1 is free at the top, and so"),
        (|buddy| buddy.shards.all[0].0.some.store(1, Ordering::Relaxed), "other free orders than it shows"),
        (|buddy| buddy.shards.cold.cool(1024, 1, &mut |_, _| ()), "page 1024 is not free, and has no memory"),
        (|buddy| buddy.shards.hold(1).put(2, 0), "shard 1: block 1 of order 1 overlaps"),
        (|buddy| buddy.shards.hold(1).put(1, 0), "block 65536 of order 7 overlaps"),
    ];
    for (spoil, expected) in wrongs {
        let buddy = buddy_of(TOTAL);
        let first = take(&buddy, SHARD / 2, 2); // shard 0
        let second = take(&buddy, 8 * KIB, 1); // shard 1 is broken
        buddy.check().unwrap();
        let _ = (first, second);
        spoil(&buddy);
        let wrong = buddy.check().unwrap_err();
        assert!(wrong.contains(expected), "{wrong}");
    }
}

#[test]
fn what_was_given_back_stays_so_while_it_moves_between_shards_and_the_top() {
    let buddy = buddy_of(TOTAL);
    let trim = || buddy.trim(&|_, size| size);
    assert_eq!((trim(), trim()), (TOTAL, 0));
    for size in [8 * KIB, 256 * KIB, MIB, SHARD, 2 * SHARD, TOTAL] {
        let grant = buddy.allocate(size).unwrap();
        buddy.check().unwrap();
        assert_eq!(trim(), 0, "a grant of {size} lives");
        buddy.free(grant.offset).unwrap();
        buddy.usage(); // it goes to the top
        assert_eq!((trim(), trim()), (size, 0), "only what was taken has memory again");
        buddy.check().unwrap();
    }
    let page = buddy.allocate(64).unwrap();
    assert_eq!(trim(), 0);
    buddy.free(page.offset).unwrap();
    assert_eq!(trim(), 4 * KIB);
}
