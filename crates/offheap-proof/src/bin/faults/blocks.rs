//! Blocks and pools.

use crate::orders::{ask, memory, with_each};
use offheap_core::base::error::Code;
use offheap_core::manager::{Isolate, Manager, PoolMeasures, Request};
use offheap_core::raw::faults::{self, Order};
use offheap_core::tracker::label::Label;
use offheap_core::tracker::state::{AlignmentCode, Handle};
use offheap_proof::{Random, assert_stamp, manager, stamp};

const STEPS: u32 = 300;

#[derive(Debug, Clone, Copy)]
struct Held {
    handle: Handle,
    size: u64,
    value: u8,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Use {
    Plain,
    /// Buffers over them are made and are gone, and others hold them too.
    Seen,
}

struct House {
    isolate: Isolate,
    random: Random,
    all: Vec<Held>,
    keys: Vec<u128>,
    next: u128,
}

fn request(random: &mut Random) -> Request {
    let size = match random.below(12) {
        0 => 1 + random.below(20 << 20),
        1..=3 => 1 + random.below(300_000),
        _ => 1 + random.below(4000),
    };
    let alignment = if random.below(8) == 0 { AlignmentCode::PAGE } else { AlignmentCode::WORD };
    Request { size, alignment, zeroed: random.below(4) == 0, label: Label::NONE }
}

impl House {
    fn new(manager: &'static Manager, seed: u64) -> Self {
        let isolate = Isolate::open(manager, Some(0)).unwrap();
        Self { isolate, random: Random(seed), all: Vec::new(), keys: Vec::new(), next: 1 }
    }

    fn enter(&mut self, handle: Handle, size: u64) {
        let value = 1 + self.random.below(255) as u8;
        stamp(self.isolate.bytes(handle, 0, size).unwrap(), value);
        self.all.push(Held { handle, size, value });
    }

    fn assert_stamped(&self, held: Held) {
        assert_stamp(self.isolate.bytes(held.handle, 0, held.size).unwrap(), held.value);
    }

    fn free(&self, held: Held) {
        self.assert_stamped(held);
        faults::refusing(|| self.isolate.free(held.handle)).expect("a free needs no memory");
    }

    fn any(&mut self) -> Option<usize> {
        (!self.all.is_empty()).then(|| self.random.index(self.all.len()))
    }

    fn allocate(&mut self) {
        let request = request(&mut self.random);
        let Some(handle) = memory(|| self.isolate.allocate(request)) else { return };
        if request.zeroed {
            assert_stamp(self.isolate.bytes(handle, 0, request.size).unwrap(), 0);
        }
        self.enter(handle, request.size);
    }

    fn reallocate(&mut self) {
        let Some(index) = self.any() else { return };
        let (held, size) = (self.all[index], request(&mut self.random).size);
        self.assert_stamped(held);
        match memory(|| self.isolate.reallocate(held.handle, size)) {
            Some(handle) => {
                assert_stamp(self.isolate.bytes(handle, 0, size.min(held.size)).unwrap(), held.value);
                self.all.swap_remove(index);
                self.enter(handle, size);
            }
            None => self.assert_stamped(held), // it is as it was
        }
    }

    fn show(&mut self) {
        let Some(index) = self.any() else { return };
        let held = self.all[index];
        if let Some(record) = memory(|| self.isolate.show(held.handle, false)) {
            faults::refusing(|| self.isolate.buffer_gone(record, |_| true));
        }
    }

    fn share(&mut self) {
        let Some(index) = self.any() else { return };
        let held = self.all[index];
        self.next += 1;
        if memory(|| self.isolate.share(held.handle, self.next)).is_none() {
            return;
        }
        self.keys.push(self.next);
        if self.random.below(2) == 0 {
            let key = self.keys.swap_remove(0);
            if let Some((handle, size)) = memory(|| self.isolate.attach_shared(key)) {
                let other = self.all.iter().find(|other| {
                    self.isolate.address(other.handle.slot) == self.isolate.address(handle.slot)
                });
                match other.map(|other| other.value) {
                    Some(value) => self.all.push(Held { handle, size, value }),
                    None => self.enter(handle, size), // the others are gone
                }
            }
        }
    }

    fn step(&mut self, uses: Use) {
        match self.random.below(100) {
            0..=44 => self.allocate(),
            45..=74 => {
                if let Some(index) = self.any() {
                    let held = self.all.swap_remove(index);
                    self.free(held);
                }
            }
            75..=84 => self.reallocate(),
            85..=88 if uses == Use::Seen => self.share(),
            89..=97 if uses == Use::Seen => self.show(),
            98 => drop(faults::refusing(|| self.isolate.trim())),
            _ => {}
        }
        if self.random.below(16) == 0 {
            self.isolate.manager().tracker.check().unwrap();
        }
    }

    /// Frees all that there is, and looks whether anything is left.
    fn leave(mut self) {
        for held in std::mem::take(&mut self.all) {
            self.free(held);
        }
        let manager = self.isolate.manager();
        drop(self); // and the offers with it
        let sum = manager.tracker.counters.sum();
        assert_eq!((sum.live_blocks(), sum.live_bytes(), manager.shares.tokens()), (0, 0, 0));
        assert_eq!(manager.escaped_bytes(), 0);
        manager.tracker.check().unwrap();
    }
}

fn run(seeds: u64, uses: Use) {
    with_each(seeds, |seed| {
        let manager = manager();
        let mut house = House::new(manager, seed);
        (0..STEPS).for_each(|_| house.step(uses));
        house.leave();
        give_back(manager);
    });
}

/// So that many scenes in a row do not fill the machine. What lives on is address space.
fn give_back(manager: &'static Manager) {
    faults::order(Order { heap_every: 0, pages_every: 0, heap_least: 0 });
    Isolate::open(manager, Some(0)).unwrap().trim();
}

/// Allocated, moved, freed.
pub fn blocks(seeds: u64) {
    run(seeds, Use::Plain);
}

/// The same, and seen by buffers and other holders.
pub fn viewed_and_shared(seeds: u64) {
    run(seeds, Use::Seen);
}

/// Acquired and released.
pub fn pools(seeds: u64) {
    with_each(seeds, |seed| {
        let manager = manager();
        let isolate = Isolate::open(manager, Some(0)).unwrap();
        let mut random = Random(seed);
        for size in [64, 5000, 200_000] {
            let request = Request { size, alignment: AlignmentCode::WORD, zeroed: true, label: Label::NONE };
            let measures = PoolMeasures { request, idle_max: 8, limit: 40, zero_on_release: true };
            let Some(pool) = memory(|| isolate.open_pool("pool", measures)) else { continue };
            let mut all: Vec<Handle> = Vec::new();
            for _ in 0..STEPS {
                if random.below(2) == 0 {
                    match ask(|| isolate.acquire(pool)) {
                        Ok(handle) => {
                            assert_stamp(isolate.bytes(handle, 0, size).unwrap(), 0);
                            stamp(isolate.bytes(handle, 0, size).unwrap(), 7);
                            all.push(handle);
                        }
                        Err(error) if error.code == Code::Limit => assert_eq!(all.len(), 40),
                        Err(error) => assert_eq!(error.code, Code::OutOfMemory),
                    }
                } else if !all.is_empty() {
                    let handle = all.swap_remove(random.index(all.len()));
                    assert_stamp(isolate.bytes(handle, 0, size).unwrap(), 7);
                    faults::refusing(|| isolate.release(pool, handle)).expect("a release needs no memory");
                }
                assert_eq!(isolate.pool_stats(pool).unwrap().in_use, all.len() as u64);
            }
            for handle in all {
                faults::refusing(|| isolate.release(pool, handle)).unwrap();
            }
            faults::refusing(|| isolate.close_pool(pool)).unwrap();
        }
        assert_eq!(manager.tracker.counters.sum().live_blocks(), 0);
        manager.tracker.check().unwrap();
        drop(isolate);
        give_back(manager);
    });
}

/// An isolate that ends leaves nothing, whatever is refused meanwhile.
pub fn ends(seeds: u64) {
    with_each(seeds, |seed| {
        let manager = manager();
        let mut house = House::new(manager, seed);
        (0..STEPS).for_each(|_| house.step(Use::Plain));
        let House { isolate, .. } = house;
        faults::refusing(|| drop(isolate));
        let sum = manager.tracker.counters.sum();
        assert_eq!((sum.live_blocks(), sum.live_bytes(), manager.escaped_bytes()), (0, 0, 0));
        manager.tracker.check().unwrap();
        give_back(manager);
    });
}
