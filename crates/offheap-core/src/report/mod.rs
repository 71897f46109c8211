//! Report: what the tracker and the chunk store know, added up. Read-only: it never frees.
//! Room: report (5). May use: base, raw, tracker, alloc.
#![forbid(unsafe_code)]

use crate::alloc::chunks::Chunks;
use crate::alloc::chunks::classes;
use crate::raw;
use crate::raw::atlas::Span;
use crate::tracker::row::Row;
use crate::tracker::state::State;
use crate::tracker::table::Tracker;

/// Totals of the process, as they were at one moment. Sizes in bytes.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Stats {
    /// Asked for, ever.
    pub total_allocated: u64,
    /// Freed, ever.
    pub total_freed: u64,
    /// Live.
    pub current_allocated: u64,
    /// The most that was live at once.
    pub peak_allocated: u64,
    /// Live blocks.
    pub active_blocks: u64,
    /// Larger than every id handed out so far.
    pub next_block_id: u64,
    /// Smallest live block, 0 when none.
    pub min_block_size: u64,
    /// Largest live block, 0 when none.
    pub max_block_size: u64,
    /// Held from the system for blocks; regions of allocators have a figure of their own.
    pub committed: u64,
}

/// A live allocation with what only the chunk store knows.
#[derive(Debug, Clone, Copy)]
pub struct Info {
    /// The tracker's row.
    pub row: Row,
    /// Its address.
    pub address: u64,
    /// What was granted, in bytes.
    pub actual_size: u64,
    /// Its age in milliseconds.
    pub age_ms: u64,
    /// The number of the allocator that granted it.
    pub allocator: Option<u32>,
}

/// Totals. Exact while nothing runs beside it; else each figure was true during the call.
#[must_use]
pub fn stats(tracker: &Tracker, chunks: &Chunks) -> Stats {
    let (mut min, mut max, mut next_block_id) = (u64::MAX, 0, 0);
    tracker.scan(|row| {
        if row.state.has(State::ORPHANED) || row.state.has(State::ESCAPED) || row.place.is_grant() {
            return; // in nobody's hands any more: counted as escaped; or an allocator's, not a block
        }
        min = min.min(row.extent.size);
        max = max.max(row.extent.size);
    });
    tracker.each_id(|id| next_block_id = next_block_id.max(id + 1));
    let totals = tracker.counters.sum();
    Stats {
        total_allocated: totals.allocated_bytes,
        total_freed: totals.freed_bytes,
        current_allocated: totals.live_bytes(),
        peak_allocated: tracker.counters.peak_bytes(),
        active_blocks: totals.live_blocks(),
        next_block_id,
        min_block_size: if max == 0 { 0 } else { min },
        max_block_size: max,
        committed: chunks.committed_bytes(),
    }
}

/// Every live allocation, oldest record first.
#[must_use]
pub fn rows(tracker: &Tracker, chunks: &Chunks) -> Vec<Info> {
    let now_ms = raw::now_ms();
    let mut rows = Vec::new();
    tracker.scan(|row| rows.push(info(chunks, row, now_ms)));
    rows
}

/// One live allocation's row, completed; of a grant only the allocators know the rest.
#[must_use]
pub fn info(chunks: &Chunks, row: &Row, now_ms: u64) -> Info {
    let base = chunks.atlas.region(Span(row.place.span)).map_or(0, |region| region.address() as u64);
    Info {
        row: *row,
        address: base + row.place.offset_bytes(),
        // A table's words are JavaScript's: any number may stand there.
        actual_size: if usize::from(row.place.class) < classes::COUNT {
            classes::size_of(row.place.class)
        } else {
            0
        },
        age_ms: row.age_ms(now_ms),
        allocator: None,
    }
}
