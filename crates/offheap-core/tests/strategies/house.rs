//! All six strategies, each over memory of its own.

use offheap_core::alloc::arena::{Arena, Stay};
use offheap_core::alloc::buddy::Buddy;
use offheap_core::alloc::hybrid::Hybrid;
use offheap_core::alloc::object_pool::ObjectPool;
use offheap_core::alloc::ring::Ring;
use offheap_core::alloc::slab::Slab;
use offheap_core::alloc::strategy::{Grant, Strategy, Usage, Verdict, not_granted};
use offheap_core::base::error::{Code, Result};
use offheap_core::ops;
use offheap_core::raw;
use offheap_core::raw::region::Region;
use offheap_core::tracker::counters::Counter;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// An arena that keeps what handles keep: the stay of each grant. It resets itself when all is freed.
#[derive(Debug)]
struct Handles {
    arena: Arena,
    counter: Counter,
    live: Mutex<BTreeMap<u64, (Stay, Grant)>>,
}

impl Handles {
    fn new(total: u64, alignment: u64) -> Result<Self> {
        let arena = Arena::new(total, alignment)?;
        Ok(Self { counter: arena.counters.counter(), arena, live: Mutex::default() })
    }
}

impl Strategy for Handles {
    fn allocate(&self, size: u64) -> Result<Grant> {
        let mut live = self.live.lock().unwrap();
        let given = self.arena.allocate(size, &self.counter)?;
        let grant = Grant { offset: given.offset, size: given.size };
        live.insert(given.offset, (given.stay, grant));
        Ok(grant)
    }

    fn free(&self, offset: u64) -> Result<u64> {
        let mut live = self.live.lock().unwrap();
        let (stay, grant) = live.remove(&offset).ok_or_else(not_granted)?;
        self.arena.free(stay, 1)?;
        if live.is_empty() {
            self.arena.reset(&|| ());
            assert_eq!(self.arena.free(stay, 1).unwrap_err().code, Code::UseAfterFree);
        }
        Ok(grant.size)
    }

    fn granted(&self, offset: u64) -> Option<u64> {
        self.live.lock().unwrap().get(&offset).map(|(_, grant)| grant.size)
    }

    fn usage(&self) -> Usage {
        self.arena.usage()
    }

    fn trim(&self, decommit: &dyn Fn(u64, u64) -> u64) -> u64 {
        self.arena.trim(decommit)
    }

    fn check(&self) -> Verdict {
        self.arena.check()
    }
}

pub type Make = fn(u64, u64) -> Result<Box<dyn Strategy>>;

fn boxed<S: Strategy + 'static>(made: Result<S>) -> Result<Box<dyn Strategy>> {
    made.map(|strategy| Box::new(strategy) as Box<dyn Strategy>)
}

/// A strategy, and what it is called.
pub type Named = (&'static str, Make);

/// All six.
pub const ALL: [Named; 6] = [
    ("buddy", |total, alignment| boxed(Buddy::new(total, alignment))),
    ("slab", |total, alignment| boxed(Slab::new(total, alignment))),
    ("arena", |total, alignment| boxed(Handles::new(total, alignment))),
    ("ring", |total, alignment| boxed(Ring::new(total, alignment))),
    ("object pool", |total, alignment| boxed(ObjectPool::new(total, alignment))),
    ("hybrid", |total, alignment| boxed(Hybrid::new(total, alignment))),
];

/// A strategy over memory of its own.
pub struct House {
    pub name: &'static str,
    pub strategy: Box<dyn Strategy>,
    pub region: Arc<Region>,
    pub total: u64,
    pub alignment: u64,
}

impl House {
    /// `None` when the strategy refuses this total or alignment.
    pub fn new((name, make): Named, total: u64, alignment: u64) -> Option<Self> {
        let strategy = make(total, alignment).ok()?;
        let region = region(total, alignment);
        Some(Self { name, strategy, region, total, alignment })
    }

    /// Writes a number over a grant: all of a small one, both ends of a large one.
    pub fn stamp(&self, grant: Grant, stamp: u8) {
        for (offset, size) in ends(grant) {
            ops::fill(self.region.bytes(offset as usize, size as usize).unwrap(), stamp);
        }
    }

    #[track_caller]
    pub fn assert_stamp(&self, grant: Grant, stamp: u8) {
        for (offset, size) in ends(grant) {
            let mut copy = vec![0; size as usize];
            ops::snapshot(self.region.bytes(offset as usize, size as usize).unwrap(), &mut copy).unwrap();
            assert!(
                copy.iter().all(|byte| *byte == stamp),
                "{}: {grant:?} was written by another",
                self.name
            );
        }
    }

    /// Law 1, for one grant.
    #[track_caller]
    pub fn assert_proper(&self, grant: Grant, size: u64) {
        assert!(grant.size >= size, "{}: {grant:?} for {size}", self.name);
        assert!(grant.offset + grant.size <= self.total, "{}: {grant:?} past the end", self.name);
        let address = self.region.address() as u64 + grant.offset;
        assert!(address.is_multiple_of(self.alignment), "{}: {grant:?} is not aligned", self.name);
    }

    /// The largest request, as the refusal of a larger one tells it.
    pub fn largest(&self) -> u64 {
        let refused = self.strategy.allocate(u64::MAX).unwrap_err();
        assert_eq!((refused.code, refused.requested), (Code::OutOfRange, u64::MAX));
        refused.available
    }
}

/// The parts of a grant that carry its stamp.
fn ends(grant: Grant) -> Vec<(u64, u64)> {
    const PART: u64 = 512;
    if grant.size <= 2 * PART {
        vec![(grant.offset, grant.size)]
    } else {
        vec![(grant.offset, PART), (grant.offset + grant.size - PART, PART)]
    }
}

/// Regions live for ever, so those of houses that are gone are used again.
static IDLE: Mutex<Vec<Arc<Region>>> = Mutex::new(Vec::new());

fn region(total: u64, alignment: u64) -> Arc<Region> {
    let size = (total as usize).next_multiple_of(raw::page_size());
    let alignment = (alignment as usize).max(raw::page_size());
    let mut idle = IDLE.lock().unwrap();
    let fits = |region: &Arc<Region>| region.size() == size && region.address().is_multiple_of(alignment);
    if let Some(index) = idle.iter().position(fits) {
        return idle.swap_remove(index);
    }
    drop(idle);
    let region = Region::reserve(size, alignment).unwrap();
    region.commit_to(size).unwrap();
    Arc::new(region)
}

impl Drop for House {
    fn drop(&mut self) {
        self.region.decommit(0, self.region.size()); // whoever comes next finds no bytes of ours
        IDLE.lock().unwrap().push(Arc::clone(&self.region));
    }
}
