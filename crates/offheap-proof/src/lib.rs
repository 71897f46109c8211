//! Programs that sanitizers watch: `bin/races` for ThreadSanitizer, `bin/canary` with the bugs that must be reported. How
//! they are built and what they can see stands in docs/TESTING.md.
//!
//! They are programs and no tests, because a test's thread begins and ends in functions of `std`, which is compiled without
//! the sanitizer. What orders threads here is what it sees: a thread's start and its join, and locks of `base::sync`.
#![forbid(unsafe_code)]

use offheap_core::base::sync::{Mutex, lock};
use offheap_core::manager::Manager;
use offheap_core::manager::allocators::assume_fence;
use offheap_core::ops;
use offheap_core::raw::{self, bytes::Bytes};
use std::thread;

/// Runs `work` in so many threads, numbered from 1, and joins each.
///
/// # Panics
/// If one of them does.
pub fn together<T: Send>(threads: u64, work: impl Fn(u64) -> T + Sync) -> Vec<T> {
    let work = &work;
    thread::scope(|scope| {
        let started: Vec<_> = (1..=threads).map(|number| scope.spawn(move || work(number))).collect();
        started.into_iter().map(|thread| thread.join().expect("it has said what is wrong")).collect()
    })
}

/// Asks the system now what is asked once in a process: the answers are kept in locks of `std`, where another thread would
/// find them without a reason that the sanitizer sees.
pub fn ask_system() {
    assume_fence();
    let _ = (raw::page_size(), raw::cache_line_size(), raw::now_ms(), raw::precise_now_ms());
}

/// A manager of a scene's own, which lives for ever as the process's one does.
#[must_use]
pub fn manager() -> &'static Manager {
    Box::leak(Box::default())
}

/// Writes a byte all over a range, with plain stores: if another thread may be there, that is a race.
pub fn stamp(bytes: Bytes<'_>, value: u8) {
    ops::fill(bytes, value);
}

/// Reads the range, with plain loads.
///
/// # Panics
/// If another byte is found.
pub fn assert_stamp(bytes: Bytes<'_>, value: u8) {
    let mut copy = vec![0; bytes.size()];
    ops::snapshot(bytes, &mut copy).expect("the sizes agree");
    assert!(copy.iter().all(|byte| *byte == value), "what {value} was written over was written by another");
}

/// Where threads leave things for each other.
#[derive(Debug)]
pub struct Mailbox<T>(Mutex<Vec<T>>);

impl<T> Default for Mailbox<T> {
    fn default() -> Self {
        Self(Mutex::new(Vec::new()))
    }
}

impl<T> Mailbox<T> {
    /// Leaves things.
    pub fn put(&self, things: impl IntoIterator<Item = T>) {
        lock(&self.0).extend(things);
    }

    /// Takes what was left last.
    pub fn take(&self) -> Option<T> {
        lock(&self.0).pop()
    }
}

/// A small random generator.
#[derive(Debug)]
pub struct Random(pub u64);

impl Random {
    /// A number below `limit`.
    pub const fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        (self.0 >> 33) % limit
    }

    /// An index into a list of so many; 0 of none.
    pub const fn index(&mut self, length: usize) -> usize {
        self.below(if length == 0 { 1 } else { length as u64 }) as usize
    }
}
