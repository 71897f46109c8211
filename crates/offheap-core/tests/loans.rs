//! What allocators lend to an isolate: freed grants and pieces of arenas, with scripts in Rust that play JavaScript's
//! part against its table.
//!
//! Properties:
//! - `model`, `sequences`: whatever scripts and native calls do in turns, also when an isolate ends between two stores of its
//!   script, no two live grants share a byte, contents stay, figures and rows are those of plain sets, what was freed
//!   is dead for everybody, and what is full was full.
//! - `arenas`: the same of arenas: positions, marks and figures are those of a position that only moves forward.
//! - `figures`: hits of an object pool and bytes that were asked, also past what a word of the table counts.
//! - `places`: places of rings: how many, who has them, and what ends them.
//! - `ranges`: what a hybrid serves from no slab: up to which size it is lent, or waits, and what takes it back.
//! - `recalls`: who recalls what others have ready, for what, and what it costs them.
//! - `refills`: slots that are cut in advance: how many, of what, in which order, and when not.
//! - `rings`: the same of rings: places, refusals and figures are those of a ring of which nothing is lent.
//! - `rules`: what is lent and when, and what makes a record speak again.
//! - `shares`: another isolate that comes, resets, closes; what becomes of loans, magazines and figures then.
//! - `stretches`: pieces of arenas: who gets them, and what is left of them.
//! - `ends`: an isolate that stops between any two stores of its script leaves nothing live, nothing lent and exact
//!   figures.
//! - `threads`: the same while both isolates run at once.

#[path = "loans/arenas.rs"]
mod arenas;
#[path = "loans/common.rs"]
mod common;
#[path = "shared/corpus.rs"]
mod corpus;
#[path = "loans/ends.rs"]
mod ends;
#[path = "loans/figures.rs"]
mod figures;
#[path = "loans/model.rs"]
mod model;
#[path = "loans/places.rs"]
mod places;
#[path = "shared/random.rs"]
mod random;
#[path = "loans/ranges.rs"]
mod ranges;
#[path = "loans/recalls.rs"]
mod recalls;
#[path = "loans/refills.rs"]
mod refills;
#[path = "loans/rings.rs"]
mod rings;
#[path = "loans/rules.rs"]
mod rules;
#[path = "loans/script.rs"]
mod script;
#[path = "loans/sequences.rs"]
mod sequences;
#[path = "loans/shares.rs"]
mod shares;
#[path = "loans/stretches.rs"]
mod stretches;
#[path = "loans/threads.rs"]
mod threads;
#[path = "loans/world.rs"]
mod world;

use common::{LENDING, MIB, assert_all_free, code, figures, lending, lent, manager, measures, stats};
use random::Random;
