//! Four threads, one manager.

use super::{
    MIB, Random, address, assert_all_free, assert_stamp, isolate, manager, request, stats, write_stamp,
};
use offheap_core::base::error::Code;
use offheap_core::manager::Isolate;
use offheap_core::tracker::state::Handle;
use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

const THREADS: u64 = 4;

/// A block and what its owner wrote over it.
#[derive(Debug, Clone, Copy)]
struct Held {
    handle: Handle,
    size: u64,
    stamp: u16,
}

fn random_size(random: &mut Random) -> u64 {
    match random.below(100) {
        0 => 1 + random.below(MIB),
        1..=9 => 1 + random.below(100_000),
        _ => 1 + random.below(2000),
    }
}

/// Bytes and blocks that a thread counted by itself.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Count {
    allocated: u64,
    freed: u64,
    live: u64,
}

/// Allocates, writes, moves, hands over, checks and frees at random. Whatever is in `mailbox` was
/// allocated by any thread.
fn work(isolate: &Isolate, mailbox: &Mutex<Vec<Held>>, thread: u64, steps: u32) -> Count {
    let mut random = Random::Seeded(thread);
    let mut held: Vec<Held> = Vec::new();
    let mut count = Count::default();
    let free = |block: Held, count: &mut Count| {
        assert_stamp(isolate, block.handle, block.stamp, block.size);
        isolate.free(block.handle).unwrap();
        assert_eq!(isolate.free(block.handle).unwrap_err().code, Code::DoubleFree);
        count.freed += block.size;
        count.live = count.live.wrapping_sub(1);
    };
    for _ in 0..steps {
        let any = random.below(held.len().max(1) as u64) as usize;
        match random.below(100) {
            0..=44 => {
                let (size, stamp) =
                    (random_size(&mut random), (thread * 10_000 + random.below(10_000)) as u16);
                let handle = isolate.allocate(request(size)).unwrap();
                write_stamp(isolate, handle, stamp, size);
                held.push(Held { handle, size, stamp });
                count.allocated += size;
                count.live = count.live.wrapping_add(1);
            }
            45..=84 if !held.is_empty() => free(held.swap_remove(any), &mut count),
            85..=89 if !held.is_empty() => mailbox.lock().unwrap().push(held.swap_remove(any)),
            90..=94 => {
                let taken = mailbox.lock().unwrap().pop();
                taken.into_iter().for_each(|block| free(block, &mut count));
            }
            95..=98 if !held.is_empty() => {
                let block = &mut held[any];
                let size = random_size(&mut random);
                let handle = isolate.reallocate(block.handle, size).unwrap();
                assert_stamp(isolate, handle, block.stamp, size.min(block.size));
                write_stamp(isolate, handle, block.stamp, size);
                count.allocated += size;
                count.freed += block.size;
                *block = Held { handle, size, stamp: block.stamp };
            }
            99 if random.below(10) == 0 => drop(isolate.trim()),
            _ => {}
        }
    }
    mailbox.lock().unwrap().append(&mut held);
    count
}

#[test]
fn blocks_of_four_threads_never_share_a_byte_and_totals_are_exact() {
    let manager = manager();
    let mailbox = Mutex::default();
    // Blocks in the mailbox live as long as the isolates do that allocated them.
    let (counts, isolates): (Vec<Count>, Vec<Isolate>) = thread::scope(|scope| {
        let start = |thread| {
            let mailbox = &mailbox;
            scope.spawn(move || {
                let isolate = isolate(manager);
                (work(&isolate, mailbox, thread, 10_000), isolate)
            })
        };
        let threads: Vec<_> = (1..=THREADS).map(start).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).unzip()
    });
    let all = counts.iter().fold(Count::default(), |all, count| Count {
        allocated: all.allocated + count.allocated,
        freed: all.freed + count.freed,
        live: all.live.wrapping_add(count.live),
    });
    let left = mailbox.into_inner().unwrap();
    manager.tracker.check().unwrap();
    let figures = stats(manager);
    assert_eq!(
        (figures.total_allocated, figures.total_freed, figures.active_blocks),
        (all.allocated, all.freed, all.live)
    );
    assert_eq!(left.len() as u64, all.live);
    assert_eq!(figures.max_block_size, left.iter().map(|block| block.size).max().unwrap_or(0));
    assert_eq!(figures.min_block_size, left.iter().map(|block| block.size).min().unwrap_or(0));
    let last = isolate(manager);
    for block in left {
        assert_stamp(&last, block.handle, block.stamp, block.size);
        last.free(block.handle).unwrap();
    }
    drop(isolates);
    assert_all_free(manager);
}

#[test]
fn the_limit_holds_to_the_byte_however_many_threads_hammer_at_it() {
    const LIMIT: u64 = 100_000;
    let manager = manager();
    manager.set_limit(Some(LIMIT));
    let held_for_certain = AtomicU64::new(0); // counted after allocating, uncounted before freeing
    let refusals = AtomicU64::new(0);
    thread::scope(|scope| {
        for thread in 1..=THREADS {
            let (held_for_certain, refusals) = (&held_for_certain, &refusals);
            scope.spawn(move || {
                let (isolate, mut random, mut held) = (isolate(manager), Random::Seeded(thread), Vec::new());
                let free = |(handle, size)| {
                    held_for_certain.fetch_sub(size, Ordering::SeqCst);
                    isolate.free(handle).unwrap();
                };
                for _ in 0..20_000 {
                    let size = 1 + random.below(9000);
                    match isolate.allocate(request(size)) {
                        Ok(handle) => {
                            held.push((handle, size));
                            let certain = held_for_certain.fetch_add(size, Ordering::SeqCst) + size;
                            assert!(certain <= LIMIT, "{certain} bytes are live, the limit is {LIMIT}");
                        }
                        Err(error) => {
                            assert_eq!((error.code, error.requested), (Code::Limit, size));
                            assert!(
                                error.available < size,
                                "{} bytes would fit into {}",
                                size,
                                error.available
                            );
                            refusals.fetch_add(1, Ordering::Relaxed);
                            let keep = random.below(held.len() as u64 + 1) as usize;
                            held.drain(keep..).for_each(&free);
                        }
                    }
                }
                held.drain(..).for_each(free);
            });
        }
    });
    assert!(refusals.load(Ordering::Relaxed) > 1000, "the limit was hardly reached");
    assert!(stats(manager).peak_allocated <= LIMIT);
    assert_all_free(manager);
}

#[test]
fn the_limit_refuses_nothing_that_fits() {
    const SHARE: u64 = 50_000;
    let manager = manager();
    manager.set_limit(Some(SHARE * THREADS));
    thread::scope(|scope| {
        for thread in 1..=THREADS {
            scope.spawn(move || {
                let (isolate, mut random, mut held, mut bytes) =
                    (isolate(manager), Random::Seeded(thread), Vec::new(), 0);
                for _ in 0..10_000 {
                    let size = 1 + random.below(20_000);
                    while bytes + size > SHARE {
                        let (handle, size) = held.swap_remove(random.below(held.len() as u64) as usize);
                        isolate.free(handle).unwrap();
                        bytes -= size;
                    }
                    // All threads keep to their shares, so there is always room.
                    held.push((isolate.allocate(request(size)).unwrap(), size));
                    bytes += size;
                    if let Some((handle, size)) = held.first_mut() {
                        let smaller = size.div_ceil(2);
                        *handle = isolate.reallocate(*handle, smaller).unwrap();
                        bytes -= *size - smaller;
                        *size = smaller;
                    }
                }
            });
        }
    });
    assert_all_free(manager);
}

#[test]
fn one_block_is_freed_once_however_many_threads_try() {
    let manager = manager();
    let owner = isolate(manager);
    let handles: Vec<Handle> = (0..5000).map(|_| owner.allocate(request(100)).unwrap()).collect();
    let freed = AtomicU64::new(0);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let isolate = isolate(manager);
                for handle in &handles {
                    match isolate.free(*handle) {
                        Ok(()) => drop(freed.fetch_add(1, Ordering::Relaxed)),
                        Err(error) => assert_eq!(error.code, Code::DoubleFree),
                    }
                }
            });
        }
    });
    assert_eq!(freed.load(Ordering::Relaxed), 5000);
    assert_all_free(manager);
    let again: HashSet<u64> =
        (0..5000).map(|_| address(&owner, owner.allocate(request(100)).unwrap())).collect();
    assert_eq!(again.len(), 5000, "no chunk came back twice");
}

#[test]
fn ids_never_repeat_in_a_million_pairs() {
    let isolate = isolate(manager());
    let mut random = Random::Seeded(5);
    let mut held: Vec<Handle> = Vec::new();
    let mut ids = Vec::with_capacity(1_000_000);
    for _ in 0..1_000_000 {
        let handle = isolate.allocate(request(1 + random.below(64))).unwrap();
        ids.push(handle.id());
        held.push(handle);
        if held.len() > 8 {
            let any = random.below(held.len() as u64) as usize;
            isolate.free(held.swap_remove(any)).unwrap();
        }
    }
    let highest = stats(isolate.manager()).next_block_id;
    assert!(ids.iter().all(|id| (1..highest).contains(id) && *id < 1 << 53));
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 1_000_000);
}
