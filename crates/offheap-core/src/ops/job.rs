//! A job: an operation on long ranges, cut into pieces that threads take one after the other, so that it can be
//! stopped, tells how far it is, and is done by several at once.

use std::cmp::Ordering as Order;

use super::{CopyMode, Pattern, check_copy, check_sizes, copy_part, fill_part};
use crate::base::error::Result;
use crate::base::sync::{AtomicU32, AtomicU64, AtomicUsize, Mutex, Ordering, lock, thread};
use crate::raw::bytes::Bytes;
use crate::raw::mem;

/// Bytes of a piece: about a millisecond of memory traffic, the time that a stop may take. A multiple of every
/// element, pattern and page, so that pieces of aligned ranges are aligned.
pub const PIECE_BYTES: usize = 4 << 20;

/// The flag beside the count of threads in [`Job::state`].
const STOPPED: u32 = 1 << 31;

/// What is done.
#[derive(Debug, Clone, Copy)]
enum Work<'a> {
    Copy { target: Bytes<'a>, source: Bytes<'a>, mode: CopyMode },
    Fill { target: Bytes<'a>, pattern: Pattern },
    Compare { one: Bytes<'a>, other: Bytes<'a> },
}

/// The pieces are taken in this order; see [`Job::copy`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// In any, by any number of threads.
    Any,
    /// By one thread, from the first on.
    Forward,
    /// By one thread, from the last on.
    Backward,
}

/// An operation that threads work at together by [`run`](Self::run). Whoever makes it sees to it that the ranges
/// stay there, and are nobody else's to reuse, until no thread is in it any more.
#[derive(Debug)]
pub struct Job<'a> {
    work: Work<'a>,
    total_bytes: usize,
    /// [`PIECE_BYTES`], or less in tests.
    piece_bytes: usize,
    turn: Turn,
    /// Pieces that were taken.
    taken: AtomicUsize,
    done_bytes: AtomicU64,
    /// How many threads are in it, and [`STOPPED`]. One word, so that who enters and who stops see each other.
    state: AtomicU32,
    /// Of a comparison: the first piece so far in which the two differ, and how.
    found: Mutex<Option<(usize, Order)>>,
}

impl<'a> Job<'a> {
    fn new(work: Work<'a>, total_bytes: usize, turn: Turn) -> Self {
        Self {
            work,
            total_bytes,
            piece_bytes: PIECE_BYTES,
            turn,
            taken: AtomicUsize::new(0),
            done_bytes: AtomicU64::new(0),
            state: AtomicU32::new(0),
            found: Mutex::new(None),
        }
    }

    /// As [`copy`](super::copy). Where the ranges overlap, unless they are the same, one thread takes the pieces from the end that memmove
    /// begins at: a piece then overwrites only what earlier ones, or it itself, have read.
    ///
    /// # Errors
    /// As [`copy`](super::copy).
    pub fn copy(target: Bytes<'a>, source: Bytes<'a>, mode: CopyMode) -> Result<Self> {
        check_copy(target, source, mode)?;
        let is_free = !target.overlaps(source) || target.address() == source.address();
        let turn = match target.address() < source.address() {
            _ if is_free => Turn::Any,
            true => Turn::Forward,
            false => Turn::Backward,
        };
        Ok(Self::new(Work::Copy { target, source, mode }, target.size(), turn))
    }

    /// As [`fill`](super::fill).
    #[must_use]
    pub fn fill(target: Bytes<'a>, pattern: impl Into<Pattern>) -> Self {
        Self::new(Work::Fill { target, pattern: pattern.into() }, target.size(), Turn::Any)
    }

    /// As [`compare`](super::compare).
    ///
    /// # Errors
    /// As [`compare`](super::compare).
    pub fn compare(one: Bytes<'a>, other: Bytes<'a>) -> Result<Self> {
        check_sizes(one, other)?;
        Ok(Self::new(Work::Compare { one, other }, one.size(), Turn::Any))
    }

    /// How many threads can work at it at once.
    #[must_use]
    pub fn threads_max(&self) -> usize {
        if self.turn == Turn::Any { self.pieces().max(1) } else { 1 }
    }

    /// Bytes that are done. Of a comparison those that were looked at.
    pub fn done_bytes(&self) -> u64 {
        self.done_bytes.load(Ordering::Relaxed)
    }

    /// Of a comparison that has ended: the order of the first bytes that differ.
    pub fn order(&self) -> Order {
        lock(&self.found).map_or(Order::Equal, |(_, order)| order)
    }

    /// No piece is begun after this. Those that threads are at, they end.
    pub fn stop(&self) {
        self.state.fetch_or(STOPPED, Ordering::Relaxed);
    }

    /// Stops, and waits until no thread is in it: at most as long as a piece takes.
    pub fn stop_and_wait(&self) {
        self.stop();
        // Acquire: what they wrote comes before what is done to their ranges next; pairs with the Release in `Inside`.
        while self.state.load(Ordering::Acquire) != STOPPED {
            thread::yield_now();
        }
    }

    /// Works until no piece is left, or somebody stops it. Any thread may call it, more than once; where the order
    /// of the pieces matters the second one at a time has nothing to do.
    pub fn run(&self) {
        let inside = Inside::enter(&self.state);
        if inside.is_alone || self.turn == Turn::Any {
            while let Some(piece) = self.next() {
                self.work_at(piece);
            }
        }
    }

    fn pieces(&self) -> usize {
        self.total_bytes.div_ceil(self.piece_bytes)
    }

    /// The next piece, from 0 at the lowest address.
    fn next(&self) -> Option<usize> {
        if self.state.load(Ordering::Relaxed) & STOPPED != 0 {
            return None;
        }
        let count = self.pieces();
        let piece = self.taken.fetch_add(1, Ordering::Relaxed);
        let is_left = piece < count;
        is_left.then(|| if self.turn == Turn::Backward { count - 1 - piece } else { piece })
    }

    fn work_at(&self, piece: usize) {
        let offset = piece * self.piece_bytes;
        let length = self.piece_bytes.min(self.total_bytes - offset);
        let part = |bytes: Bytes<'a>| bytes.slice(offset as u64, length as u64);
        match self.work {
            Work::Copy { target, source, mode } => {
                if let (Some(target), Some(source)) = (part(target), part(source)) {
                    copy_part(target, source, mode, self.total_bytes);
                }
            }
            Work::Fill { target, pattern } => {
                if let Some(target) = part(target) {
                    fill_part(target, pattern, self.total_bytes);
                }
            }
            Work::Compare { one, other } => {
                if let (Some(one), Some(other)) = (part(one), part(other)) {
                    self.note(piece, mem::compare_part(one, other, self.total_bytes));
                }
            }
        }
        self.done_bytes.fetch_add(length as u64, Ordering::Relaxed);
    }

    /// Pieces are taken in order, so once two differ nobody need begin another: those before it were begun.
    fn note(&self, piece: usize, order: Order) {
        if order == Order::Equal {
            return;
        }
        let mut found = lock(&self.found);
        if found.is_none_or(|(first, _)| piece < first) {
            *found = Some((piece, order));
        }
        drop(found);
        self.stop();
    }
}

/// A thread's stay in a job, which ends however it leaves.
struct Inside<'a> {
    state: &'a AtomicU32,
    is_alone: bool,
}

impl<'a> Inside<'a> {
    fn enter(state: &'a AtomicU32) -> Self {
        // Acquire: who comes alone, after another, goes on from what that one did.
        let before = state.fetch_add(1, Ordering::Acquire);
        Self { state, is_alone: before & !STOPPED == 0 }
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.state.fetch_sub(1, Ordering::Release);
    }
}

#[cfg(test)]
mod tests;
