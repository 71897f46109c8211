//! The manager through its public interface, against a plain map, and under threads.
//!
//! Properties:
//! - `model`: in any sequence of operations of one or two isolates, blocks do not overlap, lie at
//!   their alignment, keep their bytes through a reallocation; every refusal has the right code and
//!   numbers; figures, rows and ids are those of a map; in the end everything is free.
//! - `misuse`: a handle of the past gets an error and touches nothing; so does a pinned block, a block
//!   of another isolate's buffers, and a size that cannot be.
//! - `moves`: a reallocation that fails in any step leaves the block as it was; a peak counts a block once.
//! - `ends`: an isolate that ends frees what nobody viewed and leaves what was, counted once.
//! - `collect`: a block is collected when its last buffer is gone, its handle too, and no pin holds it; a
//!   buffer of an earlier owner says nothing of a later one; escaped memory comes back.
//! - `clean`: zeroed blocks read zero, whoever wrote the chunk before, also where pages cannot be given back.
//! - `threads`: blocks of four threads never share a byte; the limit holds to the byte and refuses
//!   only what does not fit; totals are exact after the join; ids never repeat.

#[path = "manager_model/clean.rs"]
mod clean;
#[path = "manager_model/collect.rs"]
mod collect;
#[path = "manager_model/ends.rs"]
mod ends;
#[path = "manager_model/misuse.rs"]
mod misuse;
#[path = "manager_model/model.rs"]
mod model;
#[path = "manager_model/moves.rs"]
mod moves;
#[path = "manager_model/threads.rs"]
mod threads;

use offheap_core::manager::{Isolate, Manager, Request};
use offheap_core::ops::{self, CopyMode};
use offheap_core::raw::bytes::Bytes;
use offheap_core::report::{self, Stats};
use offheap_core::tracker::label::Label;
use offheap_core::tracker::state::{AlignmentCode, Generation, Handle};
use std::sync::LazyLock;

/// Whether this system takes pages back; the portable fallback only says that it did nothing.
const GIVES_PAGES_BACK: bool = !cfg!(offheap_portable);
const MIB: u64 = 1 << 20;

/// A manager of a test's own, which lives for ever as the process's one does.
fn manager() -> &'static Manager {
    Box::leak(Box::default())
}

/// A door with the smallest table.
fn isolate(manager: &'static Manager) -> Isolate {
    Isolate::open(manager, Some(0)).unwrap()
}

fn request(size: u64) -> Request {
    Request { size, alignment: AlignmentCode::WORD, zeroed: false, label: Label::NONE }
}

fn stats(manager: &Manager) -> Stats {
    report::stats(&manager.tracker, &manager.chunks)
}

/// Bytes in which every stretch differs from every other.
static NOISE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut state = 1_u64;
    let mut next = || {
        state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        (state >> 56) as u8
    };
    (0..(4 << 20) + 65_536).map(|_| next()).collect()
});

/// The bytes that a block of up to 4 MiB gets for a stamp.
fn noise(stamp: u16, size: u64) -> &'static [u8] {
    &NOISE[usize::from(stamp)..][..size as usize]
}

fn write_stamp(isolate: &Isolate, handle: Handle, stamp: u16, size: u64) {
    let mut source = noise(stamp, size).to_vec();
    ops::copy(isolate.bytes(handle, 0, size).unwrap(), Bytes::from_mut(&mut source), CopyMode::Normal)
        .unwrap();
}

/// The block's first `size` bytes are those of its stamp.
#[track_caller]
fn assert_stamp(isolate: &Isolate, handle: Handle, stamp: u16, size: u64) {
    assert!(read(isolate, handle, size) == noise(stamp, size), "{size} bytes of {handle:?} changed");
}

fn read(isolate: &Isolate, handle: Handle, size: u64) -> Vec<u8> {
    let mut copy = vec![0; size as usize];
    ops::snapshot(isolate.bytes(handle, 0, size).unwrap(), &mut copy).unwrap();
    copy
}

fn address(isolate: &Isolate, handle: Handle) -> u64 {
    isolate.bytes(handle, 0, 1).unwrap().address() as u64
}

/// Frees a block, and lets its record be at its last generations when it is begun again.
fn free_and_age(isolate: &Isolate, handle: Handle, lives_left: u32) {
    isolate.free(handle).unwrap();
    isolate.manager().tracker.age(handle.slot, Generation(Generation::MAX.0 - 2 * lives_left));
}

/// What must hold when nothing is live any more.
#[track_caller]
fn assert_all_free(manager: &Manager) {
    manager.tracker.check().unwrap();
    let stats = stats(manager);
    assert_eq!((stats.current_allocated, stats.active_blocks), (0, 0));
    assert_eq!((stats.min_block_size, stats.max_block_size), (0, 0));
    assert_eq!(stats.total_allocated, stats.total_freed);
    assert!(report::rows(&manager.tracker, &manager.chunks).is_empty());
}

/// A small random generator, so that threads need no lock to draw from.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        (self.0 >> 33) % limit
    }
}
