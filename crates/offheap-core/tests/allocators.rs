//! Allocators through the manager's public interface: all six kinds, named regions, records, isolates.
//!
//! Properties:
//! - `contract`: what a user may do with any kind, and what each misuse gets; nothing changes then.
//! - `mappings`: large grants of a hybrid give their pages back when they end, and nobody else's.
//! - `names`: one allocator per name and process; the limit; closing and opening again.
//! - `ends`: pins hold off every end; resets, rewinds and the end of an isolate give everything back.
//! - `rows`: statistics and rows are those of what is live.
//! - `waiting`: what an isolate freed and keeps is free for everybody, and nobody's until it is granted again.
//! - `threads`: grants of four isolates never share a byte, also beside resets; totals are exact.

#[path = "allocators/contract.rs"]
mod contract;
#[path = "allocators/ends.rs"]
mod ends;
#[cfg(not(windows))] // whose pages keep their bytes until it needs them
#[path = "allocators/mappings.rs"]
mod mappings;
#[path = "allocators/names.rs"]
mod names;
#[path = "allocators/rows.rs"]
mod rows;
#[path = "allocators/threads.rs"]
mod threads;
#[path = "allocators/waiting.rs"]
mod waiting;

use offheap_core::base::error::{Code, Result};
use offheap_core::manager::allocators::{AllocatorId, AllocatorStats, Kind, Measures, Taken};
use offheap_core::manager::{Isolate, Manager};
use offheap_core::ops;
use offheap_core::tracker::label::Label;
use offheap_core::tracker::state::AlignmentCode;

const MIB: u64 = 1 << 20;
/// Kinds whose grants have a record each.
const RECORDED: [Kind; 5] = [Kind::Buddy, Kind::Slab, Kind::Ring, Kind::ObjectPool, Kind::Hybrid];

/// A manager of a test's own, which lives for ever as the process's one does.
fn manager() -> &'static Manager {
    Box::leak(Box::default())
}

fn isolate(manager: &'static Manager) -> Isolate {
    Isolate::open(manager, Some(0)).unwrap()
}

fn measures(kind: Kind, total: u64) -> Measures {
    Measures { kind, total, alignment: AlignmentCode::WORD, overwrite: false }
}

/// An allocator of a kind, named by it.
fn open(isolate: &Isolate, kind: Kind, total: u64) -> AllocatorId {
    isolate.open_allocator(&format!("{kind:?}"), measures(kind, total)).unwrap()
}

fn allocate(isolate: &Isolate, id: AllocatorId, size: u64) -> Taken {
    isolate.allocate_in(id, size, Label::NONE).unwrap()
}

fn code<T: std::fmt::Debug>(result: Result<T>) -> Code {
    result.unwrap_err().code
}

fn stats(isolate: &Isolate, id: AllocatorId) -> AllocatorStats {
    let allocator = isolate.manager().allocators.get(id).unwrap();
    allocator.check().unwrap();
    isolate.manager().tracker.check().unwrap();
    allocator.stats(isolate.manager())
}

/// Writes a byte over a grant.
fn stamp(isolate: &Isolate, id: AllocatorId, taken: Taken, value: u8) {
    let manager = isolate.manager();
    let allocator = manager.allocators.get(id).unwrap();
    ops::fill(allocator.bytes(manager, taken.offset, taken.granted).unwrap(), value);
}

/// Whether every byte of a grant is `value`.
fn reads(isolate: &Isolate, id: AllocatorId, taken: Taken, value: u8) -> bool {
    let manager = isolate.manager();
    let mut copy = vec![0; taken.granted as usize];
    let allocator = manager.allocators.get(id).unwrap();
    ops::snapshot(allocator.bytes(manager, taken.offset, taken.granted).unwrap(), &mut copy).unwrap();
    copy.iter().all(|byte| *byte == value)
}

/// What must hold when nothing is live in an allocator.
#[track_caller]
fn assert_all_free(isolate: &Isolate, id: AllocatorId) {
    let stats = stats(isolate, id);
    assert_eq!((stats.blocks, stats.requested, stats.held, stats.free), (0, 0, 0, stats.total));
}
