//! The whole of the public interface in one manager, and two isolates that come and end.

#[path = "../../offheap-core/tests/api/blocks.rs"]
mod blocks;
#[path = "../../offheap-core/tests/api/regions.rs"]
mod regions;
#[path = "../../offheap-core/tests/api/steps.rs"]
mod steps;
#[path = "../../offheap-core/tests/api/world.rs"]
mod world;

use crate::Random;
pub use steps::play;
