//! Sequences of operations on one tracker against maps.

use super::super::isolate::IsolateTable;
use super::super::stack::Links;
use super::super::state::{Generation, Handle, Slot, State};
use super::super::table::Tracker;
use super::lent::{LOAN, hand_out, lendable, table_of};
use super::{birth, check, place, record};
use crate::base::error::Code;
use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, Strategy, any, prop_oneof, proptest};
use proptest::sample::Index;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

#[derive(Debug, Clone)]
enum Act {
    Take(u32),
    Give(Index, usize),
    Bind(Index),
    Begin(Index, u64),
    End(Index),
    EndOld(Index),
    Pin(Index),
    Unpin(Index),
    Flag(Index, bool),
    Age(Index, u32),
    Lend(Index),
    HandOut(Index, u16),
    Speak(Index),
    TakeBack(Index),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let index = any::<Index>;
    let act = prop_oneof![
        2 => (0..200_u32).prop_map(Act::Take),
        1 => (index(), 1..50_usize).prop_map(|(from, count)| Act::Give(from, count)),
        4 => index().prop_map(Act::Bind),
        6 => (index(), 1..u64::from(super::STRIDE)).prop_map(|(slot, size)| Act::Begin(slot, size)),
        5 => index().prop_map(Act::End),
        2 => index().prop_map(Act::EndOld),
        2 => index().prop_map(Act::Pin),
        2 => index().prop_map(Act::Unpin),
        1 => (index(), any::<bool>()).prop_map(|(slot, ever)| Act::Flag(slot, ever)),
        1 => (index(), 0..4_u32).prop_map(|(slot, left)| Act::Age(slot, left)),
        4 => index().prop_map(Act::Lend),
        4 => (index(), 1..u16::MAX).prop_map(|(slot, size)| Act::HandOut(slot, size)),
        1 => index().prop_map(Act::Speak),
        1 => index().prop_map(Act::TakeBack),
    ];
    vec(act, 1..80)
}

/// Slots below this have words in the model's table, so that some have none.
const TABLE_SLOTS: usize = 250;

/// What a live handle should say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Live {
    generation: Generation,
    number: u32, // of its place
    size: u64,
    pins: u64,
    lent: bool, // the table's words speak for it
}

/// The tracker and the plain truth about it.
struct Model {
    tracker: Tracker,
    table: Arc<IsolateTable>,
    unbound: Vec<Slot>,
    free: BTreeMap<Slot, u32>, // bound and free → number of its place
    idle: BTreeMap<Slot, u32>, // lent and in nobody's hands, as well
    live: BTreeMap<Slot, Live>,
    old: Vec<Handle>,
    ids: BTreeSet<u64>,
    retired: u64,
}

fn pick<T: Copy>(from: &[T], index: Index) -> Option<T> {
    (!from.is_empty()).then(|| from[index.index(from.len())])
}

impl Model {
    fn new() -> Self {
        let tracker = Tracker::default();
        let table = table_of(&tracker, TABLE_SLOTS);
        table.open_magazine(0, 64, 1, false);
        let (unbound, free, idle, live, old, ids) = Default::default();
        Self { tracker, table, unbound, free, idle, live, old, ids, retired: 0 }
    }

    fn a_free(&self, index: Index) -> Option<Slot> {
        pick(&self.free.keys().copied().collect::<Vec<_>>(), index)
    }

    fn a_live(&self, index: Index) -> Option<Slot> {
        pick(&self.live.keys().copied().collect::<Vec<_>>(), index)
    }

    fn an_idle(&self, index: Index) -> Option<Slot> {
        pick(&self.idle.keys().copied().collect::<Vec<_>>(), index)
    }

    fn is_free(&self, slot: Slot) -> bool {
        self.free.contains_key(&slot) || self.idle.contains_key(&slot)
    }

    /// Does one step in both worlds; what cannot be done now is left out.
    fn step(&mut self, act: &Act) -> Option<()> {
        match act {
            Act::Take(most) => {
                let chain = self.tracker.take(*most).unwrap();
                assert!(chain.count >= 1 && chain.count <= (*most).max(1));
                let mut taken = Vec::new();
                self.tracker.walk(chain, |slot| taken.push(slot));
                for slot in taken {
                    assert!(!self.unbound.contains(&slot) && !self.is_free(slot), "a slot was given twice");
                    self.unbound.push(slot);
                }
            }
            Act::Give(from, count) => {
                let from = from.index(self.unbound.len() + 1);
                let to = (from + count).min(self.unbound.len());
                let given: Vec<Slot> = self.unbound.drain(from..to).collect();
                self.tracker.give(self.tracker.chain(&given)?);
            }
            Act::Bind(index) => {
                let slot = pick(&self.unbound, *index)?;
                self.unbound.retain(|other| *other != slot);
                self.tracker.bind(slot, place(slot.0), 0);
                self.free.insert(slot, slot.0);
            }
            Act::Begin(index, size) => {
                let slot = self.a_free(*index)?;
                self.begin(slot, *size);
            }
            Act::End(index) => {
                let slot = self.a_live(*index)?;
                self.end(slot);
            }
            Act::EndOld(index) => {
                let handle = pick(&self.old, *index)?;
                assert_eq!(self.end_raw(handle), Err(Code::DoubleFree));
            }
            Act::Pin(index) => {
                let slot = self.a_live(*index)?;
                self.pin(slot);
            }
            Act::Unpin(index) => {
                let slot = self.a_live(*index)?;
                self.unpin(slot);
            }
            Act::Flag(index, ever) => {
                let slot = self.a_live(*index)?;
                self.speak(slot);
                let flags = if *ever { State::EVER_VIEWED | State::VIEWED } else { State::ESCAPED };
                record(&self.tracker, slot)
                    .update(self.live[&slot].generation, |state| Ok(State(state.0 | flags)))
                    .unwrap();
            }
            Act::Age(index, left) => {
                let slot = self.a_free(*index)?;
                self.tracker.age(
                    slot,
                    Generation(Generation::MAX.0 - 2 * left)
                        .max(record(&self.tracker, slot).state().generation()),
                );
            }
            Act::Lend(index) => {
                let slot = self.a_free(*index)?;
                self.lend(slot);
            }
            Act::HandOut(index, size) => {
                let slot = self.an_idle(*index)?;
                self.hand_out(slot, *size);
            }
            Act::Speak(index) => {
                let slot = self.a_live(*index)?;
                self.speak(slot);
            }
            Act::TakeBack(index) => {
                let slot = self.an_idle(*index)?;
                record(&self.tracker, slot).take_back(slot, &self.table);
                self.free.insert(slot, self.idle.remove(&slot).unwrap());
            }
        }
        Some(())
    }

    fn lend(&mut self, slot: Slot) {
        let record = record(&self.tracker, slot);
        let state = record.state();
        let lends = (slot.0 as usize) < TABLE_SLOTS
            && !state.has(State::EVER_VIEWED)
            && state.generation() < Generation::MAX;
        assert_eq!(lendable(&self.tracker, &self.table, slot), lends);
        assert_eq!(record.lend(slot, &self.table, 0, LOAN), lends);
        if lends {
            self.idle.insert(slot, self.free.remove(&slot).unwrap());
        }
    }

    fn hand_out(&mut self, slot: Slot, size: u16) {
        if self.table.front(slot).unwrap().generation >= Generation::MAX {
            return; // the script leaves it to a native call
        }
        let number = self.idle.remove(&slot).unwrap();
        let generation = hand_out(&self.table, 0, slot, size, 1).generation;
        self.lives(slot, Live { generation, number, size: u64::from(size), pins: 0, lent: true });
    }

    /// A lent block's record speaks for it from now on.
    fn speak(&mut self, slot: Slot) {
        let live = self.live.get_mut(&slot).unwrap();
        if live.lent {
            let front = self.table.front(slot).unwrap();
            let handle = Handle { slot, generation: live.generation };
            record(&self.tracker, slot).speak(handle, front, 5);
            self.table.forget(slot, 0, 0, 0);
            live.lent = false;
        }
    }

    fn pin(&mut self, slot: Slot) {
        self.speak(slot);
        let live = self.live.get_mut(&slot).unwrap();
        assert_eq!(record(&self.tracker, slot).pin(live.generation).unwrap().pins(), live.pins);
        live.pins += 1;
    }

    fn unpin(&mut self, slot: Slot) {
        let live = self.live.get_mut(&slot).unwrap();
        let done = record(&self.tracker, slot).unpin(live.generation);
        assert_eq!(done.is_ok(), live.pins > 0);
        live.pins = live.pins.saturating_sub(1);
    }

    fn begin(&mut self, slot: Slot, size: u64) {
        let number = self.free.remove(&slot).unwrap();
        let (slot, begun) = match record(&self.tracker, slot).begin(birth(size)) {
            Some(begun) => (slot, begun),
            None => {
                let fresh = self.tracker.replace_spent(slot).unwrap();
                assert!(!self.unbound.contains(&fresh) && !self.is_free(fresh));
                self.retired += 1;
                (fresh, record(&self.tracker, fresh).begin(birth(size)).unwrap())
            }
        };
        self.lives(slot, Live { generation: begun.0, number, size, pins: 0, lent: false });
    }

    fn lives(&mut self, slot: Slot, live: Live) {
        assert!(self.ids.insert(Handle { slot, generation: live.generation }.id()), "an id was given twice");
        assert!(self.live.insert(slot, live).is_none(), "a live record was begun");
    }

    fn end_raw(&self, handle: Handle) -> Result<(), Code> {
        let ended = record(&self.tracker, handle.slot).end(handle.generation);
        ended.map(|_| ()).map_err(|error| error.code)
    }

    fn end(&mut self, slot: Slot) {
        let live = self.live[&slot];
        let handle = Handle { slot, generation: live.generation };
        if live.pins > 0 {
            assert_eq!(self.end_raw(handle), Err(Code::InUse));
            return;
        }
        if live.lent {
            self.table.end(handle, 0, live.size);
            self.idle.insert(slot, live.number);
        } else {
            assert_eq!(self.end_raw(handle), Ok(()));
            self.free.insert(slot, live.number);
        }
        self.live.remove(&slot);
        self.old.push(handle);
    }

    fn compare(&self) {
        check(&self.tracker);
        assert_eq!(self.tracker.retired(), self.retired);
        let mut rows = BTreeMap::new();
        self.tracker.scan(|row| {
            if !row.state.generation().is_live() {
                assert!(row.state.has(State::ESCAPED), "a free record has a row only for what escaped");
                return;
            }
            assert_eq!(row.place, place(self.live[&row.handle.slot].number));
            let row_now = Live {
                generation: row.handle.generation,
                number: self.live[&row.handle.slot].number,
                size: row.extent.size,
                pins: row.pins,
                lent: self.live[&row.handle.slot].lent,
            };
            rows.insert(row.handle.slot, row_now);
        });
        assert_eq!(rows, self.live);
        let mut highest = 0;
        self.tracker.each_id(|id| highest = highest.max(id + 1));
        assert!(self.ids.iter().all(|id| *id < highest), "an id that was given will be given again");
        let mut lent = BTreeSet::new();
        self.tracker.each_lent(&self.table, |handle, _| assert!(lent.insert(handle.slot)));
        let live = self.live.iter().filter(|(_, live)| live.lent).map(|(slot, _)| *slot);
        assert_eq!(lent, self.idle.keys().copied().chain(live).collect());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn any_sequence_of_operations_does_what_maps_do(acts in acts()) {
        let mut model = Model::new();
        for act in &acts {
            let _ = model.step(act);
            model.compare();
        }
    }
}
