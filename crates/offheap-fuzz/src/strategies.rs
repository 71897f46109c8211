//! All six strategies, each a target.

#[path = "../../offheap-core/tests/strategies/house.rs"]
pub mod house;
#[path = "../../offheap-core/tests/strategies/model.rs"]
mod model;

use crate::Random;
pub use model::play;
