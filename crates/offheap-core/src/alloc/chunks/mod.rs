//! Chunks: what a `MemoryBlock` stands on. Up to 32 KiB a slot of a span of one size class, which is cut
//! from a piece of address space; above that a run of pages of one size class. A chunk is cut once and keeps its tracker
//! record for good, so a free chunk IS a free record: the class's free stack is a stack of slots.

mod cache;
pub mod classes;
mod pieces;
mod quarantine;
mod runs;
mod segment;
mod store;
mod trim;

pub use cache::{Cache, capacity};
pub use store::Chunks;

#[cfg(test)]
mod tests;
