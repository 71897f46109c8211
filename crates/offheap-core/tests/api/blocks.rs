//! Steps on blocks and pools.

use super::steps::Player;
use super::world::{Block, Escaped, Pool};
use offheap_core::base::error::{Code, Error};
use offheap_core::manager::{PoolMeasures, Request};
use offheap_core::tracker::label::Label;
use offheap_core::tracker::state::{AlignmentCode, Handle, Slot};

impl Player {
    fn size(&mut self) -> u64 {
        let most = self.random.pick(&[64, 1000, 9000, 70_000]);
        1 + self.random.below(most)
    }

    /// A block that an isolate has a handle of.
    fn a_block(&mut self, who: usize) -> Option<(usize, Handle, Block)> {
        let blocks = &self.world.blocks;
        let own: Vec<usize> = (0..blocks.len())
            .filter(|index| blocks[*index].owner == who && blocks[*index].handle.is_some())
            .collect();
        let index = *own.get(self.random.below(own.len().max(1) as u64) as usize)?;
        let block = self.world.blocks[index];
        Some((index, block.handle?, block))
    }

    pub fn allocate(&mut self, who: usize) {
        let size = self.size();
        let alignment = AlignmentCode(self.random.pick(&[32, 33, 34, 35, 4, 12]));
        let what = self.random.below(4);
        let request = Request { size, alignment, zeroed: what & 1 == 1, label: Label((what >> 1) as u16) };
        let answer = self.world.isolates[who].allocate(request);
        assert_eq!(answer.map(|_| ()), self.world.admits(size));
        if let Ok(handle) = answer {
            self.world.enter(handle, plain(who, size, request.label.0));
        }
    }

    /// What ends a block says to it.
    fn may_end(block: &Block) -> Result<(), Error> {
        if block.pins > 0 { Err(Error::new(Code::InUse, 0, block.pins)) } else { Ok(()) }
    }

    pub fn free(&mut self, who: usize) -> Option<()> {
        let (index, handle, block) = self.a_block(who)?;
        let isolate = &self.world.isolates[who];
        let is_pooled = self.world.is_pooled(&block);
        let (answer, expected) = match (self.random.below(3), block.pool) {
            (0, _) if is_pooled => (isolate.free(handle), Err(Code::ForeignBlock.into())),
            (1, Some(pool)) if is_pooled => {
                (isolate.release(self.world.pools[who][pool].number, handle), Self::may_end(&block))
            }
            (0, _) => (isolate.free(handle), Self::may_end(&block)),
            _ => (isolate.free_any(handle), Self::may_end(&block)),
        };
        assert_eq!(answer, expected, "{block:?}");
        if answer.is_ok() {
            self.world.leave(index);
        }
        Some(())
    }

    pub fn free_dead(&mut self, who: usize) -> Option<()> {
        let own: Vec<Handle> =
            self.world.dead.iter().filter(|(owner, _)| *owner == who).map(|(_, handle)| *handle).collect();
        let handle = *own.get(self.random.below(own.len().max(1) as u64) as usize)?;
        let isolate = &self.world.isolates[who];
        assert_eq!(isolate.free(handle), Err(Code::DoubleFree.into()));
        assert_eq!(isolate.pin(handle), Err(Code::UseAfterFree.into()));
        assert_eq!(isolate.share(handle, u128::MAX), Err(Code::UseAfterFree.into()));
        assert!(isolate.reallocate(handle, 10).is_err() && isolate.bytes(handle, 0, 1).is_err());
        Some(())
    }

    pub fn reallocate(&mut self, who: usize) -> Option<()> {
        let (index, handle, block) = self.a_block(who)?;
        let size = self.size();
        let expected = if self.world.is_pooled(&block) {
            Err(Code::ForeignBlock.into())
        } else {
            Self::may_end(&block).and_then(|()| self.world.admits(size.saturating_sub(block.size)))
        };
        let answer = self.world.isolates[who].reallocate(handle, size);
        assert_eq!(answer.map(|_| ()), expected, "{block:?}");
        let next = answer.ok()?;
        let stamp = self.world.memories[block.memory].stamp;
        let kept = self.world.isolates[who].bytes(next, 0, size.min(block.size)).unwrap();
        let mut copy = vec![0; size.min(block.size) as usize];
        offheap_core::ops::snapshot(kept, &mut copy).unwrap();
        assert!(copy.iter().all(|byte| *byte == stamp), "contents move with {block:?}");
        self.world.leave(index);
        self.world.enter(next, plain(who, size, block.label));
        Some(())
    }

    pub fn pin(&mut self, who: usize) -> Option<()> {
        let (index, handle, block) = self.a_block(who)?;
        assert_eq!(self.world.isolates[who].pin(handle), Ok(block.pins));
        self.world.blocks[index].pins += 1;
        Some(())
    }

    pub fn unpin(&mut self, who: usize) -> Option<()> {
        let (index, handle, block) = self.a_block(who)?;
        assert_eq!(self.world.isolates[who].unpin(handle).is_ok(), block.pins > 0);
        self.world.blocks[index].pins = block.pins.saturating_sub(1);
        Some(())
    }

    pub fn show(&mut self, who: usize) -> Option<()> {
        let (index, handle, _) = self.a_block(who)?;
        let kept = self.below(2) == 0;
        let buffer = self.world.isolates[who].show(handle, kept).unwrap();
        let shown = self.world.shown.entry((who, handle.slot)).or_default();
        if kept {
            shown.kept += 1;
        } else {
            if shown.part_life != handle.generation.0 {
                (shown.part_life, shown.parts) = (handle.generation.0, 0);
            }
            shown.parts += 1;
        }
        self.world.blocks[index].viewed = true;
        self.world.buffers.push((who, buffer));
        Some(())
    }

    /// A buffer is collected. Its block goes with the last one, unless its handle lives or pins hold it.
    pub fn forget_buffer(&mut self) -> Option<()> {
        let (which, is_held) = (self.below(256), self.below(4) > 0);
        let world = &mut self.world;
        let count = world.buffers.len();
        let (who, buffer) = world.buffers.swap_remove(which.checked_rem(count)?);
        let slot = buffer.handle.slot;
        world.isolates[who].buffer_gone(buffer, |_| is_held);
        if let Some(shown) = world.shown.get_mut(&(who, slot)) {
            if buffer.kept {
                shown.kept = shown.kept.saturating_sub(1);
            } else if shown.part_life == buffer.handle.generation.0 {
                shown.parts = shown.parts.saturating_sub(1);
            }
        }
        self.settle(who, slot, is_held);
        Some(())
    }

    fn settle(&mut self, who: usize, slot: Slot, is_held: bool) {
        let world = &mut self.world;
        let is_here = |handle: Handle| handle.slot == slot;
        let escaped = world.escaped.iter().position(|one| one.owner == who && is_here(one.handle));
        if let Some(index) = escaped
            && world.buffers_of(who, world.escaped[index].handle, true) == 0
        {
            world.escaped.swap_remove(index);
        }
        let index = world.blocks.iter().position(|one| one.owner == who && one.handle.is_some_and(is_here));
        let Some((index, block)) = index.map(|index| (index, world.blocks[index])) else { return };
        let is_seen = world.buffers_of(who, block.handle.unwrap(), block.viewed) > 0;
        if block.viewed && !is_seen && !is_held && block.pins == 0 {
            world.leave(index);
            world.collected += 1;
        }
    }

    pub fn free_escaped(&mut self, who: usize) -> Option<()> {
        let (index, handle, block) = self.a_block(who)?;
        let is_seen = self.world.buffers_of(who, handle, block.viewed) > 0;
        let answer = self.world.isolates[who].free_escaped(handle);
        assert_eq!(answer, Self::may_end(&block), "{block:?}");
        answer.ok()?;
        self.world.leave(index);
        if is_seen {
            self.world.escaped.push(Escaped { handle, owner: who, size: block.size, memory: block.memory });
        }
        Some(())
    }

    pub fn share(&mut self, who: usize) -> Option<()> {
        let (_, handle, block) = self.a_block(who)?;
        let world = &mut self.world;
        world.keys += 1;
        let answer = world.isolates[who].share(handle, world.keys);
        assert_eq!(answer, world.admits(block.size));
        answer.ok()?;
        world.allocated += block.size;
        let offer = plain(who, block.size, block.label);
        world.blocks.push(Block { key: world.keys, memory: block.memory, ..offer });
        Some(())
    }

    pub fn attach(&mut self, who: usize) -> Option<()> {
        let world = &mut self.world;
        assert_eq!(world.isolates[who].attach_shared(0).unwrap_err().code, Code::InvalidValue);
        let offers: Vec<usize> =
            (0..world.blocks.len()).filter(|index| world.blocks[*index].handle.is_none()).collect();
        let index = *offers.get(self.random.below(offers.len().max(1) as u64) as usize)?;
        let offer = &mut world.blocks[index];
        let (handle, size) = world.isolates[who].attach_shared(offer.key).unwrap();
        assert_eq!(size, offer.size);
        assert!(world.ids.insert(handle.id()), "an id came twice");
        (offer.handle, offer.owner) = (Some(handle), who);
        Some(())
    }

    pub fn open_pool(&mut self, who: usize) {
        if self.world.pools[who].len() > 3 {
            return;
        }
        let what = self.random.below(8);
        let measures = PoolMeasures {
            request: Request {
                size: self.random.pick(&[100, 1000, 40_000]),
                alignment: AlignmentCode(33),
                zeroed: what & 1 == 1,
                label: Label((what >> 1 & 1) as u16),
            },
            idle_max: self.random.pick(&[0, 2, 100]),
            limit: self.random.pick(&[3, u64::MAX]),
            zero_on_release: what & 4 == 4,
        };
        let number = self.world.isolates[who].open_pool("fuzz", measures).unwrap();
        self.world.pools[who].push(Pool { number, measures, acquired: 0, is_closed: false });
    }

    fn a_pool(&mut self, who: usize) -> Option<usize> {
        let open: Vec<usize> =
            (0..self.world.pools[who].len()).filter(|pool| !self.world.pools[who][*pool].is_closed).collect();
        open.get(self.random.below(open.len().max(1) as u64) as usize).copied()
    }

    pub fn acquire(&mut self, who: usize) -> Option<()> {
        let index = self.a_pool(who)?;
        let Pool { number, measures, .. } = self.world.pools[who][index];
        let expected = if self.world.in_use(who, index) >= measures.limit {
            Err(Error::new(Code::Limit, 0, 0))
        } else {
            self.world.admits(measures.request.size)
        };
        let answer = self.world.isolates[who].acquire(number);
        assert_eq!(answer.map(|_| ()), expected);
        let handle = answer.ok()?;
        self.world.pools[who][index].acquired += 1;
        let block = plain(who, measures.request.size, measures.request.label.0);
        self.world.enter(handle, Block { pool: Some(index), ..block });
        Some(())
    }

    pub fn change_pool(&mut self, who: usize) -> Option<()> {
        let index = self.a_pool(who)?;
        let (isolate, closes) = (&self.world.isolates[who], self.random.below(3) == 0);
        let pool = &mut self.world.pools[who][index];
        if closes {
            isolate.close_pool(pool.number).unwrap();
            assert_eq!(isolate.acquire(pool.number), Err(Code::Closed.into()));
            pool.is_closed = true;
        } else {
            isolate.clear_pool(pool.number).unwrap();
        }
        Some(())
    }
}

fn plain(owner: usize, size: u64, label: u16) -> Block {
    Block { handle: None, key: 0, owner, size, label, pins: 0, viewed: false, pool: None, memory: 0 }
}
