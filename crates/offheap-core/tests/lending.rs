//! What is lent to an isolate, with scripts in Rust that play JavaScript's part against its table.
//!
//! Properties:
//! - `model`: whatever scripts and native calls do in turns, also when an isolate ends between two stores of its
//!   script, no two live blocks share a byte, contents stay, figures, rows and ids are those of plain sets, and what
//!   was freed is dead for everybody.
//! - `classes`: what may be lent, and when: never what was viewed, nothing while a limit is set, no record without a
//!   life left; before memory runs out all of it comes back.
//! - `pooled`: a pool's limits, figures and zeros are the same whoever hands its blocks out.
//! - `ends`: an isolate that stops between any two stores of its script leaves nothing live, nothing lent and exact
//!   totals.
//! - `threads`: rows and sums are whole and the limit is exact for other threads, too.

#[path = "lending/classes.rs"]
mod classes;
#[path = "lending/ends.rs"]
mod ends;
#[path = "lending/model.rs"]
mod model;
#[path = "lending/pooled.rs"]
mod pooled;
#[path = "lending/script.rs"]
mod script;
#[path = "lending/threads.rs"]
mod threads;
#[path = "lending/world.rs"]
mod world;

use offheap_core::manager::{Isolate, Manager, Request};
use offheap_core::report::{self, Stats};
use offheap_core::tracker::label::Label;
use offheap_core::tracker::state::AlignmentCode;
use offheap_core::tracker::table::Tracker;

/// A manager of a test's own, which lives for ever as the process's one does.
fn manager() -> &'static Manager {
    Box::leak(Box::default())
}

/// One with a single segment of records, which a test can use up.
fn small_manager() -> &'static Manager {
    let mut manager = Manager::default();
    manager.tracker = Tracker::with_segments(1);
    Box::leak(Box::new(manager))
}

/// A door through which a script hands blocks out.
fn lending(manager: &'static Manager) -> Isolate {
    Isolate::open_lending(manager, None, true).unwrap()
}

/// What a magazine serves.
const fn plain(size: u64) -> Request {
    Request { size, alignment: AlignmentCode::WORD, zeroed: false, label: Label::NONE }
}

fn stats(manager: &Manager) -> Stats {
    report::stats(&manager.tracker, &manager.chunks)
}

/// A small random generator.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        (self.0 >> 33) % limit
    }
}
