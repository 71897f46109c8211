//! Clock: a thread that writes the time into the tables of isolates that use theirs, so that JavaScript notes
//! births without a native call. A table that nobody used for a while is left alone, and with none left the thread
//! sleeps.

use super::Manager;
use crate::base::sync::{Arc, Condvar, Mutex, Ordering, lock, wait};
use crate::raw;
use crate::tracker::isolate::{IsolateTable, TICK_MS, word};
use crate::tracker::lent::ticks;
use std::thread;
use std::time::Duration;

/// Ticks without use after which a table's clock stops: a restart costs one native call.
const IDLE_TICKS: u32 = 100;

/// The tables whose clocks run.
#[derive(Debug, Default)]
pub(super) struct Clock {
    running: Mutex<Running>,
    wake: Condvar,
}

#[derive(Debug, Default)]
struct Running {
    tables: Vec<Kept>,
    thread: Option<bool>, // whether there is one; `None` while nobody needed it
}

#[derive(Debug)]
struct Kept {
    table: Arc<IsolateTable>,
    activity: i32,
    idle_ticks: u32,
}

impl Manager {
    /// Starts a table's clock. False when nothing may be taken from magazines: while a limit is set, or when there
    /// is no thread to be had.
    #[inline]
    pub(super) fn start_clock(&'static self, table: &Arc<IsolateTable>) -> bool {
        table.word(word::CLOCK) != 0 || self.restart_clock(table)
    }

    #[cold]
    fn restart_clock(&'static self, table: &Arc<IsolateTable>) -> bool {
        let mut running = lock(&self.clock.running);
        // Under the lock: a limit that is set later stops what starts here.
        if self.limit_bytes.load(Ordering::SeqCst) != super::UNLIMITED {
            return false;
        }
        let has_thread = *running.thread.get_or_insert_with(|| {
            // In a model the time stands: a thread that never ends has no last step.
            cfg!(loom)
                || thread::Builder::new().name("offheap-clock".into()).spawn(|| self.keep_time()).is_ok()
        });
        if has_thread {
            if !running.tables.iter().any(|kept| Arc::ptr_eq(&kept.table, table)) {
                running.tables.push(Kept { table: Arc::clone(table), activity: 0, idle_ticks: 0 });
            }
            table.set_word(word::CLOCK, ticks(raw::now_ms()));
            self.clock.wake.notify_one();
        }
        has_thread
    }

    /// Stops all clocks, so that whoever would take from a magazine asks first.
    pub(super) fn stop_clock(&self) {
        for kept in lock(&self.clock.running).tables.drain(..) {
            kept.table.set_word(word::CLOCK, 0);
        }
    }

    /// An isolate has ended.
    pub(super) fn forget_clock(&self, table: &Arc<IsolateTable>) {
        lock(&self.clock.running).tables.retain(|kept| !Arc::ptr_eq(&kept.table, table));
        table.set_word(word::CLOCK, 0);
    }

    fn keep_time(&self) {
        loop {
            let mut running = lock(&self.clock.running);
            while running.tables.is_empty() {
                running = wait(&self.clock.wake, &self.clock.running, running);
            }
            let now = ticks(raw::now_ms());
            running.tables.retain_mut(|kept| kept.tick(now));
            drop(running);
            thread::sleep(Duration::from_millis(TICK_MS));
        }
    }
}

impl Kept {
    /// One tick. False when the table's clock stands.
    fn tick(&mut self, now: i32) -> bool {
        let seen = self.table.word(word::CLOCK);
        let activity = self.table.activity();
        self.idle_ticks = if activity == self.activity { self.idle_ticks + 1 } else { 0 };
        self.activity = activity;
        if seen == 0 || self.idle_ticks > IDLE_TICKS {
            self.table.set_word(word::CLOCK, 0);
            return false;
        }
        self.table.set_word(word::CLOCK, now); // under the lock that every other writer holds
        true
    }
}
