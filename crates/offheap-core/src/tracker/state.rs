//! The words of a record and the numbers made of them. Every bit field is declared once, here.

/// Index of a record; 24 bits. The same numbers serve both kinds of segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(pub u32);

impl Slot {
    /// Bits of an index.
    pub const BITS: u32 = 24;
    /// How many records there can be.
    pub const COUNT: u32 = 1 << Self::BITS;
}

/// How often a record changed hands; 29 bits; odd while its memory is live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Generation(pub u32);

impl Generation {
    /// Bits of a generation.
    pub const BITS: u32 = 29;
    /// The last one; even, so that a record retires free and never wraps into an id given before.
    pub const MAX: Self = Self((1 << Self::BITS) - 2);

    /// The last generation up to this one that was live; not for 0, before which there was none.
    #[must_use]
    pub const fn last_live(self) -> Self {
        Self(self.0.saturating_sub(1) | 1)
    }

    /// Whether memory of this generation is live.
    #[must_use]
    pub const fn is_live(self) -> bool {
        self.0 & 1 == 1
    }
}

/// One owner's claim on one record: what a handle holds. A later owner has another generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Handle {
    /// Which record.
    pub slot: Slot,
    /// Which of its owners.
    pub generation: Generation,
}

impl Handle {
    /// The public id: unique in the process, below 2^53, computed and never stored.
    #[must_use]
    pub const fn id(self) -> u64 {
        self.slot.0 as u64 + ((self.generation.0 >> 1) as u64) * (Slot::COUNT as u64)
    }
}

const _: () = assert!(Slot::BITS + Generation::BITS - 1 < 53);

/// The state word: `generation:29 | flags:3 | pins:16 | low flags:16`. Generation and pins share
/// one word on purpose: in two words, "no pins" and "still mine" could each be true, never both.
/// The generation is the top of the word, so that JavaScript, which reads the word in halves,
/// finds it by one shift of the upper half.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct State(pub u64);

impl State {
    const GENERATION_SHIFT: u32 = 64 - Generation::BITS;
    const PINS_SHIFT: u32 = 16;

    /// The most pins at once. One more is refused, so a pin can never carry into the flags.
    pub const PINS_MAX: u64 = 0xffff;
    /// One pin.
    pub const PIN: u64 = 1 << Self::PINS_SHIFT;
    /// A buffer over this memory was handed to JavaScript by the present owner.
    pub const VIEWED: u64 = 1 << 32;
    /// A buffer over this memory was transferred away; the memory is kept for whoever has it.
    pub const ESCAPED: u64 = 1 << 33;
    /// The bytes are known to read 0 (fresh from the system, never handed out).
    pub const CLEAN: u64 = 1;
    /// The pages were given back to the system and will be committed again by the first touch.
    pub const DECOMMITTED: u64 = 1 << 1;
    /// A buffer over this memory was ever handed out, by any owner.
    pub const EVER_VIEWED: u64 = 1 << 2;
    /// The isolate that owned it ended while a view could still exist.
    pub const ORPHANED: u64 = 1 << 3;
    /// The record is spent; its memory has another record now.
    pub const RETIRED: u64 = 1 << 4;
    /// Freed by its owner, and kept with its memory for a next one: whoever clears this has the memory.
    pub const WAITING: u64 = 1 << 5;
    /// Lent to an isolate's JavaScript: the words of its table about the slot say the rest ([`super::lent`]), and
    /// the number of that table stands where pins would.
    pub const LENT: u64 = 1 << 6;
    /// It has other holders, or had: whoever frees it asks whether it is the last.
    pub const SHARED: u64 = 1 << 7;
    /// A record of another holder of memory that the chunk store knows by another record.
    pub const ALIAS: u64 = 1 << 14;
    const ALIGNMENT_SHIFT: u32 = 8;
    const ALIGNMENT_MASK: u64 = 0x3f;

    /// A free record of a generation, with the given flags.
    #[must_use]
    pub const fn new(generation: Generation, flags: u64) -> Self {
        Self(((generation.0 as u64) << Self::GENERATION_SHIFT) | flags)
    }

    /// The generation.
    #[must_use]
    pub const fn generation(self) -> Generation {
        Generation((self.0 >> Self::GENERATION_SHIFT) as u32)
    }

    /// How many pins hold it.
    #[must_use]
    pub const fn pins(self) -> u64 {
        (self.0 >> Self::PINS_SHIFT) & Self::PINS_MAX
    }

    /// Everything but the generation.
    #[must_use]
    pub(super) const fn flags(self) -> u64 {
        self.0 & ((1 << Self::GENERATION_SHIFT) - 1)
    }

    /// The same without a pin.
    #[must_use]
    pub(super) const fn without_pins(self) -> Self {
        Self(self.0 & !(Self::PINS_MAX << Self::PINS_SHIFT))
    }

    /// Whether a flag is set.
    #[must_use]
    pub const fn has(self, flag: u64) -> bool {
        self.0 & flag != 0
    }

    /// What alignment was asked: see [`AlignmentCode`].
    #[must_use]
    pub const fn alignment(self) -> AlignmentCode {
        AlignmentCode(((self.0 >> Self::ALIGNMENT_SHIFT) & Self::ALIGNMENT_MASK) as u8)
    }

    /// The state of the next owner's live record.
    #[must_use]
    pub const fn begun(self, alignment: AlignmentCode) -> Self {
        let flags = (self.0 & Self::EVER_VIEWED) | ((alignment.0 as u64) << Self::ALIGNMENT_SHIFT);
        Self::new(Generation(self.generation().0 + 1), flags)
    }

    /// The state of a free record that is lent to the table of an index, for blocks of an alignment. The index stands
    /// where pins would: what is lent has none, and one load tells that it is lent and to whom.
    #[must_use]
    pub(super) const fn lent(self, alignment: AlignmentCode, table: u16) -> Self {
        let alignment = (alignment.0 as u64) << Self::ALIGNMENT_SHIFT;
        Self::new(self.generation(), Self::LENT | alignment | ((table as u64) << Self::PINS_SHIFT))
    }

    /// To which table it is lent.
    #[must_use]
    pub const fn lender(self) -> Option<u16> {
        if self.has(Self::LENT) { Some((self.0 >> Self::PINS_SHIFT) as u16) } else { None }
    }

    /// The state after the owner's free: what it knew of the memory stays.
    #[must_use]
    pub const fn ended(self) -> Self {
        let kept = self.0 & (Self::EVER_VIEWED | Self::ESCAPED | Self::ORPHANED | Self::SHARED | Self::ALIAS);
        Self::new(Generation(self.generation().0 + 1), kept)
    }
}

/// The alignment that was asked, as it is told again: 0…30 is a number of bytes 2^n, the rest the
/// named modes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AlignmentCode(pub u8);

impl AlignmentCode {
    /// What malloc gives: 16 bytes.
    pub const NONE: Self = Self(32);
    /// 8 bytes.
    pub const WORD: Self = Self(33);
    /// A cache line.
    pub const CACHE_LINE: Self = Self(34);
    /// A page.
    pub const PAGE: Self = Self(35);

    /// The alignment in bytes, or `None` for a code that does not exist.
    #[must_use]
    pub fn bytes(self) -> Option<usize> {
        match self {
            Self::NONE => Some(16),
            Self::WORD => Some(8),
            Self::CACHE_LINE => Some(crate::raw::cache_line_size()),
            Self::PAGE => Some(crate::raw::page_size()),
            Self(log2) if log2 <= 30 => Some(1 << log2),
            _ => None,
        }
    }
}

/// The place word: `span:20 | class:8 | spare:4 | offset:32`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The span, as [`crate::raw::atlas::Span`] numbers it.
    pub span: u32,
    /// Bytes from the start of the span; for a grant, units: see [`Place::offset_bytes`].
    pub offset: u32,
    /// Class of the chunk, as the chunk store numbers it; it means nothing to the tracker.
    pub class: u8,
}

impl Place {
    /// The class of memory that an allocator granted: its offset counts units of 16 bytes, so that 32
    /// bits reach through 64 GiB, and its record is bound anew for each grant.
    pub const GRANT: u8 = u8::MAX;
    const GRANT_UNIT_SHIFT: u32 = 4;

    /// The place of a grant. `offset_bytes` is a multiple of 16, below 2^36.
    #[must_use]
    pub const fn grant(span: u32, offset_bytes: u64) -> Self {
        Self { span, offset: (offset_bytes >> Self::GRANT_UNIT_SHIFT) as u32, class: Self::GRANT }
    }

    /// Whether an allocator granted the memory.
    #[must_use]
    pub const fn is_grant(self) -> bool {
        self.class == Self::GRANT
    }

    /// Bytes from the start of the span, whoever owns it.
    #[must_use]
    pub const fn offset_bytes(self) -> u64 {
        (self.offset as u64) << if self.is_grant() { Self::GRANT_UNIT_SHIFT } else { 0 }
    }

    const SPAN_SHIFT: u32 = 64 - crate::raw::atlas::SPAN_BITS;
    const CLASS_SHIFT: u32 = 32;

    /// Packs the fields into one word.
    #[must_use]
    pub const fn pack(self) -> u64 {
        ((self.span as u64) << Self::SPAN_SHIFT)
            | ((self.class as u64) << Self::CLASS_SHIFT)
            | self.offset as u64
    }

    /// Reads the fields back.
    #[must_use]
    pub const fn unpack(word: u64) -> Self {
        Self {
            span: (word >> Self::SPAN_SHIFT) as u32,
            offset: word as u32,
            class: (word >> Self::CLASS_SHIFT) as u8,
        }
    }
}

/// The extent word: `size:48 | label:16`. 48 bits are all that an address has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// The size that was asked, in bytes.
    pub size: u64,
    /// Interned label, 0 for none.
    pub label: u16,
}

impl Extent {
    /// The largest size, in bytes.
    pub const SIZE_MAX: u64 = (1 << 48) - 1;

    /// Packs the fields into one word.
    #[must_use]
    pub const fn pack(self) -> u64 {
        (self.size << 16) | self.label as u64
    }

    /// Reads the fields back.
    #[must_use]
    pub const fn unpack(word: u64) -> Self {
        Self { size: word >> 16, label: word as u16 }
    }
}

/// The origin word of a live record: `born_ms:40 | owner:24`. 40 bits of milliseconds are 34 years.
/// While the record is free, the word is its link in a free stack instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// When, on the clock of [`crate::raw::now_ms`], modulo 2^40.
    pub born_ms: u64,
    /// Who holds it: kind and number.
    pub owner: Owner,
}

impl Origin {
    /// Packs the fields into one word.
    #[must_use]
    pub const fn pack(self) -> u64 {
        ((self.born_ms & ((1 << 40) - 1)) << 24) | self.owner.0 as u64
    }

    /// Reads the fields back.
    #[must_use]
    pub const fn unpack(word: u64) -> Self {
        Self { born_ms: word >> 24, owner: Owner((word & 0xff_ffff) as u32) }
    }
}

/// Who holds a record: `kind:2 | isolate:22`. Pools get numbers of their own kind; which allocator a
/// grant is from, its span says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner(pub u32);

impl Owner {
    const NUMBER_BITS: u32 = 22;
    /// The largest number of a kind.
    pub const NUMBER_MAX: u32 = (1 << Self::NUMBER_BITS) - 1;

    /// A block that an isolate holds through the manager.
    #[must_use]
    pub const fn block(isolate: u32) -> Self {
        Self(isolate & Self::NUMBER_MAX)
    }

    /// A grant that an isolate holds.
    #[must_use]
    pub const fn grant(isolate: u32) -> Self {
        Self((Self::GRANT << Self::NUMBER_BITS) | (isolate & Self::NUMBER_MAX))
    }

    /// An arena as a whole, which an isolate opened: its grants have no records.
    #[must_use]
    pub const fn arena(isolate: u32) -> Self {
        Self((Self::ARENA << Self::NUMBER_BITS) | (isolate & Self::NUMBER_MAX))
    }

    /// A block that an isolate's pool handed out.
    #[must_use]
    pub const fn pool(pool: u32) -> Self {
        Self((Self::POOL << Self::NUMBER_BITS) | (pool & Self::NUMBER_MAX))
    }

    /// The kind of a pool's block.
    pub const POOL: u32 = 1;
    /// The kind of a grant.
    pub const GRANT: u32 = 2;
    /// The kind of an arena as a whole.
    pub const ARENA: u32 = 3;

    /// The number without the kind.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0 & Self::NUMBER_MAX
    }

    /// 0 for a block of the manager; [`Owner::POOL`]; [`Owner::GRANT`]; [`Owner::ARENA`].
    #[must_use]
    pub const fn kind(self) -> u32 {
        self.0 >> Self::NUMBER_BITS
    }
}
