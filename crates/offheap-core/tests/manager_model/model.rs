//! Sequences of operations of one or two isolates against maps.

use super::{assert_all_free, assert_stamp, isolate, manager, stats, write_stamp};
use offheap_core::base::error::{Code, Error};
use offheap_core::manager::{Isolate, Request};
use offheap_core::report;
use offheap_core::tracker::label::Label;
use offheap_core::tracker::state::{AlignmentCode, Generation, Handle};
use proptest::collection::vec;
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_oneof, proptest};
use proptest::sample::{Index, select};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Clone)]
enum Act {
    Allocate {
        size: u64,
        alignment: AlignmentCode,
        zeroed: bool,
        label: u16,
    },
    Free(Index),
    /// And its record has only so many lives left then.
    FreeAndAge(Index, u32),
    FreeOld(Index),
    Reallocate(Index, u64),
    PrepareAndAbort(Index, u64),
    Pin(Index),
    Unpin(Index),
    View(Index),
    Trim,
    SetLimit(Option<u64>),
}

fn size() -> impl Strategy<Value = u64> {
    prop_oneof![12 => 1..300_u64, 6 => 1..5000_u64, 3 => 5000..80_000_u64, 1 => 80_000..1_500_000_u64]
}

fn alignment() -> impl Strategy<Value = AlignmentCode> {
    let named = [AlignmentCode::NONE, AlignmentCode::WORD, AlignmentCode::CACHE_LINE, AlignmentCode::PAGE];
    prop_oneof![3 => select(named.to_vec()), 1 => (0..18_u8).prop_map(AlignmentCode)]
}

fn acts() -> impl Strategy<Value = Vec<(bool, Act)>> {
    let which = any::<Index>;
    let act = prop_oneof![
        10 => (size(), alignment(), any::<bool>(), 0..3_u16)
            .prop_map(|(size, alignment, zeroed, label)| Act::Allocate { size, alignment, zeroed, label }),
        7 => which().prop_map(Act::Free),
        2 => (which(), 0..3_u32).prop_map(|(which, left)| Act::FreeAndAge(which, left)),
        2 => which().prop_map(Act::FreeOld),
        5 => (which(), size()).prop_map(|(which, size)| Act::Reallocate(which, size)),
        1 => (which(), size()).prop_map(|(which, size)| Act::PrepareAndAbort(which, size)),
        2 => which().prop_map(Act::Pin),
        2 => which().prop_map(Act::Unpin),
        2 => which().prop_map(Act::View),
        1 => Just(Act::Trim),
        1 => prop_oneof![2 => Just(None), 3 => (0..200_000_u64).prop_map(Some)].prop_map(Act::SetLimit),
    ];
    vec((any::<bool>(), act), 1..100)
}

#[derive(Debug, Clone, Copy)]
struct Block {
    handle: Handle,
    owner: usize,
    size: u64,
    alignment: AlignmentCode,
    label: u16,
    stamp: u16,
    pins: u64,
}

/// The manager and the plain truth about it.
struct Model {
    isolates: Vec<Isolate>,
    live: BTreeMap<u64, Block>, // by address
    seen: BTreeMap<u64, usize>, // addresses that an isolate keeps a buffer over
    old: Vec<Handle>,
    ids: BTreeSet<u64>,
    limit: Option<u64>,
    allocated: u64,
    freed: u64,
    peak: u64,
    stamps: u16,
}

impl Model {
    fn new(count: usize) -> Self {
        let manager = manager();
        for text in ["one", "two"] {
            let _ = manager.tracker.labels.intern(text);
        }
        Self {
            isolates: (0..count).map(|_| isolate(manager)).collect(),
            live: BTreeMap::new(),
            seen: BTreeMap::new(),
            old: Vec::new(),
            ids: BTreeSet::new(),
            limit: None,
            allocated: 0,
            freed: 0,
            peak: 0,
            stamps: 0,
        }
    }

    fn current(&self) -> u64 {
        self.live.values().map(|block| block.size).sum()
    }

    /// What the limit says to so many bytes more.
    fn admits(&self, bytes: u64) -> Result<(), Error> {
        let available = self.limit.map_or(u64::MAX, |limit| limit.saturating_sub(self.current()));
        if bytes > available { Err(Error::new(Code::Limit, bytes, available)) } else { Ok(()) }
    }

    fn pick(&self, which: Index) -> Option<(u64, Block)> {
        let addresses: Vec<u64> = self.live.keys().copied().collect();
        let address = *addresses.get(which.index(addresses.len().max(1)))?;
        Some((address, self.live[&address]))
    }

    /// Enters a block that was handed out, and checks that it may lie where it does.
    fn enter(&mut self, mut block: Block) {
        let isolate = &self.isolates[block.owner];
        let address = super::address(isolate, block.handle);
        assert!(address.is_multiple_of(block.alignment.bytes().unwrap() as u64));
        let below = self.live.range(..address).next_back();
        assert!(
            below.is_none_or(|(start, other)| start + other.size <= address),
            "begins inside another block"
        );
        let above = self.live.range(address..).next();
        assert!(above.is_none_or(|(start, _)| address + block.size <= *start), "ends inside another block");
        assert!(
            self.seen.get(&address).is_none_or(|home| *home == block.owner),
            "another isolate keeps a buffer over it"
        );
        assert!(self.ids.insert(block.handle.id()), "an id came twice");
        self.stamps = (self.stamps + 1) % 30_000;
        block.stamp = self.stamps;
        write_stamp(isolate, block.handle, block.stamp, block.size);
        self.allocated += block.size;
        self.live.insert(address, block);
        self.peak = self.peak.max(self.current());
    }

    fn leave(&mut self, address: u64) {
        let block = self.live.remove(&address).unwrap();
        self.freed += block.size;
        self.old.push(block.handle);
    }

    fn step(&mut self, who: usize, act: &Act) -> Option<()> {
        let isolate = &self.isolates[who];
        match *act {
            Act::Allocate { size, alignment, zeroed, label } => {
                let request = Request { size, alignment, zeroed, label: Label(label) };
                let answer = isolate.allocate(request);
                assert_eq!(answer.map(|_| ()), self.admits(size));
                let handle = answer.ok()?;
                assert!(!zeroed || super::read(isolate, handle, size).iter().all(|byte| *byte == 0));
                self.enter(Block { handle, owner: who, size, alignment, label, stamp: 0, pins: 0 });
            }
            Act::Free(which) => {
                let (address, block) = self.pick(which)?;
                assert_stamp(isolate, block.handle, block.stamp, block.size);
                let expected = self.may_touch(who, address, &block);
                assert_eq!(isolate.free(block.handle), expected);
                expected.ok()?;
                self.leave(address);
            }
            Act::FreeAndAge(which, left) => {
                let (_, block) = self.pick(which)?;
                self.step(who, &Act::Free(which));
                let (tracker, slot) = (&self.isolates[0].manager().tracker, block.handle.slot);
                let now = tracker.shared(slot)?.state().generation();
                if !now.is_live() {
                    tracker.age(slot, now.max(Generation(Generation::MAX.0 - 2 * left)));
                }
            }
            Act::FreeOld(which) => {
                let handle = *self.old.get(which.index(self.old.len().max(1)))?;
                assert_eq!(isolate.free(handle), Err(Code::DoubleFree.into()));
                assert_eq!(isolate.reallocate(handle, 10), Err(Code::UseAfterFree.into()));
                assert_eq!(isolate.pin(handle), Err(Code::UseAfterFree.into()));
            }
            Act::Reallocate(which, size) => {
                let (address, block) = self.pick(which)?;
                let expected = self.may_resize(who, address, &block, size);
                let answer = isolate.reallocate(block.handle, size);
                assert_eq!(answer.map(|_| ()), expected);
                let handle = answer.ok()?;
                assert_stamp(isolate, handle, block.stamp, size.min(block.size));
                self.leave(address);
                self.enter(Block { handle, owner: who, size, ..block });
            }
            Act::PrepareAndAbort(which, size) => {
                let (address, block) = self.pick(which)?;
                let expected = self.may_resize(who, address, &block, size);
                assert_eq!(isolate.prepare_reallocation(block.handle, size), expected);
                isolate.abort_reallocation();
            }
            Act::Pin(which) => {
                let (address, block) = self.pick(which)?;
                assert_eq!(isolate.pin(block.handle), Ok(block.pins));
                self.live.get_mut(&address)?.pins += 1;
            }
            Act::Unpin(which) => {
                let (address, block) = self.pick(which)?;
                assert_eq!(isolate.unpin(block.handle).is_ok(), block.pins > 0);
                self.live.get_mut(&address)?.pins = block.pins.saturating_sub(1);
            }
            Act::View(which) => {
                let (address, block) = self.pick(which)?;
                self.isolates[block.owner].show(block.handle, true).unwrap();
                self.seen.insert(address, block.owner);
            }
            Act::Trim => assert_eq!((isolate.trim(), isolate.trim()).1, 0),
            Act::SetLimit(limit) => {
                isolate.manager().set_limit(limit);
                self.limit = limit;
            }
        }
        Some(())
    }

    /// What free and reallocate say to this isolate.
    fn may_touch(&self, who: usize, address: u64, block: &Block) -> Result<(), Error> {
        if block.owner != who && self.seen.contains_key(&address) {
            return Err(Code::WrongThread.into());
        }
        if block.pins > 0 { Err(Error::new(Code::InUse, 0, block.pins)) } else { Ok(()) }
    }

    fn may_resize(&self, who: usize, address: u64, block: &Block, size: u64) -> Result<(), Error> {
        self.may_touch(who, address, block)?;
        self.admits(size.saturating_sub(block.size))
    }

    fn compare(&self) {
        let manager = self.isolates[0].manager();
        manager.tracker.check().unwrap();
        assert_eq!(manager.limit(), self.limit);
        let figures = stats(manager);
        assert_eq!((figures.total_allocated, figures.total_freed), (self.allocated, self.freed));
        assert_eq!(
            (figures.current_allocated, figures.active_blocks),
            (self.current(), self.live.len() as u64)
        );
        let sizes = || self.live.values().map(|block| block.size);
        assert_eq!(figures.min_block_size, sizes().min().unwrap_or(0));
        assert_eq!(figures.max_block_size, sizes().max().unwrap_or(0));
        assert!(figures.peak_allocated >= self.current() && figures.peak_allocated <= self.peak);
        if self.isolates.len() == 1 {
            assert_eq!(figures.peak_allocated, self.peak, "with one isolate the peak is exact");
        }
        assert!(self.ids.last().is_none_or(|id| *id < figures.next_block_id));
        self.compare_rows();
    }

    fn compare_rows(&self) {
        let manager = self.isolates[0].manager();
        let mut rows = report::rows(&manager.tracker, &manager.chunks);
        rows.sort_unstable_by_key(|info| info.address);
        assert_eq!(rows.len(), self.live.len());
        let granted: u64 = rows.iter().map(|info| info.actual_size).sum();
        assert!(stats(manager).committed >= granted, "what is live is committed");
        let mut end = 0;
        for (info, (address, block)) in rows.iter().zip(&self.live) {
            assert_eq!((info.address, info.row.handle), (*address, block.handle));
            assert_eq!((info.row.extent.size, info.row.extent.label), (block.size, block.label));
            assert_eq!((info.row.alignment, info.row.pins), (block.alignment, block.pins));
            assert_eq!(
                (info.row.owner.kind(), info.row.owner.number()),
                (0, self.isolates[block.owner].number())
            );
            assert!(info.actual_size >= block.size && *address >= end, "chunks overlap");
            assert!(info.age_ms < 3_600_000);
            end = address + info.actual_size;
        }
    }

    /// Frees everything as its owner may.
    fn finish(mut self) {
        for (address, block) in self.live.clone() {
            let isolate = &self.isolates[block.owner];
            for _ in 0..block.pins {
                isolate.unpin(block.handle).unwrap();
            }
            assert_stamp(isolate, block.handle, block.stamp, block.size);
            isolate.free(block.handle).unwrap();
            self.leave(address);
        }
        assert_all_free(self.isolates[0].manager());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if super::GIVES_PAGES_BACK { 96 } else { 12 }))]

    #[test]
    fn any_sequence_of_operations_does_what_maps_do(isolates in 1..=2_usize, acts in acts()) {
        let mut model = Model::new(isolates);
        for (second, act) in &acts {
            let _ = model.step(usize::from(*second) % isolates, act);
            model.compare();
        }
        model.finish();
    }
}
