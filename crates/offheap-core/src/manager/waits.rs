//! Waits: who waits until somebody says that a word has changed. As a futex, but nobody sleeps in it: an isolate
//! keeps its event loop, and asks which of its tickets are over when it is told that some are.
//!
//! One lock holds all of it. A ticket is given while the word still has the expected number, under that lock, and
//! `notify` takes the lock after the word was changed: so no change is missed.

use std::collections::{HashMap, VecDeque};

use super::Isolate;
use crate::base::error::Result;
use crate::base::sync::{Mutex, lock};
use crate::ops::{self, AtomicOp};
use crate::raw::bytes::Bytes;
use crate::tracker::state::Handle;

/// All who wait, in all isolates.
#[derive(Debug, Default)]
pub struct Waits(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// By the address of the word, in the order in which they came.
    queues: HashMap<usize, VecDeque<Waiter>>,
    /// Tickets that are over and were not asked for yet, by isolate.
    over: HashMap<u32, VecDeque<u64>>,
    given: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Waiter {
    isolate: u32,
    ticket: u64,
}

/// Whom [`Waits::notify`] reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Notified {
    /// So many in the isolate that called.
    pub here: u64,
    /// So many in others, which have to be told.
    pub elsewhere: u64,
}

impl Waits {
    /// Queues the isolate at a word that has the expected number, and gives a ticket that nobody had before;
    /// `None` when the word has another. Whoever waits keeps the memory alive.
    ///
    /// # Errors
    /// As [`ops::atomic`].
    pub fn wait(&self, isolate: u32, word: Bytes<'_>, expected: i64) -> Result<Option<u64>> {
        let mut inner = lock(&self.0);
        if ops::atomic(word, AtomicOp::Load)? != expected {
            return Ok(None);
        }
        inner.given += 1;
        let ticket = inner.given;
        inner.queues.entry(word.address()).or_default().push_back(Waiter { isolate, ticket });
        Ok(Some(ticket))
    }

    /// Ends the wait of at most `count` at a word, those first who came first.
    pub fn notify(&self, isolate: u32, word: Bytes<'_>, count: u64) -> Notified {
        let mut notified = Notified::default();
        let mut inner = lock(&self.0);
        let Inner { queues, over, .. } = &mut *inner;
        let Some(queue) = queues.get_mut(&word.address()) else { return notified };
        while notified.here + notified.elsewhere < count
            && let Some(waiter) = queue.pop_front()
        {
            over.entry(waiter.isolate).or_default().push_back(waiter.ticket);
            if waiter.isolate == isolate {
                notified.here += 1;
            } else {
                notified.elsewhere += 1;
            }
        }
        if queue.is_empty() {
            queues.remove(&word.address());
        }
        notified
    }

    /// A ticket of the isolate that is over: each is told once.
    pub fn over(&self, isolate: u32) -> Option<u64> {
        let mut inner = lock(&self.0);
        let tickets = inner.over.get_mut(&isolate)?;
        let ticket = tickets.pop_front();
        if tickets.is_empty() {
            inner.over.remove(&isolate);
        }
        ticket
    }

    /// Ends a wait that took too long; false when it is over already, which [`Waits::over`] tells.
    pub fn give_up(&self, isolate: u32, ticket: u64) -> bool {
        let mut inner = lock(&self.0);
        let waiter = Waiter { isolate, ticket };
        let found = inner.queues.iter_mut().find_map(|(address, queue)| {
            let index = queue.iter().position(|queued| *queued == waiter)?;
            queue.remove(index);
            Some((*address, queue.is_empty()))
        });
        if let Some((address, true)) = found {
            inner.queues.remove(&address);
        }
        found.is_some()
    }

    /// Ends all waits of an isolate that has ended; nobody asks for them any more.
    pub fn leave(&self, isolate: u32) {
        let mut inner = lock(&self.0);
        inner.over.remove(&isolate);
        for queue in inner.queues.values_mut() {
            queue.retain(|waiter| waiter.isolate != isolate);
        }
        inner.queues.retain(|_, queue| !queue.is_empty());
    }

    /// How many wait.
    #[must_use]
    pub fn count(&self) -> usize {
        lock(&self.0).queues.values().map(VecDeque::len).sum()
    }
}

impl Isolate {
    /// A wait has begun for which the caller pinned a block.
    pub fn wait_pins(&self, ticket: u64, handle: Handle) {
        self.waits.borrow_mut().insert(ticket, handle);
    }

    /// A wait is over: the caller drops its pin.
    pub fn wait_ended(&self, ticket: u64) {
        self.waits.borrow_mut().remove(&ticket);
    }

    /// The isolate has ended: nobody waits here any more, and nobody else drops the pins of those who did.
    pub(super) fn leave_waits(&self) {
        self.manager.waits.leave(self.number);
        for handle in self.waits.take().into_values() {
            let Ok(record) = self.manager.tracker.live(handle) else { continue };
            if !record.place().is_grant() {
                let _ = record.unpin(handle.generation); // a grant goes back pinned or not
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Notified, Waits};
    use crate::base::error::Code;
    use crate::base::sync::Arc;
    use crate::ops::{self, AtomicOp};
    use crate::raw::bytes::Bytes;
    use crate::raw::region::Region;

    #[repr(align(8))]
    struct Words([u8; 16]);

    fn leaked() -> [Bytes<'static>; 2] {
        let bytes = Bytes::from_mut(&mut Box::leak(Box::new(Words([0; 16]))).0);
        [bytes.slice(0, 4).unwrap(), bytes.slice(8, 8).unwrap()]
    }

    fn over(waits: &Waits, isolate: u32) -> Vec<u64> {
        std::iter::from_fn(|| waits.over(isolate)).collect()
    }

    #[test]
    fn those_who_came_first_are_told_first_and_once() {
        let (waits, [word, other]) = (Waits::default(), leaked());
        let tickets: Vec<u64> =
            (0..4).map(|isolate| waits.wait(isolate % 2, word, 0).unwrap().unwrap()).collect();
        assert_eq!(waits.notify(0, other, 9), Notified::default(), "nobody waits at that word");
        assert_eq!(waits.notify(0, word, 0), Notified::default());
        assert_eq!(waits.notify(0, word, 3), Notified { here: 2, elsewhere: 1 });
        assert_eq!((over(&waits, 0), over(&waits, 1)), (vec![tickets[0], tickets[2]], vec![tickets[1]]));
        assert_eq!(waits.notify(1, word, u64::MAX), Notified { here: 1, elsewhere: 0 });
        assert_eq!((over(&waits, 0), over(&waits, 1)), (vec![], vec![tickets[3]]));
        assert_eq!(waits.count(), 0);
    }

    #[test]
    fn a_word_with_another_number_queues_nobody() {
        let (waits, [half, whole]) = (Waits::default(), leaked());
        ops::atomic(half, AtomicOp::Exchange(-1)).unwrap();
        assert_eq!(waits.wait(0, half, 0), Ok(None));
        assert!(waits.wait(0, half, -1).unwrap().is_some());
        assert_eq!(waits.wait(0, whole, 1), Ok(None));
        assert!(waits.wait(0, whole, 0).unwrap().is_some());
        assert_eq!(waits.wait(0, half.slice(1, 2).unwrap(), 0).unwrap_err().code, Code::OutOfRange);
        assert_eq!(waits.count(), 2);
    }

    #[test]
    fn a_wait_is_given_up_or_over_never_both() {
        let (waits, [word, _]) = (Waits::default(), leaked());
        let [first, second] = [(); 2].map(|()| waits.wait(7, word, 0).unwrap().unwrap());
        assert!(!waits.give_up(8, first), "another's ticket");
        assert!(waits.give_up(7, first));
        assert!(!waits.give_up(7, first));
        assert_eq!(waits.notify(7, word, 9), Notified { here: 1, elsewhere: 0 });
        assert!(!waits.give_up(7, second));
        assert_eq!(over(&waits, 7), [second]);
    }

    #[test]
    fn an_isolate_that_ended_is_not_counted_as_told() {
        let (waits, [word, other]) = (Waits::default(), leaked());
        for at in [word, word, other] {
            waits.wait(1, at, 0).unwrap().unwrap();
        }
        let kept = waits.wait(2, word, 0).unwrap().unwrap();
        waits.notify(2, word, 1);
        waits.leave(1);
        assert_eq!((over(&waits, 1), waits.count()), (vec![], 1));
        assert_eq!(waits.notify(1, word, 9), Notified { here: 0, elsewhere: 1 });
        assert_eq!(over(&waits, 2), [kept]);
    }

    #[test]
    fn no_change_is_missed() {
        // One adds and notifies, one waits for each number it sees: were a notice lost, it would wait for ever.
        const ROUNDS: i64 = 2000;
        let page = crate::raw::page_size();
        let region = Arc::new(Region::reserve(page, page).unwrap());
        region.commit_to(page).unwrap();
        let word = region.bytes(0, 8).unwrap();
        ops::atomic(word, AtomicOp::Exchange(0)).unwrap();
        let waits = Arc::new(Waits::default());
        let (there, shared) = (Arc::clone(&waits), Arc::clone(&region));
        let adding = std::thread::spawn(move || {
            let word = shared.bytes(0, 8).unwrap();
            for round in 0..ROUNDS {
                ops::atomic(word, AtomicOp::Add(1)).unwrap();
                there.notify(1, word, 1);
                if round % 64 == 0 {
                    std::thread::yield_now();
                }
            }
        });
        let mut seen = 0;
        while seen < ROUNDS {
            if let Some(ticket) = waits.wait(0, word, seen).unwrap() {
                while waits.over(0) != Some(ticket) {
                    std::thread::yield_now();
                }
            }
            seen = ops::atomic(word, AtomicOp::Load).unwrap();
        }
        adding.join().unwrap();
        assert_eq!(waits.count(), 0);
    }
}
