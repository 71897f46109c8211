//! What is refused, and what a refusal may be.

use offheap_core::base::error::{Code, Error, Result};
use offheap_core::raw::faults::{self, Order};

/// Smaller requests to the heap are granted. No piece whose size the library itself fixes is larger than 32 KiB (an isolate's
/// lists, a page of the atlas); like most programs it ends when the system has not even that.
pub const HEAP_LEAST: usize = (32 << 10) + 1;
const EVERY: [u64; 9] = [1, 2, 3, 5, 7, 11, 13, 29, 101];

/// Runs `scene` with each order and each seed, and orders nothing afterwards.
pub fn with_each(seeds: u64, scene: impl Fn(u64)) {
    for every in EVERY {
        for seed in 1..=seeds {
            for (heap_every, pages_every) in [(every, 0), (0, every), (every, every + 1)] {
                faults::order(Order { heap_every, heap_least: HEAP_LEAST, pages_every });
                scene(seed);
            }
        }
    }
    faults::order(Order::default());
}

/// One step of the library, in which memory may be refused. Other errors are the scene's own.
pub fn ask<T>(step: impl FnOnce() -> Result<T>) -> Result<T> {
    let before = faults::given().refusals;
    let result = faults::refusing(step);
    if let Err(Error { code: Code::OutOfMemory, .. }) = &result {
        assert!(faults::given().refusals > before, "no memory, though none was refused");
    }
    result
}

/// The same for a step of which only [`Code::OutOfMemory`] may come.
pub fn memory<T>(step: impl FnOnce() -> Result<T>) -> Option<T> {
    match ask(step) {
        Ok(value) => Some(value),
        Err(error) => {
            assert_eq!(error.code, Code::OutOfMemory);
            None
        }
    }
}
