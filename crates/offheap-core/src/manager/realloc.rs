//! Reallocation in two steps, so that a caller can kill its views in between: everything that can
//! fail fails in the first one, and then nothing has changed.

use super::{Isolate, Request};
use crate::alloc::chunks::classes;
use crate::base::error::{Code, Error, Result};
use crate::ops;
use crate::tracker::label::Label;
use crate::tracker::state::{Generation, Handle, Owner, Slot, State};

/// A reallocation that has everything it needs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Prepared {
    old: Handle,
    request: Request,
    target: Option<Slot>, // the chunk to move to; `None`: the chunk at hand still fits
}

impl Isolate {
    /// First step: checks, and takes the chunk that the block will move to, if it must move.
    ///
    /// # Errors
    /// [`Code::UseAfterFree`], [`Code::InUse`], [`Code::OutOfMemory`], [`Code::Limit`]; nothing
    /// has changed then.
    pub fn prepare_reallocation(&self, old: Handle, size: u64) -> Result<()> {
        self.abort_reallocation();
        let record = self.live(old)?;
        self.own_record(old)?;
        if self.is_pooled(record.origin().owner) {
            return Err(Code::ForeignBlock.into());
        }
        let state = record.state();
        if state.has(State::ORPHANED) {
            return Err(Code::WrongThread.into()); // it is nobody's: only free takes it
        }
        if state.pins() != 0 {
            return Err(Error::new(Code::InUse, 0, state.pins()));
        }
        let extent = record.extent();
        let request =
            Request { size, alignment: state.alignment(), zeroed: false, label: Label(extent.label) };
        let class = request.class()?;
        drop(self.manager.admit(size.saturating_sub(extent.size))?);
        // In the last life of its record a block moves: nothing may fail once the old handle ended.
        let lives_on = old.generation.0 + 1 < Generation::MAX.0;
        let others = state.has(State::SHARED | State::ALIAS); // may look at the memory: it is left to them
        let stays = lives_on && !others && stays(record.place().class, class, size);
        let target = if stays { None } else { Some(self.take_unspent(class)?) };
        *self.prepared.borrow_mut() = Some(Prepared { old, request, target });
        Ok(())
    }

    /// Second step: the old handle ends, its contents (as far as both sizes reach) are the new
    /// handle's, which keeps alignment and label.
    ///
    /// # Errors
    /// As the first step, when something changed in between; the block is then as it was.
    pub fn commit_reallocation(&self) -> Result<Handle> {
        let prepared = self.prepared.borrow_mut().take().ok_or(Error::from(Code::Corrupted))?;
        let Prepared { old, request, target } = prepared;
        let record = self.manager.tracker.live(old).inspect_err(|_| self.give_back(target))?;
        let old_size = record.extent().size;
        let admission = self
            .manager
            .admit(request.size.saturating_sub(old_size))
            .inspect_err(|_| self.give_back(target))?;
        // The old generation ends first: no moment in which two handles name one memory.
        let owner = record.origin().owner;
        let before = self.end(&record, old, 0).inspect_err(|_| self.give_back(target))?;
        if owner.kind() == Owner::POOL {
            self.leave_pool(owner.number(), |_| ()); // of a closed one: the new block is plain
        }
        let handle = self.begin(target.unwrap_or(old.slot), request, Owner::block(self.number))?;
        if target.is_some() {
            let length = old_size.min(request.size);
            let source = self.whole(&record, length)?;
            ops::copy(self.bytes(handle, 0, length)?, source, ops::CopyMode::Normal)?;
            self.put(old.slot, record.place().class, before);
        }
        self.counter.resized(old_size, request.size);
        drop(admission);
        Ok(handle)
    }

    /// Gives up what the first step took.
    pub fn abort_reallocation(&self) {
        if let Some(prepared) = self.prepared.borrow_mut().take() {
            self.give_back(prepared.target);
        }
    }

    /// Both steps, for a block without views.
    ///
    /// # Errors
    /// As the steps.
    pub fn reallocate(&self, old: Handle, size: u64) -> Result<Handle> {
        self.prepare_reallocation(old, size)?;
        self.commit_reallocation()
    }

    fn give_back(&self, target: Option<Slot>) {
        if let Some(slot) = target
            && let Some(record) = self.manager.tracker.shared(slot)
        {
            self.put(slot, record.place().class, record.state());
        }
    }
}

/// Whether a block may stay in its chunk: it fits, and not half of the chunk would lie idle. The
/// chunk has the alignment already: it was chosen by it.
fn stays(present: u8, wanted: u8, size: u64) -> bool {
    let room = classes::size_of(present);
    present == wanted || (size <= room && size > room / 2)
}
