//! A small number for the calling thread, so that threads can start at different places without
//! asking each other.

#[cfg(not(loom))]
use super::sync::{AtomicU64, Ordering};

/// Numbers are below this. Of more threads at once some share theirs.
pub const LANES: usize = 64;

#[cfg(not(loom))]
static TAKEN: AtomicU64 = AtomicU64::new(0);

#[cfg(not(loom))]
struct Lane {
    number: usize,
    owned: bool,
}

#[cfg(not(loom))]
impl Lane {
    /// The lowest free number: threads that come and go use few, and what is kept by number stays compact.
    fn take() -> Self {
        let mut taken = TAKEN.load(Ordering::Relaxed);
        loop {
            let number = taken.trailing_ones() as usize;
            if number == LANES {
                return Self { number: 0, owned: false };
            }
            match TAKEN.compare_exchange_weak(
                taken,
                taken | 1 << number,
                Ordering::Relaxed,
                Ordering::Relaxed,
            ) {
                Ok(_) => return Self { number, owned: true },
                Err(now) => taken = now,
            }
        }
    }
}

#[cfg(not(loom))]
impl Drop for Lane {
    fn drop(&mut self) {
        if self.owned {
            TAKEN.fetch_and(!(1 << self.number), Ordering::Relaxed);
        }
    }
}

#[cfg(not(loom))]
thread_local! {
    static LANE: Lane = Lane::take();
}

/// In a model all threads share one: nothing may depend on it but where to look first.
#[cfg(loom)]
#[must_use]
pub const fn lane() -> usize {
    0
}

/// The calling thread's number; another thread gets it after this one has ended. Nothing may depend on it
/// but where to look first.
#[cfg(not(loom))]
#[must_use]
pub fn lane() -> usize {
    LANE.try_with(|lane| lane.number).unwrap_or(0) // the thread is ending
}

#[cfg(test)]
mod tests {
    use super::{LANES, lane};
    use std::sync::Barrier;
    use std::thread;

    #[test]
    fn threads_of_one_time_have_numbers_of_their_own_and_more_than_there_are_share() {
        let all_here = Barrier::new(3);
        let numbers: Vec<usize> = thread::scope(|scope| {
            let start = |_| {
                scope.spawn(|| {
                    let number = lane();
                    all_here.wait(); // none has ended before all have begun
                    assert_eq!(lane(), number);
                    number
                })
            };
            let threads: Vec<_> = (0..3).map(start).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(numbers.iter().all(|number| *number < LANES));
        assert!(numbers[0] != numbers[1] && numbers[1] != numbers[2] && numbers[0] != numbers[2]);
        for _ in 0..3 * LANES {
            assert!(thread::spawn(lane).join().unwrap() < LANES);
        }
    }
}
