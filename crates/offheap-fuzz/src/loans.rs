//! Named allocators of one or two isolates, whose scripts hand out what is lent to them.

#[path = "../../offheap-core/tests/loans/arenas.rs"]
mod arenas;
#[expect(dead_code, reason = "the other tests use the rest")]
#[path = "../../offheap-core/tests/loans/common.rs"]
mod common;
#[path = "../../offheap-core/tests/loans/model.rs"]
mod model;
#[path = "../../offheap-core/tests/loans/rings.rs"]
mod rings;
#[expect(dead_code, reason = "the other tests use the rest")]
#[path = "../../offheap-core/tests/loans/script.rs"]
mod script;
#[path = "../../offheap-core/tests/loans/world.rs"]
mod world;

use crate::Random;
pub use arenas::play as play_arena;
use common::{LENDING, MIB, assert_all_free, figures, lending, lent, manager, measures, stats};
pub use model::play;
pub use rings::play as play_ring;
