//! Records and free stacks. The memory of a record is a cell of a region, by the record's number.

use offheap_core::base::error::Code;
use offheap_core::raw::{self, bytes::Bytes, region::Region};
use offheap_core::tracker::record::Birth;
use offheap_core::tracker::stack::{Links, Stack};
use offheap_core::tracker::state::{AlignmentCode, Extent, Generation, Handle, Origin, Owner, Place, Slot};
use offheap_core::tracker::table::Tracker;
use offheap_proof::{Mailbox, Random, assert_stamp, stamp, together};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

const CELL: usize = 64;
const SLOTS: u32 = 300;
const STEPS: u32 = 20_000;
const PINNED: u32 = 10_000;
/// One step in so many goes through the mailbox, whose lock orders more than the library does.
const SELDOM: u64 = 16;

/// A cell for each of the first records of a tracker.
fn cells() -> Region {
    let size = (CELL * 4 * SLOTS as usize).next_multiple_of(raw::page_size());
    let region = Region::reserve(size, 1).unwrap();
    region.commit_to(size).unwrap();
    region
}

fn cell(region: &Region, slot: Slot) -> Bytes<'static> {
    region.bytes(slot.0 as usize * CELL, CELL).unwrap()
}

/// Chains go from thread to thread through two stacks; whoever has a record writes its cell.
pub fn chains_change_hands() {
    let (tracker, stacks, region) = (Tracker::default(), [Stack::new(), Stack::new()], cells());
    stacks[0].push(&tracker, tracker.take(SLOTS).unwrap());
    together(3, |thread| {
        let mut random = Random(thread);
        let mut held: Vec<Slot> = Vec::new();
        for _ in 0..STEPS {
            let stack = &stacks[random.index(2)];
            let popped = match random.below(64) {
                0 => stack.take_all(&tracker),
                1..=31 => stack.pop(&tracker, random.below(40) as u32),
                _ => None,
            };
            if let Some(chain) = popped {
                tracker.walk(chain, |slot| held.push(slot));
                for slot in held.iter().rev().take(chain.count as usize) {
                    stamp(cell(&region, *slot), thread as u8);
                }
            } else if !held.is_empty() {
                let slots = held.split_off(random.index(held.len()));
                slots.iter().for_each(|slot| assert_stamp(cell(&region, *slot), thread as u8));
                stack.push(&tracker, tracker.chain(&slots).unwrap());
            }
        }
        if let Some(chain) = tracker.chain(&held) {
            stacks[0].push(&tracker, chain);
        }
    });
    let left: usize = stacks.iter().map(|stack| stack.slots(&tracker).unwrap().len()).sum();
    assert_eq!(left, SLOTS as usize);
}

fn birth(of: u64) -> Birth {
    Birth {
        extent: Extent { size: CELL as u64, label: 0 },
        origin: Origin { born_ms: of, owner: Owner::block(of as u32) },
        alignment: AlignmentCode::NONE,
    }
}

/// Records begin and end, some ended by another thread, while one thread scans. A pin holds off the end.
pub fn records_change_hands() {
    let (tracker, region) = (Tracker::default(), cells());
    let (mailbox, stops) = (Mailbox::default(), AtomicBool::new(false));
    let work = |thread: u64| {
        let mut random = Random(thread);
        for _ in 0..STEPS {
            let slot = tracker.take(1).unwrap().first;
            let record = tracker.shared(slot).unwrap();
            stamp(cell(&region, slot), thread as u8);
            let generation = record.begin_at(Place::grant(1, 64 * u64::from(slot.0)), birth(thread)).unwrap();
            if random.below(SELDOM) == 0 {
                mailbox.put([(slot, generation, thread)]);
            } else if record.end(generation).is_ok() {
                tracker.give(tracker.chain(&[slot]).unwrap());
            }
            if random.below(SELDOM) != 0 {
                continue;
            }
            let Some((slot, generation, writer)) = mailbox.take() else { continue };
            let record = tracker.shared(slot).unwrap();
            record.pin(generation).unwrap();
            assert_stamp(cell(&region, slot), writer as u8);
            assert_eq!(record.end(generation).unwrap_err().code, Code::InUse);
            record.unpin(generation).unwrap();
            record.end(generation).unwrap();
            tracker.give(tracker.chain(&[slot]).unwrap());
        }
        stops.store(true, Ordering::Relaxed);
    };
    together(4, |thread| {
        if thread > 1 {
            return work(thread);
        }
        while !stops.load(Ordering::Relaxed) {
            tracker.scan(|row| assert_eq!(row.extent.size, CELL as u64));
        }
    });
}

/// What a thread lately began. It says nothing of the bytes, so it orders nothing.
#[derive(Default)]
struct Board(AtomicU64);

impl Board {
    fn show(&self, Handle { slot, generation }: Handle) {
        self.0.store(u64::from(slot.0) << 32 | u64::from(generation.0), Ordering::Relaxed);
    }

    fn seen(&self) -> Handle {
        let word = self.0.load(Ordering::Relaxed);
        Handle { slot: Slot((word >> 32) as u32), generation: Generation(word as u32) }
    }
}

/// Who has pinned another's record reads its cell; whoever has the record next writes there.
pub fn records_are_pinned_by_others() {
    let (tracker, region, done) = (Tracker::default(), cells(), AtomicU64::new(0));
    let boards: [Board; 2] = Default::default();
    let begin_and_end = |thread: u64, board: &Board| {
        for step in 0..PINNED {
            let slot = tracker.take(1).unwrap().first;
            let record = tracker.shared(slot).unwrap();
            stamp(cell(&region, slot), thread as u8);
            let generation = record.begin_at(Place::grant(1, 64 * u64::from(slot.0)), birth(thread)).unwrap();
            board.show(Handle { slot, generation });
            if step % 4 == 0 {
                thread::yield_now(); // or nobody would come in time
            }
            while record.end(generation).is_err() {
                thread::yield_now(); // it is pinned
            }
            tracker.give(tracker.chain(&[slot]).unwrap());
        }
        done.fetch_add(1, Ordering::Relaxed);
    };
    let pin = |writer: u64, board: &Board| {
        let Handle { slot, generation } = board.seen();
        let Some(record) = tracker.shared(slot) else { return };
        if record.pin(generation).is_ok() {
            assert_stamp(cell(&region, slot), writer as u8);
            record.unpin(generation).unwrap();
        }
        thread::yield_now();
    };
    together(4, |thread| {
        let writer = thread.div_ceil(2); // of two threads one writes, and one reads what that wrote
        let board = &boards[writer as usize - 1];
        if thread % 2 == 0 {
            return begin_and_end(writer, board);
        }
        while done.load(Ordering::Relaxed) < 2 {
            pin(writer, board);
        }
    });
}
