//! What every strategy promises. The laws stand here; the contract suite in `tests/` runs them
//! against all six.

use crate::base::error::{Code, Error, Result};

/// The largest region, in bytes: a record keeps an offset in 32 bits of 16-byte units, and a link
/// keeps an index + 1 in as many.
pub const TOTAL_MAX: u64 = (1 << 36) - (1 << 16);
/// Unit of every offset that a record keeps, in bytes.
pub const UNIT: u64 = 16;

/// A range of the region that is one caller's now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Grant {
    /// Bytes from the start of the region.
    pub offset: u64,
    /// Bytes granted; at least what was asked.
    pub size: u64,
}

/// How a region is used, in bytes. Exact while nobody else allocates or frees.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Not available to anybody: grants, and what waits behind one (ring, arena).
    pub held: u64,
    /// The rest of the region.
    pub free: u64,
    /// The largest request that would succeed now, but for rounding to the alignment.
    pub largest_free: u64,
    /// Live grants.
    pub blocks: u64,
    /// Free ranges that are not joined to each other.
    pub free_blocks: u64,
    /// Free bytes that cannot be part of the largest request that so many free bytes could serve, for where the grants
    /// lie. What no order of grants could join to it does not count.
    pub scattered: u64,
}

/// [`Usage::scattered`] of a strategy that serves any size from one range: `largest` of all requests.
#[must_use]
pub fn outside_largest(free: u64, largest: u64, largest_free: u64) -> u64 {
    free.min(largest).saturating_sub(largest_free)
}

/// Nothing, or a sentence that names what does not hold.
pub type Verdict = std::result::Result<(), String>;

/// A way to cut a region. It computes offsets, keeps all it knows out of the region, and may be
/// used by many threads at once. `total` and `alignment` are given when it is made.
///
/// Laws:
/// 1. A grant lies in `[0, total)`, is at least as large as the request, and starts at a multiple of
///    the alignment. Live grants share no byte.
/// 2. Size 0, and a size above the largest that the empty region could give, is
///    [`Code::OutOfRange`] with that largest size. What has no room now is [`Code::RegionFull`] with
///    the largest that has. A refusal changes nothing.
/// 3. `free` of what is not the start of a live grant is [`Code::DoubleFree`], and changes nothing.
///    (Two threads that free one grant at the same moment have to decide between them before they
///    come here: the tracker's record does.)
/// 4. What was freed can be granted again: when everything is freed, the largest request succeeds.
///    (The arena frees by `rewind` and `reset` only.)
/// 5. `held + free = total`; `largest_free <= free`; a request of `largest_free` succeeds. `scattered <= free`, and it is
///    0 when nothing is granted.
/// 6. What is granted to requests of one class ([`Strategy::class_of`]) has one size and would serve every request
///    of that class, unless [`Strategy::has_class_at`] says no.
/// 7. `trim` gives back pages of which no grant has a byte, and only while no grant can get them. So does `free_with`,
///    and only pages of the grant that it ends.
/// 8. `allocate_many` grants what as many single requests would be granted. It grants fewer than are wanted only where
///    the next single one would be refused, or would be cut as it comes although its size has a class.
///
/// It asks for no `Debug`: behind `dyn` that put 43 kB of text for six strategies into the addon, which nobody prints there.
pub trait Strategy: Send + Sync {
    /// Grants at least `size` bytes.
    ///
    /// # Errors
    /// [`Code::OutOfRange`], [`Code::RegionFull`]: law 2.
    fn allocate(&self, size: u64) -> Result<Grant>;

    /// Serves up to `count` requests of `size` bytes at once, calls `each` with every grant, and returns how many there
    /// were. `each` must not use the strategy.
    fn allocate_many(&self, size: u64, count: usize, each: &mut dyn FnMut(Grant)) -> usize {
        (0..count).map_while(|_| self.allocate(size).ok()).map(each).count()
    }

    /// Ends the grant that starts at `offset` and tells how large it was.
    ///
    /// # Errors
    /// [`Code::DoubleFree`]: law 3.
    fn free(&self, offset: u64) -> Result<u64>;

    /// As `free`; what is a mapping of its own as far as the system is concerned goes back by `decommit(offset, size)`,
    /// which may refuse, see `trim`.
    ///
    /// # Errors
    /// As `free`.
    fn free_with(&self, offset: u64, decommit: &dyn Fn(u64, u64) -> u64) -> Result<u64> {
        let _ = decommit;
        self.free(offset)
    }

    /// The class of a request. `None` for a size that is cut as it comes, or that never fits.
    fn class_of(&self, size: u64) -> Option<u32> {
        let _ = size;
        None
    }

    /// Whether the live grant at `offset` is of the class of its request, which was for `size` bytes, and not cut as
    /// it came because the region had no room for a whole class of them. Of a size that has no class it says nothing.
    #[inline]
    fn has_class_at(&self, offset: u64, size: u64) -> bool {
        let _ = (offset, size);
        true
    }

    /// The size of the live grant that starts at `offset`.
    fn granted(&self, offset: u64) -> Option<u64>;

    /// How the region is used.
    fn usage(&self) -> Usage;

    /// Calls `decommit(offset, size)` for free ranges, at most once for each until it is granted
    /// again, and returns the sum of what `decommit` did.
    fn trim(&self, decommit: &dyn Fn(u64, u64) -> u64) -> u64;

    /// Checks its own structure. Only while nobody else uses it.
    ///
    /// # Errors
    /// A sentence about the first thing that does not hold.
    fn check(&self) -> Verdict;
}

/// The refusal of a size that can never fit.
#[must_use]
pub const fn never_fits(size: u64, largest: u64) -> Error {
    Error::new(Code::OutOfRange, size, largest)
}

/// The refusal of a size that does not fit now.
#[must_use]
pub const fn full(size: u64, largest_free: u64) -> Error {
    Error::new(Code::RegionFull, size, largest_free)
}

/// The refusal of an offset at which no grant starts.
#[must_use]
pub fn not_granted() -> Error {
    Code::DoubleFree.into()
}

/// The refusal of metadata by the system.
#[must_use]
pub fn no_memory(bytes: u64) -> Error {
    Error::new(Code::OutOfMemory, bytes, crate::raw::available_bytes())
}
