//! Many threads on the orders above a page, and a table that knows whose each page is.

use super::super::Buddy;
use crate::alloc::strategy::{Grant, Strategy};
use crate::base::error::Code;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const PAGE: u64 = 4 * KIB;
const THREADS: u32 = 4;
const STEPS: u32 = if cfg!(offheap_portable) { 1000 } else { 3000 };

struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        (self.0 >> 33) % limit
    }
}

/// A buddy, and who has each page; 0: nobody.
struct World {
    buddy: Buddy,
    owners: Vec<AtomicU32>,
}

impl World {
    fn new(total: u64) -> Self {
        let owners = (0..total.div_ceil(PAGE)).map(|_| AtomicU32::new(0)).collect();
        Self { buddy: Buddy::new(total, 4096).unwrap(), owners }
    }

    fn turn(&self, grant: Grant, from: u32, to: u32) {
        for owner in
            &self.owners[(grant.offset / PAGE) as usize..((grant.offset + grant.size) / PAGE) as usize]
        {
            assert_eq!(owner.swap(to, Ordering::Relaxed), from, "{grant:?}");
        }
    }

    fn take(&self, size: u64, thread: u32) -> Option<Grant> {
        match self.buddy.allocate(size) {
            Ok(grant) => {
                assert!(grant.offset.is_multiple_of(grant.size) && grant.size >= size);
                self.turn(grant, 0, thread);
                Some(grant)
            }
            Err(refused) => {
                assert_eq!(refused.code, Code::RegionFull);
                None
            }
        }
    }

    fn give(&self, grant: Grant, thread: u32) {
        self.turn(grant, thread, 0);
        assert_eq!(self.buddy.free(grant.offset).unwrap(), grant.size);
    }

    fn trim(&self) {
        self.buddy.trim(&|offset, size| {
            for owner in &self.owners[(offset / PAGE) as usize..((offset + size) / PAGE) as usize] {
                assert_eq!(owner.load(Ordering::Relaxed), 0, "pages of a grant are given back");
            }
            size
        });
    }

    fn work(&self, thread: u32, log2_max: u64) {
        let (mut random, mut held) = (Random(u64::from(thread)), Vec::new());
        for _ in 0..STEPS {
            match random.below(100) {
                0..=49 => match self.take(PAGE << random.below(log2_max), thread) {
                    Some(grant) => held.push(grant),
                    None => held.drain(held.len() / 2..).for_each(|grant| self.give(grant, thread)),
                },
                50..=97 if !held.is_empty() => {
                    let any = random.below(held.len() as u64) as usize;
                    self.give(held.swap_remove(any), thread);
                }
                98 if random.below(5) == 0 => assert!(
                    self.buddy.usage().held >= held.iter().map(|grant: &Grant| grant.size).sum::<u64>()
                ),
                99 if random.below(5) == 0 => self.trim(),
                _ => {}
            }
        }
        held.into_iter().for_each(|grant| self.give(grant, thread));
    }
}

#[test]
fn threads_that_take_large_blocks_never_share_a_page_and_leave_one_block() {
    for (total, log2_max) in [(MIB, 8), (5 * MIB + 12_345, 10), (16 * MIB, 12)] {
        let world = World::new(total);
        thread::scope(|scope| {
            for thread in 1..=THREADS {
                let world = &world;
                scope.spawn(move || world.work(thread, log2_max));
            }
        });
        world.buddy.check().unwrap();
        let trees = u64::from((total / PAGE).count_ones()) + u64::from(total % PAGE >= 64);
        assert_eq!((world.buddy.usage().held, world.buddy.usage().free_blocks), (0, trees));
        let largest = 1 << total.ilog2();
        assert_eq!(world.take(largest, 1).unwrap().size, largest);
    }
}

#[test]
fn of_four_threads_with_a_quarter_each_none_is_ever_refused() {
    for quarter in [8 * KIB, 64 * KIB, 128 * KIB, 256 * KIB, 512 * KIB, 2 * MIB] {
        let world = World::new(4 * quarter);
        thread::scope(|scope| {
            for thread in 1..=THREADS {
                let world = &world;
                scope.spawn(move || {
                    for step in 0..STEPS {
                        let grant = world.take(quarter, thread).expect("a quarter is free");
                        if step % 64 == thread {
                            world.buddy.usage(); // moves what is free upwards
                        }
                        world.give(grant, thread);
                    }
                });
            }
        });
        assert_eq!(world.buddy.usage().largest_free, 4 * quarter);
        world.buddy.check().unwrap();
    }
}

#[test]
fn a_buddy_that_somebody_looks_at_is_not_full_while_all_is_free() {
    let world = World::new(4 * MIB);
    let runs = AtomicBool::new(true);
    thread::scope(|scope| {
        scope.spawn(|| {
            while runs.load(Ordering::Relaxed) {
                world.buddy.usage();
            }
        });
        scope.spawn(|| {
            while runs.load(Ordering::Relaxed) {
                world.trim();
            }
        });
        let sizes = [64, 4 * KIB, 8 * KIB, 256 * KIB, MIB, 4 * MIB];
        let is_refused = |size: &&u64| match world.buddy.allocate(**size) {
            Ok(grant) => world.buddy.free(grant.offset).is_err(),
            Err(_) => true,
        };
        let refused = sizes.iter().cycle().take(3000).filter(is_refused).count();
        runs.store(false, Ordering::Relaxed);
        assert_eq!(refused, 0);
    });
    world.buddy.check().unwrap();
}
