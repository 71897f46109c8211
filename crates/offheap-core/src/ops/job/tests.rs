//! Jobs against the plain operations, by one thread and by several.

use std::cmp::Ordering as Order;
use std::thread;

use super::Job;
use crate::base::error::{Code, Error};
use crate::ops::{CopyMode, copy};
use crate::raw::bytes::Bytes;
use crate::raw::mem::Element;

/// Small, so that a debug build has many of them.
const PIECE_BYTES: usize = 64 << 10;

/// Sizes around the borders of pieces.
const SIZES: [usize; 5] = [0, 16, PIECE_BYTES, 2 * PIECE_BYTES + 48, 3 * PIECE_BYTES - 16];

fn numbered(size: usize) -> Vec<u8> {
    (0..size).map(|index| (index * 7 % 251) as u8).collect()
}

fn cut(mut job: Job<'_>) -> Job<'_> {
    job.piece_bytes = PIECE_BYTES;
    job
}

fn run(job: &Job<'_>, threads: usize) {
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| job.run());
        }
    });
}

#[test]
fn a_copy_by_several_threads_is_that_of_one() {
    for size in SIZES {
        for mode in [CopyMode::Normal, CopyMode::NonTemporal, CopyMode::SwapEndian(Element::E4)] {
            let (mut source, mut target, mut expected) = (numbered(size), vec![0xEE; size], vec![0; size]);
            copy(Bytes::from_mut(&mut expected), Bytes::from_mut(&mut source), mode).unwrap();
            let job =
                cut(Job::copy(Bytes::from_mut(&mut target), Bytes::from_mut(&mut source), mode).unwrap());
            run(&job, 3);
            assert_eq!(job.done_bytes(), size as u64);
            assert!(target == expected, "{size} bytes, {mode:?}");
        }
    }
}

#[test]
fn overlapping_ranges_are_copied_as_through_a_temporary_however_many_threads_come() {
    let size = 2 * PIECE_BYTES + 80;
    for distance in [0, 16, 4096, PIECE_BYTES - 16, PIECE_BYTES, PIECE_BYTES + 16, 2 * PIECE_BYTES] {
        for (target, source) in [(0, distance), (distance, 0)] {
            for mode in [CopyMode::Normal, CopyMode::NonTemporal, CopyMode::SwapEndian(Element::E16)] {
                let mut buffer = numbered(size + distance);
                let mut expected = buffer.clone();
                expected.copy_within(source..source + size, target);
                if let CopyMode::SwapEndian(element) = mode {
                    expected[target..target + size].chunks_mut(element.bytes()).for_each(<[u8]>::reverse);
                }
                let all = Bytes::from_mut(&mut buffer);
                let range = |offset: usize| all.slice(offset as u64, size as u64).unwrap();
                let job = cut(Job::copy(range(target), range(source), mode).unwrap());
                assert_eq!(job.threads_max(), if distance == 0 { 3 } else { 1 });
                run(&job, 2);
                assert!(buffer == expected, "from {source} to {target}, {mode:?}");
            }
        }
    }
}

#[test]
fn a_fill_by_several_threads_reaches_every_byte() {
    for size in SIZES {
        let mut target = numbered(size);
        run(&cut(Job::fill(Bytes::from_mut(&mut target), 0xA5)), 3);
        assert!(target.iter().all(|byte| *byte == 0xA5), "{size} bytes");
    }
}

#[test]
fn of_many_differences_the_first_decides() {
    let size = 4 * PIECE_BYTES;
    for first in [0, PIECE_BYTES - 1, PIECE_BYTES, 3 * PIECE_BYTES + 9] {
        let (mut one, mut other) = (numbered(size), numbered(size));
        one[first] = 1;
        other[first] = 2;
        for place in (first + 1..size).step_by(PIECE_BYTES) {
            one[place] = 2;
            other[place] = 1;
        }
        let job = cut(Job::compare(Bytes::from_mut(&mut one), Bytes::from_mut(&mut other)).unwrap());
        run(&job, 4);
        assert_eq!(job.order(), Order::Less, "{first}");
    }
    let (mut one, mut other) = (numbered(size), numbered(size));
    let job = cut(Job::compare(Bytes::from_mut(&mut one), Bytes::from_mut(&mut other)).unwrap());
    run(&job, 2);
    assert_eq!((job.order(), job.done_bytes()), (Order::Equal, size as u64));
}

#[test]
fn after_a_stop_no_piece_is_begun() {
    let mut target = vec![0; 2 * PIECE_BYTES];
    let job = cut(Job::fill(Bytes::from_mut(&mut target), 1));
    job.stop_and_wait();
    run(&job, 2);
    assert_eq!(job.done_bytes(), 0);
    assert!(target.iter().all(|byte| *byte == 0));
}

#[test]
fn when_a_stop_has_been_waited_for_nobody_writes_any_more() {
    for _ in 0..20 {
        let mut target = vec![0_u8; 240 * PIECE_BYTES];
        let job = cut(Job::fill(Bytes::from_mut(&mut target), 1));
        thread::scope(|scope| {
            let threads = [scope.spawn(|| job.run()), scope.spawn(|| job.run())];
            while job.done_bytes() == 0 {
                thread::yield_now();
            }
            job.stop_and_wait();
            let done_bytes = job.done_bytes();
            for thread in threads {
                thread.join().unwrap();
            }
            assert_eq!(job.done_bytes(), done_bytes);
        });
    }
}

#[test]
fn what_the_plain_operations_refuse_is_no_job() {
    let (mut one, mut other) = ([0; 6], [0; 4]);
    let (one, other) = (Bytes::from_mut(&mut one), Bytes::from_mut(&mut other));
    let refused = Error::new(Code::OutOfRange, 4, 6);
    assert_eq!(Job::copy(one, other, CopyMode::Normal).unwrap_err(), refused);
    assert_eq!(Job::compare(other, one).unwrap_err(), refused);
    let swap = CopyMode::SwapEndian(Element::E4);
    assert_eq!(Job::copy(one, one, swap).unwrap_err(), Error::new(Code::InvalidValue, 6, 4));
}
