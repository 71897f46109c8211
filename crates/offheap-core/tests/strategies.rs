//! The laws of [`offheap_core::alloc::strategy::Strategy`], for all six.
//!
//! Properties:
//! - `contract`: law by law.
//! - `model`, `properties`: any sequence of operations does what a plain map does.
//! - `threads`: an owner's mark on every grant stays while others allocate and free.
//! - `arenas`: what only an arena has.
//! - `scattered`: what free bytes of each are of use for.

#[path = "strategies/arenas.rs"]
mod arenas;
#[path = "strategies/contract.rs"]
mod contract;
#[path = "shared/corpus.rs"]
mod corpus;
#[path = "strategies/house.rs"]
mod house;
#[path = "strategies/model.rs"]
mod model;
#[path = "strategies/properties.rs"]
mod properties;
#[path = "shared/random.rs"]
mod random;
#[path = "strategies/scattered.rs"]
mod scattered;
#[path = "strategies/threads.rs"]
mod threads;

use random::Random;
