//! Stretch: a piece of an arena that the isolate's JavaScript cuts by itself, while it alone uses the arena. What it cut
//! is counted in its table; what is left goes back before anything else happens to the arena.

use super::grants::{Attached, Taken};
use super::ground::Plan;
use super::{Allocator, Isolate};
use crate::alloc::arena::{ArenaGrant, Stay};
use crate::base::error::{Code, Result};
use crate::base::sync::Arc;
use crate::tracker::counters::{LentFrom, Piece};
use crate::tracker::isolate::IsolateTable;
use crate::tracker::state::{Generation, Handle, Slot};

/// The most of an arena that is lent at once, in bytes, and which part of it: so little that others hardly miss it.
const STRETCH_BYTES_MAX: u64 = 64 << 10;
const ARENA_PART: u64 = 64;
/// The smallest piece worth a magazine.
const STRETCH_BYTES_MIN: u64 = 1 << 10;

impl Isolate {
    /// Grants bytes of an arena, and lends a piece of it for the requests to come.
    pub(super) fn allocate_in_arena(&self, attached: &mut Attached, size: u64) -> Result<Taken> {
        self.end_stretch(attached);
        let Plan::Arena(arena) = &attached.allocator.ground.plan else { return Err(Code::Corrupted.into()) };
        let turn = self.busy.begin(&attached.allocator.sole);
        let given = arena.take(size, &attached.counter, turn.sole)?;
        drop(turn);
        let handle = Handle { slot: Slot(given.stay.level), generation: Generation(given.stay.generation) };
        let (home, stretch_at) =
            if self.lends() { self.lend_stretch(attached, size).unwrap_or_default() } else { (0, 0) };
        Ok(Taken { handle, offset: given.offset, granted: given.size, home, stretch_at })
    }

    /// Lends a piece, if requests of a size are served by one. Gives its magazine's first word and where it begins.
    #[inline(never)] // seldom: not in the way of the rest
    fn lend_stretch(&self, attached: &mut Attached, size: u64) -> Option<(usize, u64)> {
        let allocator = Arc::clone(&attached.allocator);
        let Plan::Arena(arena) = &allocator.ground.plan else { return None };
        let (step, total) = (arena.step_bytes(), arena.total_bytes());
        let most = (total / ARENA_PART).min(STRETCH_BYTES_MAX) / step * step;
        if most < STRETCH_BYTES_MIN.max(4 * size) || !super::sole::has_fence() {
            return None;
        }
        let magazine = match attached.stretch {
            Some(magazine) => magazine,
            None => self.open_stretch(attached)?,
        };
        let mut loans = attached.allocator.counters.loans();
        if attached.allocator.lent.is_shared() {
            return None;
        }
        let loan = loans.iter_mut().find(|loan| self.is_own(loan, magazine))?;
        let piece = arena.take_stretch(most)?;
        let Stay { level, generation } = piece.stay;
        loan.piece = Some(Piece { offset: piece.offset, size: piece.size, level, generation });
        let units = i32::try_from(piece.size / step).ok()?;
        let words = [0, units, level.cast_signed(), generation.cast_signed(), step.trailing_zeros() as i32];
        self.table.set_stretch(magazine, words);
        Some((IsolateTable::home_of(magazine), piece.offset))
    }

    fn open_stretch(&self, attached: &mut Attached) -> Option<usize> {
        let magazine = self.open_magazine(0, 0, false)?;
        attached.stretch = Some(magazine);
        let table = Arc::clone(&self.table);
        let loan = LentFrom { table, magazine, returns: false, piece: None };
        attached.allocator.counters.loans().push(loan);
        Some(magazine)
    }

    /// Gives back what is left of the piece that was lent, if it is the arena's last one.
    pub(super) fn end_stretch(&self, attached: &Attached) {
        let Some(magazine) = attached.stretch else { return };
        let mut loans = attached.allocator.counters.loans();
        if let Some(loan) = loans.iter_mut().find(|loan| self.is_own(loan, magazine)) {
            attached.allocator.end_piece(loan);
        }
    }

    /// Gives back what is left of every arena's piece that was lent to this isolate.
    pub fn end_stretches(&self) {
        for attached in self.allocators.borrow().attached.iter().flatten() {
            self.end_stretch(attached);
        }
    }

    /// Nothing of an arena is lent to this isolate any more.
    pub(super) fn forget_stretch(&self, attached: &mut Attached) {
        self.end_stretch(attached);
        if let Some(magazine) = attached.stretch.take() {
            let table = &self.table;
            self.close_loan(attached, magazine, |counter| {
                counter.granted_before(table.taken_of(magazine), table.granted_of(magazine));
            });
        }
    }
}

impl Allocator {
    /// Ends the piece of an arena that is lent. The caller holds the lock of the loans, and the script is in no cut.
    pub(super) fn end_piece(&self, loan: &mut LentFrom) {
        let Plan::Arena(arena) = &self.ground.plan else { return };
        let used = loan.table.end_stretch(loan.magazine);
        if let Some(Piece { offset, size, level, generation }) = loan.piece.take() {
            let piece = ArenaGrant { offset, size, stay: Stay { level, generation } };
            arena.give_rest(piece, used * arena.step_bytes());
        }
    }
}
