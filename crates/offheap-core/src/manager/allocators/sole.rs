//! Sole: while one isolate alone uses an allocator, nobody can be between its look and its store, so it
//! needs no locked instruction, of which a pair would take three.
//!
//! It says that it is busy, looks whether it is still alone, does its work, and says that it is not busy
//! any more. Who comes second takes the allocator from it, waits until every thread has passed a fence,
//! and then until the owner is not busy. The system issues that fence into the other threads
//! ([`raw::fence_everywhere`]), so that the owner's own costs nothing: without one its store "busy" could
//! still be on its way when it looks.

use super::Allocator;
use crate::base::sync::{
    Arc, AtomicBool, AtomicU64, Mutex, Ordering, Weak, compiler_fence, lock, statics, thread,
};
use crate::raw;

/// An isolate, and whether it is at work in an allocator.
#[derive(Debug, Clone)]
pub(in super::super) struct Busy {
    number: u64, // one series for all isolates, which never comes round, as the isolate's own number does
    flag: Arc<AtomicBool>,
}

impl Default for Busy {
    fn default() -> Self {
        statics! {
            static NUMBERS: AtomicU64 = AtomicU64::new(1);
        }
        Self { number: NUMBERS.fetch_add(1, Ordering::Relaxed), flag: Arc::default() }
    }
}

/// Which isolate has an allocator alone.
#[derive(Debug)]
pub(super) struct Sole {
    owner: AtomicU64, // its number; 0 when there are several
    busy: Busy,       // the first owner's
    shared: Mutex<bool>,
}

/// One piece of an isolate's work.
pub(super) struct Turn<'a> {
    busy: &'a AtomicBool,
    /// Whether nobody else can be at work in the allocator.
    pub(super) sole: bool,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.busy.store(false, Ordering::Release); // pairs with the Acquire in `take_over`
    }
}

impl Busy {
    /// Begins a piece of work.
    #[inline]
    pub(super) fn begin(&self, sole: &Sole) -> Turn<'_> {
        self.flag.store(true, Ordering::Relaxed);
        compiler_fence(Ordering::SeqCst); // the other half is in `take_over`
        // Acquire: what was done without us happens before what we do, see `without_owner`.
        let turn = Turn { busy: &self.flag, sole: sole.owner.load(Ordering::Acquire) == self.number };
        if !turn.sole {
            // Nobody has to wait for what we do with locked instructions. An owner who did one thing after the other
            // was else seen busy nearly always: whoever took over waited long (under an emulator, 0.2 s each time).
            self.flag.store(false, Ordering::Release);
        }
        turn
    }
}

/// Allocators that were opened before it was known whether the system lends its fence. To ask takes
/// milliseconds, once in a process, so a thread of its own asks.
#[derive(Debug, Default)]
struct Asked {
    answer: Option<bool>,
    waiting: Vec<Weak<Allocator>>,
}
statics! {
    // A model has its own fence, and no thread to spare that asks for it.
    static ASKED: Mutex<Asked> =
        Mutex::new(Asked { answer: if cfg!(loom) { Some(true) } else { None }, waiting: Vec::new() });
    // Whether it is known that the system lends its fence.
    static FENCE: AtomicBool = AtomicBool::new(cfg!(loom));
}

/// Whether the system is known to lend its fence, so that what an isolate does alone can be taken over.
pub(super) fn has_fence() -> bool {
    FENCE.load(Ordering::Acquire)
}

/// For tests whose scripts bring their own fences: they need not wait until the system was asked.
#[doc(hidden)]
pub fn assume_fence() {
    if raw::can_fence_everywhere() {
        lock(&ASKED).answer = Some(true); // whoever opens an allocator has it alone at once
    }
    FENCE.store(true, Ordering::Release);
}

/// Lets the isolate that opened an allocator have it alone, now or as soon as the system agrees.
pub(super) fn promote(allocator: &Arc<Allocator>) {
    let mut asked = lock(&ASKED);
    match asked.answer {
        Some(true) => allocator.sole.promote(),
        Some(false) => {}
        None => {
            asked.waiting.push(Arc::downgrade(allocator));
            if asked.waiting.len() == 1 {
                let thread = thread::Builder::new().name("offheap-fence".into()).spawn(ask);
                if thread.is_err() {
                    asked.answer = Some(false);
                }
            }
        }
    }
}

fn ask() {
    let works = raw::can_fence_everywhere();
    if works {
        FENCE.store(true, Ordering::Release);
    }
    let mut asked = lock(&ASKED);
    asked.answer = Some(works);
    for allocator in std::mem::take(&mut asked.waiting) {
        if let Some(allocator) = allocator.upgrade().filter(|_| works) {
            allocator.sole.promote();
        }
    }
}

impl Sole {
    /// Of an allocator that an isolate opens; not alone before it is promoted. `alone`: whether no other isolate
    /// ever used the region, for one that did may still be in it.
    pub(super) fn new(busy: &Busy, alone: bool) -> Self {
        Self { owner: AtomicU64::new(0), busy: busy.clone(), shared: Mutex::new(!alone) }
    }

    fn promote(&self) {
        let shared = lock(&self.shared);
        if !*shared {
            self.owner.store(self.busy.number, Ordering::Release); // as at the end of `without_owner`
        }
    }

    /// Whether an isolate is the one that opened the allocator.
    pub(super) fn is_openers(&self, busy: &Busy) -> bool {
        self.busy.number == busy.number
    }

    /// Another isolate comes: from now on all use exchanges. `was_shared`: the region's note of it, for later
    /// allocators on it.
    pub(super) fn share(&self, was_shared: &AtomicBool) {
        let mut shared = lock(&self.shared);
        was_shared.store(true, Ordering::Relaxed); // ordered by this lock, see `leave`, and then the registry's
        if !*shared {
            *shared = true;
            self.take_over();
        }
    }

    /// The owner has ended, or somebody closed the allocator: it is nobody's alone any more. Who shares it later
    /// takes the lock after us and sees that it is closed; who did before has left the note.
    pub(super) fn leave(&self) {
        let mut shared = lock(&self.shared);
        *shared = true;
        self.owner.store(0, Ordering::Release);
    }

    /// Does what must not happen beside the owner's work.
    pub(super) fn without_owner<T>(&self, act: impl FnOnce() -> T) -> T {
        let shared = lock(&self.shared);
        if *shared {
            drop(shared);
            return act();
        }
        let owner = self.owner.load(Ordering::Relaxed);
        self.take_over();
        let result = act();
        self.owner.store(owner, Ordering::Release); // it sees all that we did when it sees this
        result
    }

    /// The caller holds the lock.
    fn take_over(&self) {
        if self.owner.load(Ordering::Relaxed) == 0 {
            return; // it was not promoted, and will not be while we hold the lock
        }
        self.owner.store(0, Ordering::SeqCst);
        // Every thread passes a fence. An owner that passes it before its look sees the store above; one that
        // passes it after its look has said before that it is busy, and we see that.
        raw::fence_everywhere();
        while self.busy.flag.load(Ordering::Acquire) {
            thread::yield_now();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{AtomicBool, Busy, Ordering, Sole};
    use crate::raw;
    use std::thread;
    use std::time::Duration;

    const ROUNDS: u64 = 10_000;

    fn opened() -> (Sole, Busy, AtomicBool) {
        let busy = Busy::default();
        let sole = Sole::new(&busy, true);
        if raw::can_fence_everywhere() {
            sole.promote();
        }
        (sole, busy, AtomicBool::new(false))
    }

    fn is_alone(sole: &Sole, busy: &Busy) -> bool {
        busy.begin(sole).sole
    }

    #[test]
    fn the_owner_is_alone_until_another_comes_and_never_again() {
        let (sole, busy, was_shared) = opened();
        assert_eq!(is_alone(&sole, &busy), raw::can_fence_everywhere());
        assert!(!Busy::default().begin(&sole).sole);
        assert!(!sole.without_owner(|| is_alone(&sole, &busy)));
        assert_eq!(is_alone(&sole, &busy), raw::can_fence_everywhere());
        assert!(!was_shared.load(Ordering::Relaxed));
        sole.share(&was_shared);
        assert!(was_shared.load(Ordering::Relaxed) && !is_alone(&sole, &busy));
        sole.without_owner(|| ());
        assert!(!is_alone(&sole, &busy));
        let (next, busy) = (Sole::new(&busy, !was_shared.load(Ordering::Relaxed)), busy);
        next.promote();
        assert!(!is_alone(&next, &busy), "another isolate may still be in the region");
    }

    #[test]
    fn an_allocator_is_promoted_when_the_system_agrees_unless_another_came() {
        let (busy, was_shared) = (Busy::default(), AtomicBool::new(false));
        let (one, two) = (Sole::new(&busy, true), Sole::new(&busy, true));
        assert!(one.is_openers(&busy) && !is_alone(&one, &busy));
        one.without_owner(|| assert!(!is_alone(&one, &busy)));
        two.share(&was_shared);
        if raw::can_fence_everywhere() {
            one.promote();
            assert!(is_alone(&one, &busy));
        }
        two.promote();
        assert!(!is_alone(&two, &busy));
    }

    #[test]
    fn an_allocator_that_its_owner_left_is_nobodys_alone() {
        let (sole, busy, was_shared) = opened();
        sole.leave();
        assert!(!is_alone(&sole, &busy));
        sole.share(&was_shared);
        assert!(was_shared.load(Ordering::Relaxed), "who comes later leaves the note all the same");
    }

    #[test]
    fn who_comes_second_waits_for_the_end_of_the_owners_work() {
        if !raw::can_fence_everywhere() {
            return;
        }
        let (sole, busy, was_shared) = opened();
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            let turn = busy.begin(&sole);
            scope.spawn(|| {
                sole.share(&was_shared);
                assert!(done.load(Ordering::Relaxed), "it did not wait");
            });
            thread::sleep(Duration::from_millis(20)); // time to do it wrong
            done.store(true, Ordering::Relaxed);
            drop(turn);
        });
    }

    /// The owner adds by a load and a store; whoever looks without it adds by an exchange. No addition is lost.
    #[test]
    fn stores_of_the_owner_and_exchanges_of_others_lose_nothing() {
        let (sole, busy, was_shared) = opened();
        let total = crate::base::sync::AtomicU64::new(0);
        let runs = AtomicBool::new(true);
        thread::scope(|scope| {
            let owner = scope.spawn(|| {
                let mut added = 0;
                while runs.load(Ordering::Relaxed) {
                    let turn = busy.begin(&sole);
                    if turn.sole {
                        total.store(total.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
                    } else {
                        total.fetch_add(1, Ordering::Relaxed);
                    }
                    added += 1;
                }
                added
            });
            let mut seen = 0;
            for round in 0..ROUNDS {
                while total.load(Ordering::Relaxed) == seen {
                    thread::yield_now(); // until the owner has done something since
                }
                seen = 1 + sole.without_owner(|| total.fetch_add(1, Ordering::Relaxed));
                if round == ROUNDS - 1000 {
                    sole.share(&was_shared);
                }
            }
            runs.store(false, Ordering::Relaxed);
            assert_eq!(owner.join().unwrap() + ROUNDS, total.load(Ordering::Relaxed));
        });
    }
}
