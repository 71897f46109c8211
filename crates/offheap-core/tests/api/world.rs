//! The plain truth about one manager: what lives, whose it is, and what is to be read there.

use super::regions::Opened;
use offheap_core::base::error::{Code, Error};
use offheap_core::manager::{BufferRecord, Isolate, Manager, PoolMeasures};
use offheap_core::ops;
use offheap_core::report;
use offheap_core::tracker::state::{Handle, Slot, State};
use std::collections::{HashMap, HashSet};

/// A block, or a token that nobody attached.
#[derive(Debug, Clone, Copy)]
pub struct Block {
    pub handle: Option<Handle>, // of a token nobody knows it
    pub key: u128,              // of a token
    pub owner: usize,
    pub size: u64,
    pub label: u16,
    pub pins: u64,
    pub viewed: bool,
    pub pool: Option<usize>,
    pub memory: usize,
}

/// The bytes of a block, or of several that share them.
#[derive(Debug, Clone, Copy)]
pub struct Memory {
    pub address: u64,
    pub size: u64,
    pub stamp: u8,
}

pub struct Pool {
    pub number: u32,
    pub measures: PoolMeasures,
    pub acquired: u64,
    pub is_closed: bool,
}

/// The buffers over a slot that its isolate knows of.
#[derive(Debug, Default, Clone, Copy)]
pub struct Shown {
    pub kept: u32,
    pub part_life: u32,
    pub parts: u32,
}

/// A block that was freed while somebody had its buffer.
pub struct Escaped {
    pub handle: Handle,
    pub owner: usize,
    pub size: u64,
    pub memory: usize,
}

pub struct World {
    pub manager: &'static Manager,
    pub isolates: Vec<Isolate>,
    pub blocks: Vec<Block>,
    pub memories: Vec<Memory>, // also those that are over
    pub lost: HashSet<usize>,  // memories that stay with somebody for ever
    pub lost_bytes: u64,
    pub escaped: Vec<Escaped>,
    pub dead: Vec<(usize, Handle)>,
    pub pools: Vec<Vec<Pool>>,
    pub buffers: Vec<(usize, BufferRecord)>,
    pub shown: HashMap<(usize, Slot), Shown>,
    pub names: [Option<Opened>; 3],
    pub collected: u64,
    pub limit: Option<u64>,
    pub allocated: u64,
    pub freed: u64,
    pub ids: HashSet<u64>,
    pub keys: u128,
    pub stamps: u8,
}

impl World {
    pub fn new() -> Self {
        let manager: &'static Manager = Box::leak(Box::default());
        let _ = manager.tracker.labels.intern("one");
        Self {
            manager,
            isolates: (0..2).map(|_| door(manager)).collect(),
            blocks: Vec::new(),
            memories: Vec::new(),
            lost: HashSet::new(),
            lost_bytes: 0,
            escaped: Vec::new(),
            dead: Vec::new(),
            pools: vec![Vec::new(), Vec::new()],
            buffers: Vec::new(),
            shown: HashMap::new(),
            names: [None, None, None],
            collected: 0,
            limit: None,
            allocated: 0,
            freed: 0,
            ids: HashSet::new(),
            keys: 0,
            stamps: 0,
        }
    }

    pub fn next_stamp(&mut self) -> u8 {
        self.stamps = self.stamps % 250 + 1;
        self.stamps
    }

    fn live_bytes(&self) -> u64 {
        self.blocks.iter().map(|block| block.size).sum()
    }

    fn charged(&self) -> u64 {
        self.names.iter().flatten().map(|opened| opened.measures.total).sum()
    }

    /// What the limit says to so many bytes more.
    pub fn admits(&self, bytes: u64) -> Result<(), Error> {
        let taken = self.live_bytes() + self.charged();
        let available = self.limit.map_or(u64::MAX, |limit| limit.saturating_sub(taken));
        if bytes > available { Err(Error::new(Code::Limit, bytes, available)) } else { Ok(()) }
    }

    pub fn in_use(&self, who: usize, pool: usize) -> u64 {
        self.blocks.iter().filter(|block| block.owner == who && block.pool == Some(pool)).count() as u64
    }

    /// Whether a block is with a pool that is open: then only that takes it back.
    pub fn is_pooled(&self, block: &Block) -> bool {
        block.pool.is_some_and(|pool| !self.pools[block.owner][pool].is_closed)
    }

    /// Buffers that an owner of a slot was given and that are not gone.
    pub fn buffers_of(&self, who: usize, handle: Handle, viewed: bool) -> u32 {
        let shown = self.shown.get(&(who, handle.slot)).copied().unwrap_or_default();
        let parts = if shown.part_life == handle.generation.0 { shown.parts } else { 0 };
        parts + if viewed { shown.kept } else { 0 }
    }

    /// Enters a block of new bytes, which get a stamp.
    pub fn enter(&mut self, handle: Handle, block: Block) {
        assert!(self.ids.insert(handle.id()), "an id came twice");
        let isolate = &self.isolates[block.owner];
        let (address, stamp) = (isolate.address(handle.slot).unwrap(), self.next_stamp());
        self.allocated += block.size;
        self.memories.push(Memory { address, size: block.size, stamp });
        let memory = self.memories.len() - 1;
        let isolate = &self.isolates[block.owner];
        ops::fill(isolate.bytes(handle, 0, block.size).unwrap(), stamp);
        self.blocks.push(Block { handle: Some(handle), memory, ..block });
    }

    /// A block is over.
    pub fn leave(&mut self, index: usize) -> Block {
        let block = self.blocks.swap_remove(index);
        self.freed += block.size;
        self.dead.extend(block.handle.map(|handle| (block.owner, handle)));
        block
    }

    /// An isolate ends, and another takes its place. What may still be seen is kept for whoever sees it.
    pub fn end(&mut self, who: usize) {
        while let Some(index) = self.blocks.iter().position(|block| block.owner == who) {
            let block = self.leave(index);
            if block.viewed || block.pins > 0 {
                self.lost.insert(block.memory);
                self.lost_bytes += block.size;
            }
        }
        for escaped in self.escaped.extract_if(.., |escaped| escaped.owner == who) {
            self.lost.insert(escaped.memory);
            self.lost_bytes += escaped.size;
        }
        self.dead.retain(|(owner, _)| *owner != who);
        self.buffers.retain(|(owner, _)| *owner != who);
        self.shown.retain(|(owner, _), _| *owner != who);
        self.pools[who].clear();
        self.names.iter_mut().flatten().for_each(|opened| opened.leave(who));
        self.isolates[who] = door(self.manager);
    }

    /// Compares everything that can be seen.
    pub fn compare(&self) {
        self.manager.tracker.check().unwrap();
        let figures = report::stats(&self.manager.tracker, &self.manager.chunks);
        assert_eq!(
            (figures.current_allocated, figures.active_blocks),
            (self.live_bytes(), self.blocks.len() as u64)
        );
        assert_eq!((figures.total_allocated, figures.total_freed), (self.allocated, self.freed));
        let escaped: u64 = self.escaped.iter().map(|escaped| escaped.size).sum();
        assert_eq!(self.manager.escaped_bytes(), escaped + self.lost_bytes);
        assert_eq!(self.manager.collected(), self.collected);
        let tokens = self.blocks.iter().filter(|block| block.handle.is_none()).count();
        assert_eq!(self.manager.shares.tokens(), tokens);
        assert_eq!(self.manager.allocators.charged_bytes(), self.charged());
        self.compare_rows();
        self.compare_bytes();
        for (who, pools) in self.pools.iter().enumerate() {
            for (index, pool) in pools.iter().enumerate().filter(|(_, pool)| !pool.is_closed) {
                let told = self.isolates[who].pool_stats(pool.number).unwrap();
                assert_eq!((told.in_use, told.hits + told.misses), (self.in_use(who, index), pool.acquired));
                assert!(told.available <= pool.measures.idle_max);
            }
        }
        self.names.iter().flatten().for_each(|opened| opened.compare(self.manager));
    }

    fn compare_rows(&self) {
        let by_handle: HashMap<Handle, &Block> =
            self.blocks.iter().filter_map(|block| Some((block.handle?, block))).collect();
        let (mut rows, mut known) = (0, 0);
        self.manager.tracker.scan(|row| {
            if row.place.is_grant() || row.state.has(State::ORPHANED | State::ESCAPED) {
                return;
            }
            rows += 1;
            if let Some(block) = by_handle.get(&row.handle) {
                known += 1;
                assert_eq!(
                    (row.extent.size, row.extent.label, row.pins),
                    (block.size, block.label, block.pins)
                );
                assert_eq!(self.manager.pools.isolate_of(row.owner), self.isolates[block.owner].number());
            }
        });
        assert_eq!((rows, known), (self.blocks.len(), by_handle.len()));
    }

    /// No two memories share a byte, and each has its own.
    fn compare_bytes(&self) {
        let live = self.blocks.iter().map(|block| block.memory);
        let gone = self.escaped.iter().map(|escaped| escaped.memory);
        let all: HashSet<usize> = live.chain(gone).chain(self.lost.iter().copied()).collect();
        let mut ranges: Vec<(u64, u64)> =
            all.iter().map(|index| (self.memories[*index].address, self.memories[*index].size)).collect();
        ranges.sort_unstable();
        for pair in ranges.windows(2) {
            assert!(pair[0].0 + pair[0].1 <= pair[1].0, "{pair:?} share bytes");
        }
        for block in &self.blocks {
            let Some(handle) = block.handle else { continue };
            let part = block.size.min(64);
            for offset in [0, block.size - part] {
                let bytes = self.isolates[block.owner].bytes(handle, offset, part).unwrap();
                let mut copy = [0; 64];
                ops::snapshot(bytes, &mut copy[..part as usize]).unwrap();
                let stamp = self.memories[block.memory].stamp;
                assert!(copy[..part as usize].iter().all(|byte| *byte == stamp), "{block:?} changed");
            }
        }
    }
}

fn door(manager: &'static Manager) -> Isolate {
    Isolate::open(manager, Some(0)).unwrap()
}
