//! The one door to atomics, locks and threads. Everything concurrent imports from here, so that a model
//! checker can take the place of `std` (`--cfg loom`, see crates/offheap-loom) without a change elsewhere.

#[cfg(loom)]
mod model;
#[cfg(offheap_tsan)]
mod watched;

#[cfg(loom)]
pub use model::{
    AtomicBool, AtomicI32, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Condvar, Mutex, MutexGuard, OnceLock,
    Ordering, compiler_fence, fence, thread,
};
#[cfg(not(any(loom, offheap_tsan)))]
pub use std::sync::OnceLock;
#[cfg(not(loom))]
pub use std::sync::atomic::{
    AtomicBool, AtomicI32, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering, compiler_fence, fence,
};
pub use std::sync::{Arc, PoisonError, TryLockError, Weak};
#[cfg(not(loom))]
pub use std::sync::{Condvar, Mutex, MutexGuard};
#[cfg(not(loom))]
pub use std::thread;
#[cfg(offheap_tsan)]
pub use watched::OnceLock;

/// Declares statics. A model begins them anew with each execution.
#[cfg(not(loom))]
macro_rules! statics {
    ($(static $name:ident: $type:ty = $value:expr;)*) => { $(static $name: $type = $value;)* };
}
#[cfg(loom)]
macro_rules! statics {
    ($(static $name:ident: $type:ty = $value:expr;)*) => { loom::lazy_static! { $(static ref $name: $type = $value;)* } };
}
pub(crate) use statics;

/// A number of atomics that a program has, or fewer in a model, which makes each anew in each execution.
#[must_use]
pub const fn sized(real: usize, model: usize) -> usize {
    if cfg!(loom) { model } else { real }
}

/// Takes a lock. A panic of another holder is not contagious: every critical section here leaves
/// its structure valid at each step, so a poisoned lock is still good.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    #[cfg(offheap_tsan)]
    {
        watched::lock(mutex)
    }
    #[cfg(not(offheap_tsan))]
    {
        mutex.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes a lock that nobody holds. A panic is as little contagious as in [`lock`].
pub fn try_lock<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    match mutex.try_lock() {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

/// Waits until somebody wakes it, or for no reason, with a lock that it gives up meanwhile.
pub fn wait<'a, T>(wake: &Condvar, mutex: &'a Mutex<T>, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
    if cfg!(offheap_tsan) {
        drop(guard); // a lock that `std` gives up and takes again is one that nobody sees
        std::thread::sleep(std::time::Duration::from_millis(1));
        return lock(mutex);
    }
    wake.wait(guard).unwrap_or_else(PoisonError::into_inner)
}

/// A value alone on its cache lines, so that two writers never share one.
/// 128 bytes: x86 prefetches lines in pairs (Intel Optimization Manual, 3.7.3), Apple and some
/// other arm64 cores have 128-byte lines.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct Padded<T>(pub T);
