//! What is called seldom: typed bindings that napi-rs generates. Lists of numbers are typed arrays: filling a plain
//! array would run accessors that a script has put on `Object.prototype`.

use crate::{MANAGER, THREADS};
use napi::bindgen_prelude::Float64Array;
use napi_derive::napi;
use offheap_core::base::error::Code;
use offheap_core::report;
use offheap_core::tracker::label::Label;
use offheap_core::tracker::state::{Owner, State};
use offheap_core::{raw, tracker};
use std::sync::Once;

/// What the machine says of itself, and the layout of the tables that both languages use.
#[napi(object)]
pub struct SystemInfo {
    /// Bytes of a page.
    pub page_size: u32,
    /// Bytes of a data cache line.
    pub cache_line_size: u32,
    /// Version of the isolate table's layout.
    pub layout: i32,
    /// Version of this binary.
    pub version: String,
    /// Whether this is the process's first thread; false where the system does not say.
    pub main_thread: bool,
}

/// Page size, cache line size, layout version.
#[napi(catch_unwind)]
#[must_use]
pub fn system_info() -> SystemInfo {
    SystemInfo {
        page_size: u32::try_from(raw::page_size()).unwrap_or(0),
        cache_line_size: u32::try_from(raw::cache_line_size()).unwrap_or(0),
        layout: tracker::isolate::LAYOUT,
        version: env!("CARGO_PKG_VERSION").into(),
        main_thread: raw::is_main_thread(),
    }
}

/// The texts of all error codes; a status is an index into this list, plus 1.
#[napi(catch_unwind)]
#[must_use]
pub fn error_codes() -> Vec<String> {
    Code::ALL.iter().map(|code| code.as_str().to_owned()).collect()
}

/// Totals: total allocated, total freed, current, peak, blocks, next id, smallest, largest,
/// committed, escaped bytes, quarantined bytes, collected blocks.
#[napi(catch_unwind)]
#[must_use]
pub fn stats() -> Float64Array {
    let stats = report::stats(&MANAGER.tracker, &MANAGER.chunks);
    [
        stats.total_allocated,
        stats.total_freed,
        stats.current_allocated,
        stats.peak_allocated,
        stats.active_blocks,
        stats.next_block_id,
        stats.min_block_size,
        stats.max_block_size,
        stats.committed + MANAGER.allocators.committed_bytes(),
        MANAGER.escaped_bytes(),
        MANAGER.quarantined_bytes(),
        MANAGER.collected(),
    ]
    .map(|value| value as f64)
    .to_vec()
    .into()
}

/// Numbers in a row of [`rows`].
const ROW_FIELDS: usize = 14;

/// Every live allocation, fourteen numbers each: slot, generation, size, granted size, address,
/// alignment code, label number, age in ms, owner kind, owner number, pins, flags (1 viewed,
/// 2 escaped or orphaned), thread id, birth in ms of the clock of [`now_ms`]. Owner kinds: 0 an isolate, 1 a pool, 2 an
/// allocator, whose number follows; an arena and a ring are one row each.
#[napi(catch_unwind)]
#[must_use]
pub fn rows() -> Float64Array {
    let rows = MANAGER.rows();
    let mut numbers = Vec::with_capacity(rows.len() * ROW_FIELDS);
    for info in &rows {
        numbers.extend_from_slice(&row(info));
    }
    numbers.into()
}

fn row(info: &report::Info) -> [f64; ROW_FIELDS] {
    let row = &info.row;
    let escaped = row.state.has(State::ESCAPED) || row.state.has(State::ORPHANED);
    [
        f64::from(row.handle.slot.0),
        f64::from(row.handle.generation.0),
        row.extent.size as f64,
        info.actual_size as f64,
        info.address as f64,
        f64::from(row.alignment.0),
        f64::from(row.extent.label),
        info.age_ms as f64,
        f64::from(row.owner.kind().min(Owner::GRANT)),
        f64::from(info.allocator.unwrap_or(row.owner.number())),
        row.pins as f64,
        f64::from(u8::from(row.state.has(State::VIEWED)) + 2 * u8::from(escaped)),
        f64::from(THREADS.of(MANAGER.pools.isolate_of(row.owner))),
        row.born_ms as f64,
    ]
}

/// The row of one record while it is live, else an empty array; as in [`rows`].
#[napi(catch_unwind)]
#[must_use]
pub fn row_of(slot: u32) -> Float64Array {
    let row_now = MANAGER.tracker.shared_row(tracker::state::Slot(slot));
    let info = row_now.and_then(|now| MANAGER.row(&now, raw::now_ms()));
    info.map_or_else(Vec::new, |info| row(&info).to_vec()).into()
}

/// Slot, generation and flags of every live block that an isolate holds through the manager or from a pool
/// that is closed, and of its open pools if asked.
#[napi(catch_unwind)]
#[must_use]
pub fn blocks_of(isolate: u32, with_pools: bool) -> Float64Array {
    let mut own = Vec::new();
    MANAGER.tracker.scan(|row| {
        let pooled = row.owner.kind() == Owner::POOL
            && (with_pools || MANAGER.pools.is_closed(row.owner))
            && MANAGER.pools.isolate_of(row.owner) == isolate;
        if pooled || row.owner == Owner::block(isolate) {
            let viewed = u8::from(row.state.has(State::VIEWED));
            own.extend([f64::from(row.handle.slot.0), f64::from(row.handle.generation.0), f64::from(viewed)]);
        }
    });
    own.into()
}

/// Sets the cap that the environment asks for: the first call of the process counts, so that a worker
/// which loads the package later does not undo `setLimit`.
#[napi(catch_unwind)]
pub fn set_environment_limit(bytes: f64) {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| set_limit(bytes));
}

/// Caps the bytes of live blocks; a negative number lifts the cap.
#[napi(catch_unwind)]
pub fn set_limit(bytes: f64) {
    MANAGER.set_limit((bytes >= 0.0).then_some(bytes as u64));
}

/// The cap, or −1.
#[napi(catch_unwind)]
#[must_use]
pub fn limit() -> f64 {
    MANAGER.limit().map_or(-1.0, |limit| limit as f64)
}

/// Milliseconds of the clock that births and frees are noted by.
#[napi(catch_unwind)]
#[must_use]
pub fn now_ms() -> f64 {
    raw::now_ms() as f64
}

/// The same clock as [`now_ms`] without its lag, where the system can tell: what other clocks are compared with.
#[napi(catch_unwind)]
#[must_use]
pub fn precise_now_ms() -> f64 {
    raw::precise_now_ms() as f64
}

/// The number of a label.
#[napi(catch_unwind)]
#[must_use]
pub fn intern_label(text: String) -> u32 {
    u32::from(MANAGER.tracker.labels.intern(&text).0)
}

/// The text of a label's number; undefined for 0.
#[napi(catch_unwind)]
#[must_use]
pub fn label_text(label: u32) -> Option<String> {
    MANAGER.tracker.labels.text(Label(u16::try_from(label).unwrap_or(0)))
}
