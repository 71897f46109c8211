//! The tracker alone: what every allocation pays for being known.

use std::hint::black_box;

use offheap_core::tracker::record::Birth;
use offheap_core::tracker::stack::Links;
use offheap_core::tracker::state::{AlignmentCode, Extent, Handle, Origin, Owner, Place, Slot};
use offheap_core::tracker::table::Tracker;

use crate::{ALIVE, Row, Scene};

pub const ROWS: &[Row] = &[
    ("record, taken and given", || chains(1)),
    ("32 records, taken and given", || chains(32)),
    ("record, begin and end", lives),
    ("record, begin and end, counted", counted_lives),
    ("record, pin and unpin", pins),
    ("record, visited by a scan", scans),
];

fn tracker() -> &'static Tracker {
    Box::leak(Box::default())
}

fn birth(size: u64) -> Birth {
    Birth {
        extent: Extent { size, label: 1 },
        origin: Origin { born_ms: size, owner: Owner::block(1) },
        alignment: AlignmentCode::WORD,
    }
}

/// So many records that are bound to memory, which nobody looks at.
fn bound(tracker: &Tracker, count: usize) -> Vec<Slot> {
    let mut slots = Vec::new();
    while slots.len() < count {
        let chain = tracker.take((count - slots.len()) as u32).expect("there are records");
        tracker.walk(chain, |slot| slots.push(slot));
    }
    for (number, slot) in (0..).zip(&slots) {
        tracker.bind(*slot, Place { span: number >> 8, offset: (number & 0xff) << 20, class: 0 }, 0);
    }
    slots
}

/// How many records are live, by a scan.
fn live(tracker: &Tracker) -> usize {
    let mut rows = 0;
    tracker.scan(|_| rows += 1);
    rows
}

fn expect_live(tracker: &Tracker, records: usize) {
    tracker.check().expect("the records agree");
    assert_eq!(live(tracker), records);
}

fn chains(count: u32) -> Scene {
    let tracker = tracker();
    tracker.give(tracker.take(count).expect("there are records"));
    let run = move |operations| {
        for _ in 0..operations {
            let chain = tracker.take(black_box(count)).expect("there are records");
            tracker.give(black_box(chain));
        }
    };
    let check = move || {
        let chain = tracker.take(count).expect("there are records");
        assert_eq!(chain.count, count);
        tracker.give(chain);
        expect_live(tracker, 0);
    };
    Scene::new(run, check)
}

/// A life of a record, look-ups included.
fn live_once(tracker: &Tracker, slot: Slot, size: u64) -> Handle {
    let (generation, _) = tracker.shared(slot).expect("a record").begin(birth(size)).expect("it is free");
    let handle = Handle { slot, generation };
    tracker.shared(handle.slot).expect("a record").end(handle.generation).expect("it lives");
    handle
}

fn lives() -> Scene {
    let tracker = tracker();
    let slot = bound(tracker, 1)[0];
    let run = move |operations| {
        for _ in 0..operations {
            black_box(live_once(tracker, slot, black_box(100)));
        }
    };
    let check = move || {
        let handle = live_once(tracker, slot, 100);
        assert!(tracker.live(handle).is_err());
        expect_live(tracker, 0);
    };
    Scene::new(run, check)
}

fn counted_lives() -> Scene {
    let tracker = tracker();
    let slot = bound(tracker, 1)[0];
    let counter = tracker.counters.counter();
    let run = move |operations| {
        for _ in 0..operations {
            counter.allocated(black_box(100));
            black_box(live_once(tracker, slot, 100));
            counter.freed(black_box(100));
        }
    };
    let check = move || {
        let sum = tracker.counters.sum();
        assert_eq!((sum.live_bytes(), sum.live_blocks()), (0, 0));
        expect_live(tracker, 0);
    };
    Scene::new(run, check)
}

fn pins() -> Scene {
    let tracker = tracker();
    let slot = bound(tracker, 1)[0];
    let (generation, _) = tracker.shared(slot).expect("a record").begin(birth(1)).expect("it is free");
    let run = move |operations| {
        for _ in 0..operations {
            let record = tracker.shared(black_box(slot)).expect("a record");
            record.pin(generation).expect("it lives");
            record.unpin(generation).expect("it is pinned");
        }
    };
    let check = move || {
        assert_eq!(tracker.shared(slot).expect("a record").state().pins(), 0);
        expect_live(tracker, 1);
    };
    Scene::new(run, check)
}

/// An operation is one live record of [`ALIVE`].
fn scans() -> Scene {
    let tracker = tracker();
    for slot in bound(tracker, ALIVE) {
        let _ = tracker.shared(slot).expect("a record").begin(birth(64)).expect("it is free");
    }
    let run = move |operations| {
        for _ in 0..operations / ALIVE as u64 {
            black_box(live(tracker));
        }
    };
    Scene::new(run, || expect_live(tracker, ALIVE))
}
