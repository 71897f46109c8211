//! What is lent to an isolate, with scripts in Rust that play JavaScript's part against its table.
//!
//! Properties:
//! - `model`, `sequences`: whatever scripts and native calls do in turns, also when an isolate ends between two stores of its
//!   script, no two live blocks share a byte, contents stay, figures, rows and ids are those of plain sets, and what
//!   was freed is dead for everybody.
//! - `classes`: what may be lent, and when: never what was viewed, nothing while a limit is set, no record without a
//!   life left; before memory runs out all of it comes back.
//! - `pooled`: a pool's limits, figures and zeros are the same whoever hands its blocks out.
//! - `ends`: an isolate that stops between any two stores of its script leaves nothing live, nothing lent and exact
//!   totals.
//! - `trims`: what is free is dead after a trim, though no word tells of it any more, and what lives is as it was.
//! - `threads`: rows and sums are whole and the limit is exact for other threads, too.

#[path = "lending/classes.rs"]
mod classes;
#[path = "lending/common.rs"]
mod common;
#[path = "shared/corpus.rs"]
mod corpus;
#[path = "lending/ends.rs"]
mod ends;
#[path = "lending/model.rs"]
mod model;
#[path = "lending/pooled.rs"]
mod pooled;
#[path = "shared/random.rs"]
mod random;
#[path = "lending/script.rs"]
mod script;
#[path = "lending/sequences.rs"]
mod sequences;
#[path = "lending/threads.rs"]
mod threads;
#[path = "lending/trims.rs"]
mod trims;
#[path = "lending/world.rs"]
mod world;

use common::{lending, manager, plain, small_manager, stats};
use random::Random;
