//! Any sequence of operations against a plain map. A failing sequence is printed by proptest, with the
//! seed that makes it again.

use super::super::strategy::Grant;
use super::{ALL, House};
use crate::base::error::Code;
use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, Strategy as _, prop_oneof, proptest};
use proptest::sample::{Index, select};
use proptest::strategy::Just;
use std::collections::BTreeMap;

#[derive(Debug, Clone)]
enum Act {
    /// So many of a size: bytes, or parts of the region.
    Allocate(u64, usize),
    /// The same, at once.
    Many(u64, usize),
    Part(u64),
    Free(Index, usize),
    /// Something at which no grant starts.
    FreeWrong(u64),
    Trim,
}

const TOTALS: [u64; 5] = [1000, 48 << 10, 200_000, 1 << 20, (6 << 20) + 4321];
const ALIGNMENTS: [u64; 4] = [1, 16, 256, 4096];

fn acts() -> impl proptest::strategy::Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        4 => (1..200_u64, 1..30_usize).prop_map(|(size, count)| Act::Allocate(size, count)),
        3 => (1..3000_u64, 1..100_usize).prop_map(|(size, count)| Act::Many(size, count)),
        3 => (1..20_000_u64, 1..10_usize).prop_map(|(size, count)| Act::Allocate(size, count)),
        1 => (1..40_u64).prop_map(Act::Part),
        8 => (proptest::prelude::any::<Index>(), 1..25_usize).prop_map(|(from, count)| Act::Free(from, count)),
        1 => (0..8_000_000_u64).prop_map(Act::FreeWrong),
        1 => Just(Act::Trim),
    ];
    vec(act, 1..60)
}

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
        let before = self.house.strategy.usage();
        match self.house.strategy.allocate(size) {
            Ok(grant) => self.enter(grant, size),
            Err(error) if error.code == Code::RegionFull => {
                assert_eq!((error.requested, error.available), (size, before.largest_free));
                assert_ne!(size, before.largest_free, "what is said to fit does not");
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
                let first = from.index(offsets.len().max(1));
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

fn run(strategy: usize, total: u64, alignment: u64, acts: &[Act]) {
    let Some(house) = House::new(ALL[strategy], total, alignment) else { return };
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

macro_rules! models {
    ($($name:ident = $index:literal;)*) => {
        proptest! {
            #![proptest_config(ProptestConfig::with_cases(48))]
            $(
                #[test]
                fn $name(total in select(&TOTALS[..]), alignment in select(&ALIGNMENTS[..]), acts in acts()) {
                    run($index, total, alignment, &acts);
                }
            )*
        }
    };
}

models! {
    any_sequence_on_a_buddy_is_that_of_a_map = 0;
    any_sequence_on_a_slab_is_that_of_a_map = 1;
    any_sequence_on_an_arena_is_that_of_a_map = 2;
    any_sequence_on_a_ring_is_that_of_a_map = 3;
    any_sequence_on_an_object_pool_is_that_of_a_map = 4;
    any_sequence_on_a_hybrid_is_that_of_a_map = 5;
}
