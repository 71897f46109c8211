//! Any sequence of operations against a plain map. `properties` makes sequences up, and so does the fuzzer.

use super::Random;
use super::house::{House, Named};
use offheap_core::alloc::strategy::Grant;
use offheap_core::base::error::Code;
use std::collections::BTreeMap;

#[derive(Debug, Clone)]
pub enum Act {
    /// So many of a size: bytes, or parts of the region.
    Allocate(u64, usize),
    /// The same, at once.
    Many(u64, usize),
    Part(u64),
    /// So many, from one on.
    Free(usize, usize),
    /// Something at which no grant starts.
    FreeWrong(u64),
    Trim,
}

pub const TOTALS: [u64; 5] = [1000, 48 << 10, 200_000, 1 << 20, (6 << 20) + 4321];
pub const ALIGNMENTS: [u64; 4] = [1, 16, 256, 4096];

struct Model {
    house: House,
    live: BTreeMap<u64, (Grant, u8)>,
    stamp: u8,
}

impl Model {
    fn enter(&mut self, grant: Grant, size: u64) {
        self.house.assert_proper(grant, size);
        let below = self.live.range(..=grant.offset).next_back();
        assert!(below.is_none_or(|(_, (other, _))| other.offset + other.size <= grant.offset));
        let above = self.live.range(grant.offset..).next();
        assert!(above.is_none_or(|(_, (other, _))| grant.offset + grant.size <= other.offset));
        self.stamp = self.stamp.wrapping_add(1);
        self.house.stamp(grant, self.stamp);
        self.live.insert(grant.offset, (grant, self.stamp));
    }

    fn allocate_many(&mut self, size: u64, count: usize) {
        let mut grants = Vec::new();
        let given = self.house.strategy.allocate_many(size, count, &mut |grant| grants.push(grant));
        assert_eq!(given, grants.len());
        grants.into_iter().for_each(|grant| self.enter(grant, size));
        if given < count
            && let Ok(grant) = self.house.strategy.allocate(size)
        {
            assert!(self.house.strategy.class_of(size).is_some());
            assert!(!self.house.strategy.has_class_at(grant.offset, size), "there was room for one more");
            self.enter(grant, size);
        }
    }

    fn allocate(&mut self, size: u64) {
        match self.house.strategy.allocate(size) {
            Ok(grant) => self.enter(grant, size),
            Err(error) if error.code == Code::RegionFull => {
                let largest = self.house.strategy.usage().largest_free; // which a refusal does not change
                assert_eq!((error.requested, error.available), (size, largest));
                assert_ne!(size, largest, "what is said to fit does not");
            }
            Err(error) => {
                assert_eq!((error.code, error.requested), (Code::OutOfRange, size));
                assert!(size > error.available);
            }
        }
    }

    fn free(&mut self, offset: u64) {
        let (grant, stamp) = self.live.remove(&offset).unwrap();
        self.house.assert_stamp(grant, stamp);
        assert_eq!(self.house.strategy.granted(offset), Some(grant.size));
        let region = &self.house.region;
        let decommit = |from: u64, size: u64| {
            assert!(from >= offset && from + size <= offset + grant.size, "pages of others are given back");
            region.decommit(from as usize, size as usize) as u64
        };
        assert_eq!(self.house.strategy.free_with(offset, &decommit).unwrap(), grant.size);
    }

    fn step(&mut self, act: &Act) {
        match act {
            Act::Allocate(size, count) => (0..*count).for_each(|_| self.allocate(*size)),
            Act::Many(size, count) => self.allocate_many(*size, *count),
            Act::Part(part) => self.allocate(self.house.total / part),
            Act::Free(from, count) => {
                let offsets: Vec<u64> = self.live.keys().copied().collect();
                let first = from % offsets.len().max(1);
                offsets
                    .iter()
                    .cycle()
                    .skip(first)
                    .take(*count.min(&offsets.len()))
                    .for_each(|at| self.free(*at));
            }
            Act::FreeWrong(offset) => {
                if !self.live.contains_key(offset) {
                    assert_eq!(self.house.strategy.free(*offset).unwrap_err().code, Code::DoubleFree);
                }
            }
            Act::Trim => {
                let region = &self.house.region;
                let live = &self.live;
                self.house.strategy.trim(&|offset, size| {
                    let apart = live.values().all(|(grant, _)| {
                        grant.offset + grant.size <= offset || offset + size <= grant.offset
                    });
                    assert!(apart, "pages of a grant are given back");
                    region.decommit(offset as usize, size as usize) as u64
                });
            }
        }
        self.check();
    }

    fn check(&self) {
        self.house.strategy.check().unwrap();
        let usage = self.house.strategy.usage();
        let granted: u64 = self.live.values().map(|(grant, _)| grant.size).sum();
        assert_eq!(usage.blocks, self.live.len() as u64);
        assert_eq!(usage.held + usage.free, self.house.total);
        assert!(usage.largest_free <= usage.free && usage.held >= granted);
        assert!(usage.scattered <= usage.free && (usage.scattered == 0 || usage.held > 0));
        if !["ring", "arena"].contains(&self.house.name) {
            assert_eq!(usage.held, granted);
        }
    }
}

pub fn run(kind: Named, total: u64, alignment: u64, acts: &[Act]) {
    let Some(house) = House::new(kind, total, alignment) else { return };
    let mut model = Model { house, live: BTreeMap::new(), stamp: 0 };
    acts.iter().for_each(|act| model.step(act));
    let offsets: Vec<u64> = model.live.keys().copied().collect();
    offsets.into_iter().for_each(|offset| model.free(offset));
    model.check();
    let usage = model.house.strategy.usage();
    assert_eq!((usage.blocks, usage.free), (0, total));
    let largest = model.house.largest();
    assert!(model.house.strategy.allocate(largest).unwrap().size >= largest);
}

impl Act {
    fn of(random: &mut Random) -> Self {
        match random.below(12) {
            0..=1 => Self::Allocate(1 + random.below(256), 1 + random.below(29) as usize),
            2 => Self::Many(1 + random.below(3000), 1 + random.below(100) as usize),
            3..=4 => Self::Allocate(1 + random.below(20_000), 1 + random.below(9) as usize),
            5 => Self::Part(1 + random.below(40)),
            6 => Self::FreeWrong(random.below(8_000_000)),
            7 => Self::Trim,
            _ => Self::Free(random.below(1 << 16) as usize, 1 + random.below(24) as usize),
        }
    }
}

/// A sequence that is written in bytes. Not on a large region, of which every look takes long.
pub fn play(kind: Named, mut random: Random) {
    let (total, alignment) = (random.pick(&TOTALS[..3]), random.pick(&ALIGNMENTS));
    let mut acts = Vec::new();
    while !random.is_over() {
        acts.push(Act::of(&mut random));
    }
    run(kind, total, alignment, &acts);
}
