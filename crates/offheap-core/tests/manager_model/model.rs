//! Sequences of operations of one or two isolates against maps. `properties` makes sequences up, and so does the fuzzer.

use super::{Random, assert_all_free, assert_stamp, isolate, manager, stats, write_stamp};
use offheap_core::base::error::{Code, Error};
use offheap_core::manager::{Isolate, Request};
use offheap_core::report;
use offheap_core::tracker::label::Label;
use offheap_core::tracker::state::{AlignmentCode, Generation, Handle};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Clone)]
pub enum Act {
    Allocate {
        size: u64,
        alignment: AlignmentCode,
        zeroed: bool,
        label: u16,
    },
    Free(usize),
    /// And its record has only so many lives left then.
    FreeAndAge(usize, u32),
    FreeOld(usize),
    Reallocate(usize, u64),
    PrepareAndAbort(usize, u64),
    Pin(usize),
    Unpin(usize),
    View(usize),
    Trim,
    SetLimit(Option<u64>),
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

    fn pick(&self, which: usize) -> Option<(u64, Block)> {
        let addresses: Vec<u64> = self.live.keys().copied().collect();
        let address = *addresses.get(which % addresses.len().max(1))?;
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
                let handle = *self.old.get(which % self.old.len().max(1))?;
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

/// A sequence, and a look at everything after each step.
pub fn run(isolates: usize, acts: impl IntoIterator<Item = (bool, Act)>) {
    let mut model = Model::new(isolates);
    for (second, act) in acts {
        let _ = model.step(usize::from(second) % isolates, &act);
        model.compare();
    }
    model.finish();
}

impl Act {
    fn of(random: &mut Random) -> Self {
        let which = |random: &mut Random| random.below(256) as usize;
        match random.below(18) {
            0..=4 => Self::Allocate {
                size: size(random),
                alignment: AlignmentCode(random.pick(&ALIGNMENTS)),
                zeroed: random.below(2) == 0,
                label: random.below(3) as u16,
            },
            5..=7 => Self::Free(which(random)),
            8 => Self::FreeAndAge(which(random), random.below(3) as u32),
            9 => Self::FreeOld(which(random)),
            10..=11 => Self::Reallocate(which(random), size(random)),
            12 => Self::PrepareAndAbort(which(random), size(random)),
            13 => Self::Pin(which(random)),
            14 => Self::Unpin(which(random)),
            15 => Self::View(which(random)),
            16 => Self::Trim,
            _ => Self::SetLimit((random.below(2) == 0).then(|| random.below(200_000))),
        }
    }
}

/// The named ones, and powers of two.
const ALIGNMENTS: [u8; 9] = [
    AlignmentCode::NONE.0,
    AlignmentCode::WORD.0,
    AlignmentCode::CACHE_LINE.0,
    AlignmentCode::PAGE.0,
    0,
    3,
    5,
    12,
    17,
];

fn size(random: &mut Random) -> u64 {
    1 + match random.below(8) {
        0..=3 => random.below(256),
        4..=5 => random.below(5000),
        6 => random.below(80_000),
        _ => random.below(1_500_000),
    }
}

/// A sequence that is written in bytes.
pub fn play(mut random: Random) {
    let isolates = 1 + random.below(2) as usize;
    run(
        isolates,
        std::iter::from_fn(|| (!random.is_over()).then(|| (random.below(2) == 0, Act::of(&mut random)))),
    );
}
