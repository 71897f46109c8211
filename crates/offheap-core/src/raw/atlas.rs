//! The atlas: span number → region. The one place where a record's (span, offset) becomes memory.

use super::bytes::Bytes;
use super::region::Region;
use crate::base::sync::{AtomicU32, OnceLock, Ordering, sized};

/// Bits of a span number. Every span holds at least 16 chunks or is a run of its own, and there are
/// at most 2^24 live chunks, so 2^20 spans are enough.
pub const SPAN_BITS: u32 = 20;

const PAGE: usize = sized(1 << 10, 4);
const PAGES: usize = sized((1 << SPAN_BITS) / PAGE, 4);

/// The number of a span; never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(pub u32);

type Page = Box<[OnceLock<Region>]>;

/// Append-only directory of spans; lock-free once a page of it exists.
#[derive(Debug)]
pub struct Atlas {
    pages: Box<[OnceLock<Page>]>,
    next: AtomicU32,
}

impl Default for Atlas {
    fn default() -> Self {
        Self { pages: (0..PAGES).map(|_| OnceLock::new()).collect(), next: AtomicU32::new(0) }
    }
}

impl Atlas {
    /// Registers a region and gives its number; `None` when all numbers are spent.
    #[must_use]
    pub fn add(&self, region: Region) -> Option<Span> {
        let number = self
            .next
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |next| {
                (next < 1 << SPAN_BITS).then_some(next + 1)
            })
            .ok()?;
        let page =
            self.pages[number as usize / PAGE].get_or_init(|| (0..PAGE).map(|_| OnceLock::new()).collect());
        page[number as usize % PAGE].get_or_init(|| region); // OnceLock publishes with Release
        Some(Span(number))
    }

    /// The region of a span.
    #[must_use]
    pub fn region(&self, span: Span) -> Option<&Region> {
        self.pages.get(span.0 as usize / PAGE)?.get()?[span.0 as usize % PAGE].get()
    }

    /// The bytes at a place, or `None` when they are not committed bytes of a span.
    #[must_use]
    pub fn bytes(&self, span: Span, offset: usize, size: usize) -> Option<Bytes<'static>> {
        self.region(span)?.bytes(offset, size)
    }

    /// How many spans exist.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.next.load(Ordering::Relaxed)
    }
}
