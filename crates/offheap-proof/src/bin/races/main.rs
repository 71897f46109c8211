//! What several threads do to the library at once, for ThreadSanitizer: one scene for each run, or `--list`.
//!
//! Shared words of the library are atomics, which are no race whatever their ordering; so each scene writes plain bytes where
//! a thread may believe that it is alone: over a record's memory, a grant, a block. An ordering that is too weak shows there.
#![forbid(unsafe_code)]

mod blocks;
mod canary;
mod lending;
mod regions;
mod strategies;
mod tracker;

use std::process::ExitCode;

/// By name. The first one is the bug that must be reported.
const SCENES: [(&str, fn()); 17] = [
    ("canary", canary::two_who_write_the_same_bytes),
    ("free stacks", tracker::chains_change_hands),
    ("records beside scans", tracker::records_change_hands),
    ("pins", tracker::records_are_pinned_by_others),
    ("buddy", strategies::buddy),
    ("slab", strategies::slab),
    ("arena", strategies::arena),
    ("ring", strategies::ring),
    ("object pool", strategies::object_pool),
    ("hybrid", strategies::hybrid),
    ("blocks", blocks::blocks_change_hands),
    ("shares", blocks::holders_come_and_go),
    ("regions", regions::one_isolate_then_several),
    ("arena, reset", regions::an_arena_is_reset_under_others),
    ("lending", lending::scripts_recall_each_other),
    ("lending, recalled", lending::what_is_recalled_is_written_at_once),
    ("lending, reset and close", lending::another_resets_and_closes),
];

fn main() -> ExitCode {
    let wanted = std::env::args().nth(1).unwrap_or_default();
    if wanted == "--list" {
        SCENES.iter().for_each(|(name, _)| println!("{name}"));
        return ExitCode::SUCCESS;
    }
    let Some((_, scene)) = SCENES.iter().find(|(name, _)| *name == wanted) else {
        eprintln!("Usage: races --list | NAME");
        return ExitCode::from(2);
    };
    offheap_proof::ask_system();
    scene();
    ExitCode::SUCCESS
}
