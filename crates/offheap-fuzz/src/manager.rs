//! Blocks, pins, views, reallocations and the limit, of one or two isolates.

#[expect(dead_code, reason = "the other tests use the rest")]
#[path = "../../offheap-core/tests/manager_model/common.rs"]
mod common;
#[path = "../../offheap-core/tests/manager_model/model.rs"]
mod model;

use crate::Random;
use common::{address, assert_all_free, assert_stamp, isolate, manager, read, stats, write_stamp};
pub use model::play;
