//! Tracker: which memory is live right now, whose it is, since when. Lock-free: every operation on
//! a record is a bounded number of loads, stores and compare-exchanges; growing by a segment, a
//! label or a counter cell takes a lock. It never reads the bytes that a record names, and never
//! frees them.
//! Room: tracker (2). May use: base, raw.
#![forbid(unsafe_code)]

pub mod check;
pub mod counters;
mod idle;
pub mod isolate;
pub mod label;
pub mod lent;
pub mod magazine;
pub mod record;
pub mod row;
pub mod stack;
pub mod state;
pub mod table;

#[cfg(test)]
mod tests;
