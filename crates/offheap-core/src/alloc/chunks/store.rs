//! The chunk store: per class a shared free stack, and where new chunks are cut from.

use super::classes;
use super::pieces::{self, Pieces};
use super::quarantine::{PAGED_BYTES_MAX, Quarantine, Waiting};
use super::runs::Runs;
use crate::base::error::{Code, Error, Result};
use crate::base::sync::{AtomicU64, Mutex, MutexGuard, Ordering, lock};
use crate::raw;
use crate::raw::atlas::{Atlas, Span};
use crate::tracker::stack::{Chain, Links, Stack};
use crate::tracker::state::{Place, Slot, State};
use crate::tracker::table::Tracker;

/// Idle page runs beyond this are given back to the system as they are freed. 64 MiB: what a busy
/// server frees and takes again within a moment; refaulting it costs about 10 ms.
pub(super) const IDLE_RUN_BYTES_MAX: i64 = 64 << 20;

/// The rest of a class's newest span.
#[derive(Debug, Default)]
struct Rest {
    span: Option<Span>,
    next: u64,
    end: u64,
}

#[derive(Debug, Default)]
struct Class {
    free: Stack, // chunks that belong to no isolate's cache
    rest: Mutex<Rest>,
}

/// All chunks of the process.
#[derive(Debug)]
pub struct Chunks {
    classes: Box<[Class]>,
    pieces: Pieces,
    runs: Runs,
    left: Mutex<Quarantine>, // what isolates that ended had in theirs, and what several viewed
    /// Span number → memory.
    pub atlas: Atlas,
    committed_bytes: AtomicU64,
    idle_run_bytes: AtomicU64, // free page runs that still have their pages, but for what caches have not told yet
}

impl Default for Chunks {
    fn default() -> Self {
        Self {
            classes: (0..classes::COUNT).map(|_| Class::default()).collect(),
            pieces: Pieces::default(),
            runs: Runs::default(),
            left: Mutex::default(),
            atlas: Atlas::default(),
            committed_bytes: AtomicU64::new(0),
            idle_run_bytes: AtomicU64::new(0),
        }
    }
}

impl Chunks {
    /// Bytes held from the system: spans that were cut, and runs that have their pages.
    #[must_use]
    pub fn committed_bytes(&self) -> u64 {
        self.committed_bytes.load(Ordering::Relaxed)
    }

    /// Bytes of free page runs that still have their pages, as far as the caches have told.
    #[inline]
    pub(super) fn idle_run_bytes(&self) -> i64 {
        self.idle_run_bytes.load(Ordering::Relaxed).cast_signed()
    }

    /// Adds what a cache counted for itself.
    pub(super) fn tell_idle(&self, bytes: i64) {
        self.idle_run_bytes.fetch_add(bytes.cast_unsigned(), Ordering::Relaxed); // wraps: a sum of signed parts
    }

    /// Takes up to `most` chunks that no isolate caches.
    pub(super) fn pop(&self, tracker: &Tracker, class: u8, most: u32) -> Option<Chain> {
        self.classes[usize::from(class)].free.pop(tracker, most)
    }

    /// Gives chunks back for any isolate.
    pub(super) fn push(&self, tracker: &Tracker, class: u8, chain: Chain) {
        self.classes[usize::from(class)].free.push(tracker, chain);
    }

    /// Takes over the quarantine of an isolate that ends: its operations may end later than it.
    pub(super) fn leave(&self, tracker: &Tracker, quarantine: &mut Quarantine) {
        let mut left = lock(&self.left);
        while let Some(chunk) = quarantine.pop() {
            self.wait(tracker, &mut left, chunk);
        }
    }

    /// Lets a chunk wait that several isolates viewed.
    pub(super) fn hold_back(&self, tracker: &Tracker, class: u8, slot: Slot) {
        let chunk = self.waiting(tracker, class, slot);
        self.wait(tracker, &mut self.left(), chunk);
    }

    fn wait(&self, tracker: &Tracker, left: &mut Quarantine, chunk: Waiting) {
        left.push(chunk);
        while let Some(done) = left.pop_surplus() {
            if let Some(chain) = tracker.chain(&[done.slot]) {
                self.push(tracker, done.class, chain);
            }
        }
    }

    /// A freed chunk that is to wait.
    pub(super) fn waiting(&self, tracker: &Tracker, class: u8, slot: Slot) -> Waiting {
        let mut paged_bytes = classes::size_of(class);
        if paged_bytes > PAGED_BYTES_MAX {
            self.decommit_run(tracker, slot, class); // what comes late meets fresh pages
            paged_bytes = 0;
        }
        Waiting { slot, class, paged_bytes }
    }

    /// What is in no isolate's quarantine: that of ended ones, and what several isolates viewed.
    pub(super) fn left(&self) -> MutexGuard<'_, Quarantine> {
        lock(&self.left)
    }

    /// Bytes that wait in no isolate's quarantine; those of running ones are counted with them.
    #[must_use]
    pub fn left_bytes(&self) -> u64 {
        lock(&self.left).bytes()
    }

    /// Cuts up to `most` new chunks, at least one.
    ///
    /// # Errors
    /// [`Code::OutOfMemory`] when the system refuses or all records are in use.
    pub(super) fn cut(&self, tracker: &Tracker, class: u8, most: u32) -> Result<Chain> {
        if classes::is_run(class) {
            self.cut_run(tracker, class)
        } else {
            self.cut_small(tracker, class, most)
        }
    }

    fn cut_run(&self, tracker: &Tracker, class: u8) -> Result<Chain> {
        let chain = tracker.take(1)?;
        let run = self.runs.cut(&self.atlas, class).inspect_err(|_| tracker.give(chain))?;
        let place = Place { span: run.span.0, offset: run.offset, class };
        tracker.bind(chain.first, place, State::CLEAN);
        self.committed_bytes.fetch_add(classes::size_of(class), Ordering::Relaxed);
        // It is idle until it is handed out, like any run that `idle` sees leave.
        self.idle_run_bytes.fetch_add(classes::size_of(class), Ordering::Relaxed);
        Ok(chain)
    }

    fn cut_small(&self, tracker: &Tracker, class: u8, most: u32) -> Result<Chain> {
        let size = classes::size_of(class);
        let mut rest = lock(&self.classes[usize::from(class)].rest);
        if rest.next == rest.end {
            *rest = self.open_span(class)?;
        }
        let span = rest.span.ok_or(Error::from(Code::Corrupted))?;
        let chain = tracker.take(most.min(((rest.end - rest.next) / size) as u32))?;
        tracker.walk(chain, |slot| {
            tracker.bind(slot, Place { span: span.0, offset: rest.next as u32, class }, 0);
            rest.next += size;
        });
        Ok(chain)
    }

    fn open_span(&self, class: u8) -> Result<Rest> {
        let cut = self.pieces.cut(&self.atlas, class)?;
        self.committed_bytes.fetch_add(cut.committed, Ordering::Relaxed);
        let size = classes::size_of(class);
        let whole = pieces::span_bytes(size) / size * size;
        Ok(Rest { span: Some(cut.span), next: cut.offset, end: cut.offset + whole })
    }

    /// Small chunks of so many bytes have no pages any more.
    pub(super) fn uncommitted(&self, bytes: u64) {
        self.committed_bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// A small chunk is handed out that was [`State::DECOMMITTED`]: it counts as committed again. Of
    /// runs the cache takes care.
    #[cold]
    pub fn recommitted(&self, class: u8) {
        self.committed_bytes.fetch_add(classes::size_of(class), Ordering::Relaxed);
    }

    /// A page run leaves the free lists; the caller owns it. Its pages count as committed from now
    /// on, whether they are touched or not: it may come back unused. Returns the bytes that are no
    /// longer idle.
    #[inline]
    pub(super) fn run_leaves(&self, tracker: &Tracker, slot: Slot, class: u8) -> i64 {
        let Some(record) = tracker.shared(slot) else { return 0 };
        let size = classes::size_of(class);
        if !record.state().has(State::DECOMMITTED) {
            return size.cast_signed();
        }
        record.set_free_flags(0, State::DECOMMITTED);
        self.committed_bytes.fetch_add(size, Ordering::Relaxed);
        0
    }

    /// Gives the pages of a free run, owned by the caller, back to the system. Returns the bytes.
    pub(super) fn decommit_run(&self, tracker: &Tracker, slot: Slot, class: u8) -> u64 {
        let Some(record) = tracker.shared(slot) else { return 0 };
        if record.state().has(State::DECOMMITTED) {
            return 0;
        }
        let place = record.place();
        let Some(region) = self.atlas.region(Span(place.span)) else { return 0 };
        let size = classes::size_of(class);
        let given = region.decommit(place.offset as usize, size as usize) as u64;
        if given > 0 {
            let clean = if raw::DECOMMIT_ZEROES { State::CLEAN } else { 0 };
            record.set_free_flags(State::DECOMMITTED | clean, 0);
            self.idle_run_bytes.fetch_sub(size, Ordering::Relaxed);
            self.committed_bytes.fetch_sub(size, Ordering::Relaxed);
        }
        given
    }

    /// Checks every chunk on a shared stack and gives them all. Only while nothing runs beside it.
    #[cfg(test)]
    pub(super) fn check(&self, tracker: &Tracker) -> Vec<Slot> {
        for (cut, size) in [self.runs.cut_bytes(), self.pieces.cut_bytes()] {
            assert!(cut <= size);
        }
        let mut all = Vec::new();
        for (class, state) in self.classes.iter().enumerate() {
            let rest = lock(&state.rest);
            assert!(rest.next <= rest.end, "class {class}");
            let free = state.free.slots(tracker).unwrap();
            for slot in &free {
                let record = tracker.shared(*slot).unwrap();
                assert!(!record.state().generation().is_live(), "a free chunk is live");
                assert_eq!(usize::from(record.place().class), class);
            }
            all.extend(free);
        }
        all.extend(self.left().check().into_iter().map(|(slot, _)| slot));
        all
    }
}
