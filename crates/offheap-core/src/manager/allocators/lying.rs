//! What is lent of a ring, as the list of it that its allocator keeps ([`super::places`] tells what for): places in the ring's
//! order, run by run, with the generation that each had before it was taken. The table's words tell which is ready, live or
//! ended.

use super::stock::put_record;
use crate::alloc::ring::Ring;
use crate::tracker::isolate::IsolateTable;
use crate::tracker::state::{Generation, Slot};
use crate::tracker::table::Tracker;
use std::collections::VecDeque;

/// The record of a place that is lent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lain {
    pub(super) slot: Slot,             // `NONE` when it is lent no longer
    pub(super) generation: Generation, // before it is taken
}

/// A slot that no table has words for.
const NONE: Slot = Slot(u32::MAX);

/// What became of a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Ready,
    Live,
    Ended,
    Over, // its record speaks for it again, or has done so
}

impl Lain {
    #[inline]
    fn fate(&self, table: &IsolateTable) -> Fate {
        match table.generation(self.slot).map(|now| now.0.wrapping_sub(self.generation.0)) {
            Some(0) => Fate::Ready,
            Some(2) => Fate::Ended,
            None if self.slot == NONE => Fate::Over,
            _ => Fate::Live,
        }
    }
}

/// Places that were lent together, and that are not all free again.
#[derive(Debug, Default)]
struct Run {
    offset: u64,       // of the first that is left
    steps: u64,        // of each
    gone: usize,       // so many are left no more
    places: Vec<Lain>, // those that are gone too, until all are
}

impl Run {
    fn left(&self) -> &[Lain] {
        &self.places[self.gone..]
    }
}

/// All that is lent of a ring, in its order.
#[derive(Debug, Default)]
pub(super) struct Lying {
    runs: VecDeque<Run>,
    pub(super) idle: Vec<Lain>, // lent, and of no place: only while somebody has the lock
    some_spent: bool,           // whether a record's last generation may be over that is idle
    spare: Vec<Lain>,           // empty: room for the next ones
}

impl Lying {
    /// Gives the places that ended before all others that are lent back to the ring; their records are idle then. Behind a
    /// live one none is free yet.
    pub(super) fn take_ended(&mut self, ring: &Ring, table: &IsolateTable) {
        while let Some(run) = self.runs.front_mut() {
            let mut some_over = false;
            let is_free = |lain: &&Lain| {
                let fate = lain.fate(table);
                some_over |= fate == Fate::Over;
                fate == Fate::Ended || fate == Fate::Over
            };
            let count = run.left().iter().take_while(is_free).count();
            let (free, rest) = run.left().split_at(count);
            let first_idle = self.idle.len();
            if some_over {
                end_places(ring, run.offset, run.steps, free);
                self.idle.extend(free.iter().filter(|lain| lain.slot != NONE));
            } else {
                ring.end_run(run.offset, run.steps, count as u64);
                self.idle.extend_from_slice(free);
            }
            for lain in &mut self.idle[first_idle..] {
                lain.generation.0 += 2;
                self.some_spent |= lain.generation >= Generation::MAX;
            }
            if !rest.is_empty() {
                run.offset += ring.bytes_of(count as u64 * run.steps);
                run.gone += count;
                return;
            }
            if let Some(mut done) = self.runs.pop_front() {
                done.places.clear();
                self.spare = done.places;
            }
        }
    }

    /// Notes what was lent just now, the first of it at an offset.
    pub(super) fn add(&mut self, offset: u64, steps: u64, places: Vec<Lain>) {
        self.runs.push_back(Run { offset, steps, gone: 0, places });
    }

    /// What is idle and can be lent again. The stock knows what to do with a record whose last generation is over.
    pub(super) fn take_idle(
        &mut self,
        tracker: &Tracker,
        table: &IsolateTable,
        records: &mut Vec<Slot>,
    ) -> Vec<Lain> {
        if self.some_spent {
            self.put_idle(tracker, table, records);
        }
        let spare = std::mem::take(&mut self.spare);
        std::mem::replace(&mut self.idle, spare)
    }

    /// How many of the newest places were not taken, and of how many steps each.
    pub(super) fn rest(&self, table: &IsolateTable) -> (usize, u64) {
        let Some(run) = self.runs.back() else { return (0, 0) };
        let is_ready = |lain: &&Lain| lain.fate(table) == Fate::Ready;
        (run.left().iter().rev().take_while(is_ready).count(), run.steps)
    }

    /// How many places are in the program's hands, and how many bytes were asked for them. Nobody counts what a script takes and
    /// ends: that would be a third of what both cost it.
    #[cold]
    pub(super) fn out(&self, table: &IsolateTable) -> (u64, u64) {
        let live = self.runs.iter().flat_map(Run::left).filter(|lain| lain.fate(table) == Fate::Live);
        let sizes = live.map(|lain| table.front(lain.slot).map_or(0, |front| front.size));
        sizes.fold((0, 0), |(count, bytes), size| (count + 1, bytes + size))
    }

    /// Gives the places that were not taken back to the head. The table's script is in no take.
    #[cold]
    pub(super) fn give_rest(&mut self, ring: &Ring, table: &IsolateTable) {
        let (count, steps) = self.rest(table);
        if count == 0 {
            return;
        }
        let Some(run) = self.runs.back_mut() else { return };
        let kept = run.left().len() - count;
        self.idle.extend(run.places.drain(run.gone + kept..));
        ring.give_rest(run.offset + ring.bytes_of(kept as u64 * steps), steps, count as u64);
        if kept == 0 {
            self.runs.pop_back();
        }
    }

    /// The place at an offset is lent no longer: its record speaks for it.
    #[cold]
    pub(super) fn forget(&mut self, ring: &Ring, offset: u64) {
        for run in self.runs.iter_mut().rev() {
            let index = offset.wrapping_sub(run.offset) / ring.bytes_of(run.steps).max(1);
            let left = &mut run.places[run.gone..];
            if let Some(lain) = usize::try_from(index).ok().and_then(|index| left.get_mut(index)) {
                lain.slot = NONE;
                return;
            }
        }
    }

    /// No place is lent any more.
    pub(super) fn forget_all(&mut self) {
        self.runs.clear();
    }

    /// Idle records are free as any other.
    pub(super) fn put_idle(&mut self, tracker: &Tracker, table: &IsolateTable, records: &mut Vec<Slot>) {
        self.some_spent = false;
        for Lain { slot, .. } in self.idle.drain(..) {
            if let Some(record) = tracker.shared(slot) {
                record.take_back(slot, table);
                put_record(tracker, records, slot);
            }
        }
    }
}

/// Ends those of a run's places, from the one at an offset on, that are still lent. What is over was given back by whoever
/// ended it: it parts what is not.
#[cold]
fn end_places(ring: &Ring, mut offset: u64, steps: u64, places: &[Lain]) {
    for lent in places.split(|lain| lain.slot == NONE) {
        ring.end_run(offset, steps, lent.len() as u64);
        offset += ring.bytes_of((lent.len() as u64 + 1) * steps);
    }
}
