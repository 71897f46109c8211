//! Looking at all records while they change, without stopping anybody.

use super::isolate::{IsolateRow, field, flag};
use super::record::{Record, SEGMENT_SLOTS};
use super::state::{AlignmentCode, Extent, Handle, Owner, Place, Slot, State};
use super::table::{Segment, Tracker};
use crate::base::sync::{Ordering, fence};

/// One live allocation, as it was at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Who holds it.
    pub handle: Handle,
    /// Where it is.
    pub place: Place,
    /// Size and label.
    pub extent: Extent,
    /// When it was handed out, on the clock of [`crate::raw::now_ms`].
    pub born_ms: u64,
    /// By whom it is held.
    pub owner: Owner,
    /// What alignment was asked.
    pub alignment: AlignmentCode,
    /// Pins.
    pub pins: u64,
    /// The state word's flags.
    pub state: State,
}

impl Row {
    /// Age in milliseconds at `now_ms`; right across the wrap of the 40 bits that a record keeps.
    #[must_use]
    pub const fn age_ms(&self, now_ms: u64) -> u64 {
        now_ms.wrapping_sub(self.born_ms) & ((1 << 40) - 1)
    }
}

impl Tracker {
    /// Calls `each` with every live allocation and every escaped one. A record that changes hands while it is read is
    /// left out: it was live neither before nor after as what was read.
    pub fn scan(&self, mut each: impl FnMut(&Row)) {
        for (index, used) in self.used().into_iter().enumerate() {
            let Some(segment) = self.segment(index) else { continue };
            for offset in 0..used {
                let row = match segment {
                    Segment::Shared(_) => self.shared_row(Slot((index * SEGMENT_SLOTS + offset) as u32)),
                    Segment::Isolate { table, part } => {
                        table.row(*part, offset).and_then(|row| isolate_row(&row))
                    }
                };
                if let Some(row) = row {
                    each(&row);
                }
            }
        }
    }

    /// Calls `each` with every record that waits with its memory, and the generation that it waits in.
    pub fn each_waiting(&self, mut each: impl FnMut(Handle, Record<'static>)) {
        for (index, used) in self.used().into_iter().enumerate() {
            for offset in 0..used {
                let slot = Slot((index * SEGMENT_SLOTS + offset) as u32);
                let Some(record) = self.shared(slot) else { break };
                let state = record.state();
                if state.has(State::WAITING) {
                    each(Handle { slot, generation: state.generation() }, record);
                }
            }
        }
    }

    /// Calls `each` with the highest id of every record that was ever used.
    pub fn each_id(&self, mut each: impl FnMut(u64)) {
        for (index, used) in self.used().into_iter().enumerate() {
            for offset in 0..used {
                let slot = Slot((index * SEGMENT_SLOTS + offset) as u32);
                if let Some(record) = self.shared(slot) {
                    let generation = record.state().generation();
                    if generation.0 > 0 {
                        each(Handle { slot, generation: generation.last_live() }.id());
                    }
                }
            }
        }
    }

    /// One live shared record, or one whose memory somebody has who transferred its buffer away;
    /// `None` when it is free or changed while it was read.
    #[must_use]
    pub fn shared_row(&self, slot: Slot) -> Option<Row> {
        let record = self.shared(slot)?;
        let state = record.state();
        let is_away = state.has(State::ESCAPED) && !state.has(State::RETIRED);
        if !state.generation().is_live() && !is_away {
            return None;
        }
        let (place, extent, origin) = (record.place(), record.extent(), record.origin());
        fence(Ordering::Acquire); // pairs with the Release stores in `Record::begin` and `set_link`
        if State(record.state.load(Ordering::Relaxed)).generation() != state.generation() {
            return None;
        }
        Some(Row {
            handle: Handle { slot, generation: state.generation().last_live() },
            place,
            extent,
            born_ms: origin.born_ms,
            owner: origin.owner,
            alignment: state.alignment(),
            pins: state.pins(),
            state,
        })
    }
}

fn isolate_row(row: &IsolateRow) -> Option<Row> {
    let value = |index: usize| row.fields[index].cast_unsigned();
    let flags = row.fields[field::FLAGS];
    if flags & flag::PROMOTED != 0 {
        return None; // the shared record speaks for it
    }
    let viewed = if flags & flag::VIEWED != 0 { State::VIEWED } else { 0 };
    Some(Row {
        handle: row.handle,
        place: Place::unpack((u64::from(value(field::SPAN)) << 32) | u64::from(value(field::OFFSET))),
        extent: Extent { size: u64::from(value(field::SIZE)), label: (value(field::FLAGS) >> 16) as u16 },
        born_ms: u64::from(value(field::BORN)) * 8, // ticks of 8 ms
        owner: Owner(0),
        alignment: AlignmentCode::WORD,
        pins: u64::from(value(field::PINS).wrapping_sub(value(field::DROPPED))),
        state: State(State::new(row.handle.generation, viewed).0),
    })
}
