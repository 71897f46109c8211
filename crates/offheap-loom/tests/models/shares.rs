//! Blocks with several holders: who takes an offer, and when the memory goes back.

use super::blocks::rows;
use super::script::manager;
use loom::sync::atomic::{AtomicU32, Ordering::Relaxed};
use loom::thread::JoinHandle;
use offheap_core::base::error::Code;
use offheap_core::manager::{Isolate, Manager, Request};
use offheap_core::tracker::label::Label;
use offheap_core::tracker::state::{AlignmentCode, Handle, Owner};
use offheap_loom::Side::{self, Here, There};
use offheap_loom::{explore_exactly, join, one, spawn};
use std::sync::Arc;

const SIZE: u64 = 1000;
const REQUEST: Request =
    Request { size: SIZE, alignment: AlignmentCode::WORD, zeroed: false, label: Label::NONE };
const KEY: u128 = 7;

fn isolate(manager: &'static Manager) -> Isolate {
    Isolate::open(manager, Some(0)).unwrap()
}

/// One memory, and what each of its holders writes there last.
struct Shared {
    manager: &'static Manager,
    address: u64,
    written: [AtomicU32; 2],
}

/// A thread of a model, which gives its isolate back.
type Run<T> = JoinHandle<(T, Isolate)>;

impl Shared {
    /// From now on it is going to write there.
    fn hold(&self, who: Side) {
        self.written[who as usize].store(0, Relaxed);
    }

    fn write(&self, who: Side) {
        self.written[who as usize].store(1, Relaxed);
    }

    /// What an isolate gets next. True when that is the memory: then these have written for the last time, and it shows.
    fn is_next(&self, isolate: &Isolate, holders: &[Side]) -> bool {
        let next = isolate.allocate(REQUEST).unwrap();
        let is_it = isolate.address(next.slot) == Some(self.address);
        for who in holders.iter().filter(|_| is_it) {
            assert_eq!(self.written[*who as usize].load(Relaxed), 1, "given back before the {who:?} left");
        }
        is_it
    }

    /// A holder's free, after which the isolate asks for memory. True when it gets this.
    fn leave(&self, isolate: &Isolate, handle: Handle, who: Side) -> bool {
        self.write(who);
        isolate.free(handle).unwrap();
        self.is_next(isolate, &[Here, There])
    }

    /// What another isolate does meanwhile, which is opened before and ends after all.
    fn other<T: Send + 'static>(
        self: &Arc<Self>,
        act: impl FnOnce(&Self, &Isolate) -> T + Send + 'static,
    ) -> Run<T> {
        self.run(isolate(self.manager), act)
    }

    fn run<T: Send + 'static>(
        self: &Arc<Self>,
        other: Isolate,
        act: impl FnOnce(&Self, &Isolate) -> T + Send + 'static,
    ) -> Run<T> {
        let shared = Arc::clone(self);
        spawn(move || (act(&shared, &other), other))
    }

    /// Waits for it. Then all end, and nothing is left.
    fn join<T>(&self, run: Run<T>, sharer: Isolate) -> T {
        let (done, other) = join(run);
        drop((sharer, other));
        assert_eq!(self.live(), 0);
        done
    }

    fn live(&self) -> u64 {
        self.manager.tracker.check().unwrap();
        assert_eq!(self.manager.shares.tokens(), 0);
        let live = self.manager.tracker.counters.sum();
        assert_eq!(live.live_bytes(), live.live_blocks() * SIZE);
        assert_eq!(rows(self.manager).len() as u64, live.live_blocks());
        live.live_blocks()
    }
}

/// An isolate's block, which it offers.
fn offered(manager: &'static Manager) -> (Isolate, Handle, Arc<Shared>) {
    let isolate = isolate(manager);
    let block = isolate.allocate(REQUEST).unwrap();
    isolate.share(block, KEY).unwrap();
    let address = isolate.address(block.slot).unwrap();
    (isolate, block, Arc::new(Shared { manager, address, written: Default::default() }))
}

/// The offer, as its isolate finds it: nobody else has a handle of it.
fn offer(isolate: &Isolate, block: Handle) -> Handle {
    isolate.own_blocks().into_iter().map(|(handle, _)| handle).find(|handle| *handle != block).unwrap()
}

/// An offer is taken, or there is none any more.
fn attach(isolate: &Isolate) -> Option<Handle> {
    match isolate.attach_shared(KEY) {
        Ok((handle, size)) => {
            assert_eq!(size, SIZE);
            Some(handle)
        }
        Err(refused) => {
            assert_eq!(refused.code, Code::InvalidValue);
            None
        }
    }
}

#[test]
fn of_two_who_attach_one_offer_one_has_it() {
    explore_exactly(None, [Here, There], || {
        let (sharer, block, shared) = offered(manager());
        let other = isolate(shared.manager);
        let takes = spawn(move || (attach(&other), other));
        let mine = attach(&sharer);
        let (theirs, other) = join(takes);
        for (isolate, handle) in [(&sharer, mine), (&other, theirs), (&sharer, Some(block))] {
            handle.into_iter().for_each(|handle| isolate.free(handle).unwrap());
        }
        assert_eq!(shared.live(), 0);
        one(mine.is_some(), theirs.is_some())
    });
}

#[test]
fn an_offer_that_is_the_last_holder_is_attached_or_freed_and_its_memory_goes_back_once() {
    explore_exactly(None, [Here, There], || {
        let (sharer, block, shared) = offered(manager());
        let offer = offer(&sharer, block);
        sharer.free(block).unwrap();
        shared.write(Here);
        let takes = shared.other(|shared, other| {
            let attached = attach(other);
            assert!(!shared.is_next(other, &[]), "it is the sharer's, or a holder's");
            attached.is_some_and(|handle| shared.leave(other, handle, There))
        });
        let freed = sharer.free_any(offer).map_err(|refused| refused.code);
        assert!(matches!(freed, Ok(()) | Err(Code::WrongThread | Code::DoubleFree)), "{freed:?}");
        let is_mine = freed.is_ok() && shared.is_next(&sharer, &[Here]);
        let who = one(is_mine, shared.join(takes, sharer));
        assert_eq!(freed.is_ok(), who == Here);
        who
    });
}

#[test]
fn who_attaches_while_the_sharer_frees_keeps_the_memory_until_it_frees_too() {
    explore_exactly(None, [Here, There], || {
        let (sharer, block, shared) = offered(manager());
        let takes = shared.other(|shared, other| {
            let attached = attach(other).unwrap();
            assert!(!shared.is_next(other, &[]), "it is a holder's");
            shared.leave(other, attached, There)
        });
        let is_mine = shared.leave(&sharer, block, Here);
        one(is_mine, shared.join(takes, sharer))
    });
}

#[test]
fn two_holders_that_free_at_once_give_the_memory_back_once_and_not_before_the_last() {
    explore_exactly(None, [Here, There], || {
        let (sharer, block, shared) = offered(manager());
        let other = isolate(shared.manager);
        let attached = attach(&other).unwrap();
        let frees = shared.run(other, move |shared, other| shared.leave(other, attached, There));
        let is_mine = shared.leave(&sharer, block, Here);
        one(is_mine, shared.join(frees, sharer))
    });
}

/// What becomes of an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Became {
    Attached,
    Nothing,
}

#[test]
fn an_offer_is_attached_before_its_isolate_ends_and_kept_or_ends_with_it() {
    explore_exactly(None, [Became::Attached, Became::Nothing], || {
        let (sharer, _, shared) = offered(manager());
        shared.write(Here);
        let other = isolate(shared.manager);
        let takes = spawn(move || (attach(&other), other));
        drop(sharer); // frees its block, and what it offers
        let (attached, other) = join(takes);
        assert_eq!(shared.live(), u64::from(attached.is_some()));
        assert_eq!(shared.manager.escaped_bytes(), 0);
        let Some(attached) = attached else { return Became::Nothing };
        assert!(!shared.is_next(&other, &[]), "it is the holder's");
        assert!(shared.leave(&other, attached, There));
        Became::Attached
    });
}

#[test]
fn a_block_that_another_thread_frees_while_it_is_shared_is_shared_or_dead() {
    // And who is the last holder.
    let allowed = [(Became::Attached, Here), (Became::Attached, There), (Became::Nothing, There)];
    explore_exactly(3, allowed, || {
        let manager = manager();
        let sharer = isolate(manager);
        let block = sharer.allocate(REQUEST).unwrap();
        let address = sharer.address(block.slot).unwrap();
        let shared = Arc::new(Shared { manager, address, written: Default::default() });
        shared.write(Here);
        let frees = shared.other(move |shared, other| shared.leave(other, block, There));
        let mut is_mine = false;
        let became = match sharer.share(block, KEY) {
            Ok(()) => {
                shared.hold(Here);
                let attached = attach(&sharer).unwrap();
                assert!(!shared.is_next(&sharer, &[]), "it is a holder's");
                is_mine = shared.leave(&sharer, attached, Here);
                Became::Attached
            }
            Err(refused) => {
                assert_eq!(refused.code, Code::UseAfterFree);
                Became::Nothing
            }
        };
        (became, one(is_mine, shared.join(frees, sharer)))
    });
}

#[test]
fn an_offer_that_is_attached_is_one_row_at_every_moment_of_the_one_isolate_or_the_other() {
    explore_exactly(None, [Here, There], || {
        let (sharer, block, shared) = offered(manager());
        let other = isolate(shared.manager);
        let (offer, manager) = (offer(&sharer, block), shared.manager);
        let scans = spawn(move || {
            let rows = rows(manager);
            assert_eq!(rows.len(), 2, "{rows:?}");
            rows.into_iter().find(|row| row.handle == offer).unwrap().owner
        });
        let attached = attach(&other).unwrap();
        assert_eq!(attached, offer);
        let owner = join(scans);
        sharer.free(block).unwrap();
        other.free(attached).unwrap();
        one(owner == Owner::block(sharer.number()), owner == Owner::block(other.number()))
    });
}
