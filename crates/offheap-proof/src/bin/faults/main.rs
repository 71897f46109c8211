//! What the library does when the heap or the system says no to every so many requests: one scene for each run, or `--list`.
//! Built with `--cfg offheap_faults`; without it there is nothing to order refusals from.
//!
//! Each refusal must come back as an error value. Nothing that was live may change by it, structures hold after every step,
//! and when all is freed the figures are what they were.
#![forbid(unsafe_code)]

#[cfg(offheap_faults)]
mod blocks;
#[cfg(offheap_faults)]
mod openings;
#[cfg(offheap_faults)]
mod orders;
#[cfg(offheap_faults)]
mod regions;

use std::process::ExitCode;

#[cfg(offheap_faults)]
#[global_allocator]
static HEAP: offheap_core::raw::faults::FailingHeap = offheap_core::raw::faults::FailingHeap;

#[cfg(offheap_faults)]
type Scene = fn(u64);

/// By name. The first one is the leak that must be reported. The number says how many seeds each order is tried with.
#[cfg(offheap_faults)]
const SCENES: [(&str, Scene); 11] = [
    ("canary", openings::a_page_is_lost),
    ("opening an isolate", openings::isolates),
    ("opening an allocator", openings::allocators),
    ("blocks", blocks::blocks),
    ("blocks, views and shares", blocks::viewed_and_shared),
    ("pools", blocks::pools),
    ("buddy and slab", regions::buddy_and_slab),
    ("arena and ring", regions::arena_and_ring),
    ("object pool and hybrid", regions::object_pool_and_hybrid),
    ("lending", regions::lending),
    ("ended isolates", blocks::ends),
];

#[cfg(offheap_faults)]
fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let wanted = words.next().unwrap_or_default();
    if wanted == "--list" {
        SCENES.iter().for_each(|(name, _)| println!("{name}"));
        return ExitCode::SUCCESS;
    }
    let seeds = words.next().map_or(Some(1), |word| word.parse().ok());
    let Some(((_, scene), seeds)) = SCENES.iter().find(|(name, _)| *name == wanted).zip(seeds) else {
        eprintln!("Usage: faults --list | NAME [SEEDS]");
        return ExitCode::from(2);
    };
    scene(seeds);
    println!("{} refusals", offheap_core::raw::faults::given().refusals);
    ExitCode::SUCCESS
}

#[cfg(not(offheap_faults))]
fn main() -> ExitCode {
    eprintln!("Build it with --cfg offheap_faults.");
    ExitCode::from(2)
}
