//! Stock: free records without memory, of which each isolate keeps some for its next grants.

use crate::base::error::{Code, Error, Result};
use crate::base::sync::sized;
use crate::tracker::record::Birth;
use crate::tracker::stack::Links;
use crate::tracker::state::{Handle, Place, Slot};
use crate::tracker::table::Tracker;

/// Records that wait in an isolate, at most; so many are taken and given back at once.
const RECORDS_MAX: usize = 256;
const RECORDS_MOVED: usize = sized(64, 4);

/// Opens a record for a grant.
#[inline(always)] // as `open_grant`
pub(super) fn begin(
    tracker: &Tracker,
    records: &mut Vec<Slot>,
    place: Place,
    birth: Birth,
) -> Result<Handle> {
    loop {
        let slot = take_record(tracker, records)?;
        let record = tracker.shared(slot).ok_or(Error::from(Code::Corrupted))?;
        match record.begin_at(place, birth) {
            Some(generation) => return Ok(Handle { slot, generation }),
            None => tracker.retire(slot),
        }
    }
}

/// A free record without memory.
#[inline(always)] // as `open_grant`
pub(super) fn take_record(tracker: &Tracker, records: &mut Vec<Slot>) -> Result<Slot> {
    match records.pop() {
        Some(slot) => Ok(slot),
        None => refill(tracker, records),
    }
}

#[cold]
fn refill(tracker: &Tracker, records: &mut Vec<Slot>) -> Result<Slot> {
    let chain = tracker.take(RECORDS_MOVED as u32)?;
    tracker.walk(chain, |slot| records.push(slot));
    records.pop().ok_or(Error::from(Code::Corrupted))
}

/// Keeps an ended record for the next grant.
#[inline]
pub(super) fn put_record(tracker: &Tracker, records: &mut Vec<Slot>, slot: Slot) {
    records.push(slot);
    if records.len() > RECORDS_MAX {
        give(tracker, records, RECORDS_MOVED);
    }
}

/// Gives the oldest records of an isolate back to all.
#[cold]
pub(super) fn give(tracker: &Tracker, records: &mut Vec<Slot>, count: usize) {
    let given: Vec<Slot> = records.drain(..count.min(records.len())).collect();
    if let Some(chain) = tracker.chain(&given) {
        tracker.give(chain);
    }
}
