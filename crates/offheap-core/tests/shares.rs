//! Blocks with several holders, through the manager's public interface.
//!
//! Properties: all holders have the same bytes; each frees its own, once; the memory goes back after the last one and
//! not before, in whichever order and on whichever thread; an offer is taken once, and ends with its isolate.

#[path = "shares/ends.rs"]
mod ends;

use offheap_core::base::error::{Code, Result};
use offheap_core::manager::{Isolate, Manager, PoolMeasures, Request};
use offheap_core::ops;
use offheap_core::tracker::label::Label;
use offheap_core::tracker::state::{AlignmentCode, Generation, Handle, Slot};
use proptest::prelude::*;
use std::collections::HashSet;

const REQUEST: Request =
    Request { size: 1000, alignment: AlignmentCode::NONE, zeroed: false, label: Label::NONE };
const RUN: Request = Request { size: 300_000, ..REQUEST };

fn manager() -> &'static Manager {
    Box::leak(Box::<Manager>::default())
}

fn isolate(manager: &'static Manager) -> Isolate {
    Isolate::open(manager, Some(0)).unwrap()
}

fn code<T: std::fmt::Debug>(result: Result<T>) -> Code {
    result.unwrap_err().code
}

fn attach(from: &Isolate, block: Handle, to: &Isolate) -> Handle {
    from.share(block, 1).unwrap();
    to.attach_shared(1).unwrap().0
}

fn byte(isolate: &Isolate, handle: Handle) -> u8 {
    let mut copy = [0];
    ops::snapshot(isolate.bytes(handle, 0, 1).unwrap(), &mut copy).unwrap();
    copy[0]
}

fn set(isolate: &Isolate, handle: Handle, value: u8) {
    ops::fill(isolate.bytes(handle, 0, 1).unwrap(), value);
}

fn live(manager: &Manager) -> u64 {
    manager.tracker.check().unwrap();
    manager.tracker.counters.sum().live_bytes()
}

/// Addresses of what the isolate gets next, more than any cache or quarantine holds.
fn next_addresses(isolate: &Isolate, request: Request) -> HashSet<u64> {
    let handles: Vec<Handle> = (0..600).map(|_| isolate.allocate(request).unwrap()).collect();
    let addresses = handles.iter().map(|handle| isolate.address(handle.slot).unwrap()).collect();
    handles.into_iter().for_each(|handle| isolate.free(handle).unwrap());
    addresses
}

/// More viewed blocks are freed than wait.
fn end_quarantine(isolate: &Isolate, request: Request) {
    let viewed: Vec<Handle> = (0..300).map(|_| isolate.allocate(request).unwrap()).collect();
    for handle in viewed {
        isolate.show(handle, true).unwrap();
        isolate.free(handle).unwrap();
    }
}

#[test]
fn all_holders_have_the_same_bytes_and_each_frees_its_own_once() {
    let manager = manager();
    let (a, b) = (isolate(manager), isolate(manager));
    let first = a.allocate(REQUEST).unwrap();
    let second = attach(&a, first, &b);
    let third = attach(&b, second, &a);
    assert_eq!([first, second, third].map(Handle::id).into_iter().collect::<HashSet<_>>().len(), 3);
    set(&a, first, 7);
    assert_eq!((byte(&b, second), byte(&a, third)), (7, 7));
    assert_eq!(live(manager), 3000, "each holder's counts");
    for (isolate, handle) in [(&b, second), (&a, first), (&a, third)] {
        isolate.free(handle).unwrap();
        assert_eq!(code(isolate.free(handle)), Code::DoubleFree);
    }
    assert_eq!(live(manager), 0);
}

#[test]
fn the_memory_is_nobody_elses_before_the_last_holder_has_freed_it() {
    for request in [REQUEST, RUN] {
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            let manager = manager();
            let (a, b) = (isolate(manager), isolate(manager));
            let first = a.allocate(request).unwrap();
            let holders = [(&a, first), (&b, attach(&a, first, &b)), (&a, attach(&a, first, &a))];
            let address = a.address(first.slot).unwrap();
            for (index, holder) in order.into_iter().enumerate() {
                for isolate in [&a, &b] {
                    assert!(!next_addresses(isolate, request).contains(&address), "{order:?} {index}");
                }
                let (isolate, handle) = holders[holder];
                assert_eq!(isolate.address(handle.slot), Some(address));
                isolate.free(handle).unwrap();
                assert_eq!(isolate.address(handle.slot), Some(address), "a dead handle tells its address");
            }
            let last = holders[order[2]].0;
            end_quarantine(last, request);
            assert!(next_addresses(last, request).contains(&address), "{order:?}: it is used again");
            assert_eq!(live(manager), 0);
        }
    }
}

#[test]
fn an_offer_is_taken_once() {
    let manager = manager();
    let (a, b) = (isolate(manager), isolate(manager));
    let block = a.allocate(REQUEST).unwrap();
    a.share(block, 5).unwrap();
    assert_eq!(code(a.share(block, 5)), Code::InvalidValue, "a key in use");
    assert_eq!(code(b.attach_shared(6)), Code::InvalidValue);
    let (attached, size) = b.attach_shared(5).unwrap();
    assert_eq!((size, code(a.attach_shared(5))), (1000, Code::InvalidValue));
    b.free(attached).unwrap();
    a.free(block).unwrap();
    assert_eq!(code(a.share(block, 7)), Code::UseAfterFree);
    assert_eq!((live(manager), manager.shares.tokens()), (0, 0));
}

#[test]
fn an_offer_keeps_the_memory_and_ends_with_its_isolate() {
    let manager = manager();
    let (a, b) = (isolate(manager), isolate(manager));
    let block = a.allocate(REQUEST).unwrap();
    set(&a, block, 9);
    a.share(block, 1).unwrap();
    a.share(block, 2).unwrap();
    a.free(block).unwrap();
    assert_eq!((live(manager), a.own_blocks().len()), (2000, 2), "offers show");
    let (attached, _) = b.attach_shared(1).unwrap();
    assert_eq!(byte(&b, attached), 9);
    drop(a);
    assert_eq!((code(b.attach_shared(2)), live(manager)), (Code::InvalidValue, 1000));
    assert_eq!(byte(&b, attached), 9, "the holder's own stays");
    b.free(attached).unwrap();
    assert_eq!(live(manager), 0);
}

#[test]
fn an_offer_that_was_freed_cannot_be_taken() {
    let manager = manager();
    let (a, b) = (isolate(manager), isolate(manager));
    let block = a.allocate(REQUEST).unwrap();
    a.share(block, 1).unwrap();
    for (handle, _) in a.own_blocks() {
        a.free_any(handle).unwrap();
    }
    assert_eq!((code(b.attach_shared(1)), live(manager)), (Code::InvalidValue, 0));
}

#[test]
fn a_holder_cannot_free_anothers() {
    let manager = manager();
    let (a, b) = (isolate(manager), isolate(manager));
    let block = a.allocate(REQUEST).unwrap();
    let attached = attach(&a, block, &b);
    assert_eq!(code(a.free(attached)), Code::WrongThread);
    b.pin(attached).unwrap();
    a.free(block).unwrap(); // a pin is of one holder
    assert_eq!(code(b.free(attached)), Code::InUse);
    b.unpin(attached).unwrap();
    b.free(attached).unwrap();
    assert_eq!(live(manager), 0);
}

#[test]
fn a_shared_block_that_is_reallocated_leaves_its_memory_to_the_others() {
    let manager = manager();
    let (a, b) = (isolate(manager), isolate(manager));
    let block = a.allocate(REQUEST).unwrap();
    let attached = attach(&a, block, &b);
    set(&a, block, 3);
    let moved = a.reallocate(block, 1001).unwrap();
    assert_ne!(a.address(moved.slot), b.address(attached.slot));
    set(&a, moved, 4);
    assert_eq!((byte(&b, attached), byte(&a, moved)), (3, 4));
    let own = b.reallocate(attached, 999).unwrap();
    assert_eq!(byte(&b, own), 3);
    a.free(moved).unwrap();
    b.free(own).unwrap();
    assert_eq!(live(manager), 0);
}

#[test]
fn a_pools_block_that_is_shared_leaves_the_pool_and_is_not_zeroed_under_others() {
    let manager = manager();
    let (a, b) = (isolate(manager), isolate(manager));
    let measures = PoolMeasures { request: REQUEST, idle_max: 8, limit: 8, zero_on_release: true };
    let pool = a.open_pool("frames", measures).unwrap();
    let block = a.acquire(pool).unwrap();
    set(&a, block, 6);
    let attached = attach(&a, block, &b);
    a.release(pool, block).unwrap();
    assert_eq!((byte(&b, attached), a.pool_stats(pool).unwrap().available), (6, 0));
    let next = a.acquire(pool).unwrap();
    assert_ne!(a.address(next.slot), b.address(attached.slot));
    a.release(pool, next).unwrap();
    b.free(attached).unwrap();
    assert_eq!(live(manager), 0);
}

#[test]
fn who_ends_while_it_views_a_shared_block_keeps_its_memory_for_ever() {
    let manager = manager();
    let (a, b) = (isolate(manager), isolate(manager));
    let block = a.allocate(REQUEST).unwrap();
    let attached = attach(&a, block, &b);
    let address = a.address(block.slot).unwrap();
    b.show(attached, false).unwrap();
    drop(b);
    a.free(block).unwrap();
    assert_eq!((live(manager), manager.escaped_bytes()), (0, 1000));
    assert!(!next_addresses(&a, REQUEST).contains(&address));
}

#[test]
fn the_record_of_a_holder_at_the_end_of_its_generations_is_retired() {
    let manager = manager();
    let a = isolate(manager);
    let block = a.allocate(REQUEST).unwrap();
    let first = attach(&a, block, &a);
    a.free(first).unwrap();
    manager.tracker.age(first.slot, Generation(Generation::MAX.0 - 2));
    let last = attach(&a, block, &a);
    assert_eq!(last, Handle { slot: first.slot, generation: Generation(Generation::MAX.0 - 1) });
    a.free(last).unwrap();
    let next = attach(&a, block, &a);
    assert_ne!(next.slot, last.slot);
    a.free(next).unwrap();
    a.free(block).unwrap();
    assert_eq!((live(manager), manager.tracker.retired()), (0, 1));
}

#[test]
fn holders_on_several_threads_never_lose_or_double_the_memory() {
    // Each round: a block is offered four times, four threads take the offers and free, the owner frees meanwhile.
    let manager = manager();
    let owner = isolate(manager);
    for round in 0..200_u128 {
        let block = owner.allocate(REQUEST).unwrap();
        set(&owner, block, round as u8);
        (0..4).for_each(|key| owner.share(block, round * 4 + key).unwrap());
        std::thread::scope(|scope| {
            for key in 0..4 {
                scope.spawn(move || {
                    let isolate = isolate(manager);
                    let (handle, _) = isolate.attach_shared(round * 4 + key).unwrap();
                    assert_eq!(byte(&isolate, handle), round as u8);
                    isolate.free(handle).unwrap();
                });
            }
            owner.free(block).unwrap();
        });
        assert_eq!(live(manager), 0, "round {round}");
    }
    assert!(manager.chunks.committed_bytes() < 64 << 20, "memory came back");
}

#[test]
fn a_block_that_another_thread_frees_while_it_is_shared_is_shared_or_dead() {
    let manager = manager();
    let owner = isolate(manager);
    for round in 0..2000 {
        let block = owner.allocate(REQUEST).unwrap();
        let ready = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let other = isolate(manager);
                ready.store(true, std::sync::atomic::Ordering::Release);
                (0..round % 64).for_each(|_| std::hint::spin_loop()); // now earlier, now later
                other.free(block).unwrap();
            });
            while !ready.load(std::sync::atomic::Ordering::Acquire) {
                std::hint::spin_loop();
            }
            match owner.share(block, round) {
                Ok(()) => drop(owner.attach_shared(round).map(|(handle, _)| owner.free(handle)).unwrap()),
                Err(refused) => assert_eq!(refused.code, Code::UseAfterFree),
            }
        });
        assert_eq!((live(manager), manager.rows().len()), (0, 0), "round {round}");
    }
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Allocate,
    Share(usize, usize),
    Free(usize),
    Fill(usize, u8),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        Just(Step::Allocate),
        (any::<usize>(), any::<usize>()).prop_map(|(of, to)| Step::Share(of, to)),
        any::<usize>().prop_map(Step::Free),
        (any::<usize>(), any::<u8>()).prop_map(|(of, value)| Step::Fill(of, value)),
    ]
}

/// A holder as the model knows it: isolate, handle, and which memory.
#[derive(Debug, Clone, Copy)]
struct Holder {
    isolate: usize,
    handle: Handle,
    memory: usize,
}

proptest! {
    #[test]
    fn any_sequence_of_shares_and_frees_keeps_every_holders_bytes(steps in prop::collection::vec(step(), 1..120)) {
        let manager = manager();
        let isolates = [isolate(manager), isolate(manager), isolate(manager)];
        let mut holders: Vec<Holder> = Vec::new();
        let mut bytes: Vec<u8> = Vec::new();
        for step in steps {
            match step {
                Step::Allocate => {
                    let at = bytes.len() % 3;
                    let handle = isolates[at].allocate(REQUEST).unwrap();
                    set(&isolates[at], handle, 1);
                    holders.push(Holder { isolate: at, handle, memory: bytes.len() });
                    bytes.push(1);
                }
                Step::Share(of, to) if !holders.is_empty() => {
                    let Holder { isolate, handle, memory } = holders[of % holders.len()];
                    let to = to % 3;
                    let handle = attach(&isolates[isolate], handle, &isolates[to]);
                    holders.push(Holder { isolate: to, handle, memory });
                }
                Step::Free(of) if !holders.is_empty() => {
                    let Holder { isolate, handle, .. } = holders.swap_remove(of % holders.len());
                    isolates[isolate].free(handle).unwrap();
                }
                Step::Fill(of, value) if !holders.is_empty() => {
                    let Holder { isolate, handle, memory } = holders[of % holders.len()];
                    set(&isolates[isolate], handle, value);
                    bytes[memory] = value;
                }
                _ => {}
            }
            prop_assert_eq!(live(manager), holders.len() as u64 * 1000);
            let mut addresses: std::collections::HashMap<u64, usize> = std::collections::HashMap::new();
            for Holder { isolate, handle, memory } in &holders {
                prop_assert_eq!(byte(&isolates[*isolate], *handle), bytes[*memory]);
                let address = isolates[*isolate].address(handle.slot).unwrap();
                prop_assert_eq!(*addresses.entry(address).or_insert(*memory), *memory, "one address, one memory");
            }
        }
        for Holder { isolate, handle, .. } in holders {
            isolates[isolate].free(handle).unwrap();
        }
        prop_assert_eq!(live(manager), 0);
    }
}

#[test]
fn slots_of_holders_are_reused_with_their_memory() {
    let manager = manager();
    let a = isolate(manager);
    let block = a.allocate(REQUEST).unwrap();
    let slots: HashSet<Slot> = (0..100)
        .map(|_| {
            let attached = attach(&a, block, &a);
            a.free(attached).unwrap();
            attached.slot
        })
        .collect();
    assert_eq!(slots.len(), 1);
    a.free(block).unwrap();
}
