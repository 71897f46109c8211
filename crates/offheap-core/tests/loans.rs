//! What allocators lend to an isolate: freed grants and pieces of arenas, with scripts in Rust that play JavaScript's
//! part against its table.
//!
//! Properties:
//! - `model`: whatever scripts and native calls do in turns, also when an isolate ends between two stores of its
//!   script, no two live grants share a byte, contents stay, figures and rows are those of plain sets, what was freed
//!   is dead for everybody, and what is full was full.
//! - `arenas`: the same of arenas: positions, marks and figures are those of a position that only moves forward.
//! - `figures`: hits of an object pool and bytes that were asked, also past what a word of the table counts.
//! - `ranges`: what a hybrid serves from no slab: up to which size it is lent, or waits, and what takes it back.
//! - `recalls`: who recalls what others have ready, for what, and what it costs them.
//! - `refills`: slots that are cut in advance: how many, of what, in which order, and when not.
//! - `rules`: what is lent and when, and what makes a record speak again.
//! - `shares`: another isolate that comes, resets, closes; what becomes of loans, magazines and figures then.
//! - `stretches`: pieces of arenas: who gets them, and what is left of them.
//! - `ends`: an isolate that stops between any two stores of its script leaves nothing live, nothing lent and exact
//!   figures.
//! - `threads`: the same while both isolates run at once.

#[path = "loans/arenas.rs"]
mod arenas;
#[path = "loans/ends.rs"]
mod ends;
#[path = "loans/figures.rs"]
mod figures;
#[path = "loans/model.rs"]
mod model;
#[path = "loans/ranges.rs"]
mod ranges;
#[path = "loans/recalls.rs"]
mod recalls;
#[path = "loans/refills.rs"]
mod refills;
#[path = "loans/rules.rs"]
mod rules;
#[path = "loans/script.rs"]
mod script;
#[path = "loans/shares.rs"]
mod shares;
#[path = "loans/stretches.rs"]
mod stretches;
#[path = "loans/threads.rs"]
mod threads;
#[path = "loans/world.rs"]
mod world;

use offheap_core::base::error::{Code, Result};
use offheap_core::manager::allocators::{AllocatorId, AllocatorStats, Kind, Measures, assume_fence};
use offheap_core::manager::{Isolate, Manager};
use offheap_core::tracker::state::AlignmentCode;

const MIB: u64 = 1 << 20;
/// Kinds that lend what was freed.
const LENDING: [Kind; 4] = [Kind::Buddy, Kind::Slab, Kind::ObjectPool, Kind::Hybrid];

/// A manager of a test's own, which lives for ever as the process's one does.
fn manager() -> &'static Manager {
    assume_fence(); // the scripts bring their own
    Box::leak(Box::default())
}

/// A door through which a script hands grants out.
fn lending(manager: &'static Manager) -> Isolate {
    Isolate::open_lending(manager, None, true).unwrap()
}

fn measures(kind: Kind, total: u64) -> Measures {
    Measures { kind, total, alignment: AlignmentCode::WORD, overwrite: false }
}

fn code<T: std::fmt::Debug>(result: Result<T>) -> Code {
    result.unwrap_err().code
}

/// Figures as they are, with whatever lies ready.
#[track_caller]
fn figures(isolate: &Isolate, id: AllocatorId) -> AllocatorStats {
    let allocator = isolate.manager().allocators.get(id).unwrap();
    allocator.check().unwrap();
    isolate.manager().tracker.check().unwrap();
    allocator.stats(isolate.manager())
}

/// Figures as the isolate's JavaScript gets them.
#[track_caller]
fn stats(isolate: &Isolate, id: AllocatorId) -> AllocatorStats {
    isolate.settle_loans(id);
    figures(isolate, id)
}

/// What must hold when nothing is live in an allocator.
#[track_caller]
fn assert_all_free(isolate: &Isolate, id: AllocatorId) {
    let stats = stats(isolate, id);
    assert_eq!((stats.blocks, stats.requested, stats.held, stats.free), (0, 0, 0, stats.total));
}

/// How many records are lent to anybody.
fn lent(manager: &Manager) -> usize {
    let mut count = 0;
    for table in manager.tracker.tables.all() {
        manager.tracker.each_lent(&table, |_, _| count += 1);
    }
    count
}

/// A small random generator.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        (self.0 >> 33) % limit
    }
}
