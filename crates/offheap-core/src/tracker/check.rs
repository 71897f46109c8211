//! What must hold in the tracker whenever nothing runs beside it. For tests, of any room; always
//! compiled, so that a program in doubt can ask as well.

use super::record::{SEGMENT_BITS, SEGMENT_SLOTS};
use super::row::Row;
use super::stack::{Links, Stack};
use super::state::{Generation, Slot, State};
use super::table::{SEGMENT_COUNT, Tracker};
use crate::base::sync::lock;
use std::collections::HashSet;

/// Nothing, or a sentence that names what does not hold and where.
pub type Verdict = std::result::Result<(), String>;

impl Stack {
    /// All slots, from the top; the stack stays as it is. Only while nobody else uses it.
    ///
    /// # Errors
    /// When the chain circles, or leaves the slots that can exist.
    pub fn slots(&self, links: &impl Links) -> std::result::Result<Vec<Slot>, String> {
        let (mut slots, mut seen) = (Vec::new(), HashSet::new());
        let mut next = self.first();
        while let Some(slot) = next {
            if slot.0 >= Slot::COUNT {
                return Err(format!("a free stack leads to slot {}, which cannot exist", slot.0));
            }
            if !seen.insert(slot) {
                return Err(format!("slot {} is twice in a free stack", slot.0));
            }
            slots.push(slot);
            next = links.link(slot).checked_sub(1).map(Slot);
        }
        Ok(slots)
    }
}

impl Tracker {
    /// Checks the directory, the unused rest, the free stack, every record that was ever used, and
    /// that no two live allocations share a byte. Only while no other thread uses the tracker.
    ///
    /// # Errors
    /// A sentence about the first thing that does not hold.
    pub fn check(&self) -> Verdict {
        self.check_directory()?;
        self.check_unbound()?;
        self.check_records()?;
        let mut rows = Vec::new();
        self.scan(|row| rows.push(*row));
        check_apart(&mut rows)
    }

    fn check_directory(&self) -> Verdict {
        let (segments, next, left) = {
            let fresh = lock(&self.fresh);
            (fresh.segments, fresh.next as usize, fresh.left as usize)
        };
        for index in 0..SEGMENT_COUNT {
            if self.segment(index).is_some() != (index < segments) {
                return Err(format!("segment {index} of {segments} is out of line"));
            }
        }
        if left > SEGMENT_SLOTS || !(next + left).is_multiple_of(SEGMENT_SLOTS) {
            return Err(format!("{left} unused records from slot {next} on do not end a segment"));
        }
        if left > 0 && self.segment(next >> SEGMENT_BITS).is_none() {
            return Err(format!("the unused records from slot {next} on are in no segment"));
        }
        Ok(())
    }

    fn check_unbound(&self) -> Verdict {
        let used = self.used();
        for slot in self.unbound.slots(self)? {
            let (segment, index) = (slot.0 as usize >> SEGMENT_BITS, slot.0 as usize % SEGMENT_SLOTS);
            let Some(record) = self.shared(slot) else {
                return Err(format!("slot {} is free and has no shared record", slot.0));
            };
            if index >= used[segment] {
                return Err(format!("slot {} is both free and unused", slot.0));
            }
            let state = record.state();
            if state.generation().is_live() || state.has(State::RETIRED) {
                return Err(format!("slot {} is free in the stack and live or retired in its state", slot.0));
            }
        }
        Ok(())
    }

    fn check_records(&self) -> Verdict {
        let mut retired = 0;
        for (segment, used) in self.used().into_iter().enumerate() {
            for index in 0..used {
                let slot = Slot(((segment << SEGMENT_BITS) + index) as u32);
                let Some(record) = self.shared(slot) else { break };
                let state = record.state();
                check_state(slot, state)?;
                retired += u64::from(state.has(State::RETIRED));
            }
        }
        if retired != self.retired() {
            return Err(format!("{retired} records are retired, {} were counted", self.retired()));
        }
        Ok(())
    }
}

fn check_state(slot: Slot, state: State) -> Verdict {
    let generation = state.generation();
    if generation > Generation::MAX {
        return Err(format!("slot {} is past the last generation", slot.0));
    }
    if !generation.is_live() && state.pins() != 0 && !state.has(State::LENT) {
        return Err(format!("slot {} is free and has {} pins", slot.0, state.pins()));
    }
    if !generation.is_live() && state.has(State::VIEWED) {
        return Err(format!("slot {} is free and viewed by its owner", slot.0));
    }
    if state.has(State::WAITING) && generation.is_live() {
        return Err(format!("slot {} is live and waits for its next owner", slot.0));
    }
    if state.has(State::LENT) && (generation.is_live() || state.has(State::EVER_VIEWED)) {
        return Err(format!("slot {} is lent and live or viewed in its record", slot.0));
    }
    if state.has(State::VIEWED) && !state.has(State::EVER_VIEWED) {
        return Err(format!("slot {} is viewed and was never", slot.0));
    }
    if state.has(State::RETIRED) && generation != Generation::MAX {
        return Err(format!("slot {} is retired before its last generation", slot.0));
    }
    Ok(())
}

/// No two rows share a byte, but for those of several holders of one memory: of them all but one are aliases.
fn check_apart(rows: &mut [Row]) -> Verdict {
    rows.sort_unstable_by_key(|row| (row.place.span, row.place.offset_bytes(), row.handle.slot));
    check_pairs(rows, |low, high| low.place == high.place && (is_alias(low) || is_alias(high)))?;
    let owners: Vec<Row> = rows.iter().filter(|row| !is_alias(row)).copied().collect();
    check_pairs(&owners, |_, _| false)
}

fn is_alias(row: &Row) -> bool {
    row.state.has(State::ALIAS)
}

fn check_pairs(rows: &[Row], may_overlap: impl Fn(&Row, &Row) -> bool) -> Verdict {
    for pair in rows.windows(2) {
        let [low, high] = pair else { continue };
        let end = low.place.offset_bytes() + low.extent.size.max(1);
        let overlap = low.place.span == high.place.span && end > high.place.offset_bytes();
        if overlap && !may_overlap(low, high) {
            return Err(format!(
                "slots {} and {} are live in the same bytes of span {}, from offset {} on",
                low.handle.slot.0,
                high.handle.slot.0,
                low.place.span,
                high.place.offset_bytes()
            ));
        }
    }
    Ok(())
}
