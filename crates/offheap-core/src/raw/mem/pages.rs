//! How loops over large ranges walk: several pages side by side, or in order.

/// Whether this CPU gains by walking side by side. Those of AMD lose by it (EPYC Zen 5, 32 MiB L3, GB/s in order and
/// side by side: compare 116, 64 at 64 KiB and 22, 14 at 64 MiB; streaming copy of 64 MiB 23, 14).
#[cfg(all(target_arch = "x86_64", not(offheap_portable)))]
pub(super) fn pays_side_by_side() -> bool {
    !crate::raw::processor::is_amd()
}

/// The stride that gives each stream its own page. A hardware prefetcher follows one stream per 4 KiB
/// page and stops at its end (Intel Optimization Manual, "Data Prefetching"), so on such CPUs loops over large
/// ranges walk [`WAYS`] pages side by side, as glibc's large memcpy does.
pub(super) const PAGE_BYTES: usize = 4096;

/// Pages walked side by side. Measured at 64 MiB (Xeon, 105 MiB L3, 4 KiB pages), GB/s of payload for
/// 1, 2, 4, 8, 16 pages: streaming copy 7.3, 8.6, 10.2, 9.5, 8.3; compare 8.0, 8.7, 8.9 (up to 4).
pub(super) const WAYS: usize = 4;

/// Bytes that one round over [`WAYS`] pages covers.
pub(super) const ROUND_BYTES: usize = WAYS * PAGE_BYTES;
