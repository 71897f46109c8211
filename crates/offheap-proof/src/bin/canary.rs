//! Bugs that AddressSanitizer and LeakSanitizer must report, one for each run: `overflow`, `use-after-free`, `leak`. Without
//! `--cfg offheap_canary` there are none in it.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        #[cfg(offheap_canary)]
        Some("overflow") => offheap_core::raw::canary::overflow(),
        #[cfg(offheap_canary)]
        Some("use-after-free") => offheap_core::raw::canary::use_after_free(),
        #[cfg(offheap_canary)]
        Some("leak") => (0..10).for_each(|_| leak()),
        _ => {
            eprintln!("Usage: canary overflow | use-after-free | leak (built with --cfg offheap_canary)");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

/// A function of its own, so that no register keeps the address.
#[cfg(offheap_canary)]
#[inline(never)]
fn leak() {
    std::mem::forget(std::hint::black_box(vec![7_u8; 1000]));
}
