//! Rings that overwrite: an allocation in a full one ends its oldest grants.

use super::Isolate;
use super::grants::{Attached, Taken};
use super::stock::put_record;
use crate::alloc::ring::Ring;
use crate::alloc::strategy::Strategy;
use crate::base::error::{Code, Error, Result};
use crate::tracker::label::Label;
use crate::tracker::state::{Owner, Place, Slot};

impl Isolate {
    /// Allocates in a ring that ends its oldest grants when it is full.
    pub(super) fn allocate_overwriting(
        &self,
        ring: &Ring,
        attached: &Attached,
        records: &mut Vec<Slot>,
        size: u64,
        label: Label,
    ) -> Result<Taken> {
        let grant = loop {
            match ring.allocate(size) {
                Err(refused) if refused.code == Code::RegionFull => {
                    self.end_oldest(ring, attached, records, refused)?;
                }
                result => break result?,
            }
        };
        let taken = self.open_grant(grant, attached, records, size, label)?;
        ring.tag(taken.offset, taken.handle.slot.0 + 1);
        Ok(taken)
    }

    /// Ends the oldest grant of a full ring. `refused`: what the ring said, for when there is none.
    #[cold]
    fn end_oldest(
        &self,
        ring: &Ring,
        attached: &Attached,
        records: &mut Vec<Slot>,
        refused: Error,
    ) -> Result<()> {
        let ground = &attached.allocator.ground;
        let (offset, tag) = ring.oldest().ok_or(refused)?;
        let slot = Slot(tag.checked_sub(1).ok_or(refused)?);
        let tracker = &self.manager.tracker;
        let record = tracker.shared(slot).ok_or(refused)?;
        let (state, place, extent) = (record.state(), record.place(), record.extent());
        let owner = record.origin().owner;
        if place != Place::grant(ground.span.0, offset) {
            return Err(refused); // its owner is about to free it: not ours to wait for
        }
        record.end(state.generation()).map_err(|error| match error.code {
            Code::InUse => error,
            _ => refused, // another thread ended it first
        })?;
        if owner != Owner::grant(self.number) {
            self.manager.wait_for_operations(&self.table); // its isolate's; we are at none
        }
        put_record(tracker, records, slot);
        ground.put(place)?;
        attached.counter.freed(extent.size);
        Ok(())
    }
}
