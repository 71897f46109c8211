//! Four threads on one strategy: each writes its mark over what it was granted, and finds it there
//! before it frees, its own and what others handed over.

use super::Random;
use super::house::{ALL, House};
use offheap_core::alloc::ring::Ring;
use offheap_core::alloc::strategy::{Grant, Strategy};
use offheap_core::base::error::Code;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

const THREADS: u64 = 4;
const STEPS: u32 = if cfg!(offheap_portable) { 3000 } else { 12_000 };

fn work(house: &House, thread: u64, size_max: u64, mailbox: &Mutex<Vec<(Grant, u8)>>) -> u64 {
    let mut random = Random::Seeded(thread);
    let mut held: Vec<(Grant, u8)> = Vec::new();
    let mut refused = 0;
    let free = |(grant, stamp): (Grant, u8)| {
        house.assert_stamp(grant, stamp);
        let decommit = |offset: u64, size: u64| house.region.decommit(offset as usize, size as usize) as u64;
        assert_eq!(house.strategy.free_with(grant.offset, &decommit).unwrap(), grant.size);
    };
    for step in 0..STEPS {
        let any = random.below(held.len().max(1) as u64) as usize;
        let stamp = ((thread << 6) | (u64::from(step) & 63)) as u8;
        match random.below(100) {
            0..=4 => {
                let (size, from) = (1 + random.below(size_max / 40), held.len());
                house.strategy.allocate_many(size, 1 + random.below(70) as usize, &mut |grant| {
                    held.push((grant, stamp))
                });
                held[from..].iter().for_each(|(grant, stamp)| house.stamp(*grant, *stamp));
            }
            5..=49 => match house.strategy.allocate(1 + random.below(size_max)) {
                Ok(grant) => {
                    house.stamp(grant, stamp);
                    held.push((grant, stamp));
                }
                Err(error) => {
                    assert_eq!(error.code, Code::RegionFull);
                    refused += 1;
                    held.drain(..held.len() / 2).for_each(free);
                }
            },
            50..=89 if !held.is_empty() => free(held.swap_remove(any)),
            90..=94 if !held.is_empty() => mailbox.lock().unwrap().push(held.swap_remove(any)),
            95..=98 => {
                let taken = mailbox.lock().unwrap().pop();
                taken.into_iter().for_each(free);
            }
            99 if random.below(20) == 0 => {
                house
                    .strategy
                    .trim(&|offset, size| house.region.decommit(offset as usize, size as usize) as u64);
            }
            _ => {}
        }
    }
    held.into_iter().for_each(free);
    refused
}

fn stress(index: usize, total: u64, size_max: u64) {
    let house = House::new(ALL[index], total, 16).unwrap();
    let mailbox = Mutex::default();
    let refused: u64 = thread::scope(|scope| {
        let start = |thread| {
            let (house, mailbox) = (&house, &mailbox);
            scope.spawn(move || work(house, thread, size_max, mailbox))
        };
        let workers: Vec<_> = (0..THREADS).map(start).collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).sum()
    });
    assert!(refused > 0, "the region was never full: the hard paths did not run");
    for (grant, stamp) in mailbox.into_inner().unwrap() {
        house.assert_stamp(grant, stamp);
        house.strategy.free(grant.offset).unwrap();
    }
    house.strategy.check().unwrap();
    let usage = house.strategy.usage();
    assert_eq!((usage.blocks, usage.held, usage.free), (0, 0, total), "{}", house.name);
    assert!(house.strategy.allocate(house.largest()).is_ok());
}

#[test]
fn four_threads_on_a_buddy_never_share_a_byte() {
    stress(0, 1 << 20, 9000);
}

#[test]
fn four_threads_on_a_slab_never_share_a_byte() {
    stress(1, 1 << 20, 9000);
}

#[test]
fn four_threads_on_an_arena_never_share_a_byte() {
    stress(2, 4 << 20, 9000);
}

#[test]
fn four_threads_on_a_ring_never_share_a_byte() {
    stress(3, 1 << 20, 9000);
}

#[test]
fn four_threads_on_an_object_pool_never_share_a_byte() {
    stress(4, 1 << 20, 9000);
}

#[test]
fn four_threads_on_a_hybrid_never_share_a_byte() {
    stress(5, 4 << 20, 90_000);
}

#[test]
fn four_threads_on_a_hybrid_never_get_pages_that_are_going_back() {
    stress(5, 40 << 20, 9 << 20);
}

#[test]
fn a_ring_that_somebody_looks_at_is_not_full_while_all_is_free() {
    let ring = Ring::new(1 << 16, 64).unwrap();
    let runs = AtomicBool::new(true);
    thread::scope(|scope| {
        scope.spawn(|| {
            while runs.load(Ordering::Relaxed) {
                ring.usage(); // takes back what is freed
            }
        });
        scope.spawn(|| {
            while runs.load(Ordering::Relaxed) {
                // Holds all that is free for as long as the system takes its pages.
                ring.trim(&|_, _| {
                    thread::sleep(Duration::from_micros(20));
                    0
                });
            }
        });
        let is_refused = |_: &u32| match ring.allocate(40_000) {
            Ok(grant) => ring.free(grant.offset).is_err(),
            Err(_) => true,
        };
        let refused = (0..100_000).filter(is_refused).count();
        runs.store(false, Ordering::Relaxed);
        assert_eq!(refused, 0);
    });
}
