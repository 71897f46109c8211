//! Blocks and pools that isolates' scripts hand out, also when one ends between two stores.

#[expect(dead_code, reason = "the other tests use the rest")]
#[path = "../../offheap-core/tests/lending/common.rs"]
mod common;
#[path = "../../offheap-core/tests/lending/model.rs"]
mod model;
#[path = "../../offheap-core/tests/lending/script.rs"]
mod script;
#[path = "../../offheap-core/tests/lending/world.rs"]
mod world;

use crate::Random;
use common::{manager, plain, stats};
pub use model::play;
