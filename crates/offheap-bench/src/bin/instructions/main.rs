//! What `npm run bench:instructions` counts, under callgrind: `instructions NAME` runs one scene, `instructions` prints
//! the names.
//!
//! A scene runs once to warm up, and then twice in [`counted`], the second time with twice as many operations: the
//! difference of the two counts is what so many operations execute, without whatever a run costs as such. Nothing here may depend
//! on time, on addresses, or on random numbers, and no other thread is at work meanwhile.
#![forbid(unsafe_code)]

mod alarm;
mod blocks;
mod operations;
mod pools;
mod regions;
mod strategies;
mod tracker;

use std::process::ExitCode;

use offheap_core::manager::{Isolate, Manager, Request};
use offheap_core::tracker::label::Label;
use offheap_core::tracker::state::AlignmentCode;

/// How many operations are counted. What happens each so many of them (a refill, a reset, a scan) happens each 2^k, so
/// that it does equally often among any so many.
const OPERATIONS: u64 = 4096;
/// How many blocks, grants or records are alive at a time where the order is random.
const ALIVE: usize = 1024;

/// What is counted, prepared.
struct Scene {
    /// Does so many operations.
    run: Box<dyn FnMut(u64)>,
    /// Panics when what was done is not right.
    check: Box<dyn Fn()>,
}

impl Scene {
    fn new(run: impl FnMut(u64) + 'static, check: impl Fn() + 'static) -> Self {
        Self { run: Box::new(run), check: Box::new(check) }
    }
}

/// A name, and what prepares the scene.
type Row = (&'static str, fn() -> Scene);

fn rows() -> impl Iterator<Item = Row> {
    [blocks::ROWS, pools::ROWS, regions::ROWS, strategies::ROWS, tracker::ROWS, operations::ROWS]
        .into_iter()
        .flatten()
        .copied()
}

/// Callgrind counts while this runs, and writes its count down when it returns: it knows it by this name.
#[inline(never)]
fn counted(scene: &mut Scene, operations: u64) {
    (scene.run)(operations);
}

fn main() -> ExitCode {
    let Some(name) = std::env::args().nth(1) else {
        rows().for_each(|(name, _)| println!("{name}"));
        return ExitCode::SUCCESS;
    };
    let Some((_, prepare)) = rows().chain(alarm::ROWS.iter().copied()).find(|row| row.0 == name) else {
        eprintln!("No scene is called '{name}'.");
        return ExitCode::FAILURE;
    };
    let mut scene = prepare();
    (scene.check)();
    (scene.run)(OPERATIONS);
    counted(&mut scene, OPERATIONS);
    counted(&mut scene, 2 * OPERATIONS);
    (scene.check)();
    println!("{OPERATIONS} operations, {} vectors", vectors());
    ExitCode::SUCCESS
}

/// Which loops the processor (or who emulates it) makes the library and libc choose.
fn vectors() -> &'static str {
    #[cfg(target_arch = "x86_64")]
    {
        if std::arch::is_x86_feature_detected!("avx512bw") {
            return "AVX-512";
        }
        if std::arch::is_x86_feature_detected!("avx2") { "AVX2" } else { "SSE2" }
    }
    #[cfg(not(target_arch = "x86_64"))]
    "baseline"
}

// === What scenes share ===

/// A manager that lives for ever, as the process's one does, and an isolate whose script hands out nothing by itself.
fn isolate() -> &'static Isolate {
    let manager: &'static Manager = Box::leak(Box::default());
    let isolate = Isolate::open(manager, Some(0)).expect("the system has memory");
    Box::leak(Box::new(isolate))
}

const fn request(size: u64) -> Request {
    Request { size, alignment: AlignmentCode::WORD, zeroed: false, label: Label::NONE }
}

/// Indices below [`ALIVE`], the same in every run.
struct Order(u64);

impl Order {
    const fn new() -> Self {
        Self(1)
    }

    const fn next(&mut self) -> usize {
        self.0 = self.0.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        (self.0 >> 33) as usize % ALIVE
    }
}
