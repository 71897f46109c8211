//! The whole of the public interface in one manager: blocks, pins, views, shares, reallocations, pools, the limit and named
//! allocators of two isolates that come and end.
//!
//! Properties:
//! - `blocks`, `regions`, `sequences`: whatever is done in turns, every answer is the one that plain lists give, and
//!   afterwards figures and rows are theirs, no two live ranges share a byte, and contents are whole.

#[path = "api/blocks.rs"]
mod blocks;
#[path = "shared/corpus.rs"]
mod corpus;
#[path = "shared/random.rs"]
mod random;
#[path = "api/regions.rs"]
mod regions;
#[path = "api/sequences.rs"]
mod sequences;
#[path = "api/steps.rs"]
mod steps;
#[path = "api/world.rs"]
mod world;

use random::Random;
