//! The plain truth about a manager whose isolates' scripts hand out what is lent to them.

use super::script::Script;
use super::{Random, stats};
use offheap_core::base::error::{Code, Error};
use offheap_core::manager::{BufferRecord, Isolate, Manager, PoolMeasures};
use offheap_core::ops;
use offheap_core::raw::{self, bytes::Bytes};
use offheap_core::tracker::state::{Handle, State};
use std::collections::{BTreeMap, HashMap, HashSet};

#[derive(Debug, Clone)]
pub struct Block {
    pub handle: Handle,
    pub owner: usize,
    pub pool: Option<usize>,
    pub size: u64,
    pub label: u16,
    pub stamp: u8, // 0: nothing was written by its owner
    pub pins: u64,
    pub viewed: bool,
    pub born_ms: u64,
}

pub struct Pool {
    pub number: u32,
    pub measures: PoolMeasures,
    pub acquired: u64,
    pub is_gated: bool,
    pub is_closed: bool,
}

pub struct World {
    pub manager: &'static Manager,
    pub isolates: Vec<Option<Isolate>>,
    pub pools: Vec<Vec<Pool>>,      // of each isolate
    pub live: BTreeMap<u64, Block>, // by address
    pub orphans: BTreeMap<u64, Block>,
    pub buffers: Vec<BufferRecord>,
    pub dead: Vec<(Handle, usize)>, // and whose they were
    seen: HashSet<u64>,             // addresses of chunks that were ever viewed
    ids: HashSet<u64>,
    pub limit: Option<u64>,
    pub allocated: u64,
    pub freed: u64,
    pub peak: u64,
    stamps: u8,
}

impl World {
    pub fn new(isolates: usize, table_bytes: Option<usize>) -> Self {
        let manager = super::manager();
        let _ = manager.tracker.labels.intern("one");
        let mut world = Self {
            manager,
            isolates: Vec::new(),
            pools: Vec::new(),
            live: BTreeMap::new(),
            orphans: BTreeMap::new(),
            buffers: Vec::new(),
            dead: Vec::new(),
            seen: HashSet::new(),
            ids: HashSet::new(),
            limit: None,
            allocated: 0,
            freed: 0,
            peak: 0,
            stamps: 0,
        };
        for who in 0..isolates {
            world.isolates.push(None);
            world.pools.push(Vec::new());
            world.reopen(who, table_bytes);
        }
        world
    }

    pub fn reopen(&mut self, who: usize, table_bytes: Option<usize>) {
        self.isolates[who] = Some(Isolate::open_lending(self.manager, table_bytes, true).unwrap());
        self.pools[who].clear();
    }

    pub fn isolate(&self, who: usize) -> &Isolate {
        self.isolates[who].as_ref().unwrap()
    }

    pub fn script(&self, who: usize) -> Script<'_> {
        Script::new(self.isolate(who))
    }

    pub fn current(&self) -> u64 {
        self.live.values().map(|block| block.size).sum()
    }

    /// What the limit says to so many bytes more.
    pub fn admits(&self, bytes: u64) -> Result<(), Error> {
        let available = self.limit.map_or(u64::MAX, |limit| limit.saturating_sub(self.current()));
        if bytes > available { Err(Error::new(Code::Limit, bytes, available)) } else { Ok(()) }
    }

    /// A live block of an isolate.
    pub fn pick(&self, who: usize, random: &mut Random) -> Option<(u64, Block)> {
        let own: Vec<u64> =
            self.live.iter().filter(|(_, block)| block.owner == who).map(|(address, _)| *address).collect();
        let address = *own.get(random.below(own.len().max(1) as u64) as usize)?;
        Some((address, self.live[&address].clone()))
    }

    pub fn in_use(&self, who: usize, pool: usize) -> u64 {
        let is_of = |block: &&Block| block.owner == who && block.pool == Some(pool);
        self.live.values().filter(is_of).count() as u64
    }

    fn assert_apart(&self, address: u64, size: u64) {
        for blocks in [&self.live, &self.orphans] {
            let below = blocks.range(..address).next_back();
            assert!(below.is_none_or(|(start, other)| start + other.size <= address), "in another block");
            let above = blocks.range(address..).next();
            assert!(above.is_none_or(|(start, _)| address + size <= *start), "ends inside another block");
        }
    }

    /// Enters a block that was handed out, and checks that it may be.
    pub fn enter(&mut self, handle: Handle, owner: usize, pool: Option<usize>, size: u64) -> u64 {
        let address = self.isolate(owner).address(handle.slot).unwrap();
        self.assert_apart(address, size);
        assert!(self.ids.insert(handle.id()), "an id came twice");
        let is_lent = self.script(owner).is_lent(handle.slot);
        assert!(!(is_lent && self.seen.contains(&address)), "what was ever viewed is lent");
        let born_ms = raw::now_ms();
        self.allocated += size;
        let block = Block { handle, owner, pool, size, label: 0, stamp: 0, pins: 0, viewed: false, born_ms };
        self.live.insert(address, block);
        self.peak = self.peak.max(self.current());
        address
    }

    /// An id was given, though nobody came to use it.
    pub fn enter_id(&mut self, handle: Handle) {
        assert!(self.ids.insert(handle.id()), "an id came twice");
    }

    pub fn leave(&mut self, address: u64) {
        let block = self.live.remove(&address).unwrap();
        self.freed += block.size;
        self.dead.push((block.handle, block.owner));
    }

    /// A pattern that no other live block has, by the script or by a native call.
    pub fn write(&mut self, address: u64, natively: bool) {
        self.stamps = self.stamps % 250 + 1;
        let stamp = self.stamps;
        let block = self.live[&address].clone();
        let bytes = if natively {
            self.isolate(block.owner).bytes(block.handle, 0, block.size).unwrap()
        } else {
            self.script(block.owner).touch(block.handle.slot, block.size)
        };
        ops::fill(bytes, stamp);
        self.live.get_mut(&address).unwrap().stamp = stamp;
    }

    pub fn show(&mut self, address: u64, kept: bool) {
        let block = self.live.get_mut(&address).unwrap();
        block.viewed = true;
        let (handle, owner) = (block.handle, block.owner);
        let buffer = self.isolate(owner).show(handle, kept).unwrap();
        self.buffers.push(buffer);
        self.seen.insert(address);
    }

    pub fn assert_bytes(&self, block: &Block, size: u64) {
        if block.stamp != 0 {
            let bytes = self.script(block.owner).peek(block.handle.slot, size);
            let (first, copy) = (block.stamp, read(bytes, size));
            assert!(copy.iter().all(|byte| *byte == first), "{block:?} changed");
        }
    }

    /// An isolate ends. What somebody may still see stays and is nobody's.
    pub fn end(&mut self, who: usize) {
        self.isolates[who] = None;
        let own: Vec<u64> =
            self.live.iter().filter(|(_, block)| block.owner == who).map(|(address, _)| *address).collect();
        for address in own {
            let block = self.live[&address].clone();
            self.leave(address);
            if block.viewed || block.pins > 0 {
                self.dead.pop(); // its handle is as good as ever
                self.orphans.insert(address, block);
            }
        }
        self.dead.retain(|(_, owner)| *owner != who);
    }

    /// Compares everything that can be seen.
    pub fn compare(&self, random: &mut Random) {
        self.manager.tracker.check().unwrap();
        let figures = stats(self.manager);
        assert_eq!(figures.current_allocated, self.current());
        assert_eq!((figures.total_allocated, figures.total_freed), (self.allocated, self.freed));
        assert_eq!(figures.active_blocks, self.live.len() as u64);
        assert!(figures.peak_allocated >= figures.current_allocated && figures.peak_allocated <= self.peak);
        if self.isolates.len() == 1 {
            assert_eq!(figures.peak_allocated, self.peak, "with one isolate the peak is exact");
        }
        assert!(self.ids.iter().max().is_none_or(|id| *id < figures.next_block_id));
        let orphaned: u64 = self.orphans.values().map(|block| block.size).sum();
        assert_eq!(self.manager.escaped_bytes(), orphaned);
        let by_handle: HashMap<Handle, &Block> =
            self.live.values().map(|block| (block.handle, block)).collect();
        self.compare_rows(&by_handle);
        for (who, isolate) in self.isolates.iter().enumerate() {
            let Some(isolate) = isolate else { continue };
            let own: HashSet<Handle> = isolate.own_blocks().into_iter().map(|(handle, _)| handle).collect();
            let expected = self.live.values().filter(|block| block.owner == who);
            assert_eq!(own, expected.map(|block| block.handle).collect());
            self.compare_pools(who, isolate);
        }
        for block in self.live.values() {
            let told = self.script(block.owner).is_live(block.handle);
            assert_ne!(told, Some(false), "the table calls {block:?} dead");
        }
        for _ in 0..3.min(self.dead.len()) {
            self.assert_dead(self.dead[random.below(self.dead.len() as u64) as usize]);
        }
        self.dead.last().iter().for_each(|dead| self.assert_dead(**dead));
    }

    fn assert_dead(&self, (handle, owner): (Handle, usize)) {
        let (isolate, script) = (self.isolate(owner), self.script(owner));
        assert_ne!(script.is_live(handle), Some(true), "the table calls {handle:?} live");
        assert!(!script.give(handle, 1));
        assert_eq!(isolate.free(handle), Err(Code::DoubleFree.into()));
        assert_eq!(isolate.pin(handle), Err(Code::UseAfterFree.into()));
        assert!(isolate.bytes(handle, 0, 1).is_err() && self.manager.tracker.live(handle).is_err());
    }

    fn compare_rows(&self, by_handle: &HashMap<Handle, &Block>) {
        let now = raw::now_ms();
        let mut rows = 0;
        self.manager.tracker.scan(|row| {
            if row.state.has(State::ORPHANED) {
                return;
            }
            rows += 1;
            let block = by_handle.get(&row.handle).unwrap_or_else(|| panic!("whose is {row:?}?"));
            assert_eq!((row.extent.size, row.extent.label), (block.size, block.label), "{block:?}");
            assert_eq!(row.pins, block.pins);
            assert_eq!(self.manager.pools.isolate_of(row.owner), self.isolate(block.owner).number());
            assert_eq!(row.owner.kind() == 1, block.pool.is_some());
            assert!(row.born_ms <= now && row.born_ms + 60_000 > block.born_ms, "{row:?} of {block:?}");
        });
        assert_eq!(rows, self.live.len(), "a live block has no row");
    }

    fn compare_pools(&self, who: usize, isolate: &Isolate) {
        for (index, pool) in self.pools[who].iter().enumerate().filter(|(_, pool)| !pool.is_closed) {
            let told = isolate.pool_stats(pool.number).unwrap();
            assert_eq!((told.in_use, told.hits + told.misses), (self.in_use(who, index), pool.acquired));
            assert!(told.available <= pool.measures.idle_max && told.in_use <= pool.measures.limit);
        }
    }
}

/// What stands in a block.
pub fn read(bytes: Bytes<'_>, size: u64) -> Vec<u8> {
    let mut copy = vec![0; size as usize];
    ops::snapshot(bytes, &mut copy).unwrap();
    copy
}
