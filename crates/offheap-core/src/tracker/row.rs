//! Looking at all records while they change, without stopping anybody.

use super::isolate::IsolateTable;
use super::record::{Record, SEGMENT_SLOTS};
use super::state::{AlignmentCode, Extent, Handle, Owner, Place, Slot, State};
use super::table::Tracker;
use crate::base::sync::{Arc, Ordering, fence};

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
        let tables = self.tables.all();
        for (index, used) in self.used().into_iter().enumerate() {
            for offset in 0..used {
                if let Some(row) = self.row_in(Slot((index * SEGMENT_SLOTS + offset) as u32), &tables) {
                    each(&row);
                }
            }
        }
    }

    /// Calls `each` with every record that is lent to a table, and the generation that its words tell.
    pub fn each_lent(&self, table: &IsolateTable, mut each: impl FnMut(Handle, Record<'static>)) {
        for (segment, used) in self.used().into_iter().enumerate() {
            for offset in 0..used {
                let slot = Slot((segment * SEGMENT_SLOTS + offset) as u32);
                let Some(record) = self.shared(slot) else { break };
                if table.is_lender(record.state()) {
                    let generation =
                        table.front(slot).map_or(record.state().generation(), |front| front.generation);
                    each(Handle { slot, generation }, record);
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
        let tables = self.tables.all();
        for (index, used) in self.used().into_iter().enumerate() {
            for offset in 0..used {
                let slot = Slot((index * SEGMENT_SLOTS + offset) as u32);
                if let Some(record) = self.shared(slot) {
                    let mut generation = record.state().generation();
                    if let Some(front) = lender(record.state(), &tables).and_then(|table| table.front(slot)) {
                        generation = generation.max(front.generation);
                    }
                    if generation.0 > 0 {
                        each(Handle { slot, generation: generation.last_live() }.id());
                    }
                }
            }
        }
    }

    /// One live record, or one whose memory somebody has who transferred its buffer away; `None` when it is
    /// free or changed while it was read.
    #[must_use]
    pub fn shared_row(&self, slot: Slot) -> Option<Row> {
        self.row_in(slot, &self.tables.all())
    }

    fn row_in(&self, slot: Slot, tables: &[Arc<IsolateTable>]) -> Option<Row> {
        let record = self.shared(slot)?;
        let mut state = record.state();
        if state.has(State::LENT) {
            let row = lender(state, tables).and_then(|table| record.lent_row(state, slot, table));
            if row.is_some() {
                return row;
            }
            fence(Ordering::Acquire); // pairs with the fence in `Record::speak`
            state = record.state(); // which may have begun to speak for the same owner meanwhile
            if state.has(State::LENT) {
                return None;
            }
        }
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

/// The table that a record of a state is lent to.
fn lender(state: State, tables: &[Arc<IsolateTable>]) -> Option<&Arc<IsolateTable>> {
    tables.get(usize::from(state.lender()?))
}
