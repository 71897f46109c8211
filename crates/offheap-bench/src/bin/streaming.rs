//! `npm run bench:streaming`: from which size on streaming stores gain on this machine, beside the thresholds that the
//! library derives from what the processor says. A number as argument is how many turns are taken.
//!
//! Plain and streaming stores take turns, and the least of each counts, so that a busy machine changes the ratio little.
#![forbid(unsafe_code)]

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Instant;

use offheap_core::ops::Thresholds;
use offheap_core::raw::bytes::Bytes;
use offheap_core::raw::mem::{self, Element, Pattern};
use offheap_core::raw::processor::processor;

const MIB: usize = 1 << 20;
const SIZES_MIB: [usize; 14] = [4, 6, 8, 10, 12, 16, 20, 24, 32, 48, 64, 96, 128, 256];
const SIZE_MAX: usize = SIZES_MIB[SIZES_MIB.len() - 1] * MIB;
/// Smaller operations are repeated to so many bytes between two looks at the clock.
const BYTES_MIN: usize = 16 * MIB;
const TURNS: usize = 15;

/// What is measured: its name, done plainly, and with streaming stores.
type Row = (&'static str, fn(Bytes<'_>, Bytes<'_>), fn(Bytes<'_>, Bytes<'_>));

const ROWS: [Row; 4] = [
    ("copy", mem::copy, mem::copy_streaming),
    (
        "swap copy",
        |target, source| mem::copy_swapped(target, source, Element::E8),
        |target, source| mem::copy_swapped_streaming(target, source, Element::E8),
    ),
    ("fill", |target, _| mem::fill(target, 7.into()), |target, _| mem::fill_streaming(target, 7.into())),
    ("pattern", |target, _| mem::fill(target, pattern()), |target, _| mem::fill_streaming(target, pattern())),
];

fn pattern() -> Pattern {
    Pattern::repeated(&[1, 2]).expect("two bytes are a pattern")
}

/// Reads all of it, as whoever wanted it does.
fn read(bytes: &[u8]) -> u64 {
    const LANES: usize = 8; // so that no addition waits for the one before
    let mut sums = [0_u64; LANES];
    for words in bytes.as_chunks::<8>().0.chunks_exact(LANES) {
        for (sum, word) in sums.iter_mut().zip(words) {
            *sum = sum.wrapping_add(u64::from_ne_bytes(*word));
        }
    }
    sums.into_iter().fold(0, u64::wrapping_add)
}

/// Nanoseconds of one operation.
fn time(way: fn(Bytes<'_>, Bytes<'_>), target: &mut [u8], source: &mut [u8], reads: bool) -> f64 {
    let times = BYTES_MIN.div_ceil(target.len());
    let started = Instant::now();
    for _ in 0..times {
        way(black_box(Bytes::from_mut(target)), black_box(Bytes::from_mut(source)));
        if reads {
            black_box(read(black_box(target)));
        }
    }
    started.elapsed().as_nanos() as f64 / times as f64
}

/// The least times, plain and streaming, of each row, alone and with reading the target once.
fn measure(target: &mut [u8], source: &mut [u8], turns: usize) -> Vec<(f64, f64)> {
    let mut least = vec![(f64::MAX, f64::MAX); 2 * ROWS.len()];
    for _ in 0..turns {
        for (index, best) in least.iter_mut().enumerate() {
            let ((_, plain, streaming), reads) = (ROWS[index / 2], index % 2 == 1);
            best.0 = best.0.min(time(plain, target, source, reads));
            best.1 = best.1.min(time(streaming, target, source, reads));
        }
    }
    least
}

/// A size that stands for never is `usize::MAX`.
fn from(size: Option<usize>) -> String {
    size.filter(|&bytes| bytes < usize::MAX)
        .map_or("never".to_owned(), |bytes| format!("{} MiB", bytes / MIB))
}

fn main() {
    let turns = std::env::args().nth(1).map_or(TURNS, |text| text.parse().expect("the number of turns"));
    let (told, here) = (processor(), Thresholds::here());
    let cache = told.cache_bytes.map_or("caches that it does not tell".to_owned(), |bytes| {
        format!("a largest cache of {:.1} MiB", bytes as f64 / MIB as f64)
    });
    println!("{} processor, with {cache}.", if told.is_amd { "An AMD" } else { "A" });
    println!(
        "The library streams copies: {}; fills: {} (the least size).\n",
        from(Some(here.copy_min_bytes)),
        from(Some(here.fill_min_bytes))
    );
    println!(
        "GB/s of plain stores, and the speed of streaming ones over theirs; 'read': and the target read once after it."
    );
    println!(
        "  MiB{}",
        ROWS.iter().fold(String::new(), |line, (name, ..)| format!("{line}{name:>15}{:>15}", "read"))
    );
    // Not zeroes: those would come as untouched pages.
    let (mut target, mut source) = (vec![1; SIZE_MAX], vec![2; SIZE_MAX]);
    let mut gains_from = [None; 2 * ROWS.len()];
    for mib in SIZES_MIB {
        let mut line = format!("{mib:>5}");
        let least = measure(&mut target[..mib * MIB], &mut source[..mib * MIB], turns);
        for ((plain, streaming), from) in least.into_iter().zip(&mut gains_from) {
            let (speed, ratio) = ((mib * MIB) as f64 / plain, plain / streaming);
            *from = if ratio > 1.0 { from.or(Some(mib * MIB)) } else { None };
            let _ = write!(line, "{speed:>9.1}{ratio:>6.2}");
        }
        println!("{line}");
    }
    println!(
        " from{}",
        gains_from.iter().fold(String::new(), |line, &size| format!("{line}{:>15}", from(size)))
    );
    println!("'from': the least of these sizes that gains, as all larger ones do.");
}
