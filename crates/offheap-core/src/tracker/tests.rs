//! The tracker against plain models, one thread and many.
//!
//! Properties:
//! - `words`: every packed word reads back; an id names one owner of one record and is below 2^53.
//! - `records`: a generation ends once, however many threads try; a pin and a free never both
//!   succeed; pins neither overflow nor underflow; flags follow the memory, not the owner.
//! - `stacks`: a stack never hands one slot to two threads, whatever was popped and pushed
//!   meanwhile; chains keep their order; taking everything reads no record that is not ours yet.
//! - `growth`: records never move; a spent record retires and its memory lives on; a full directory
//!   is an error that costs nothing.
//! - `isolates`: a table is as large as it says, and Rust trusts no word of it.
//! - `lent`: what is lent to a table is free until its words say that it is live; then it has a row and an id
//!   as any other; sums continue where the words that count go around.
//! - `scans`: a row is one owner's, whole, however fast records change hands.
//! - `totals`: sums are exact after a join; the peak is exact with one thread.
//! - `model`: any sequence of operations does what a map does, and [`Tracker::check`] holds after
//!   every step.

mod growth;
mod isolates;
mod lent;
mod model;
mod records;
mod scans;
mod stacks;
mod totals;
mod words;

use super::record::{Birth, Record};
use super::stack::Links;
use super::state::{AlignmentCode, Extent, Generation, Handle, Origin, Owner, Place, Slot};
use super::table::Tracker;
use std::hint::black_box;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

/// Bytes between the places that tests bind records to.
const STRIDE: u32 = 1 << 16;

/// A place of its own for each number below 2^36.
fn place(number: u32) -> Place {
    Place { span: number >> 16, offset: (number & 0xffff) * STRIDE, class: (number % 251) as u8 }
}

fn birth(size: u64) -> Birth {
    Birth {
        extent: Extent { size, label: (size % 1000) as u16 },
        origin: Origin { born_ms: size * 3, owner: Owner::block(7) },
        alignment: AlignmentCode::PAGE,
    }
}

/// `count` records of one tracker, each bound to a place of its own, all free.
fn bound(tracker: &Tracker, count: u32) -> Vec<Slot> {
    let mut slots = Vec::new();
    while slots.len() < count as usize {
        let chain = tracker.take(count - slots.len() as u32).unwrap();
        tracker.walk(chain, |slot| slots.push(slot));
    }
    for slot in &slots {
        tracker.bind(*slot, place(slot.0), 0);
    }
    slots
}

fn record(tracker: &Tracker, slot: Slot) -> Record<'static> {
    tracker.shared(slot).unwrap()
}

/// Opens a record and gives the owner's handle.
fn open(tracker: &Tracker, slot: Slot, size: u64) -> Handle {
    let (generation, _) = record(tracker, slot).begin(birth(size)).unwrap();
    Handle { slot, generation }
}

/// The first generation after `generation` whose memory is live.
fn next_live(generation: Generation) -> Generation {
    Generation((generation.0 + 1) | 1)
}

/// Lets the other thread of [`in_step`] go on alone, also when this one panics.
struct Leave<'a>(&'a AtomicU32);

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        self.0.store(u32::MAX / 2, Ordering::Release);
    }
}

/// Runs `act` in two threads, round by round: neither begins a round before both are there. That is
/// when a race can be lost; threads that run freely seldom meet. Gives both threads' answers.
fn in_step<T: Send>(rounds: u32, act: impl Fn(u32) -> T + Sync) -> Vec<[T; 2]> {
    let arrived = AtomicU32::new(0);
    let run = || {
        let _leave = Leave(&arrived);
        let one_round = |round| {
            let is_last = arrived.fetch_add(1, Ordering::AcqRel) % 2 == 1;
            let mut spins = 0_u32;
            while arrived.load(Ordering::Acquire) < 2 * (round + 1) {
                spins += 1;
                if spins.is_multiple_of(1000) {
                    thread::yield_now();
                }
            }
            if is_last {
                // The other one hears of it a little later: wait for it, in each round differently long.
                for step in 0..round % 64 {
                    black_box(step);
                }
            }
            act(round)
        };
        (0..rounds).map(one_round).collect::<Vec<_>>()
    };
    let (one, other) = thread::scope(|scope| {
        let (one, other) = (scope.spawn(run), scope.spawn(run));
        (one.join().unwrap(), other.join().unwrap())
    });
    one.into_iter().zip(other).map(|(one, other)| [one, other]).collect()
}

#[track_caller]
fn check(tracker: &Tracker) {
    tracker.check().unwrap();
}
