//! The Node-API addon of offheap. It checks, converts, calls the core and converts back; it takes
//! no decisions. `buffer.rs` is the only file that speaks raw Node-API and the only one with unsafe
//! code; `hot.rs`, `operations.rs`, `views.rs` and `allocators.rs` hold what must take nanoseconds, `state.rs` what their
//! functions share, `cold.rs` the rest.
#![deny(unsafe_code)]

mod allocators;
mod atomics;
mod buffer;
#[cfg(offheap_canary)]
mod canary;
mod cold;
mod hot;
mod jobs;
mod operations;
mod pools;
mod shares;
mod state;
mod views;

use offheap_core::manager::Manager;
use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

/// All native memory of the process, whichever isolate loads the addon first.
static MANAGER: LazyLock<Manager> = LazyLock::new(Manager::default);

/// Which JavaScript thread an isolate ran in: isolate number → `threadId`, for reports.
static THREADS: Threads = Threads(LazyLock::new(Mutex::default));

struct Threads(LazyLock<Mutex<HashMap<u32, u32>>>);

impl Threads {
    fn note(&self, isolate: u32, thread: u32) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(isolate, thread);
    }

    fn of(&self, isolate: u32) -> u32 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&isolate).copied().unwrap_or(0)
    }
}
