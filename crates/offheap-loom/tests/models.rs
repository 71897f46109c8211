//! All models.
#![cfg(loom)]

#[path = "models/arenas.rs"]
mod arenas;
#[path = "models/bitmaps.rs"]
mod bitmaps;
#[path = "models/blocks.rs"]
mod blocks;
#[path = "models/claims.rs"]
mod claims;
#[path = "models/jobs.rs"]
mod jobs;
#[path = "models/loans.rs"]
mod loans;
#[path = "models/places.rs"]
mod places;
#[path = "models/recalls.rs"]
mod recalls;
#[path = "models/records.rs"]
mod records;
#[path = "models/rings.rs"]
mod rings;
#[path = "models/script.rs"]
mod script;
#[path = "models/shares.rs"]
mod shares;
#[path = "models/spills.rs"]
mod spills;
#[path = "models/stacks.rs"]
mod stacks;
