//! Each strategy, cut by several threads at once: what one frees another is granted, and writes.

use offheap_core::alloc::arena::Arena;
use offheap_core::alloc::buddy::Buddy;
use offheap_core::alloc::hybrid::Hybrid;
use offheap_core::alloc::object_pool::ObjectPool;
use offheap_core::alloc::ring::Ring;
use offheap_core::alloc::slab::Slab;
use offheap_core::alloc::strategy::{Grant, Strategy};
use offheap_core::base::error::Result;
use offheap_core::raw::{self, bytes::Bytes, region::Region};
use offheap_proof::{Mailbox, Random, assert_stamp, stamp, together};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

const THREADS: u64 = 3;
const STEPS: u32 = 4000;
const MIB: u64 = 1 << 20;
/// A region that is always nearly full is one of so many parts of the one with room.
const TIGHT: u64 = 16;

fn ground(total: u64) -> Region {
    let region = Region::reserve(total as usize, raw::page_size()).unwrap();
    region.commit_to(total as usize).unwrap();
    region
}

fn bytes(region: &Region, grant: Grant) -> Bytes<'static> {
    region.bytes(grant.offset as usize, grant.size as usize).unwrap()
}

/// A grant and what its owner wrote over it.
type Held = (Grant, u8);

struct House<S> {
    strategy: S,
    region: Region,
    mailbox: Mailbox<Held>,
}

impl<S: Strategy> House<S> {
    fn free(&self, (grant, value): Held) {
        assert_stamp(bytes(&self.region, grant), value);
        let decommit = |offset: u64, size: u64| self.region.decommit(offset as usize, size as usize) as u64;
        self.strategy.free_with(grant.offset, &decommit).unwrap();
    }

    fn keep(&self, grant: Grant, value: u8, held: &mut Vec<Held>) {
        stamp(bytes(&self.region, grant), value);
        held.push((grant, value));
    }

    fn work(&self, thread: u64, size_max: u64) {
        let mut random = Random(thread);
        let mut held: Vec<Held> = Vec::new();
        for step in 0..STEPS {
            let (any, value) = (random.index(held.len()), (thread << 6 | u64::from(step) & 63) as u8);
            match random.below(100) {
                0..=4 => {
                    let (mut many, count) = (Vec::new(), 1 + random.index(40));
                    let size = 1 + random.below(size_max / 40);
                    self.strategy.allocate_many(size, count, &mut |grant| many.push(grant));
                    many.into_iter().for_each(|grant| self.keep(grant, value, &mut held));
                }
                5..=49 => match self.strategy.allocate(1 + random.below(size_max)) {
                    Ok(grant) => self.keep(grant, value, &mut held),
                    Err(_) => held.drain(..held.len() / 2).for_each(|grant| self.free(grant)),
                },
                50..=89 if !held.is_empty() => self.free(held.swap_remove(any)),
                90..=94 if !held.is_empty() => self.mailbox.put([held.swap_remove(any)]),
                95..=98 => self.mailbox.take().into_iter().for_each(|grant| self.free(grant)),
                99 if random.below(20) == 0 => {
                    let decommit =
                        |from: u64, size: u64| self.region.decommit(from as usize, size as usize) as u64;
                    self.strategy.trim(&decommit);
                }
                _ => {}
            }
        }
        held.into_iter().for_each(|grant| self.free(grant));
    }

    fn end(&self) {
        while let Some(held) = self.mailbox.take() {
            self.free(held);
        }
        self.strategy.check().unwrap();
        assert_eq!(self.strategy.usage().blocks, 0);
    }
}

/// Asks for the figures until the others are done. To count, some strategies take back what was freed.
fn look(strategy: &impl Strategy, done: &AtomicU64) {
    while done.load(Ordering::Relaxed) < THREADS {
        let _ = strategy.usage();
        thread::yield_now();
    }
}

/// In a region with room, and in one where who needs some waits for what another frees.
fn stress<S: Strategy>(make: impl Fn(u64) -> Result<S>, total: u64, size_max: u64) {
    for (total, size_max) in [(total, size_max), (total / TIGHT, size_max / 2)] {
        let (strategy, region, mailbox) = (make(total).unwrap(), ground(total), Mailbox::default());
        let (house, done) = (House { strategy, region, mailbox }, AtomicU64::new(0));
        together(THREADS + 1, |thread| {
            if thread > THREADS {
                return look(&house.strategy, &done);
            }
            house.work(thread, size_max);
            done.fetch_add(1, Ordering::Relaxed);
        });
        house.end();
    }
}

pub fn buddy() {
    stress(|total| Buddy::new(total, 16), MIB, 9000);
}

pub fn slab() {
    stress(|total| Slab::new(total, 16), MIB, 9000);
}

pub fn ring() {
    // One place is granted at a time, so a race has few moments to show in.
    for _ in 0..20 {
        stress(|total| Ring::new(total, 16), MIB, 9000);
    }
}

pub fn object_pool() {
    stress(|total| ObjectPool::new(total, 16), MIB, 9000);
}

pub fn hybrid() {
    stress(|total| Hybrid::new(total, 16), 4 * MIB, 90_000);
}

/// Grants of all threads; the arena goes back when nobody is in it, and beside who allocates without writing.
pub fn arena() {
    let (arena, region) = (Arena::new(MIB, 16).unwrap(), ground(MIB));
    for round in 0..20 {
        together(THREADS, |thread| {
            let counter = arena.counters.counter();
            let value = (thread << 6 | round) as u8;
            let grants: Vec<_> = (0..200).map(|_| arena.allocate(1000, &counter).unwrap()).collect();
            for grant in &grants {
                assert!(arena.is_live(grant.stay));
                stamp(bytes(&region, Grant { offset: grant.offset, size: grant.size }), value);
            }
            for grant in grants {
                assert_stamp(bytes(&region, Grant { offset: grant.offset, size: grant.size }), value);
            }
        });
        arena.reset(&|| ());
        together(THREADS, |thread| {
            let counter = arena.counters.counter();
            for step in 0..200 {
                match (thread, step % 20) {
                    (1, 0) => arena.reset(&|| ()),
                    (1, 10) => drop(arena.mark().map(|mark| arena.rewind(mark, &|| ()))),
                    _ => drop(arena.allocate(64, &counter)),
                }
            }
        });
        arena.reset(&|| ());
        arena.check().unwrap();
    }
}
