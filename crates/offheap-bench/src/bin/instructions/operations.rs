//! Memory operations on two pages of their own, aligned to pages: libc's loops take other ways at other alignments.

use std::cmp::Ordering;
use std::hint::black_box;

use offheap_core::manager::Request;
use offheap_core::ops::job::Job;
use offheap_core::ops::{self, AtomicOp, CopyMode, Element, Pattern};
use offheap_core::raw::bytes::Bytes;
use offheap_core::tracker::state::AlignmentCode;

use crate::{Row, Scene, isolate, request};

const KIB: usize = 1 << 10;

pub const ROWS: &[Row] = &[
    ("copy 64 B", || copied(64, CopyMode::Normal)),
    ("copy 4 KiB", || copied(4 * KIB, CopyMode::Normal)),
    ("copy, non-temporal, 4 KiB", || copied(4 * KIB, CopyMode::NonTemporal)),
    ("swap copy, 2-byte words, 4 KiB", || copied(4 * KIB, CopyMode::SwapEndian(Element::E2))),
    ("swap copy, 8-byte words, 64 B", || copied(64, CopyMode::SwapEndian(Element::E8))),
    ("swap copy, 8-byte words, 4 KiB", || copied(4 * KIB, CopyMode::SwapEndian(Element::E8))),
    ("swap in place, 8-byte words, 4 KiB", || swapped_in_place(4 * KIB)),
    ("fill 64 B", || filled(64, &[7])),
    ("fill 4 KiB", || filled(4 * KIB, &[7])),
    ("fill with a pattern of 4 bytes, 64 B", || filled(64, &[1, 2, 3, 4])),
    ("fill with a pattern of 4 bytes, 4 KiB", || filled(4 * KIB, &[1, 2, 3, 4])),
    ("compare 64 B", || compared(64)),
    ("compare 4 KiB", || compared(4 * KIB)),
    ("mismatch 64 B", || mismatched(64)),
    ("mismatch 4 KiB", || mismatched(4 * KIB)),
    ("copy 4 KiB as a job", || copied_by_a_job(4 * KIB)),
    ("atomic add", added),
];

fn range(size: usize) -> Bytes<'static> {
    let isolate = isolate();
    let size = size as u64;
    let request = Request { alignment: AlignmentCode::PAGE, ..request(size) };
    let handle = isolate.allocate(request).expect("there is room");
    isolate.bytes(handle, 0, size).expect("it lives")
}

fn contents(range: Bytes<'_>) -> Vec<u8> {
    let mut bytes = vec![0; range.size()];
    ops::snapshot(range, &mut bytes).expect("the sizes agree");
    bytes
}

/// A target of zeroes, and a source in which no two neighbouring bytes are alike.
fn two_ranges(size: usize) -> (Bytes<'static>, Bytes<'static>) {
    let mut bytes: Vec<u8> = (0..size).map(|index| index as u8).collect();
    let (target, source) = (range(size), range(size));
    ops::fill(target, 0);
    ops::copy(source, Bytes::from_mut(&mut bytes), CopyMode::Normal).expect("the sizes agree");
    (target, source)
}

/// `source` with the bytes of each element reversed, as plain code does it.
fn reversed(source: &[u8], element: Element) -> Vec<u8> {
    source.chunks(element.bytes()).flat_map(|bytes| bytes.iter().rev()).copied().collect()
}

fn copied(size: usize, mode: CopyMode) -> Scene {
    let (target, source) = two_ranges(size);
    let run = move |operations| {
        for _ in 0..operations {
            ops::copy(black_box(target), black_box(source), mode).expect("the sizes agree");
        }
    };
    let check = move || {
        ops::copy(target, source, mode).expect("the sizes agree");
        let source = contents(source);
        let expected =
            if let CopyMode::SwapEndian(element) = mode { reversed(&source, element) } else { source };
        assert_eq!(contents(target), expected);
    };
    Scene::new(run, check)
}

fn swapped_in_place(size: usize) -> Scene {
    let (_, range) = two_ranges(size);
    let swap = move || {
        ops::copy(black_box(range), black_box(range), CopyMode::SwapEndian(Element::E8)).expect("one size")
    };
    let before = contents(range);
    let run = move |operations| (0..operations).for_each(|_| swap());
    let check = move || {
        swap();
        assert_eq!(contents(range), reversed(&before, Element::E8));
        swap();
        assert_eq!(contents(range), before);
    };
    Scene::new(run, check)
}

fn filled(size: usize, pattern: &'static [u8]) -> Scene {
    let range = range(size);
    let fill = move || {
        ops::fill(black_box(range), Pattern::repeated(black_box(pattern)).expect("a length that fits"))
    };
    let check = move || {
        fill();
        assert!(contents(range).iter().eq(pattern.iter().cycle().take(size)));
    };
    Scene::new(move |operations| (0..operations).for_each(|_| fill()), check)
}

/// Two ranges that differ in their last byte alone; as signed numbers those would order the other way.
fn different_at_the_end(size: usize) -> (Bytes<'static>, Bytes<'static>) {
    let (one, other) = (range(size), range(size));
    ops::fill(one, 1);
    ops::fill(other, 1);
    ops::fill(other.slice(size as u64 - 1, 1).expect("the last byte"), 0xff);
    (one, other)
}

fn compared(size: usize) -> Scene {
    let (one, other) = different_at_the_end(size);
    let compare = move || ops::compare(black_box(one), black_box(other)).expect("the sizes agree");
    let run = move |operations| {
        for _ in 0..operations {
            black_box(compare());
        }
    };
    Scene::new(run, move || assert_eq!(compare(), Ordering::Less))
}

fn mismatched(size: usize) -> Scene {
    let (one, other) = different_at_the_end(size);
    let mismatch = move || ops::mismatch(black_box(one), black_box(other)).expect("the sizes agree");
    let run = move |operations| {
        for _ in 0..operations {
            black_box(mismatch());
        }
    };
    Scene::new(run, move || assert_eq!(mismatch(), Some(size - 1)))
}

/// Made, run by this thread alone, and dropped: what an asynchronous copy adds to a plain one.
fn copied_by_a_job(size: usize) -> Scene {
    let (target, source) = two_ranges(size);
    let copy = move || {
        let job = Job::copy(black_box(target), black_box(source), CopyMode::Normal).expect("the sizes agree");
        job.run();
        assert_eq!(job.done_bytes(), size as u64);
    };
    let check = move || {
        ops::fill(target, 0);
        copy();
        assert_eq!(contents(target), contents(source));
    };
    Scene::new(move |operations| (0..operations).for_each(|_| copy()), check)
}

fn added() -> Scene {
    let word = range(8);
    ops::fill(word, 0);
    let add =
        move |number| ops::atomic(black_box(word), AtomicOp::Add(black_box(number))).expect("it is aligned");
    let check = move || {
        let before = add(1);
        assert_eq!(add(-1), before + 1);
    };
    Scene::new(
        move |operations| {
            (0..operations).for_each(|_| {
                add(1);
            })
        },
        check,
    )
}
