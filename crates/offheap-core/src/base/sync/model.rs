//! What a model checker puts in the place of `std`: every access is a point where another thread may go on, and every
//! load may give any value that its ordering allows.
//!
//! `Arc` and `Weak` stay those of `std`: how they count is not what is in question here.

pub use loom::sync::atomic::{
    AtomicBool, AtomicI32, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence,
};
pub use loom::sync::{Condvar, Mutex, MutexGuard};
pub use loom::thread;

/// The cheap half of a pair whose other half is [`crate::raw::fence_everywhere`]. Of a thread that passes this one, and
/// one that passes the other, each sees what the other did before it, or is seen: what two fences promise.
pub fn compiler_fence(order: Ordering) {
    fence(order);
}

/// As that of `std`: whoever finds the value sees what was done before it was set.
#[derive(Debug)]
pub struct OnceLock<T> {
    is_set: AtomicBool,
    value: std::sync::OnceLock<T>,
}

impl<T> Default for OnceLock<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> OnceLock<T> {
    /// Without a value.
    #[must_use]
    pub fn new() -> Self {
        Self { is_set: AtomicBool::new(false), value: std::sync::OnceLock::new() }
    }

    /// The value, if it is set.
    pub fn get(&self) -> Option<&T> {
        if self.is_set.load(Ordering::Acquire) { self.value.get() } else { None }
    }

    /// Sets the value.
    ///
    /// # Errors
    /// The value, when there was one already.
    pub fn set(&self, value: T) -> Result<(), T> {
        let set = self.value.set(value);
        if set.is_ok() {
            self.is_set.store(true, Ordering::Release);
        }
        set
    }

    /// The value, made now if it is not set. `make` must not stop in the middle: the checker has one thread of `std`.
    pub fn get_or_init(&self, make: impl FnOnce() -> T) -> &T {
        if let Some(value) = self.get() {
            return value;
        }
        let value = self.value.get_or_init(make);
        self.is_set.store(true, Ordering::Release);
        value
    }
}
