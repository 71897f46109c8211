//! Base: what every room shares. Errors with numbers, the atomics shim, threads' numbers, units.
//! Room: base (0). May use: nothing.
#![forbid(unsafe_code)]

pub mod error;
pub mod lane;
pub mod sync;
