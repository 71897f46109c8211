//! Jobs: threads that work at an operation, and one that stops it.

use offheap_core::ops::CopyMode;
use offheap_core::ops::job::Job;
use offheap_core::raw::bytes::Bytes;
use offheap_loom::{explore, explore_exactly, join, spawn};
use std::sync::Arc;

const SIZE: u64 = 16;

/// Bytes of one execution, which stay: less than a piece.
fn bytes(size: usize) -> Bytes<'static> {
    Bytes::from_mut(Box::leak(vec![0; size].into_boxed_slice()))
}

#[test]
fn whoever_waited_for_a_stop_finds_all_done_or_nothing_and_nobody_at_work() {
    explore_exactly(None, [0, SIZE], || {
        let job = Arc::new(Job::fill(bytes(SIZE as usize), 1));
        let other = {
            let job = Arc::clone(&job);
            spawn(move || job.run())
        };
        job.stop_and_wait();
        let done_bytes = job.done_bytes();
        join(other);
        assert_eq!(job.done_bytes(), done_bytes, "a piece was begun after the stop");
        done_bytes
    });
}

/// Two threads copy 16 bytes from `offset` to the start of the same memory.
fn two_copy_from(offset: u64) {
    explore(None, move || {
        let all = bytes(2 * SIZE as usize);
        let part = |offset| all.slice(offset, SIZE).unwrap();
        let job = Arc::new(Job::copy(part(0), part(offset), CopyMode::Normal).unwrap());
        let other = {
            let job = Arc::clone(&job);
            spawn(move || job.run())
        };
        job.run();
        join(other);
        assert_eq!(job.done_bytes(), SIZE);
    });
}

#[test]
fn of_two_who_copy_each_piece_has_one() {
    two_copy_from(SIZE);
}

#[test]
fn of_two_who_copy_between_ranges_that_overlap_each_piece_has_one() {
    two_copy_from(4);
}
