//! Managers, doors and figures, as all tests here make and read them.

use offheap_core::manager::{Isolate, Manager, Request};
use offheap_core::report::{self, Stats};
use offheap_core::tracker::label::Label;
use offheap_core::tracker::state::AlignmentCode;
use offheap_core::tracker::table::Tracker;

/// A manager of a test's own, which lives for ever as the process's one does.
pub fn manager() -> &'static Manager {
    Box::leak(Box::default())
}

/// One with a single segment of records, which a test can use up.
pub fn small_manager() -> &'static Manager {
    let mut manager = Manager::default();
    manager.tracker = Tracker::with_segments(1);
    Box::leak(Box::new(manager))
}

/// A door through which a script hands blocks out.
pub fn lending(manager: &'static Manager) -> Isolate {
    Isolate::open_lending(manager, None, true).unwrap()
}

/// What a magazine serves.
pub const fn plain(size: u64) -> Request {
    Request { size, alignment: AlignmentCode::WORD, zeroed: false, label: Label::NONE }
}

pub fn stats(manager: &Manager) -> Stats {
    report::stats(&manager.tracker, &manager.chunks)
}
