//! A segment of shared records: four columns of words, 32 bytes a record.

use super::state::{AlignmentCode, Extent, Generation, Origin, Owner, Place, State};
use crate::base::error::{Code, Error, Result};
use crate::base::sync::{AtomicU64, Ordering, sized};
use crate::raw::bytes::Bytes;
use crate::raw::words;

/// Bits of an index inside a segment.
pub const SEGMENT_BITS: u32 = sized(16, 4) as u32;
/// Records in a segment.
pub const SEGMENT_SLOTS: usize = 1 << SEGMENT_BITS;
/// Bytes of a shared record.
pub const RECORD_BYTES: usize = 4 * size_of::<u64>();

const _: () = assert!(RECORD_BYTES == 32);

/// One word of every record of a segment. An array, not a slice: an index of 16 bits needs no check.
type Column = [AtomicU64; SEGMENT_SLOTS];

/// The columns of 65,536 shared records; address space until touched; never freed.
#[derive(Debug, Clone, Copy)]
pub struct Columns {
    all: &'static [AtomicU64],
    state: &'static Column,
    place: &'static Column,
    extent: &'static Column,
    origin: &'static Column,
}

/// One shared record.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    pub(super) state: &'a AtomicU64,
    pub(super) place: &'a AtomicU64,
    pub(super) extent: &'a AtomicU64,
    pub(super) origin: &'a AtomicU64,
}

impl Columns {
    /// Reserves the columns; `None` when the system refuses.
    #[must_use]
    pub fn reserve() -> Option<Self> {
        let all = words::zeroed_u64(4 * SEGMENT_SLOTS)?;
        let column = |number: usize| all[number * SEGMENT_SLOTS..][..SEGMENT_SLOTS].try_into().ok();
        Some(Self { all, state: column(0)?, place: column(1)?, extent: column(2)?, origin: column(3)? })
    }

    /// The record at an index; only its lower 16 bits count.
    #[must_use]
    #[inline]
    pub fn record(&self, index: usize) -> Record<'static> {
        let index = index & (SEGMENT_SLOTS - 1);
        Record {
            state: &self.state[index],
            place: &self.place[index],
            extent: &self.extent[index],
            origin: &self.origin[index],
        }
    }

    /// All columns as bytes, for the view through which JavaScript reads states and places.
    #[must_use]
    pub fn bytes(&self) -> Bytes<'static> {
        words::bytes_of_u64(self.all)
    }
}

/// What a live record says, for [`Record::begin`].
#[derive(Debug, Clone, Copy)]
pub struct Birth {
    /// Size and label.
    pub extent: Extent,
    /// Time and owner.
    pub origin: Origin,
    /// The alignment that was asked.
    pub alignment: AlignmentCode,
}

impl Record<'_> {
    /// The present state word.
    #[must_use]
    pub fn state(&self) -> State {
        State(self.state.load(Ordering::Acquire))
    }

    /// Where its memory is. Constant while it is live; for a chunk, from the record's first use to its last.
    #[must_use]
    pub fn place(&self) -> Place {
        Place::unpack(self.place.load(Ordering::Relaxed))
    }

    /// Size and label of the present or last owner.
    #[must_use]
    pub fn extent(&self) -> Extent {
        Extent::unpack(self.extent.load(Ordering::Relaxed))
    }

    /// Time and owner; meaningful while live.
    #[must_use]
    pub fn origin(&self) -> Origin {
        Origin::unpack(self.origin.load(Ordering::Relaxed))
    }

    /// Binds a free record, owned by the caller, to memory.
    pub(super) fn bind(&self, place: Place, flags: u64) {
        self.place.store(place.pack(), Ordering::Release); // as the fields in `begin`
        let generation = self.state().generation();
        self.state.store(State::new(generation, flags).0, Ordering::Release);
    }

    /// Opens the record for its next owner. The caller owns the free record: no race is possible.
    /// `None` when the record is spent.
    #[must_use]
    pub fn begin(&self, birth: Birth) -> Option<(Generation, State)> {
        let before = self.state();
        debug_assert!(!before.generation().is_live());
        if before.generation() >= Generation::MAX {
            return None;
        }
        // Release: a scanner that sees one of these must then see that the last owner's time is over.
        // Pairs with the Acquire fence in `Tracker::shared_row`.
        self.extent.store(birth.extent.pack(), Ordering::Release);
        self.origin.store(birth.origin.pack(), Ordering::Release);
        let after = before.begun(birth.alignment);
        // Release publishes the fields; pairs with the Acquire of every `state()`.
        self.state.store(after.0, Ordering::Release);
        Some((after.generation(), before))
    }

    /// As [`Record::begin`], at a new place: for memory that is cut anew for each owner.
    #[must_use]
    #[inline]
    pub fn begin_at(&self, place: Place, birth: Birth) -> Option<Generation> {
        self.place.store(place.pack(), Ordering::Release); // as the fields in `begin`
        self.begin(birth).map(|(generation, _)| generation)
    }

    /// Changes who holds a record that is live, or ended and escaped. Only by its holder; readers see the one or the other.
    pub fn hand_over(&self, owner: Owner) {
        let origin = Origin { owner, ..self.origin() };
        self.origin.store(origin.pack(), Ordering::Release); // as the fields in `begin`
    }

    /// Keeps everybody else from ending or pinning it, until [`Record::thaw`] or [`Record::end_frozen`]:
    /// takes all pins at once. Whoever ends many together first freezes all, so that one pinned one
    /// leaves every other as it was.
    ///
    /// # Errors
    /// [`Code::UseAfterFree`]; [`Code::InUse`] while it is pinned.
    pub fn freeze(&self, generation: Generation) -> Result<State> {
        self.update(generation, |state| match state.pins() {
            0 => Ok(State(state.0 + State::PINS_MAX * State::PIN)),
            pins => Err(Error::new(Code::InUse, 0, pins)),
        })
    }

    /// Undoes [`Record::freeze`].
    ///
    /// # Errors
    /// [`Code::UseAfterFree`], when it was not frozen.
    pub fn thaw(&self, generation: Generation) -> Result<State> {
        self.update(generation, |state| Ok(state.without_pins()))
    }

    /// Ends a record that the caller froze, or whose pins nobody is left to drop.
    ///
    /// # Errors
    /// [`Code::UseAfterFree`], when somebody else ended it.
    pub fn end_frozen(&self, generation: Generation) -> Result<State> {
        self.update(generation, |state| Ok(state.ended()))
    }

    /// Ends one owner's life of the record. ONE compare-exchange decides: exactly one of all the
    /// frees of a generation returns `Ok`.
    ///
    /// # Errors
    /// [`Code::DoubleFree`] when the generation has ended; [`Code::InUse`] while it is pinned.
    #[inline]
    pub fn end(&self, generation: Generation) -> Result<State> {
        self.end_marked(generation, 0)
    }

    /// As [`Record::end`], and leaves `flags` in the free record: in the same step, or not at all.
    ///
    /// # Errors
    /// As [`Record::end`].
    #[inline]
    pub fn end_marked(&self, generation: Generation, flags: u64) -> Result<State> {
        let mut state = self.state.load(Ordering::Relaxed);
        loop {
            let now = State(state);
            if now.generation() != generation || !generation.is_live() {
                return Err(Code::DoubleFree.into());
            }
            if now.pins() != 0 {
                return Err(Error::new(Code::InUse, 0, now.pins()));
            }
            // AcqRel: what this owner wrote happens before what the next one does.
            match self.state.compare_exchange_weak(
                state,
                now.ended().0 | flags,
                Ordering::AcqRel,
                Ordering::Relaxed,
            ) {
                Ok(_) => return Ok(now),
                Err(now) => state = now,
            }
        }
    }

    /// Takes a record that waits with its memory ([`State::WAITING`]), for itself alone. False when somebody else
    /// took it. `generation`: the one that it waits in. `sole`: nobody else can be at it.
    #[must_use]
    #[inline]
    pub fn claim(&self, generation: Generation, sole: bool) -> bool {
        let (waiting, taken) = (State::new(generation, State::WAITING).0, State::new(generation, 0).0);
        if sole {
            let waits = self.state.load(Ordering::Acquire) == waiting;
            if waits {
                self.state.store(taken, Ordering::Release);
            }
            return waits;
        }
        // AcqRel: what the last owner wrote happens before what the next one does.
        self.state.compare_exchange(waiting, taken, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }

    /// As [`Record::end_marked`], by the only one who can be at the record: a store.
    ///
    /// # Errors
    /// As [`Record::end`].
    #[inline]
    pub fn end_alone(&self, generation: Generation, flags: u64) -> Result<State> {
        let now = self.state();
        if now.generation() != generation || !generation.is_live() {
            return Err(Code::DoubleFree.into());
        }
        if now.pins() != 0 {
            return Err(Error::new(Code::InUse, 0, now.pins()));
        }
        self.state.store(now.ended().0 | flags, Ordering::Release); // as the exchange in `end_marked`
        Ok(now)
    }

    /// Changes a live record's state word, as long as its generation stands.
    ///
    /// # Errors
    /// [`Code::UseAfterFree`] when the generation has ended; whatever `change` refuses with.
    pub fn update(&self, generation: Generation, change: impl Fn(State) -> Result<State>) -> Result<State> {
        let mut state = self.state.load(Ordering::Relaxed);
        loop {
            let now = State(state);
            if now.generation() != generation || !generation.is_live() {
                return Err(Code::UseAfterFree.into());
            }
            let new = change(now)?;
            match self.state.compare_exchange_weak(state, new.0, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => return Ok(now),
                Err(now) => state = now,
            }
        }
    }

    /// Takes one pin: until it is dropped, `end` refuses.
    ///
    /// # Errors
    /// [`Code::UseAfterFree`]; [`Code::InUse`] when 65,535 pins hold it already.
    pub fn pin(&self, generation: Generation) -> Result<State> {
        self.update(generation, |state| {
            if state.pins() == State::PINS_MAX {
                return Err(Error::new(Code::InUse, 1, state.pins()));
            }
            Ok(State(state.0 + State::PIN))
        })
    }

    /// Drops one pin.
    ///
    /// # Errors
    /// [`Code::UseAfterFree`]; [`Code::Corrupted`] when there is none to drop.
    pub fn unpin(&self, generation: Generation) -> Result<State> {
        self.update(generation, |state| {
            if state.pins() == 0 {
                return Err(Code::Corrupted.into());
            }
            Ok(State(state.0 - State::PIN))
        })
    }

    /// Whether this generation is live.
    #[must_use]
    pub fn is_live(&self, generation: Generation) -> bool {
        generation.is_live() && self.state().generation() == generation
    }

    /// Changes the flags of a free record that the caller owns.
    pub(crate) fn set_free_flags(&self, set: u64, clear: u64) {
        let state = self.state();
        debug_assert!(!state.generation().is_live());
        self.state.store((state.0 | set) & !clear, Ordering::Release);
    }
}
