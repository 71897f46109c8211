//! Sequences of operations on one tracker against maps.

use super::super::isolate::{HEADER_WORDS, IsolateTable, RECORD_WORDS, field};
use super::super::stack::Links;
use super::super::state::{Generation, Handle, Slot, State};
use super::super::table::Tracker;
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
    BeginIsolate(u32, i32),
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
        2 => (0..50_u32, 1..1000_i32).prop_map(|(slot, size)| Act::BeginIsolate(slot, size)),
    ];
    vec(act, 1..80)
}

/// What a live handle should say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Live {
    generation: Generation,
    number: u32, // of its place
    size: u64,
    pins: u64,
}

/// The tracker and the plain truth about it.
struct Model {
    tracker: Tracker,
    table: Arc<IsolateTable>,
    unbound: Vec<Slot>,
    free: BTreeMap<Slot, u32>, // bound and free → number of its place
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
        let table = Arc::new(IsolateTable::reserve(2 * HEADER_WORDS * size_of::<i32>()).unwrap());
        tracker.adopt(&table, 0).unwrap();
        let (unbound, free, live, old, ids) = Default::default();
        Self { tracker, table, unbound, free, live, old, ids, retired: 0 }
    }

    fn a_free(&self, index: Index) -> Option<Slot> {
        pick(&self.free.keys().copied().collect::<Vec<_>>(), index)
    }

    fn a_live(&self, index: Index) -> Option<Slot> {
        pick(&self.live.keys().copied().collect::<Vec<_>>(), index)
    }

    fn is_isolates(slot: Slot) -> bool {
        slot.0 < 1 << 16
    }

    /// Does one step in both worlds; what cannot be done now is left out.
    fn step(&mut self, act: &Act) -> Option<()> {
        match act {
            Act::Take(most) => {
                let chain = self.tracker.take(*most).unwrap();
                assert!(chain.count >= 1 && chain.count <= (*most).max(1));
                self.tracker.walk(chain, |slot| {
                    assert!(
                        !self.unbound.contains(&slot) && !self.free.contains_key(&slot),
                        "a slot was given twice"
                    );
                    self.unbound.push(slot);
                });
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
                let slot = self.a_live(*index).filter(|slot| !Self::is_isolates(*slot))?;
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
            Act::BeginIsolate(slot, size) => self.begin_isolate(Slot(*slot), *size),
        }
        Some(())
    }

    fn pin(&mut self, slot: Slot) {
        let live = self.live.get_mut(&slot).unwrap();
        let handle = Handle { slot, generation: live.generation };
        if Self::is_isolates(slot) {
            self.table.pin(handle).unwrap();
        } else {
            assert_eq!(record(&self.tracker, slot).pin(handle.generation).unwrap().pins(), live.pins);
        }
        live.pins += 1;
    }

    fn unpin(&mut self, slot: Slot) {
        let live = self.live.get_mut(&slot).unwrap();
        let handle = Handle { slot, generation: live.generation };
        let done = if Self::is_isolates(slot) {
            self.table.unpin(handle)
        } else {
            record(&self.tracker, slot).unpin(handle.generation).map(|_| ())
        };
        assert_eq!(done.is_ok(), live.pins > 0);
        live.pins = live.pins.saturating_sub(1);
    }

    fn begin(&mut self, slot: Slot, size: u64) {
        let number = self.free.remove(&slot).unwrap();
        let (slot, begun) = match record(&self.tracker, slot).begin(birth(size)) {
            Some(begun) => (slot, begun),
            None => {
                let fresh = self.tracker.replace_spent(slot).unwrap();
                assert!(!self.unbound.contains(&fresh) && !self.free.contains_key(&fresh));
                self.retired += 1;
                (fresh, record(&self.tracker, fresh).begin(birth(size)).unwrap())
            }
        };
        self.lives(slot, Live { generation: begun.0, number, size, pins: 0 });
    }

    fn begin_isolate(&mut self, slot: Slot, size: i32) {
        let mut fields = [0; RECORD_WORDS];
        let place = place(slot.0).pack();
        (fields[field::SIZE], fields[field::SPAN], fields[field::OFFSET]) =
            (size, (place >> 32) as i32, place as u32 as i32);
        match self.table.begin(slot, fields) {
            Ok(handle) => self.lives(
                slot,
                Live { generation: handle.generation, number: slot.0, size: size as u64, pins: 0 },
            ),
            Err(error) => assert!(error.code == Code::Corrupted && self.live.contains_key(&slot)),
        }
    }

    fn lives(&mut self, slot: Slot, live: Live) {
        assert!(self.ids.insert(Handle { slot, generation: live.generation }.id()), "an id was given twice");
        assert!(self.live.insert(slot, live).is_none(), "a live record was begun");
    }

    fn end_raw(&self, handle: Handle) -> Result<(), Code> {
        let ended = if Self::is_isolates(handle.slot) {
            self.table.end(handle)
        } else {
            record(&self.tracker, handle.slot).end(handle.generation).map(|_| ())
        };
        ended.map_err(|error| error.code)
    }

    fn end(&mut self, slot: Slot) {
        let live = self.live[&slot];
        let handle = Handle { slot, generation: live.generation };
        if live.pins > 0 {
            assert_eq!(self.end_raw(handle), Err(Code::InUse));
            return;
        }
        assert_eq!(self.end_raw(handle), Ok(()));
        self.live.remove(&slot);
        self.old.push(handle);
        if !Self::is_isolates(slot) {
            self.free.insert(slot, live.number);
        }
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
            };
            rows.insert(row.handle.slot, row_now);
        });
        assert_eq!(rows, self.live);
        let mut highest = 0;
        self.tracker.each_id(|id| highest = highest.max(id + 1));
        assert!(
            self.live
                .iter()
                .filter(|(slot, _)| !Self::is_isolates(**slot))
                .all(|(slot, live)| { Handle { slot: *slot, generation: live.generation }.id() < highest })
        );
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
