//! Model checks of offheap-core: loom runs each model in every order that the steps of its threads can take, and lets every
//! load give each value that its ordering allows. `npm run test:loom` runs them.
//!
//! What runs is the library itself, compiled with `--cfg loom`: then `base::sync` hands out the checker's atomics, locks and
//! threads. The seams, all of them:
//! - `base/sync/model.rs`: the checker's types; a `OnceLock` made of them; `compiler_fence` and `raw::fence_everywhere` are
//!   fences of their own, which is what the pair promises. `Arc` and `Weak` stay those of `std`.
//! - `statics!`: a static begins anew with each execution.
//! - `sized(real, model)`: fewer records, magazines, levels, classes of an object pool: each atomic costs time in each execution. Tags
//!   of a free stack begin anew after eight.
//! - `raw/words/model.rs`: words of the checker in place of mapped memory, so none is read as bytes; `Registry::epoch` reads one.
//! - The clock has no thread, and it is known from the start that there is a fence.
//!
//! # What is verified
//!
//! Within the bound of interruptions that each model names (without one, in full), for its two threads and few steps:
//! - Records: a row is wholly one owner's, or absent, also while a free record's link stands in it; one free wins; pins, freezes
//!   and claims exclude what they must; what one owner wrote happens before what the next one does.
//! - Free stacks: the tracker's, with chains and `take_all`, also where tags begin anew, and the object pool's, with its cells
//!   that change their size: no slot twice, none lost.
//! - Bitmaps: slots of a slab and runs of a buddy, one by one, many of a word at once, and several words together, while spans
//!   and pages change hands, and while another thread counts: live grants share no byte, nothing is lost, and nothing is refused
//!   for which there is room.
//! - Rings: the same, while freed room is taken back, skipped, trimmed or counted.
//! - Arenas: a grant from before a reset is dead, one from after it lives; live grants share no byte; a mark divides grants; a
//!   stretch's rest goes back only if nothing lies behind it.
//! - Lending: a lent block is seen once or not at all, one that stays live or is adopted exactly once; a row is whole where
//!   stores are seen in their order. When another isolate comes while a script takes, gives or cuts, or ends between two of its
//!   stores: nobody else has what the script has, of two frees one wins, and all is free in the end. An only user's stores and
//!   the exchanges of who comes lose nothing. What magazines spill is given to one, and every chunk is free once in the end.
//! - Places: what a script takes and ends of a ring, or asks for natively, while another isolate comes to the ring or looks at its
//!   figures, is nobody else's; a script that stops between two stores leaves nothing live, and all is free in the end.
//! - Recalling: a script finds live what it has while another isolate recalls it; two that find the region full at once both get
//!   what a third has ready; who is late for a closed arena touches nothing of the next one on its ground; a region that begins
//!   beside a reset is not taken for current when it is over.
//! - Sharing: an offer is attached by one, or ends with its isolate, or by its free; the memory goes back once, when the last
//!   holder has written and freed, whoever that is; an offer is one row, the one isolate's or the other's.
//! - Jobs: whoever waited for a stop finds nobody at work, and sees what was done; each piece is done once.
//!
//! Where threads can come out differently, a model names all outcomes ([`explore_exactly`]): others fail it, and so does one
//! that never comes.
//!
//! JavaScript's part is played by a script with Relaxed loads and stores: it says nothing of what an engine may reorder.
//!
//! # What is not
//!
//! - A ring that overwrites, the hybrid's own part, pools, labels, quarantine, growing by a segment or a span, and the clock.
//! - `reset`, `close` and pins of an allocator against a script; three isolates that all do something.
//! - The system's fence, the mapping of memory, and finalizers: no model has them.
//! - Figures of an arena that is rewound while another thread allocates in it: what that one was just granted may be missing from
//!   them, or counted too much, until the next reset. The first model of it found this; it follows from how they are counted, and stands in docs/ALLOCATORS.md.
//! - Loom runs SeqCst accesses as AcqRel ones, lets no load see a store that has not run, and no weak exchange fails for nothing.
#![cfg(loom)]

use loom::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use loom::thread;
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// Words of a thread's stack: the manager's calls are deep.
const STACK: usize = 1 << 16;
/// Steps of one execution. The checker's own limit is for smaller programs.
const STEPS_MAX: usize = 50_000;

/// Runs `model` in every way that its threads can take turns, or, with a bound, in every way with so few interruptions.
/// Prints how many ways there were.
pub fn explore(interruptions: impl Into<Option<usize>>, model: impl Fn() + Send + Sync + 'static) {
    explore_exactly(interruptions, [()], model);
}

/// The same with a model that tells what came of it: of all ways together exactly what is `allowed`, each at least once.
pub fn explore_exactly<T: Ord + Copy + Debug + Send + Sync + 'static>(
    interruptions: impl Into<Option<usize>>,
    allowed: impl IntoIterator<Item = T>,
    model: impl Fn() -> T + Send + Sync + 'static,
) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(interruptions.into());
    builder.max_branches = STEPS_MAX;
    let (model, ways, started) = (Arc::new(model), Arc::new(AtomicUsize::new(0)), Instant::now());
    let allowed: BTreeSet<T> = allowed.into_iter().collect();
    let missing = Arc::new(Mutex::new(allowed.clone())); // of `std`: no part of the model
    let (count, unseen) = (Arc::clone(&ways), Arc::clone(&missing));
    builder.check(move || {
        count.fetch_add(1, Ordering::Relaxed);
        let model = Arc::clone(&model);
        let outcome = join(spawn(move || model()));
        assert!(allowed.contains(&outcome), "{outcome:?} is not allowed");
        unseen.lock().unwrap_or_else(PoisonError::into_inner).remove(&outcome);
    });
    let missing = missing.lock().unwrap_or_else(PoisonError::into_inner);
    assert!(missing.is_empty(), "{missing:?} never came");
    let current = std::thread::current();
    let (name, ways) = (current.name().unwrap_or("a model"), ways.load(Ordering::Relaxed));
    println!("{name}: {ways} ways, {:.1} s", started.elapsed().as_secs_f64());
}

/// Which of a model's two threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// Where the model began.
    Here,
    /// What it started.
    There,
}

/// The one of two, of whom exactly one did it.
#[must_use]
pub fn one(here: bool, there: bool) -> Side {
    assert_ne!(here, there, "both did it, or neither");
    if here { Side::Here } else { Side::There }
}

/// A thread of a model.
pub fn spawn<T: Send + 'static>(run: impl FnOnce() -> T + Send + 'static) -> thread::JoinHandle<T> {
    thread::Builder::new().stack_size(STACK).spawn(run).expect("a model starts any thread")
}

/// What a thread gave.
pub fn join<T>(thread: thread::JoinHandle<T>) -> T {
    thread.join().expect("a model's thread ended")
}

/// A region's memory, in units, as its owners use it.
pub struct Memory {
    unit: u64,
    taken: AtomicU64,
    writes: Vec<AtomicU32>,
}

impl Memory {
    /// Memory of at most 64 units.
    #[must_use]
    pub fn new(total: u64, unit: u64) -> Self {
        let writes = (0..total / unit).map(|_| AtomicU32::new(0)).collect();
        Self { unit, taken: AtomicU64::new(0), writes }
    }

    fn mask(&self, offset: u64, size: u64) -> u64 {
        let (from, to) = (offset / self.unit, (offset + size).div_ceil(self.unit));
        (from..to).fold(0, |mask, unit| mask | 1 << unit)
    }

    /// Somebody was granted a range: it was nobody's. It writes there, as one who is alone does.
    pub fn take(&self, offset: u64, size: u64) {
        let mask = self.mask(offset, size);
        assert_eq!(self.taken.fetch_or(mask, Relaxed) & mask, 0, "{size} bytes at {offset} are another's");
        for place in [offset, offset + size - 1] {
            let writes = &self.writes[(place / self.unit) as usize];
            writes.store(writes.load(Relaxed) + 1, Relaxed);
        }
    }

    /// It is about to free the range.
    pub fn leave(&self, offset: u64, size: u64) {
        let mask = self.mask(offset, size);
        assert_eq!(self.taken.fetch_and(!mask, Relaxed) & mask, mask, "{size} bytes at {offset} were taken");
    }

    /// So many times somebody wrote, and no write was lost: each owner saw what the one before it had done.
    pub fn assert_writes(&self, takes: u32) {
        assert_eq!(
            self.writes.iter().map(|writes| writes.load(Relaxed)).sum::<u32>(),
            2 * takes,
            "a write is lost"
        );
    }
}
