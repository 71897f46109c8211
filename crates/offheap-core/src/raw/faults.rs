//! Refusals on order: a heap and a system that say no to every so many requests, and count what they gave. Only with
//! `--cfg offheap_faults`, which nothing that ships has.

use super::os::{Os, System};
use std::alloc::{GlobalAlloc, Layout, System as Heap};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

static IS_ARMED: AtomicBool = AtomicBool::new(false);
static HEAP: Source = Source::new();
static PAGES: Source = Source::new();
static HEAP_LEAST: AtomicUsize = AtomicUsize::new(0);

/// Where memory comes from.
#[derive(Debug)]
struct Source {
    every: AtomicU64,
    requests: AtomicU64,
    refusals: AtomicU64,
    bytes: AtomicUsize,
}

impl Source {
    const fn new() -> Self {
        Self {
            every: AtomicU64::new(0),
            requests: AtomicU64::new(0),
            refusals: AtomicU64::new(0),
            bytes: AtomicUsize::new(0),
        }
    }

    fn order(&self, every: u64) {
        self.every.store(every, Ordering::Relaxed);
        self.requests.store(0, Ordering::Relaxed);
    }

    /// Whether this request is one to refuse.
    fn refuses(&self) -> bool {
        let every = self.every.load(Ordering::Relaxed);
        if every == 0 || !IS_ARMED.load(Ordering::Relaxed) {
            return false;
        }
        let request = self.requests.fetch_add(1, Ordering::Relaxed) + 1;
        let refuses = request.is_multiple_of(every);
        self.refusals.fetch_add(u64::from(refuses), Ordering::Relaxed);
        refuses
    }
}

/// What is to be refused. 0: nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Order {
    /// Every so many requests to the heap.
    pub heap_every: u64,
    /// Of at least so many bytes.
    pub heap_least: usize,
    /// Every so many requests to the system: for addresses, for memory, and to take pages back.
    pub pages_every: u64,
}

/// What was given and not taken back, and how often the answer was no.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Given {
    /// Bytes of the heap.
    pub heap_bytes: usize,
    /// Bytes of address space.
    pub mapped_bytes: usize,
    /// Refusals since the process began.
    pub refusals: u64,
}

/// Sets what is refused from now on, while [`refusing`] runs.
pub fn order(order: Order) {
    HEAP_LEAST.store(order.heap_least, Ordering::Relaxed);
    HEAP.order(order.heap_every);
    PAGES.order(order.pages_every);
}

/// Refuses what was ordered while `work` runs, in all threads.
pub fn refusing<T>(work: impl FnOnce() -> T) -> T {
    IS_ARMED.store(true, Ordering::Relaxed);
    let result = work();
    IS_ARMED.store(false, Ordering::Relaxed);
    result
}

/// How things stand.
#[must_use]
pub fn given() -> Given {
    Given {
        heap_bytes: HEAP.bytes.load(Ordering::Relaxed),
        mapped_bytes: PAGES.bytes.load(Ordering::Relaxed),
        refusals: HEAP.refusals.load(Ordering::Relaxed) + PAGES.refusals.load(Ordering::Relaxed),
    }
}

/// Reserves a page and loses it: a leak that must be noticed.
pub fn lose_a_page() {
    let page = System::page_size();
    std::hint::black_box(System::reserve(page, page));
}

/// The heap of a program that is to be refused memory: its `#[global_allocator]`.
#[derive(Debug)]
pub struct FailingHeap;

// SAFETY: - every pointer comes from the system's heap and goes back there with its own layout.
// - a null pointer is a refusal; nothing has changed then.
unsafe impl GlobalAlloc for FailingHeap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if layout.size() >= HEAP_LEAST.load(Ordering::Relaxed) && HEAP.refuses() {
            return std::ptr::null_mut();
        }
        HEAP.bytes.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's contract is the heap's.
        unsafe { Heap.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HEAP.bytes.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's contract: allocated above, with this layout.
        unsafe { Heap.dealloc(pointer, layout) }
    }
}

/// The system's memory calls, some of them refused.
#[derive(Debug)]
pub struct Refusing<Of>(std::marker::PhantomData<Of>);

impl<Of: Os> Os for Refusing<Of> {
    const DECOMMIT_ZEROES: bool = Of::DECOMMIT_ZEROES;
    const GIVES_PAGES_BACK: bool = Of::GIVES_PAGES_BACK;

    fn page_size() -> usize {
        Of::page_size()
    }

    fn cache_line_size() -> usize {
        Of::cache_line_size()
    }

    fn reserve(size: usize, alignment: usize) -> Option<NonNull<u8>> {
        if PAGES.refuses() {
            return None;
        }
        let start = Of::reserve(size, alignment)?;
        PAGES.bytes.fetch_add(size, Ordering::Relaxed);
        Some(start)
    }

    unsafe fn commit(start: NonNull<u8>, size: usize) -> bool {
        // SAFETY: the caller's contract is the system's.
        !PAGES.refuses() && unsafe { Of::commit(start, size) }
    }

    unsafe fn decommit(start: NonNull<u8>, size: usize) -> usize {
        // SAFETY: as for `commit`. A refusal takes no bytes.
        if PAGES.refuses() { 0 } else { unsafe { Of::decommit(start, size) } }
    }

    unsafe fn release(start: NonNull<u8>, size: usize, alignment: usize) {
        PAGES.bytes.fetch_sub(size, Ordering::Relaxed);
        // SAFETY: as for `commit`.
        unsafe { Of::release(start, size, alignment) }
    }

    fn now_ms() -> u64 {
        Of::now_ms()
    }

    fn precise_now_ms() -> u64 {
        Of::precise_now_ms()
    }

    fn is_main_thread() -> bool {
        Of::is_main_thread()
    }

    fn can_fence_everywhere() -> bool {
        Of::can_fence_everywhere()
    }

    fn fence_everywhere() {
        Of::fence_everywhere();
    }

    fn available() -> u64 {
        Of::available()
    }
}
