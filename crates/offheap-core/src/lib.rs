//! Native memory under explicit control.
//!
//! The rooms, lowest first; each may use only those before it:
//! `base` → `raw` → `tracker` → `ops` → `alloc` → `report` → `manager`.
//! Only `raw` contains unsafe code; every other room forbids it.

#![deny(unsafe_code)]

pub mod alloc;
pub mod base;
pub mod manager;
pub mod ops;
pub mod raw;
pub mod report;
pub mod tracker;
