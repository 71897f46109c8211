//! The manager through its public interface, against a plain map, and under threads.
//!
//! Properties:
//! - `model`, `properties`: in any sequence of operations of one or two isolates, blocks do not overlap, lie at
//!   their alignment, keep their bytes through a reallocation; every refusal has the right code and
//!   numbers; figures, rows and ids are those of a map; in the end everything is free.
//! - `misuse`: a handle of the past gets an error and touches nothing; so does a pinned block, a block
//!   of another isolate's buffers, and a size that cannot be.
//! - `moves`: a reallocation that fails in any step leaves the block as it was; a peak counts a block once.
//! - `ends`: an isolate that ends frees what nobody viewed and leaves what was, counted once.
//! - `collect`: a block is collected when its last buffer is gone, its handle too, and no pin holds it; a
//!   buffer of an earlier owner says nothing of a later one; escaped memory comes back.
//! - `clean`: zeroed blocks read zero, whoever wrote the chunk before, also where pages cannot be given back.
//! - `threads`: blocks of four threads never share a byte; the limit holds to the byte and refuses
//!   only what does not fit; totals are exact after the join; ids never repeat.

#[path = "manager_model/clean.rs"]
mod clean;
#[path = "manager_model/collect.rs"]
mod collect;
#[path = "manager_model/common.rs"]
mod common;
#[path = "shared/corpus.rs"]
mod corpus;
#[path = "manager_model/ends.rs"]
mod ends;
#[path = "manager_model/misuse.rs"]
mod misuse;
#[path = "manager_model/model.rs"]
mod model;
#[path = "manager_model/moves.rs"]
mod moves;
#[path = "manager_model/properties.rs"]
mod properties;
#[path = "shared/random.rs"]
mod random;
#[path = "manager_model/threads.rs"]
mod threads;

use common::{
    GIVES_PAGES_BACK, MIB, address, assert_all_free, assert_stamp, free_and_age, isolate, manager, read,
    request, stats, write_stamp,
};
use random::Random;
