//! Alloc: strategies that decide which bytes a request gets. Offsets only, all metadata out of the
//! memory that JavaScript can write. The strategies do not know each other.
//! Room: alloc (3). May use: base, raw, tracker, ops.
#![forbid(unsafe_code)]

pub mod arena;
mod bitmap;
pub mod buddy;
pub mod chunks;
pub mod hybrid;
pub mod object_pool;
pub mod ring;
pub mod slab;
pub mod strategy;
