//! The core alone, in nanoseconds and bytes a second: `cargo bench -p offheap-bench`, `… -- copy` for those whose names hold
//! a text, `… -- --test` to run each once. What is timed was checked first.

mod allocators;
mod blocks;
mod crew;
mod jobs;
mod ops;
mod threads;
mod tracker;

criterion::criterion_main!(
    tracker::benches,
    blocks::benches,
    allocators::benches,
    threads::benches,
    ops::benches,
    jobs::benches
);
