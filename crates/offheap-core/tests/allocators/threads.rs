//! Four isolates, one allocator: each writes its mark over what it was granted and finds it there.

use super::{MIB, RECORDED, assert_all_free, code, isolate, manager, measures, open, reads, stamp};
use offheap_core::base::error::Code;
use offheap_core::manager::allocators::{AllocatorId, Kind, Measures, Taken};
use offheap_core::manager::{Isolate, Operand};
use offheap_core::ops;
use offheap_core::tracker::label::Label;
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Barrier, Mutex, OnceLock};
use std::thread;
use std::time::Duration;

const THREADS: u64 = 4;
const STEPS: u32 = if cfg!(offheap_portable) { 2000 } else { 8000 };

struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        (self.0 >> 33) % limit
    }
}

#[derive(Debug, Clone, Copy)]
struct Held {
    taken: Taken,
    mark: u8,
}

fn free(isolate: &Isolate, id: AllocatorId, held: Held) {
    assert!(reads(isolate, id, held.taken, held.mark), "{held:?} was written by another");
    isolate.free_in(id, held.taken.handle, 1).unwrap();
    assert_eq!(code(isolate.free_in(id, held.taken.handle, 1)), Code::DoubleFree);
}

fn work(isolate: &Isolate, id: AllocatorId, thread: u64, mailbox: &Mutex<Vec<Held>>) {
    let mut random = Random(thread);
    let mut held: Vec<Held> = Vec::new();
    for step in 0..STEPS {
        let any = random.below(held.len().max(1) as u64) as usize;
        match random.below(100) {
            0..=49 => match isolate.allocate_in(id, 1 + random.below(3000), Label::NONE) {
                Ok(taken) => {
                    let mark = ((thread << 6) | (u64::from(step) & 63)) as u8;
                    stamp(isolate, id, taken, mark);
                    held.push(Held { taken, mark });
                }
                Err(refused) => {
                    assert_eq!(refused.code, Code::RegionFull);
                    held.drain(..held.len() / 2).for_each(|held| free(isolate, id, held));
                }
            },
            50..=88 if !held.is_empty() => free(isolate, id, held.swap_remove(any)),
            89..=93 if !held.is_empty() => mailbox.lock().unwrap().push(held.swap_remove(any)),
            94..=98 => {
                let taken = mailbox.lock().unwrap().pop();
                taken.into_iter().for_each(|held| free(isolate, id, held));
            }
            99 if random.below(20) == 0 => {
                isolate.trim_allocator(id).unwrap();
            }
            _ => {}
        }
    }
    mailbox.lock().unwrap().append(&mut held);
}

#[test]
fn grants_of_four_isolates_never_share_a_byte_and_one_free_of_two_wins() {
    for kind in RECORDED {
        let manager = manager();
        let stays = isolate(manager);
        let id = open(&stays, kind, MIB);
        let mailbox = Mutex::default();
        let isolates: Vec<Isolate> = thread::scope(|scope| {
            let start = |thread| {
                let mailbox = &mailbox;
                scope.spawn(move || {
                    let isolate = isolate(manager);
                    assert_eq!(open(&isolate, kind, MIB), id);
                    work(&isolate, id, thread, mailbox);
                    isolate // its grants in the mailbox live as long as it does
                })
            };
            let workers: Vec<_> = (0..THREADS).map(start).collect();
            workers.into_iter().map(|worker| worker.join().unwrap()).collect()
        });
        for held in mailbox.into_inner().unwrap() {
            free(&stays, id, held);
        }
        stays.reset_allocator(id).unwrap();
        assert_all_free(&stays, id);
        drop(isolates);
        assert_all_free(&stays, id);
    }
}

#[test]
fn an_isolate_that_comes_while_the_first_is_at_work_alone_takes_nothing_from_it() {
    for kind in RECORDED {
        for round in 0..4 {
            let manager = manager();
            let (started, runs) = (&AtomicBool::new(false), &AtomicBool::new(true));
            let id = &OnceLock::new();
            thread::scope(|scope| {
                let first = scope.spawn(move || {
                    let isolate = isolate(manager);
                    let id = *id.get_or_init(|| open(&isolate, kind, MIB));
                    started.store(true, Ordering::Release);
                    work(&isolate, id, round, &Mutex::default());
                    isolate
                });
                while !started.load(Ordering::Acquire) {
                    thread::yield_now();
                }
                let id = *id.get().unwrap();
                let looks = scope.spawn(move || {
                    let allocator = manager.allocators.get(id).unwrap();
                    while runs.load(Ordering::Relaxed) {
                        let stats = allocator.stats(manager); // takes the allocator from its owner each time
                        assert_eq!(stats.held + stats.free, stats.total);
                        thread::sleep(Duration::from_micros(300));
                    }
                });
                thread::sleep(Duration::from_micros(500 * round));
                let second = isolate(manager);
                assert_eq!(open(&second, kind, MIB), id);
                work(&second, id, round + 100, &Mutex::default());
                let first = first.join().unwrap();
                runs.store(false, Ordering::Relaxed);
                looks.join().unwrap();
                drop(first);
                second.reset_allocator(id).unwrap();
                assert_all_free(&second, id);
            });
        }
    }
}

#[test]
fn statistics_beside_the_work_of_an_only_isolate_give_nothing_away_twice() {
    for kind in RECORDED {
        let manager = manager();
        let isolate = isolate(manager);
        let id = open(&isolate, kind, MIB);
        let allocator = manager.allocators.get(id).unwrap();
        let runs = AtomicBool::new(true);
        let isolate = thread::scope(|scope| {
            let works = scope.spawn(|| {
                for _ in 0..2000 {
                    let take = |_| isolate.allocate_in(id, 1000, Label::NONE).unwrap();
                    let held: Vec<Taken> = (0..40).map(take).collect();
                    let places: HashSet<u64> = held.iter().map(|taken| taken.offset).collect();
                    assert_eq!(places.len(), 40, "{kind:?}: granted twice");
                    held.into_iter().for_each(|taken| isolate.free_in(id, taken.handle, 1000).unwrap());
                }
                runs.store(false, Ordering::Relaxed);
                isolate
            });
            while runs.load(Ordering::Relaxed) {
                assert_eq!(allocator.stats(manager).total, MIB);
            }
            works.join().unwrap()
        });
        assert_all_free(&isolate, id);
    }
}

#[test]
fn resets_beside_allocations_end_each_grant_once() {
    for kind in Kind::ALL {
        let manager = manager();
        let stays = isolate(manager);
        let id = open(&stays, kind, MIB);
        let runs = AtomicBool::new(true);
        thread::scope(|scope| {
            for thread in 0..2 {
                let runs = &runs;
                scope.spawn(move || {
                    let isolate = isolate(manager);
                    open(&isolate, kind, MIB);
                    let mut random = Random(thread);
                    let mut held = Vec::new();
                    while runs.load(Ordering::Relaxed) {
                        if random.below(2) == 0 && held.len() < 100 {
                            held.extend(isolate.allocate_in(id, 1 + random.below(500), Label::NONE).ok());
                        } else if let Some(taken) = held.pop() {
                            // Ended by us, by a reset, or a reset is about to.
                            if let Err(refused) = isolate.free_in(id, taken.handle, 1) {
                                let ended = [Code::DoubleFree, Code::UseAfterFree, Code::InUse];
                                assert!(ended.contains(&refused.code), "{refused:?}");
                            }
                        }
                    }
                });
            }
            for _ in 0..200 {
                stays.reset_allocator(id).unwrap();
                thread::yield_now();
            }
            runs.store(false, Ordering::Relaxed);
        });
        stays.reset_allocator(id).unwrap();
        assert_all_free(&stays, id);
    }
}

#[test]
fn allocators_that_are_opened_and_closed_beside_their_users_keep_their_regions_apart() {
    let manager = manager();
    for kind in RECORDED {
        let pinned = &AtomicU64::new(0);
        thread::scope(|scope| {
            for thread in 0..THREADS {
                scope.spawn(move || {
                    let isolate = isolate(manager);
                    for round in 0..100_u64 {
                        let id = open(&isolate, kind, 200_000);
                        let mark = (thread * 64 + round % 64) as u8;
                        let Ok(taken) = isolate.allocate_in(id, 700, Label::NONE) else { continue };
                        let Ok(allocator) = manager.allocators.get(id) else { continue };
                        let bytes = allocator.bytes(manager, taken.offset, taken.granted).unwrap();
                        let is_mine = || isolate.manager().tracker.live(taken.handle).is_ok();
                        if isolate.pin_in(id, taken.handle).is_ok() {
                            pinned.fetch_add(1, Ordering::Relaxed);
                            offheap_core::ops::fill(bytes, mark);
                            let mut copy = vec![0; taken.granted as usize];
                            offheap_core::ops::snapshot(bytes, &mut copy).unwrap();
                            assert!(
                                is_mine() && copy.iter().all(|byte| *byte == mark),
                                "pinned, and written by another"
                            );
                            let _ = isolate.unpin_in(id, taken.handle);
                        }
                        let _ = isolate.close_allocator(id);
                    }
                });
            }
        });
        assert!(pinned.load(Ordering::Relaxed) > 0, "{kind:?}: nobody ever pinned");
    }
    manager.tracker.check().unwrap();
}

/// A worker at work on 3000 bytes of an allocator that it was granted, when `end` ends them. `end` is done only afterwards.
fn waits_for_an_operation(ends: &Isolate, id: AllocatorId, measures: Measures, end: impl FnOnce(&Isolate)) {
    let manager = ends.manager();
    let (found, written) = (&Barrier::new(2), &AtomicBool::new(false));
    let kind = measures.kind;
    thread::scope(|scope| {
        let worker = scope.spawn(move || {
            let isolate = isolate(manager);
            assert_eq!(isolate.open_allocator("shared", measures).unwrap(), id);
            let taken = isolate.allocate_in(id, 3000, Label::NONE).unwrap();
            let (operand, offset) = match kind {
                Kind::Arena => (Operand::Granted(id.number, taken.handle.into()), taken.offset),
                _ => (Operand::Recorded(taken.handle), 0),
            };
            let operation = isolate.operate([Operand::Foreign, operand]);
            let bytes = isolate.operand_bytes(operand, offset, 3000).unwrap();
            found.wait();
            thread::sleep(Duration::from_millis(20)); // without the wait the other one is done by then
            ops::fill(bytes, 9);
            written.store(true, Ordering::Relaxed);
            drop(operation);
            while isolate.operand_bytes(operand, offset, 3000).is_ok() {
                thread::yield_now();
            }
        });
        found.wait();
        end(ends);
        assert!(written.load(Ordering::Relaxed), "{kind:?}: it wrote into what was the next owner's");
        worker.join().unwrap();
    });
}

#[test]
fn a_reset_and_a_close_wait_for_an_operation_that_another_isolate_has_begun() {
    for kind in RECORDED.into_iter().chain([Kind::Arena]) {
        for end in [Isolate::reset_allocator, Isolate::close_allocator] {
            let ends = isolate(manager());
            let measures = measures(kind, MIB);
            let id = ends.open_allocator("shared", measures).unwrap();
            waits_for_an_operation(&ends, id, measures, |ends| end(ends, id).unwrap());
        }
    }
}

#[test]
fn a_rewind_waits_for_an_operation_that_another_isolate_has_begun() {
    let ends = isolate(manager());
    let measures = measures(Kind::Arena, MIB);
    let id = ends.open_allocator("shared", measures).unwrap();
    let mark = ends.mark_in(id).unwrap();
    waits_for_an_operation(&ends, id, measures, |ends| ends.rewind_in(id, mark).unwrap());
}

#[test]
fn a_ring_that_overwrites_waits_for_an_operation_on_what_it_overwrites() {
    let ends = isolate(manager());
    let measures = Measures { overwrite: true, ..measures(Kind::Ring, 4096) };
    let id = ends.open_allocator("shared", measures).unwrap();
    waits_for_an_operation(&ends, id, measures, |ends| {
        ends.allocate_in(id, 3000, Label::NONE).unwrap();
    });
}

#[test]
fn an_operand_of_an_arena_is_refused_when_its_stay_is_over_and_where_there_is_no_arena() {
    let isolate = isolate(manager());
    let id = open(&isolate, Kind::Arena, MIB);
    let taken = isolate.allocate_in(id, 100, Label::NONE).unwrap();
    let bytes = |number, offset, length| {
        code(isolate.operand_bytes(Operand::Granted(number, taken.handle.into()), offset, length).map(drop))
    };
    assert_eq!(
        isolate.operand_bytes(Operand::Granted(id.number, taken.handle.into()), 0, MIB).unwrap().size()
            as u64,
        MIB
    );
    assert_eq!(bytes(id.number, 1, MIB), Code::OutOfRange);
    assert_eq!(bytes(id.number, u64::MAX, 1), Code::OutOfRange);
    assert_eq!(bytes(id.number + 1, 0, 1), Code::Closed);
    assert_eq!(bytes(u32::MAX, 0, 1), Code::Closed);
    let slab = isolate.open_allocator("slab", measures(Kind::Slab, MIB)).unwrap();
    assert_eq!(bytes(slab.number, 0, 1), Code::ForeignBlock);
    isolate.reset_allocator(id).unwrap();
    assert_eq!(bytes(id.number, 0, 1), Code::UseAfterFree);
    isolate.close_allocator(id).unwrap();
    assert_eq!(bytes(id.number, 0, 1), Code::Closed);
    assert_eq!(code(isolate.operand_bytes(Operand::Foreign, 0, 1).map(drop)), Code::InvalidType);
}
