//! Several isolates at once, whose scripts have loans: one comes, resets, closes, or recalls what the others have.

use super::script::{Memory, Region, Script};
use super::{LENDING, MIB, Random, lending, lent, manager, measures};
use offheap_core::base::error::Code;
use offheap_core::manager::allocators::Kind;
use offheap_core::manager::{Isolate, Manager};
use offheap_core::tracker::label::Label;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

const SIZE: u64 = 1000;
const ROUNDS: u64 = 60;

/// What a script does until its allocator is closed, or it is told to stop. Whatever is refused is refused for the end
/// of something.
fn use_up(isolate: &Isolate, mut region: Region, stops: &AtomicBool, random: &mut Random) {
    let script = Script::new(isolate);
    let mut own: Vec<Memory> = Vec::new();
    while !stops.load(Ordering::Relaxed) {
        if !script.is_current(&region) {
            region = script.again(&region);
            own.clear();
        }
        let index = random.below(own.len().max(1) as u64) as usize;
        let answer = match random.below(10) {
            0..=4 if own.len() < 40 => script.allocate(&mut region, SIZE).map(|memory| own.push(memory)),
            5 if !own.is_empty() => {
                let handle = own[index].handle;
                isolate.pin_in(region.id, handle).and_then(|()| isolate.unpin_in(region.id, handle))
            }
            6 => {
                isolate.settle_loans(region.id);
                Ok(())
            }
            _ if !own.is_empty() => script.free(&region, own.swap_remove(index)),
            _ => Ok(()),
        };
        match answer.map_err(|refused| refused.code) {
            Ok(()) => {}
            Err(Code::Closed) => return,
            // In use: frozen by a reset that is under way.
            Err(Code::DoubleFree | Code::UseAfterFree | Code::InUse) => own.clear(),
            Err(other) => panic!("{other:?}"),
        }
    }
}

/// Nothing of any allocator is left, and its ground serves again.
fn assert_over(manager: &'static Manager, kind: Kind) {
    assert_eq!(lent(manager), 0, "{kind:?}");
    manager.tracker.check().unwrap();
    manager.tracker.scan(|row| panic!("{row:?} is left"));
}

fn address(manager: &'static Manager, region: &Region) -> usize {
    manager.allocators.get(region.id).unwrap().bytes(manager, 0, 0).unwrap().address()
}

#[test]
fn nothing_is_lost_when_another_isolate_comes_resets_and_closes_at_any_moment() {
    for kind in LENDING {
        let manager = manager();
        let mut first = None;
        for round in 0..ROUNDS {
            let (barrier, stops) = (Barrier::new(2), AtomicBool::new(false));
            thread::scope(|scope| {
                scope.spawn(|| {
                    let isolate = lending(manager);
                    let region = Script::new(&isolate).open("shared", measures(kind, MIB)).unwrap();
                    barrier.wait();
                    use_up(&isolate, region, &stops, &mut Random::Seeded(round));
                });
                barrier.wait();
                let two = lending(manager);
                thread::sleep(Duration::from_micros(37 * round));
                let region = Script::new(&two).open("shared", measures(kind, MIB)).unwrap();
                let at = address(manager, &region);
                assert_eq!(
                    *first.get_or_insert(at),
                    at,
                    "{kind:?}, {round}: the last one's ground is in use"
                );
                for _ in 0..round % 4 {
                    let ended = two.reset_allocator(region.id).map_err(|refused| refused.code);
                    assert!(matches!(ended, Ok(()) | Err(Code::InUse)));
                }
                while two.close_allocator(region.id).is_err() {}
                stops.store(true, Ordering::Relaxed);
            });
            assert_over(manager, kind);
        }
    }
}

#[test]
fn a_reset_and_a_pin_of_what_is_lent_never_both_succeed() {
    for kind in LENDING {
        let manager = manager();
        let (one, two) = (lending(manager), lending(manager));
        let theirs = Script::new(&two).open("records", measures(Kind::Slab, MIB)).unwrap();
        for _ in 0..2000 {
            two.allocate_in(theirs.id, 16, Label::NONE).unwrap(); // records that a reset has to look at
        }
        let (mut pins, mut one) = (0, one);
        for round in 0..200 {
            let barrier = Barrier::new(2);
            let script = Script::new(&one);
            let mut region = script.open("pinned", measures(kind, MIB)).unwrap();
            for _ in 0..2 {
                let memory = script.allocate(&mut region, SIZE).unwrap();
                script.free(&region, memory).unwrap();
            }
            let memory = script.take(&region, SIZE).unwrap();
            Script::new(&two).open("pinned", measures(kind, MIB)).unwrap();
            let id = region.id;
            let (waits, delay) = (&barrier, Duration::from_micros(round * 7 % 400));
            let pinned;
            (pinned, one) = thread::scope(|scope| {
                let pins = scope.spawn(move || {
                    waits.wait();
                    thread::sleep(delay);
                    (one.pin_in(id, memory.handle).is_ok(), one)
                });
                barrier.wait();
                let reset = two.reset_allocator(id).is_ok();
                let (pinned, one) = pins.join().unwrap();
                assert_ne!(pinned, reset, "{kind:?}, {round}");
                (pinned, one)
            });
            if pinned {
                one.unpin_in(id, memory.handle).unwrap();
                pins += 1;
            }
            two.close_allocator(id).unwrap();
        }
        assert!(pins < 200, "{kind:?}");
    }
}

#[test]
fn figures_of_others_are_whole_while_a_script_takes_and_gives() {
    for kind in LENDING {
        let manager = manager();
        let stops = AtomicBool::new(false);
        let isolate = lending(manager);
        let region = Script::new(&isolate).open("seen", measures(kind, MIB)).unwrap();
        let id = region.id;
        thread::scope(|scope| {
            scope.spawn(|| {
                let isolate = isolate;
                use_up(&isolate, region, &stops, &mut Random::Seeded(1));
            });
            let allocator = manager.allocators.get(id).unwrap();
            let look = |_| (allocator.stats(manager), manager.rows());
            let seen: Vec<_> = (0..500).map(look).collect();
            stops.store(true, Ordering::Relaxed); // before anything is found wrong
            for (now, rows) in seen {
                // Of another moment each, but never of what there never was.
                assert!(now.blocks <= MIB / SIZE && now.requested <= MIB, "{kind:?}: {now:?}");
                assert!(rows.iter().all(|info| info.row.extent.size == SIZE), "{kind:?}: {rows:?}");
            }
        });
        assert_over(manager, kind);
    }
}

#[test]
fn an_arena_s_grants_never_overlap_when_a_second_isolate_comes_at_any_moment() {
    for round in 0..ROUNDS {
        let manager = manager();
        let barrier = Barrier::new(2);
        let allocate = |isolate: &Isolate, late: u64| {
            let script = Script::new(isolate);
            thread::sleep(Duration::from_micros(late));
            let mut region = script.open("arena", measures(Kind::Arena, MIB)).unwrap();
            let all = (0..300).map(|count| match count % 50 {
                49 => script.ask(&mut region, 100, Label::NONE).unwrap(),
                _ => script.allocate(&mut region, 100).unwrap(),
            });
            all.collect::<Vec<_>>()
        };
        let mut all = thread::scope(|scope| {
            let other = scope.spawn(|| {
                let isolate = lending(manager);
                barrier.wait();
                allocate(&isolate, 50 * round)
            });
            let isolate = lending(manager);
            barrier.wait();
            let mut all = allocate(&isolate, 0);
            all.extend(other.join().unwrap());
            all
        });
        all.sort_unstable_by_key(|memory| memory.offset);
        assert!(all.windows(2).all(|pair| pair[0].offset + 104 <= pair[1].offset), "{round}");
        let isolate = lending(manager);
        let region = Script::new(&isolate).open("arena", measures(Kind::Arena, MIB)).unwrap();
        let now = super::figures(&isolate, region.id);
        assert_eq!((now.blocks, now.requested), (600, 60_000), "{round}");
    }
}

/// Who has each grant: a word for each unit of a region.
struct Oracle(Vec<AtomicU32>);

impl Oracle {
    const UNIT: u64 = 16;

    fn words(&self, memory: Memory) -> [&AtomicU32; 2] {
        let last = memory.offset + memory.size - 1;
        [memory.offset, last].map(|offset| &self.0[(offset / Self::UNIT) as usize])
    }

    fn take(&self, memory: Memory, who: u32) {
        for word in self.words(memory) {
            let before = word.swap(who, Ordering::Relaxed);
            assert!(before == 0 || before == who, "{memory:?} is {before}'s, and {who}'s");
        }
    }

    fn leave(&self, memory: Memory, who: u32) {
        for word in self.words(memory) {
            let before = word.swap(0, Ordering::Relaxed);
            assert!(before == 0 || before == who, "{memory:?} was {who}'s, and is {before}'s");
        }
    }
}

/// Allocates and frees until it is told to stop; now and then what recalls everything, and is refused by a pin.
fn use_with_others(isolate: &Isolate, kind: Kind, oracle: &Oracle, who: u32, stops: &AtomicBool) {
    let (script, mut random) = (Script::new(isolate), Random::Seeded(u64::from(who)));
    let mut region = script.open("together", measures(kind, MIB)).unwrap();
    let anchor = script.ask(&mut region, 16, Label::NONE).unwrap(); // a size of nobody else
    isolate.pin_in(region.id, anchor.handle).unwrap();
    let mut own: Vec<Memory> = Vec::new();
    while !stops.load(Ordering::Relaxed) {
        match random.below(1000) {
            0 => assert_eq!(isolate.reset_allocator(region.id).unwrap_err().code, Code::InUse),
            1 => isolate.settle_loans(region.id),
            2 => drop(isolate.trim_allocator(region.id).unwrap()),
            3 => {
                // So many that the region is full: it takes what others have ready.
                let mut all = Vec::new();
                while let Ok(memory) = script.allocate(&mut region, SIZE) {
                    oracle.take(memory, who);
                    all.push(memory);
                }
                for memory in all {
                    oracle.leave(memory, who);
                    script.free(&region, memory).unwrap();
                }
            }
            4..=499 if own.len() < 40 => {
                let Ok(memory) = script.allocate(&mut region, SIZE) else { continue };
                oracle.take(memory, who);
                own.push(memory);
            }
            _ if !own.is_empty() => {
                let memory = own.swap_remove(random.below(own.len() as u64) as usize);
                assert!(script.is_live(&region, memory), "{kind:?}");
                oracle.leave(memory, who);
                script.free(&region, memory).unwrap();
            }
            _ => {}
        }
    }
    for memory in own {
        oracle.leave(memory, who);
        script.free(&region, memory).unwrap();
    }
    isolate.unpin_in(region.id, anchor.handle).unwrap();
    script.free(&region, anchor).unwrap();
}

#[test]
fn isolates_that_recall_each_other_s_loans_never_have_the_same_grant() {
    for kind in LENDING {
        let manager = manager();
        let (oracle, stops) =
            (Oracle((0..MIB / Oracle::UNIT).map(|_| AtomicU32::new(0)).collect()), AtomicBool::new(false));
        let keeper = lending(manager);
        let region = Script::new(&keeper).open("together", measures(kind, MIB)).unwrap();
        thread::scope(|scope| {
            for who in 1..=3 {
                let (oracle, stops) = (&oracle, &stops);
                scope.spawn(move || use_with_others(&lending(manager), kind, oracle, who, stops));
            }
            thread::sleep(Duration::from_millis(300));
            stops.store(true, Ordering::Relaxed);
        });
        let now = super::figures(&keeper, region.id);
        assert_eq!((now.blocks, now.requested, now.held), (0, 0, 0), "{kind:?}");
        keeper.close_allocator(region.id).unwrap();
        assert_over(manager, kind);
    }
}
