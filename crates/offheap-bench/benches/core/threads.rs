//! One thread beside two that do the same at once: a figure is what the slower one took for one operation, so that where
//! nobody waits for anybody the two figures are alike. With fewer processors than two they cannot be.
//!
//! Each thread has an isolate of its own, as each thread of Node's has. A run is checked before and after it is timed: how much was
//! allocated in all, and that nothing is left when the threads have ended.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group};
use offheap_core::manager::allocators::{Kind, Measures};
use offheap_core::manager::{Isolate, Manager, PoolMeasures, Request};
use offheap_core::tracker::label::Label;
use offheap_core::tracker::state::{AlignmentCode, Generation, Handle, Slot};

use crate::crew::Crew;
use crate::tracker::{begin_and_end, bind, birth};

/// What a thread does, so many times.
type Work = Box<dyn FnMut(u64)>;

/// Operations of a run that is only checked.
const CHECKED: u64 = 1000;
/// Alive at a time in each thread, where the order is random.
const ALIVE: usize = 256;
const TOTAL_BYTES: u64 = 64 << 20;

/// Times what `hire` gives each thread of one manager, by one thread and by two. `check` is told the manager and how many operations
/// were done.
fn by_one_and_two(
    criterion: &mut Criterion,
    name: &str,
    hire: impl Fn(&'static Manager, usize) -> Work + Copy + Send + Sync + 'static,
    check: impl Fn(&'static Manager, u64),
) {
    let mut group = criterion.benchmark_group(format!("threads/{name}"));
    for threads in [1, 2] {
        let manager: &'static Manager = Box::leak(Box::default());
        let crew = Crew::new(threads, move |number| hire(manager, number));
        crew.run(CHECKED);
        let mut done = threads as u64 * CHECKED;
        check(manager, done);
        let id = if threads == 1 { "1 thread" } else { "2 threads" };
        group.bench_function(id, |bencher| {
            bencher.iter_custom(|count| {
                done += threads as u64 * count;
                crew.run(count)
            });
        });
        check(manager, done);
        crew.dismiss();
        manager.tracker.check().unwrap();
        assert_eq!(manager.tracker.counters.sum().live_blocks(), 0);
    }
    group.finish();
}

fn isolate(manager: &'static Manager) -> Isolate {
    Isolate::open(manager, Some(0)).unwrap()
}

fn request(size: u64) -> Request {
    Request { size, alignment: AlignmentCode::WORD, zeroed: false, label: Label::NONE }
}

/// A number below [`ALIVE`]; threads that start from different seeds are at different places.
fn next_index(state: &mut u64) -> usize {
    *state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
    (*state >> 33) as usize % ALIVE
}

// === The tracker ===

fn records(criterion: &mut Criterion) {
    let lives = |manager: &'static Manager, _| -> Work {
        let tracker = &manager.tracker;
        let slots = bind(tracker, 64);
        let counter = tracker.counters.counter();
        let mut turn = 0;
        Box::new(move |count| {
            for _ in 0..count {
                turn = (turn + 1) % slots.len();
                counter.allocated(black_box(100));
                black_box(begin_and_end(tracker, slots[turn], 100));
                counter.freed(100);
            }
        })
    };
    by_one_and_two(criterion, "record, begin + end, counted", lives, |manager, done| {
        assert_eq!(manager.tracker.counters.sum().allocated_bytes, 100 * done);
    });

    let chains = |manager: &'static Manager, _| -> Work {
        Box::new(move |count| {
            for _ in 0..count {
                manager.tracker.give(manager.tracker.take(black_box(32)).unwrap());
            }
        })
    };
    by_one_and_two(criterion, "32 records, take + give", chains, |manager, _| {
        assert!(manager.tracker.used()[0] > 32);
    });

    // The one thing that several threads do to one record.
    let pins = |manager: &'static Manager, number| -> Work {
        let tracker = &manager.tracker;
        if number == 0 {
            let slot = bind(tracker, 1)[0];
            assert_eq!(slot, PINNED.slot);
            assert_eq!(tracker.shared(slot).unwrap().begin(birth(1)).unwrap().0, PINNED.generation);
        }
        Box::new(move |count| {
            for _ in 0..count {
                let record = tracker.shared(black_box(PINNED.slot)).unwrap();
                record.pin(PINNED.generation).unwrap();
                record.unpin(PINNED.generation).unwrap();
            }
        })
    };
    by_one_and_two(criterion, "one record, pin + unpin", pins, |manager, _| {
        assert_eq!(manager.tracker.live(PINNED).unwrap().state().pins(), 0);
    });
}

/// The first record of a tracker, in its first life.
const PINNED: Handle = Handle { slot: Slot(1), generation: Generation(1) };

// === Blocks, pools, shares ===

fn check_allocated(size: u64) -> impl Fn(&'static Manager, u64) {
    move |manager, done| assert_eq!(manager.tracker.counters.sum().allocated_bytes, size * done)
}

fn blocks(criterion: &mut Criterion) {
    fn pairs<const SIZE: u64>(manager: &'static Manager, _: usize) -> Work {
        let isolate = isolate(manager);
        Box::new(move |count| {
            for _ in 0..count {
                let handle = isolate.allocate(request(black_box(SIZE))).unwrap();
                isolate.free(black_box(handle)).unwrap();
            }
        })
    }
    by_one_and_two(criterion, "block 64 B", pairs::<64>, check_allocated(64));
    by_one_and_two(criterion, "block 1 KiB", pairs::<1024>, check_allocated(1024));
    by_one_and_two(criterion, "block 64 KiB", pairs::<65_536>, check_allocated(65_536));

    let pooled = |manager: &'static Manager, _| -> Work {
        let isolate = isolate(manager);
        let measures =
            PoolMeasures { request: request(1024), idle_max: 64, limit: 64, zero_on_release: false };
        let pool = isolate.open_pool("bench", measures).unwrap();
        Box::new(move |count| {
            for _ in 0..count {
                let handle = isolate.acquire(black_box(pool)).unwrap();
                isolate.release(pool, black_box(handle)).unwrap();
            }
        })
    };
    by_one_and_two(criterion, "pool 1 KiB", pooled, check_allocated(1024));

    // A second holder of a block comes and goes: the offers of all threads are behind one lock.
    let shared = |manager: &'static Manager, number| -> Work {
        let isolate = isolate(manager);
        let block = isolate.allocate(request(1024)).unwrap();
        Box::new(move |count| {
            for _ in 0..count {
                isolate.share(block, black_box(number as u128)).unwrap();
                let (handle, size) = isolate.attach_shared(number as u128).unwrap();
                assert_eq!(size, 1024);
                isolate.free(black_box(handle)).unwrap();
            }
        })
    };
    by_one_and_two(criterion, "share + attach + free", shared, |manager, done| {
        let sum = manager.tracker.counters.sum();
        assert_eq!(sum.allocated_bytes, 1024 * (done + sum.live_blocks()));
        assert_eq!(manager.shares.tokens(), 0);
    });
}

// === Allocators, by one name ===

/// A thread's door to the allocator that all threads share.
struct Door {
    isolate: Isolate,
    id: offheap_core::manager::allocators::AllocatorId,
    size: u64,
}

impl Door {
    fn open(manager: &'static Manager, kind: Kind, size: u64) -> Self {
        let measures =
            Measures { kind, total: TOTAL_BYTES, alignment: AlignmentCode::NONE, overwrite: false };
        let isolate = isolate(manager);
        let id = isolate.open_allocator(NAME, measures).unwrap();
        Self { isolate, id, size }
    }

    /// A full arena is reset, by whoever finds it full.
    fn take(&self) -> Handle {
        loop {
            match self.isolate.allocate_in(self.id, black_box(self.size), Label::NONE) {
                Ok(taken) => return black_box(taken).handle,
                Err(_) => self.isolate.reset_allocator(self.id).unwrap(),
            }
        }
    }

    fn give(&self, handle: Handle) {
        // An arena's are over with its reset.
        black_box(self.isolate.free_in(self.id, handle, self.size).is_ok());
    }
}

const NAME: &str = "bench";

fn check_allocators(manager: &'static Manager, blocks_max: u64) {
    for allocator in manager.allocators.all() {
        let stats = allocator.stats(manager);
        assert!(stats.blocks <= blocks_max, "{} are live", stats.blocks);
        allocator.check().unwrap();
    }
}

fn lifo<const KIND: usize>(manager: &'static Manager, _: usize) -> Work {
    let (_, kind, size) = KINDS[KIND];
    let door = Door::open(manager, kind, size);
    Box::new(move |count| (0..count).for_each(|_| door.give(door.take())))
}

fn random<const KIND: usize>(manager: &'static Manager, number: usize) -> Work {
    let (_, kind, size) = KINDS[KIND];
    let door = Door::open(manager, kind, size);
    let mut alive: Vec<Handle> = (0..ALIVE).map(|_| door.take()).collect();
    let mut state = 1 + number as u64;
    Box::new(move |count| {
        for _ in 0..count {
            let any = &mut alive[next_index(&mut state)];
            door.give(*any);
            *any = door.take();
        }
    })
}

/// Name, kind, and bytes of a request.
const KINDS: [(&str, Kind, u64); 6] = [
    ("slab 128 B", Kind::Slab, 128),
    ("arena 64 B", Kind::Arena, 64),
    ("object pool 1 KiB", Kind::ObjectPool, 1024),
    ("ring 256 B", Kind::Ring, 256),
    ("buddy 4 KiB", Kind::Buddy, 4096),
    ("hybrid 128 B", Kind::Hybrid, 128),
];

fn allocators(criterion: &mut Criterion) {
    type Hire = fn(&'static Manager, usize) -> Work;
    let hires: [(Hire, Hire); KINDS.len()] = [
        (lifo::<0>, random::<0>),
        (lifo::<1>, random::<1>),
        (lifo::<2>, random::<2>),
        (lifo::<3>, random::<3>),
        (lifo::<4>, random::<4>),
        (lifo::<5>, random::<5>),
    ];
    for ((name, kind, _), (lifo, random)) in KINDS.into_iter().zip(hires) {
        by_one_and_two(criterion, &format!("{name}, LIFO"), lifo, |manager, _| check_allocators(manager, 0));
        let blocks_max = if kind == Kind::Arena { u64::MAX } else { 2 * ALIVE as u64 };
        by_one_and_two(criterion, &format!("{name}, {ALIVE} alive each"), random, move |manager, _| {
            check_allocators(manager, blocks_max);
        });
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(30).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    targets = records, blocks, allocators
}
