//! Named allocators of several isolates, among them the one that was alone before.

use offheap_core::base::error::Code;
use offheap_core::manager::allocators::{AllocatorId, Kind, Measures, Taken};
use offheap_core::manager::{Isolate, Manager};
use offheap_core::raw::bytes::Bytes;
use offheap_core::tracker::label::Label;
use offheap_core::tracker::state::AlignmentCode;
use offheap_proof::{Mailbox, Random, assert_stamp, manager, stamp, together};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

const STEPS: u32 = 3000;
const RESETS: u64 = 3000;
const MIB: u64 = 1 << 20;
/// Kinds whose grants have a record each.
const RECORDED: [Kind; 5] = [Kind::Buddy, Kind::Slab, Kind::Ring, Kind::ObjectPool, Kind::Hybrid];

pub const fn measures(kind: Kind, total: u64) -> Measures {
    Measures { kind, total, alignment: AlignmentCode::WORD, overwrite: false }
}

fn bytes(manager: &Manager, id: AllocatorId, taken: Taken) -> Bytes<'static> {
    manager
        .allocators
        .get(id)
        .and_then(|allocator| allocator.bytes(manager, taken.offset, taken.granted))
        .unwrap()
}

type Held = (Taken, u8);

fn free(isolate: &Isolate, id: AllocatorId, (taken, value): Held) {
    assert_stamp(bytes(isolate.manager(), id, taken), value);
    isolate.free_in(id, taken.handle, 1).unwrap();
}

fn work(isolate: &Isolate, id: AllocatorId, thread: u64, mailbox: &Mailbox<Held>) {
    let mut random = Random(thread);
    let mut all: Vec<Held> = Vec::new();
    for step in 0..STEPS {
        let (any, value) = (random.index(all.len()), (thread << 6 | u64::from(step) & 63) as u8);
        match random.below(100) {
            0..=49 => match isolate.allocate_in(id, 1 + random.below(3000), Label::NONE) {
                Ok(taken) => {
                    stamp(bytes(isolate.manager(), id, taken), value);
                    all.push((taken, value));
                }
                Err(_) => all.drain(..all.len() / 2).for_each(|held| free(isolate, id, held)),
            },
            50..=92 if !all.is_empty() => free(isolate, id, all.swap_remove(any)),
            93..=94 if !all.is_empty() => mailbox.put([all.swap_remove(any)]),
            95..=96 => mailbox.take().into_iter().for_each(|held| free(isolate, id, held)),
            99 if random.below(20) == 0 => drop(isolate.trim_allocator(id).unwrap()),
            _ => {}
        }
    }
    mailbox.put(all);
}

/// The first isolate works alone, without locked instructions; then others come, and statistics are asked all the time.
pub fn one_isolate_then_several() {
    for kind in RECORDED {
        let (manager, mailbox, done) = (manager(), Mailbox::default(), AtomicU64::new(0));
        let (is_open, name) = (AtomicBool::new(false), format!("{kind:?}"));
        let isolates = together(4, |thread| {
            let isolate = Isolate::open(manager, Some(0)).unwrap();
            while thread > 1 && !is_open.load(Ordering::Acquire) {
                thread::yield_now();
            }
            if thread == 4 {
                let allocator = manager.allocators.all().remove(0);
                while done.load(Ordering::Relaxed) < 4 {
                    let stats = allocator.stats(manager); // takes the allocator from its owner each time
                    assert_eq!(stats.held + stats.free, stats.total);
                    thread::yield_now();
                }
                return None;
            }
            while thread > 1 && done.load(Ordering::Relaxed) == 0 {
                thread::yield_now(); // until the first has done half of its work
            }
            let id = isolate.open_allocator(&name, measures(kind, MIB)).unwrap();
            is_open.store(true, Ordering::Release);
            for _ in 0..if thread == 1 { 2 } else { 1 } {
                work(&isolate, id, thread, &mailbox);
                done.fetch_add(1, Ordering::Relaxed);
            }
            Some((isolate, id))
        });
        let (isolate, id) = isolates.into_iter().flatten().next().unwrap();
        isolate.reset_allocator(id).unwrap();
        assert_eq!(manager.allocators.get(id).unwrap().stats(manager).blocks, 0);
    }
}

/// Who has pinned an arena may write what it was granted; a reset comes between two pins, and gives the bytes to others.
pub fn an_arena_is_reset_under_others() {
    let (manager, stops, written) = (manager(), AtomicBool::new(false), AtomicU64::new(0));
    together(3, |thread| {
        let isolate = Isolate::open(manager, Some(0)).unwrap();
        let id = isolate.open_allocator("arena", measures(Kind::Arena, MIB)).unwrap();
        if thread == 1 {
            let mut resets = 0;
            while resets < RESETS || written.load(Ordering::Relaxed) < RESETS {
                match isolate.reset_allocator(id).map_err(|refused| refused.code) {
                    Ok(()) => resets += 1,
                    Err(code) => assert_eq!(code, Code::InUse),
                }
                thread::yield_now();
            }
            stops.store(true, Ordering::Relaxed);
            return;
        }
        while !stops.load(Ordering::Relaxed) {
            let Ok(taken) = isolate.allocate_in(id, 500, Label::NONE) else { continue };
            if isolate.pin_in(id, taken.handle).is_err() {
                continue; // a reset came first
            }
            stamp(bytes(manager, id, taken), thread as u8);
            assert_stamp(bytes(manager, id, taken), thread as u8);
            written.fetch_add(1, Ordering::Relaxed);
            isolate.unpin_in(id, taken.handle).unwrap();
            thread::yield_now();
        }
    });
}
