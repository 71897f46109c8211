//! All models.
#![cfg(loom)]

#[path = "models/arenas.rs"]
mod arenas;
#[path = "models/bitmaps.rs"]
mod bitmaps;
#[path = "models/blocks.rs"]
mod blocks;
#[path = "models/loans.rs"]
mod loans;
#[path = "models/records.rs"]
mod records;
#[path = "models/script.rs"]
mod script;
#[path = "models/stacks.rs"]
mod stacks;
