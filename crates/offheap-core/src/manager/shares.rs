//! Shares: blocks with several holders. Each holder has a record of its own, bound to the same memory, and frees
//! that; the memory goes back when the last one has. A token is such a record that nobody has a handle of yet: it
//! belongs to the isolate that made it, shows in reports, and ends with that isolate, unless another attached it.

use std::collections::HashMap;

use super::{Isolate, Manager};
use crate::base::error::{Code, Error, Result};
use crate::base::sync::{Mutex, MutexGuard, lock};
use crate::raw;
use crate::tracker::record::{Birth, Record};
use crate::tracker::state::{Generation, Handle, Origin, Owner, Slot, State};

/// What is shared, and to whom.
#[derive(Debug, Default)]
pub struct Shares(Mutex<Inner>);

#[derive(Debug, Default)]
pub(super) struct Inner {
    /// By place of the memory.
    groups: HashMap<u64, Group>,
    /// Records that were holders' of a place and are free. They stay with it: a dead handle tells its address.
    spare: HashMap<u64, Vec<Slot>>,
    tokens: HashMap<u128, Token>,
}

/// All holders of one memory.
#[derive(Debug, Clone, Copy)]
struct Group {
    holders: u32,
    /// The record that the chunk store knows the memory by: the first holder's.
    home: Slot,
    /// A holder that has left had a buffer over it.
    viewed: bool,
}

#[derive(Debug, Clone, Copy)]
struct Token {
    handle: Handle,
    isolate: u32,
}

impl Shares {
    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        lock(&self.0)
    }

    /// Tokens that nobody attached.
    #[must_use]
    pub fn tokens(&self) -> usize {
        self.lock().tokens.len()
    }

    /// An isolate ends: from now on nobody attaches what it offers.
    pub(super) fn leave(&self, isolate: u32) {
        self.lock().tokens.retain(|_, token| token.isolate != isolate);
    }
}

impl Inner {
    /// For one more offer, and for the record that it leaves: a free must not fail.
    fn make_room(&mut self) -> Result<()> {
        let places = self.groups.len() + 1;
        let has_room = self.tokens.try_reserve(1).is_ok()
            && self.groups.try_reserve(1).is_ok()
            && self.spare.try_reserve(places).is_ok();
        if has_room { Ok(()) } else { Err(Error::new(Code::OutOfMemory, 64, raw::available_bytes())) }
    }

    /// Opens a record for one more holder.
    fn begin(&mut self, manager: &Manager, of: &Record<'_>, owner: Owner) -> Result<Handle> {
        let (place, state) = (of.place(), of.state());
        let birth = Birth {
            extent: of.extent(),
            origin: Origin { born_ms: raw::now_ms(), owner },
            alignment: state.alignment(),
        };
        loop {
            let spare = self.spare.get_mut(&place.pack()).and_then(Vec::pop);
            let slot = spare.map_or_else(|| manager.tracker.take(1).map(|chain| chain.first), Ok)?;
            let record = manager.tracker.shared(slot).ok_or(Error::from(Code::Corrupted))?;
            let Some(generation) = record.begin_at(place, birth) else {
                manager.tracker.retire(slot);
                continue;
            };
            record.update(generation, |state| Ok(State(state.0 | State::ALIAS)))?;
            return Ok(Handle { slot, generation });
        }
    }

    /// The holder of a record is gone for good. Returns its group when it was the last one.
    fn leave(&mut self, manager: &Manager, slot: Slot, record: &Record<'_>, is_alias: bool) -> Option<Group> {
        let place = record.place().pack();
        let viewed = record.state().has(State::EVER_VIEWED);
        record.set_free_flags(0, State::ALIAS | State::SHARED);
        if is_alias {
            if record.state().generation() < Generation::MAX {
                self.spare.entry(place).or_default().push(slot);
            } else {
                manager.tracker.retire(slot);
            }
        }
        let group = self.groups.get_mut(&place)?;
        group.holders -= 1;
        group.viewed |= viewed;
        if group.holders > 0 {
            return None;
        }
        self.groups.remove(&place)
    }
}

impl Isolate {
    /// Offers a block to whoever knows `key`, once. The memory stays until every holder has freed it, the token
    /// included. The offer counts as a block, and is one that nobody has a handle of.
    ///
    /// # Errors
    /// [`Code::UseAfterFree`]; [`Code::Limit`], [`Code::OutOfMemory`]; [`Code::InvalidValue`] for a key in use.
    pub fn share(&self, handle: Handle, key: u128) -> Result<()> {
        let record = self.live(handle)?;
        if record.place().is_grant() {
            return Err(Code::ForeignBlock.into());
        }
        let size = record.extent().size;
        let admission = self.manager.admit(size)?;
        let mut inner = self.manager.shares.lock();
        if inner.tokens.contains_key(&key) {
            return Err(Code::InvalidValue.into());
        }
        inner.make_room()?;
        // First: from now on whoever frees it comes here. Another thread may have freed it just now.
        if !record.state().has(State::ALIAS) {
            record.update(handle.generation, |state| Ok(State(state.0 | State::SHARED)))?;
        }
        let place = record.place().pack();
        inner.groups.entry(place).or_insert(Group { holders: 1, home: handle.slot, viewed: false });
        let offered = inner.begin(self.manager, &record, Owner::block(self.number))?;
        if let Some(group) = inner.groups.get_mut(&place) {
            group.holders += 1;
        }
        inner.tokens.insert(key, Token { handle: offered, isolate: self.number });
        self.table.repeat(offered);
        self.counter.allocated(size);
        drop(inner);
        drop(admission);
        Ok(())
    }

    /// Takes an offer: the block, and its size. From now on it is this isolate's.
    ///
    /// # Errors
    /// [`Code::InvalidValue`] when nobody offers it, any more or at all.
    pub fn attach_shared(&self, key: u128) -> Result<(Handle, u64)> {
        let mut inner = self.manager.shares.lock();
        let token = inner.tokens.remove(&key).ok_or(Error::from(Code::InvalidValue))?;
        // It may have been freed, as all blocks of its isolate.
        let record = self.manager.tracker.live(token.handle).map_err(|_| Error::from(Code::InvalidValue))?;
        record.hand_over(Owner::block(self.number));
        self.table.repeat(token.handle);
        Ok((token.handle, record.extent().size))
    }

    /// The memory of a holder that has ended: gives it back after the last one.
    pub(super) fn put_shared(&self, slot: Slot, before: State) {
        let Some(record) = self.manager.tracker.shared(slot) else { return };
        let left = self.manager.shares.lock().leave(self.manager, slot, &record, before.has(State::ALIAS));
        let Some(group) = left else { return };
        let Some(home) = self.manager.tracker.shared(group.home) else { return };
        let class = home.place().class;
        if !group.viewed {
            return self.put_own(group.home, class, home.state());
        }
        // Somebody may have seen it through any of the records: it waits as what was viewed does, and then it is anybody's.
        // Here it would gather, if one isolate always shares and another is always the last.
        home.set_free_flags(State::EVER_VIEWED, 0);
        self.cache.borrow_mut().put_common(&self.manager.chunks, &self.manager.tracker, class, group.home);
    }
}
