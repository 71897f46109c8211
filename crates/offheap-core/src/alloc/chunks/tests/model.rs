//! Sequences of operations of two caches on one store.

use super::super::{Cache, classes};
use super::{GIVES_PAGES_BACK, House, MIB};
use crate::tracker::state::Slot;
use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, Strategy, any, prop_oneof, proptest};
use proptest::sample::{Index, select};
use std::collections::BTreeMap;

#[derive(Debug, Clone)]
enum Act {
    /// So many chunks of a size, viewed or not.
    Take(u64, usize, bool),
    /// So many of the live chunks.
    Put(Index, usize),
    Spill,
    Trim,
    Dissolve,
}

/// Small and large ones, with and without room to spare in their class.
const SIZES: [u64; 9] = [16, 50, 1024, 6000, 32 << 10, 36 << 10, 300 << 10, 2 * MIB, 18 * MIB];

/// Each sequence reserves a segment of its own; the portable fallback writes all its pages.
const CASES: u32 = if GIVES_PAGES_BACK { 64 } else { 8 };

fn acts() -> impl Strategy<Value = Vec<(usize, Act)>> {
    let act = prop_oneof![
        6 => (select(&SIZES[..]), 1..40_usize, any::<bool>()).prop_map(|(size, count, view)| Act::Take(size, count, view)),
        6 => (any::<Index>(), 1..60_usize).prop_map(|(from, count)| Act::Put(from, count)),
        1 => proptest::strategy::Just(Act::Spill),
        2 => proptest::strategy::Just(Act::Trim),
        1 => proptest::strategy::Just(Act::Dissolve),
    ];
    vec((0..2_usize, act), 1..40)
}

#[derive(Default)]
struct Model {
    house: House,
    caches: [Cache; 2],
    homes: BTreeMap<Slot, usize>, // viewed chunks and the cache whose isolate keeps their buffers
}

impl Model {
    fn step(&mut self, who: usize, act: &Act) {
        let cache = &mut self.caches[who];
        match act {
            Act::Take(size, count, view) => {
                let class = classes::class_for(*size, 1).unwrap();
                for _ in 0..if *size > MIB { count.div_ceil(8) } else { *count } {
                    let address = self.house.take_stamped(cache, class);
                    let slot = self.house.live[&address].handle.slot;
                    assert!(
                        self.homes.get(&slot).is_none_or(|home| *home == who),
                        "another isolate's buffer is over it"
                    );
                    if *view {
                        self.house.view(address);
                        self.homes.insert(slot, who);
                    }
                }
            }
            Act::Put(from, count) => {
                let addresses: Vec<u64> = self.house.live.keys().copied().collect();
                for address in addresses
                    .iter()
                    .cycle()
                    .skip(from.index(addresses.len() + 1))
                    .take(*count.min(&addresses.len()))
                {
                    let slot = self.house.live[address].handle.slot;
                    let home = self.homes.get(&slot).copied().unwrap_or(who);
                    self.house.put(&mut self.caches[home], *address);
                }
            }
            Act::Spill => cache.spill(&self.house.chunks, &self.house.tracker),
            Act::Trim => {
                let before = self.house.chunks.committed_bytes();
                let given = self.house.chunks.trim(cache, &self.house.tracker);
                let fell = before - self.house.chunks.committed_bytes();
                assert_eq!(given, fell, "trim tells by how much the committed bytes fell");
                let again = self.house.chunks.trim(cache, &self.house.tracker);
                assert_eq!(again, 0, "a second trim gave {again} bytes");
            }
            Act::Dissolve => {
                cache.dissolve(&self.house.chunks, &self.house.tracker);
                let live: Vec<Slot> = self.house.live.values().map(|live| live.handle.slot).collect();
                // Buffers over idle chunks are gone with the isolate; over live ones they may stay.
                self.homes.retain(|slot, home| *home != who || live.contains(slot));
            }
        }
        let [one, other] = &self.caches;
        self.house.check(&[one, other]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    #[test]
    fn any_sequence_of_two_caches_keeps_chunks_apart_and_accounts_exact(acts in acts()) {
        let mut model = Model::default();
        for (who, act) in &acts {
            model.step(*who, act);
        }
        let addresses: Vec<u64> = model.house.live.keys().copied().collect();
        for address in addresses {
            let slot = model.house.live[&address].handle.slot;
            let home = model.homes.get(&slot).copied().unwrap_or(0);
            model.house.put(&mut model.caches[home], address);
        }
        for cache in &mut model.caches {
            cache.dissolve(&model.house.chunks, &model.house.tracker);
        }
        let [one, other] = &model.caches;
        model.house.check(&[one, other]);
    }
}
