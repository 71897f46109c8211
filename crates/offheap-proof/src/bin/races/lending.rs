//! What is lent to the scripts of several isolates, and recalled from them. The scripts are those of the core's tests: they
//! do store by store what the facade does. Where a script says that it is done it tells the sanitizer so too
//! (`raw::note_done`), for the system's fence, by which others rely on it, is one that the sanitizer does not know.

#[allow(dead_code, unused_imports, reason = "the scripts are shared with tests that use all of it")]
#[path = "../../../../offheap-core/tests/loans/script.rs"]
mod script;

use super::regions::measures;
use offheap_core::base::error::Code;
use offheap_core::manager::allocators::Kind;
use offheap_core::manager::{Isolate, Manager};
use offheap_core::tracker::label::Label;
use offheap_proof::{Random, assert_stamp, manager, stamp, together};
use script::{Memory, Region, Script};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

const MIB: u64 = 1 << 20;
const SIZE: u64 = 1000;
const STEPS: u32 = 6000;
const ROUNDS: u64 = 20;
const RECALLS: u64 = 100;
/// So often scripts take and free between two recalls.
const STEPS_BETWEEN: u64 = 20;
/// Kinds that lend what was freed.
const LENDING: [Kind; 4] = [Kind::Buddy, Kind::Slab, Kind::ObjectPool, Kind::Hybrid];

fn open(manager: &'static Manager) -> Isolate {
    Isolate::open_lending(manager, None, true).unwrap()
}

fn work(isolate: &Isolate, kind: Kind, thread: u64) {
    let (script, mut random) = (Script::new(isolate), Random(thread));
    let mut region = script.open("together", measures(kind, MIB)).unwrap();
    let anchor = script.ask(&mut region, 16, Label::NONE).unwrap(); // a size of nobody else
    isolate.pin_in(region.id, anchor.handle).unwrap();
    let mut all: Vec<(Memory, u8)> = Vec::new();
    for step in 0..STEPS {
        let (any, value) = (random.index(all.len()), (thread << 6 | u64::from(step) & 63) as u8);
        match random.below(1000) {
            0..=2 => assert_eq!(isolate.reset_allocator(region.id).unwrap_err().code, Code::InUse),
            3..=5 => isolate.settle_loans(region.id),
            6..=8 => drop(isolate.trim_allocator(region.id).unwrap()),
            9 => {
                // So many that the region is full: it takes what others have ready.
                while let Ok(memory) = script.allocate(&mut region, SIZE) {
                    stamp(script.bytes(&region, memory), value);
                    all.push((memory, value));
                }
            }
            10..=499 if all.len() < 40 => {
                let Ok(memory) = script.allocate(&mut region, SIZE) else { continue };
                stamp(script.bytes(&region, memory), value);
                all.push((memory, value));
            }
            _ if !all.is_empty() => give(&script, &region, all.swap_remove(any)),
            _ => {}
        }
    }
    all.into_iter().for_each(|held| give(&script, &region, held));
    isolate.unpin_in(region.id, anchor.handle).unwrap();
    script.free(&region, anchor).unwrap();
}

fn give(script: &Script<'_>, region: &Region, (memory, value): (Memory, u8)) {
    assert_stamp(script.bytes(region, memory), value);
    script.free(region, memory).unwrap();
}

/// Grants go from script to script, because each recalls what the others have ready.
pub fn scripts_recall_each_other() {
    for kind in LENDING {
        let manager = manager();
        let keeper = open(manager);
        let region = Script::new(&keeper).open("together", measures(kind, MIB)).unwrap();
        together(3, |thread| work(&open(manager), kind, thread));
        let stats = manager.allocators.get(region.id).unwrap().stats(manager);
        assert_eq!((stats.blocks, stats.held), (0, 0), "{kind:?}");
    }
}

/// Writes what it has while nobody comes; each time somebody did, it asks once.
fn use_alone(isolate: &Isolate, kind: Kind, thread: u64, steps: &AtomicU64) {
    let script = Script::new(isolate);
    let mut region = script.open("recalled", measures(kind, MIB)).unwrap();
    while steps.load(Ordering::Relaxed) < RECALLS * STEPS_BETWEEN {
        let held: Vec<_> = (0..4).map(|_| script.allocate(&mut region, SIZE).unwrap()).collect();
        held.iter().for_each(|memory| stamp(script.bytes(&region, *memory), thread as u8));
        held.into_iter().for_each(|memory| give(&script, &region, (memory, thread as u8)));
        steps.fetch_add(1, Ordering::Relaxed);
    }
}

/// Scripts that ask nobody for long are recalled, and what they wrote a moment ago is granted to who recalled it.
pub fn what_is_recalled_is_written_at_once() {
    for kind in LENDING {
        let (manager, steps) = (manager(), AtomicU64::new(0));
        together(3, |thread| {
            let isolate = open(manager);
            if thread > 1 {
                return use_alone(&isolate, kind, thread, &steps);
            }
            let script = Script::new(&isolate);
            let mut region = script.open("recalled", measures(kind, MIB)).unwrap();
            let anchor = script.ask(&mut region, 16, Label::NONE).unwrap();
            isolate.pin_in(region.id, anchor.handle).unwrap();
            for round in 0..RECALLS {
                while steps.load(Ordering::Relaxed) < round * STEPS_BETWEEN {
                    thread::yield_now();
                }
                assert_eq!(isolate.reset_allocator(region.id).unwrap_err().code, Code::InUse);
                let all: Vec<_> = (0..64).map(|_| script.allocate(&mut region, SIZE).unwrap()).collect();
                all.iter().for_each(|memory| stamp(script.bytes(&region, *memory), 1));
                all.into_iter().for_each(|memory| give(&script, &region, (memory, 1)));
            }
        });
    }
}

/// Takes and frees until its allocator is closed. It writes nothing: what it has may be another's at any moment.
fn use_up(isolate: &Isolate, mut region: Region, random: &mut Random) {
    let script = Script::new(isolate);
    let mut own: Vec<Memory> = Vec::new();
    loop {
        if !script.is_current(&region) {
            region = script.again(&region);
            own.clear();
        }
        let any = random.index(own.len());
        let answer = match random.below(10) {
            0..=4 if own.len() < 40 => script.allocate(&mut region, SIZE).map(|memory| own.push(memory)),
            5 => {
                isolate.settle_loans(region.id);
                Ok(())
            }
            _ if !own.is_empty() => script.free(&region, own.swap_remove(any)),
            _ => Ok(()),
        };
        match answer.map_err(|refused| refused.code) {
            Ok(()) => {}
            Err(Code::Closed) => return,
            Err(Code::DoubleFree | Code::UseAfterFree | Code::InUse) => own.clear(),
            Err(other) => panic!("{other:?}"),
        }
    }
}

/// Another isolate comes at any moment, resets, and closes.
pub fn another_resets_and_closes() {
    for kind in LENDING.into_iter().chain([Kind::Ring]) {
        let manager = manager();
        for round in 0..ROUNDS {
            let opened = AtomicU64::new(0);
            together(2, |thread| {
                let isolate = open(manager);
                if thread == 1 {
                    let region = Script::new(&isolate).open("shared", measures(kind, MIB)).unwrap();
                    opened.store(1, Ordering::Release);
                    return use_up(&isolate, region, &mut Random(round));
                }
                while opened.load(Ordering::Acquire) == 0 {
                    thread::yield_now();
                }
                let region = Script::new(&isolate).open("shared", measures(kind, MIB)).unwrap();
                for _ in 0..round % 4 {
                    let ended = isolate.reset_allocator(region.id).map_err(|refused| refused.code);
                    assert!(matches!(ended, Ok(()) | Err(Code::InUse)));
                }
                while isolate.close_allocator(region.id).is_err() {}
            });
            manager.tracker.check().unwrap();
            manager.tracker.scan(|row| panic!("{row:?} is left"));
        }
    }
}
