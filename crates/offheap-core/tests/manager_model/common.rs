//! Managers, blocks and their contents, as all tests of the manager make and read them.

use offheap_core::manager::{Isolate, Manager, Request};
use offheap_core::ops::{self, CopyMode};
use offheap_core::raw::bytes::Bytes;
use offheap_core::report::{self, Stats};
use offheap_core::tracker::label::Label;
use offheap_core::tracker::state::{AlignmentCode, Generation, Handle};
use std::sync::LazyLock;

/// Whether this system takes pages back; the portable fallback only says that it did nothing.
pub const GIVES_PAGES_BACK: bool = !cfg!(offheap_portable);
pub const MIB: u64 = 1 << 20;

/// A manager of a test's own, which lives for ever as the process's one does.
pub fn manager() -> &'static Manager {
    Box::leak(Box::default())
}

/// A door with the smallest table.
pub fn isolate(manager: &'static Manager) -> Isolate {
    Isolate::open(manager, Some(0)).unwrap()
}

pub fn request(size: u64) -> Request {
    Request { size, alignment: AlignmentCode::WORD, zeroed: false, label: Label::NONE }
}

pub fn stats(manager: &Manager) -> Stats {
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

pub fn write_stamp(isolate: &Isolate, handle: Handle, stamp: u16, size: u64) {
    let mut source = noise(stamp, size).to_vec();
    ops::copy(isolate.bytes(handle, 0, size).unwrap(), Bytes::from_mut(&mut source), CopyMode::Normal)
        .unwrap();
}

/// The block's first `size` bytes are those of its stamp.
#[track_caller]
pub fn assert_stamp(isolate: &Isolate, handle: Handle, stamp: u16, size: u64) {
    assert!(read(isolate, handle, size) == noise(stamp, size), "{size} bytes of {handle:?} changed");
}

pub fn read(isolate: &Isolate, handle: Handle, size: u64) -> Vec<u8> {
    let mut copy = vec![0; size as usize];
    ops::snapshot(isolate.bytes(handle, 0, size).unwrap(), &mut copy).unwrap();
    copy
}

pub fn address(isolate: &Isolate, handle: Handle) -> u64 {
    isolate.bytes(handle, 0, 1).unwrap().address() as u64
}

/// Frees a block, and lets its record be at its last generations when it is begun again.
pub fn free_and_age(isolate: &Isolate, handle: Handle, lives_left: u32) {
    isolate.free(handle).unwrap();
    isolate.manager().tracker.age(handle.slot, Generation(Generation::MAX.0 - 2 * lives_left));
}

/// What must hold when nothing is live any more.
#[track_caller]
pub fn assert_all_free(manager: &Manager) {
    manager.tracker.check().unwrap();
    let stats = stats(manager);
    assert_eq!((stats.current_allocated, stats.active_blocks), (0, 0));
    assert_eq!((stats.min_block_size, stats.max_block_size), (0, 0));
    assert_eq!(stats.total_allocated, stats.total_freed);
    assert!(report::rows(&manager.tracker, &manager.chunks).is_empty());
}
