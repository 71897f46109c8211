//! Named allocators of all kinds.

use crate::orders::{ask, memory, with_each};
use offheap_core::base::error::Code;
use offheap_core::manager::allocators::{AllocatorId, Kind, Measures, Taken};
use offheap_core::manager::{Isolate, Manager};
use offheap_core::raw::bytes::Bytes;
use offheap_core::raw::faults;
use offheap_core::tracker::label::Label;
use offheap_core::tracker::state::AlignmentCode;
use offheap_proof::{Random, assert_stamp, manager, stamp};

const STEPS: u32 = 300;
const TOTAL: u64 = 2 << 20;

#[derive(Debug, Clone, Copy)]
struct Held {
    taken: Taken,
    size: u64,
    value: u8,
}

struct House {
    isolate: Isolate,
    id: AllocatorId,
    kind: Kind,
    random: Random,
    all: Vec<Held>,
}

impl House {
    /// `None` when it cannot be opened.
    fn open(manager: &'static Manager, kind: Kind, seed: u64, lends: bool) -> Option<Self> {
        let isolate = Isolate::open_lending(manager, Some(if lends { 4 << 20 } else { 0 }), lends).unwrap();
        let measures = Measures { kind, total: TOTAL, alignment: AlignmentCode::WORD, overwrite: false };
        let id = (0..3).find_map(|_| memory(|| isolate.open_allocator("it", measures)))?;
        Some(Self { isolate, id, kind, random: Random(seed), all: Vec::new() })
    }

    fn bytes(&self, taken: Taken) -> Bytes<'static> {
        let manager = self.isolate.manager();
        manager
            .allocators
            .get(self.id)
            .and_then(|allocator| allocator.bytes(manager, taken.offset, taken.granted))
            .unwrap()
    }

    fn allocate(&mut self) {
        let size = if self.random.below(8) == 0 {
            1 + self.random.below(200_000)
        } else {
            1 + self.random.below(2000)
        };
        match ask(|| self.isolate.allocate_in(self.id, size, Label::NONE)) {
            Ok(taken) => {
                let value = 1 + self.random.below(255) as u8;
                stamp(self.bytes(taken), value);
                self.all.push(Held { taken, size, value });
            }
            Err(error) if error.code == Code::OutOfRange => assert!(size > error.available, "{error}"),
            Err(error) => assert!([Code::OutOfMemory, Code::RegionFull].contains(&error.code), "{error}"),
        }
    }

    fn free(&self, held: Held) {
        assert_stamp(self.bytes(held.taken), held.value);
        faults::refusing(|| self.isolate.free_in(self.id, held.taken.handle, held.size))
            .expect("a free needs no memory");
    }

    fn step(&mut self) {
        match self.random.below(100) {
            0..=59 => self.allocate(),
            60..=94 if !self.all.is_empty() => {
                let index = self.random.index(self.all.len());
                let held = self.all.swap_remove(index);
                self.free(held);
            }
            95 => drop(faults::refusing(|| self.isolate.trim_allocator(self.id)).unwrap()),
            96 if self.kind == Kind::Arena => drop(memory(|| self.isolate.mark_in(self.id))),
            97 if self.random.below(8) == 0 => {
                faults::refusing(|| self.isolate.reset_allocator(self.id)).expect("a reset needs no memory");
                self.all.clear();
            }
            _ => {}
        }
        self.isolate.manager().allocators.get(self.id).unwrap().check().unwrap();
    }

    fn leave(mut self) {
        let manager = self.isolate.manager();
        let allocator = manager.allocators.get(self.id).unwrap();
        assert_eq!(allocator.stats(manager).blocks, self.all.len() as u64);
        for held in std::mem::take(&mut self.all) {
            self.free(held);
        }
        let stats = allocator.stats(manager);
        assert_eq!((stats.blocks, stats.requested), (0, 0));
        faults::refusing(|| self.isolate.reset_allocator(self.id)).unwrap();
        assert_eq!(allocator.stats(manager).free, TOTAL);
        allocator.check().unwrap();
        drop(allocator);
        faults::refusing(|| self.isolate.close_allocator(self.id)).expect("a close needs no memory");
        assert_eq!(manager.allocators.charged_bytes(), 0);
        manager.tracker.check().unwrap();
    }
}

fn run(seeds: u64, kinds: &[Kind], lends: bool) {
    with_each(seeds, |seed| {
        for kind in kinds {
            let Some(mut house) = House::open(manager(), *kind, seed, lends) else { continue };
            (0..STEPS).for_each(|_| house.step());
            house.leave();
        }
    });
}

/// By powers of two, and by classes.
pub fn buddy_and_slab(seeds: u64) {
    run(seeds, &[Kind::Buddy, Kind::Slab], false);
}

/// By a position.
pub fn arena_and_ring(seeds: u64) {
    run(seeds, &[Kind::Arena, Kind::Ring], false);
}

/// By equal slots, and by ranges.
pub fn object_pool_and_hybrid(seeds: u64) {
    run(seeds, &[Kind::ObjectPool, Kind::Hybrid], false);
}

/// With a table from which a script could take.
pub fn lending(seeds: u64) {
    run(seeds, &Kind::ALL, true);
}
