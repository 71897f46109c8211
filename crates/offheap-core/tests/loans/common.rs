//! Managers, doors and figures, as all tests here make and read them.

use offheap_core::base::error::{Code, Result};
use offheap_core::manager::allocators::{AllocatorId, AllocatorStats, Kind, Measures, assume_fence};
use offheap_core::manager::{Isolate, Manager};
use offheap_core::tracker::state::AlignmentCode;

pub const MIB: u64 = 1 << 20;
/// Kinds that lend what was freed.
pub const LENDING: [Kind; 4] = [Kind::Buddy, Kind::Slab, Kind::ObjectPool, Kind::Hybrid];

/// A manager of a test's own, which lives for ever as the process's one does.
pub fn manager() -> &'static Manager {
    assume_fence(); // the scripts bring their own
    Box::leak(Box::default())
}

/// A door through which a script hands grants out.
pub fn lending(manager: &'static Manager) -> Isolate {
    Isolate::open_lending(manager, None, true).unwrap()
}

pub fn measures(kind: Kind, total: u64) -> Measures {
    Measures { kind, total, alignment: AlignmentCode::WORD, overwrite: false }
}

pub fn code<T: std::fmt::Debug>(result: Result<T>) -> Code {
    result.unwrap_err().code
}

/// Figures as they are, with whatever lies ready.
#[track_caller]
pub fn figures(isolate: &Isolate, id: AllocatorId) -> AllocatorStats {
    let allocator = isolate.manager().allocators.get(id).unwrap();
    allocator.check().unwrap();
    isolate.manager().tracker.check().unwrap();
    allocator.stats(isolate.manager())
}

/// Figures as the isolate's JavaScript gets them.
#[track_caller]
pub fn stats(isolate: &Isolate, id: AllocatorId) -> AllocatorStats {
    isolate.settle_loans(id);
    figures(isolate, id)
}

/// What must hold when nothing is live in an allocator.
#[track_caller]
pub fn assert_all_free(isolate: &Isolate, id: AllocatorId) {
    let stats = stats(isolate, id);
    assert_eq!((stats.blocks, stats.requested, stats.held, stats.free), (0, 0, 0, stats.total));
}

/// How many records are lent to anybody.
pub fn lent(manager: &Manager) -> usize {
    let mut count = 0;
    for table in manager.tracker.tables.all() {
        manager.tracker.each_lent(&table, |_, _| count += 1);
    }
    count
}
