//! Chunks against a plain map of address ranges.
//!
//! Properties:
//! - `class_edges`: the class of a size is the smallest that holds it at its alignment, at every edge.
//! - `model`: in any sequence of takes, puts, spills, trims and dissolutions by two caches, no two
//!   live chunks share a byte, each keeps its bytes until it is freed, every chunk is in exactly one
//!   place, a viewed chunk never leaves its cache, what claims to be clean reads zero, and the bytes
//!   committed and idle are those of the chunks, to the byte.
//! - `caches`: chunks come back last in first out; what one cache spills another refills from.
//! - `quarantine`: a chunk that was viewed is handed out only after 256 others or 8 MiB, or when nothing
//!   else is left; trim takes its pages and leaves it waiting; it goes on when its isolate has ended.
//! - `pieces`: spans of one piece are apart and aligned; a piece that is refused is asked for smaller; what was not cut
//!   does not count as committed.
//! - `runs`: fresh pages read zero; the idle budget holds; trim gives pages back once and not again;
//!   what no memory can hold is an error that changes nothing.

mod caches;
mod class_edges;
mod model;
mod pieces;
mod quarantine;
mod runs;

use super::{Cache, Chunks, classes};
use crate::base::error::Result;
use crate::ops;
use crate::raw::atlas::Span;
use crate::raw::bytes::Bytes;
use crate::tracker::record::Birth;
use crate::tracker::state::{AlignmentCode, Extent, Handle, Origin, Owner, Slot, State};
use crate::tracker::table::Tracker;
use std::collections::{BTreeMap, BTreeSet};

/// Whether this system takes pages back; the portable fallback only says that it did nothing.
const GIVES_PAGES_BACK: bool = !cfg!(offheap_portable);
const MIB: u64 = 1 << 20;

/// A chunk store of its own, and what is live in it.
#[derive(Default)]
struct House {
    tracker: Tracker,
    chunks: Chunks,
    live: BTreeMap<u64, Live>, // by first address
    stamps: u8,
}

/// A live chunk.
#[derive(Debug, Clone, Copy)]
struct Live {
    handle: Handle,
    size: u64,
    stamp: u8,
    clean: bool, // its record promised that it reads zero
}

impl House {
    /// Takes a chunk of a class and opens its record; the first address is its name.
    fn take(&mut self, cache: &mut Cache, class: u8) -> Result<u64> {
        let slot = cache.take(&self.chunks, &self.tracker, class)?;
        let size = classes::size_of(class);
        let birth = Birth {
            extent: Extent { size, label: 0 },
            origin: Origin { born_ms: 1, owner: Owner::block(0) },
            alignment: AlignmentCode::NONE,
        };
        let record = self.tracker.shared(slot).unwrap();
        assert_eq!(record.place().class, class);
        let (generation, before) = record.begin(birth).unwrap();
        if before.has(State::DECOMMITTED) {
            self.chunks.recommitted(class); // as the manager does
        }
        let live =
            Live { handle: Handle { slot, generation }, size, stamp: 0, clean: before.has(State::CLEAN) };
        let address = self.bytes(slot, 0, size).address() as u64;
        if live.clean {
            self.assert_reads(slot, size, 0);
        }
        let below = self.live.range(..address).next_back();
        assert!(below.is_none_or(|(start, other)| start + other.size <= address), "begins inside another");
        let above = self.live.range(address..).next();
        assert!(above.is_none_or(|(start, _)| address + size <= *start), "ends inside another");
        assert!(address.is_multiple_of(classes::alignment_of(class)), "not at its alignment");
        self.live.insert(address, live);
        Ok(address)
    }

    /// As [`House::take`], and writes a stamp over the bytes.
    fn take_stamped(&mut self, cache: &mut Cache, class: u8) -> u64 {
        let address = self.take(cache, class).unwrap();
        self.stamps = self.stamps % 255 + 1;
        let live = self.live.get_mut(&address).unwrap();
        live.stamp = self.stamps;
        let (slot, size, stamp) = (live.handle.slot, live.size, live.stamp);
        self.samples(slot, size).for_each(|sample| ops::fill(sample, stamp));
        address
    }

    /// Ends a chunk's record and puts it into a cache; its stamp must still be there.
    fn put(&mut self, cache: &mut Cache, address: u64) -> Slot {
        let live = self.live.remove(&address).unwrap();
        if live.stamp > 0 {
            self.assert_reads(live.handle.slot, live.size, live.stamp);
        }
        let record = self.tracker.shared(live.handle.slot).unwrap();
        let before = record.end(live.handle.generation).unwrap();
        cache.put(&self.chunks, &self.tracker, record.place().class, live.handle.slot, before);
        live.handle.slot
    }

    /// Notes that a buffer over the chunk was handed out.
    fn view(&self, address: u64) {
        let handle = self.live[&address].handle;
        let record = self.tracker.shared(handle.slot).unwrap();
        record
            .update(handle.generation, |state| Ok(State(state.0 | State::VIEWED | State::EVER_VIEWED)))
            .unwrap();
    }

    fn bytes(&self, slot: Slot, offset: u64, size: u64) -> Bytes<'static> {
        let place = self.tracker.shared(slot).unwrap().place();
        self.chunks
            .atlas
            .bytes(Span(place.span), place.offset as usize + offset as usize, size as usize)
            .unwrap()
    }

    /// All of a chunk up to 64 KiB; of a larger one its first, middle and last 4 KiB.
    fn samples(&self, slot: Slot, size: u64) -> impl Iterator<Item = Bytes<'static>> + '_ {
        let (starts, length) =
            if size <= 64 << 10 { (vec![0], size) } else { (vec![0, size / 2, size - 4096], 4096) };
        starts.into_iter().map(move |start| self.bytes(slot, start, length))
    }

    #[track_caller]
    fn assert_reads(&self, slot: Slot, size: u64, value: u8) {
        for sample in self.samples(slot, size) {
            let mut copy = vec![!value; sample.size()];
            ops::snapshot(sample, &mut copy).unwrap();
            let wrong = copy.iter().position(|byte| *byte != value);
            assert_eq!(wrong, None, "slot {} of {size} bytes should read {value}", slot.0);
        }
    }

    /// Everything that must hold at rest, given all caches that have a chunk.
    #[track_caller]
    fn check(&self, caches: &[&Cache]) {
        self.tracker.check().unwrap();
        let mut places = BTreeSet::new();
        let cached = caches.iter().flat_map(|cache| cache.check(&self.tracker));
        for slot in cached.chain(self.chunks.check(&self.tracker)) {
            assert!(places.insert(slot), "slot {} waits in two places", slot.0);
        }
        for live in self.live.values() {
            assert!(places.insert(live.handle.slot), "slot {} is live and waits", live.handle.slot.0);
        }
        self.check_bytes(&places, self.idle_bytes(caches));
    }

    /// Bytes of idle runs, as the store and the caches count them together.
    fn idle_bytes(&self, caches: &[&Cache]) -> u64 {
        let untold: i64 = caches.iter().map(|cache| cache.untold_idle()).sum();
        u64::try_from(self.chunks.idle_run_bytes() + untold).unwrap()
    }

    /// The bytes counted are those of the chunks: a small chunk's span counts as a whole but for the
    /// decommitted chunks in it, a run while it has its pages.
    #[track_caller]
    fn check_bytes(&self, slots: &BTreeSet<Slot>, told: u64) {
        let (mut committed, mut idle, mut spanned, mut trimmed, mut spans) = (0, 0, 0, 0, BTreeSet::new());
        for slot in slots {
            let record = self.tracker.shared(*slot).unwrap();
            let (place, state) = (record.place(), record.state());
            let size = classes::size_of(place.class);
            if !classes::is_run(place.class) {
                if spans.insert(place.span) {
                    spanned += self.chunks.atlas.region(Span(place.span)).unwrap().committed() as u64;
                }
                trimmed += if state.has(State::DECOMMITTED) { size } else { 0 };
            } else if state.generation().is_live() {
                assert!(!state.has(State::DECOMMITTED), "slot {} is live without pages", slot.0);
                committed += size;
            } else if !state.has(State::DECOMMITTED) {
                committed += size;
                idle += size;
            }
        }
        assert_eq!(self.chunks.committed_bytes(), committed + spanned - trimmed, "committed bytes");
        assert_eq!(told, idle, "idle bytes");
    }
}

/// The class of a size without an alignment.
fn class_of(size: u64) -> u8 {
    classes::class_for(size, 1).unwrap()
}
