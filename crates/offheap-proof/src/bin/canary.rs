//! Bugs that must be reported, one for each run: `overflow`, `use-after-free`, `leak` by the sanitizers; `odd-word` and
//! `assertion` where another processor is emulated. Without `--cfg offheap_canary` there are none in it.
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
        #[cfg(offheap_canary)]
        Some("odd-word") => offheap_core::raw::canary::odd_word(),
        #[cfg(offheap_canary)]
        Some("assertion") => assert_eq!(std::env::consts::ARCH, "none", "this processor is none"),
        _ => {
            eprintln!(
                "Usage: canary overflow | use-after-free | leak | odd-word | assertion (--cfg offheap_canary)"
            );
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
