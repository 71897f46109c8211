//! Alloc: strategies that decide which bytes a request gets. Offsets only, all metadata out of the
//! memory that JavaScript can write. The strategies do not know each other.
//! Room: alloc (3). May use: base, raw, tracker, ops.
#![forbid(unsafe_code)]

pub mod chunks;
