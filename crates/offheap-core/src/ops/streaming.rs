//! From which size on an operation streams by itself: a size at which what it touches is sure to leave the caches, so
//! that nobody finds it there afterwards.
//!
//! Measured by `npm run bench:streaming`, which any machine repeats, as the speed of streaming stores over that of
//! plain ones, of the operation alone and of it with *reading the target once* after it, which is what a program does
//! next and streaming makes slower:
//!
//! - EPYC Zen 5, 32 MiB of cache (glibc 2.36, load 3). A copy gains from 10 MiB on alone (1.2 to 1.4), and with the
//!   reading nothing at 14 and 16 MiB (0.96 to 1.01), 1.1 at 20, 1.2 at 64. A fill gains nothing that lasts: alone 0.8
//!   at 32 MiB, 0.9 to 1.2 from 48 to 128, 0.8 at 256; with the reading never more than 1.0. So it is with a pattern.
//! - Xeon, quiet, 105 MiB of cache (glibc 2.36). With the reading a copy loses at 16 MiB (5.9 against 7.4 GB/s) and
//!   gains at 32 (5.5 against 5.1), a fill loses at 32 (6.3 against 9.5) and gains at 64 (6.5 against 5.6; alone 15.0
//!   against 9.4). Beside a busy neighbour a copy gains from 16 MiB on. One that told of 260 MiB gained by as much.
//!
//! Hence: what a copy touches is twice its size, and a fill's is its size; both stream when that is the cache, of which
//! 64 MiB count at most, because who has more shares it with many. How many those are does not count: a virtual machine tells
//! its own number (the EPYC above: two, of sixteen), and where the number is right, a fair share is too little (the Xeon's: 5 MiB).

use crate::raw::processor::{Processor, processor};

/// Less than this never streams, in bytes, whatever the processor says: so small operations need not ask it. Of
/// caution, where a cache is smaller than any that was measured.
pub(super) const COPY_MIN_BYTES: usize = 4 << 20;
/// The same of a fill.
pub(super) const FILL_MIN_BYTES: usize = 2 * COPY_MIN_BYTES;

/// How much of a cache counts, in bytes: also what counts where the processor does not say how large its is.
const CACHE_MAX_BYTES: usize = 64 << 20;

/// From which sizes on, in bytes, operations in [`CopyMode::Normal`](super::CopyMode::Normal) and fills stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thresholds {
    /// Copies, also those that swap bytes.
    pub copy_min_bytes: usize,
    /// Fills; `usize::MAX` when they never do.
    pub fill_min_bytes: usize,
    /// Fills that are done in pieces, by the size of the whole.
    pub piecewise_fill_min_bytes: usize,
}

impl Thresholds {
    /// Those of this machine. The first call asks the processor.
    #[must_use]
    pub fn here() -> Self {
        Self::of(processor())
    }

    fn of(processor: Processor) -> Self {
        let told = processor.cache_bytes.and_then(|bytes| usize::try_from(bytes).ok());
        let cache_bytes = told.unwrap_or(CACHE_MAX_BYTES).clamp(FILL_MIN_BYTES, CACHE_MAX_BYTES);
        // Filling plainly, AMD's do not read the lines that are written whole, which is what streaming saves elsewhere. But
        // only where one call fills more than the cache: EPYC Zen 5, 512 MiB at once 36 to 44 GB/s, 4 MiB at a time 22 to 25.
        let fill_min_bytes = if processor.is_amd { usize::MAX } else { cache_bytes };
        Self { copy_min_bytes: cache_bytes / 2, fill_min_bytes, piecewise_fill_min_bytes: cache_bytes }
    }
}

/// Whether a copy of so many bytes streams.
pub(super) fn copies(bytes: usize) -> bool {
    bytes >= COPY_MIN_BYTES && bytes >= Thresholds::here().copy_min_bytes
}

/// Whether a fill of so many bytes streams, at once or in pieces.
pub(super) fn fills(bytes: usize, in_pieces: bool) -> bool {
    let here = Thresholds::here();
    let least = if in_pieces { here.piecewise_fill_min_bytes } else { here.fill_min_bytes };
    bytes >= FILL_MIN_BYTES && bytes >= least
}

#[cfg(test)]
mod tests {
    use super::{COPY_MIN_BYTES, FILL_MIN_BYTES, Processor, Thresholds, copies, fills};

    const MIB: usize = 1 << 20;

    fn of(is_amd: bool, cache_mib: u64) -> (usize, usize) {
        let told = Thresholds::of(Processor { is_amd, cache_bytes: Some(cache_mib << 20) });
        (told.copy_min_bytes, told.fill_min_bytes)
    }

    #[test]
    fn a_server_whose_cache_is_shared_by_many_streams_from_where_it_was_measured_to_gain() {
        assert_eq!(of(false, 260), (32 * MIB, 64 * MIB));
        assert_eq!(of(false, 105), (32 * MIB, 64 * MIB));
    }

    #[test]
    fn an_amd_copies_by_streaming_from_half_its_cache_on_and_never_fills_so() {
        assert_eq!(of(true, 32), (16 * MIB, usize::MAX));
        assert_eq!(of(true, 96), (32 * MIB, usize::MAX));
    }

    #[test]
    fn what_an_amd_fills_in_pieces_streams_from_its_cache_on() {
        let told = Processor { is_amd: true, cache_bytes: Some(32 << 20) };
        assert_eq!(Thresholds::of(told).piecewise_fill_min_bytes, 32 * MIB);
    }

    #[test]
    fn a_laptop_streams_when_what_is_touched_fills_its_cache() {
        assert_eq!(of(false, 12), (6 * MIB, 12 * MIB));
        assert_eq!(of(false, 24), (12 * MIB, 24 * MIB));
        assert_eq!(of(true, 16), (8 * MIB, usize::MAX));
    }

    #[test]
    fn a_cache_smaller_than_any_that_was_measured_counts_as_eight_mebibytes() {
        assert_eq!(of(false, 2), (4 * MIB, 8 * MIB));
        assert_eq!(of(false, 0), (4 * MIB, 8 * MIB));
    }

    #[test]
    fn what_tells_nothing_streams_where_the_largest_caches_do() {
        let silent = |is_amd| Thresholds::of(Processor { is_amd, cache_bytes: None });
        for (is_amd, fill_min_bytes) in [(false, 64 * MIB), (true, usize::MAX)] {
            let piecewise_fill_min_bytes = 64 * MIB;
            let expected = Thresholds { copy_min_bytes: 32 * MIB, fill_min_bytes, piecewise_fill_min_bytes };
            assert_eq!(silent(is_amd), expected);
        }
    }

    #[test]
    fn a_size_that_no_machine_is_large_enough_for_is_a_cache_like_the_largest() {
        let told = Processor { is_amd: false, cache_bytes: Some(u64::MAX) };
        let Thresholds { copy_min_bytes, fill_min_bytes, piecewise_fill_min_bytes } = Thresholds::of(told);
        assert_eq!(
            (copy_min_bytes, fill_min_bytes, piecewise_fill_min_bytes),
            (32 * MIB, 64 * MIB, 64 * MIB)
        );
    }

    #[test]
    fn an_operation_streams_from_the_threshold_of_this_machine_on() {
        let here = Thresholds::here();
        assert!((COPY_MIN_BYTES..=32 * MIB).contains(&here.copy_min_bytes));
        assert!(copies(here.copy_min_bytes) && !copies(here.copy_min_bytes - 1) && !copies(0));
        assert!(here.fill_min_bytes >= FILL_MIN_BYTES);
        for (least, in_pieces) in [(here.fill_min_bytes, false), (here.piecewise_fill_min_bytes, true)] {
            assert!(fills(least, in_pieces) && !fills(least - 1, in_pieces) && !fills(0, in_pieces));
        }
    }
}
