//! Threads that do the same at the same time.

use std::hint::spin_loop;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// One thread: what it is told to do, and how long each took.
struct Member {
    orders: Sender<u64>,
    times: Receiver<Duration>,
    thread: JoinHandle<()>,
}

/// So many threads, which stay from sample to sample with what they prepared.
pub struct Crew(Vec<Member>);

impl Crew {
    /// Starts `threads` threads. Each, numbered from 0, makes its work by `hire`, and so keeps it to itself.
    pub fn new<W: FnMut(u64)>(threads: usize, hire: impl Fn(usize) -> W + Send + Sync + 'static) -> Self {
        let (hire, arrived) = (Arc::new(hire), Arc::new(AtomicUsize::new(0)));
        let start = |number| {
            let (hire, arrived) = (Arc::clone(&hire), Arc::clone(&arrived));
            let (orders, inbox) = channel();
            let (outbox, times) = channel();
            let thread = thread::spawn(move || {
                let mut work = hire(number);
                for count in inbox {
                    wait_for_all(&arrived, threads);
                    let started = Instant::now();
                    work(count);
                    outbox.send(started.elapsed()).expect("the crew waits for it");
                }
            });
            Member { orders, times, thread }
        };
        Self((0..threads).map(start).collect())
    }

    /// Has each thread do `count` operations. Returns what the slowest took.
    pub fn run(&self, count: u64) -> Duration {
        for member in &self.0 {
            member.orders.send(count).expect("the thread waits for it");
        }
        self.0.iter().map(|member| member.times.recv().expect("its work was right")).max().unwrap_or_default()
    }

    /// Ends the threads, and with them what they hold.
    pub fn dismiss(self) {
        for Member { orders, thread, .. } in self.0 {
            drop(orders);
            thread.join().expect("its work was right");
        }
    }
}

/// Returns when as many as there are have come here as often as the caller. They spin: a sleep would last longer than a sample.
fn wait_for_all(arrived: &AtomicUsize, threads: usize) {
    let all = (arrived.fetch_add(1, Ordering::AcqRel) / threads + 1) * threads;
    while arrived.load(Ordering::Acquire) < all {
        spin_loop();
    }
}
