//! What takes the place of `std` under ThreadSanitizer. `std` is compiled without it, so what `std` orders in functions of its
//! own is not seen, and would be reported: a lock that somebody waited for, a `OnceLock`'s value. Here the same is done by
//! accesses of this crate, and no more is ordered than `std` orders.

use super::{AtomicBool, Mutex, MutexGuard, Ordering, thread, try_lock};

/// Takes a lock by trying: that is inlined, where a wait is a function of `std`.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    loop {
        if let Some(guard) = try_lock(mutex) {
            return guard;
        }
        thread::yield_now();
    }
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
    pub const fn new() -> Self {
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

    /// The value, made now if it is not set.
    pub fn get_or_init(&self, make: impl FnOnce() -> T) -> &T {
        let mut is_ours = false;
        let value = self.value.get_or_init(|| {
            is_ours = true;
            make()
        });
        if is_ours {
            self.is_set.store(true, Ordering::Release);
        }
        while !self.is_set.load(Ordering::Acquire) {
            thread::yield_now(); // another thread has made it, and is about to say so
        }
        value
    }
}
