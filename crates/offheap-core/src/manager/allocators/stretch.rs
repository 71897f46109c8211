//! Stretch: a piece of an arena that an isolate's JavaScript cuts by itself. What it cut is counted in its table; what is
//! left goes back before the isolate does anything else with the arena, and when it is recalled, if nothing lies behind it.
//! What lies before somebody else's is kept while it is worth it.

use super::grants::{Attached, Taken};
use super::ground::Plan;
use super::{Allocator, Isolate};
use crate::alloc::arena::{ArenaGrant, Stay};
use crate::base::error::{Code, Error, Result};
use crate::base::sync::Arc;
use crate::tracker::counters::{Back, LentFrom, Piece};
use crate::tracker::isolate::IsolateTable;
use crate::tracker::state::{Generation, Handle, Slot};

/// The most of an arena that is lent at once, in bytes, and which part of it: so little that others hardly miss it.
const STRETCH_BYTES_MAX: u64 = 64 << 10;
const ARENA_PART: u64 = 64;
/// The smallest piece worth a magazine.
const STRETCH_BYTES_MIN: u64 = 1 << 10;
/// Requests of more than this part of a piece are no reason for one, and a piece of which less is left is not kept.
const PIECE_PART: u64 = 4;

impl Isolate {
    /// Grants bytes of an arena, and lends a piece of it for the requests to come.
    pub(super) fn allocate_in_arena(
        &self,
        attached: &mut Attached,
        records: &mut Vec<Slot>,
        size: u64,
    ) -> Result<Taken> {
        self.renew_loans(attached, records);
        let kept = self.keep_stretch(attached);
        let Plan::Arena(arena) = &attached.allocator.ground.plan else { return Err(Code::Corrupted.into()) };
        let turn = self.busy.begin(&attached.allocator.sole);
        let lent = &attached.allocator.lent;
        let returned = lent.returned();
        let given = match arena.take(size, &attached.counter, turn.sole) {
            Err(full)
                if full.code == Code::RegionFull
                    && (self.recall_rest(attached, records, full) || lent.returned() != returned) =>
            {
                arena.take(size, &attached.counter, false)?
            }
            given => given?,
        };
        drop(turn);
        let handle = Handle { slot: Slot(given.stay.level), generation: Generation(given.stay.generation) };
        let (home, stretch_at) = match kept {
            Some(kept) => kept,
            None if self.lends() => self.lend_stretch(attached, size).unwrap_or_default(),
            None => (0, 0),
        };
        Ok(Taken { handle, offset: given.offset, granted: given.size, home, stretch_at })
    }

    /// Takes back what others have not cut, if the request would fit then: what lies before grants would be lost for nothing.
    fn recall_rest(&self, attached: &Attached, records: &mut Vec<Slot>, full: Error) -> bool {
        full.available + attached.allocator.rest_bytes() >= full.requested
            && self.recall_for_want(attached, records)
    }

    /// The piece that stays lent, if there is one: its magazine's first word and where it begins.
    fn keep_stretch(&self, attached: &Attached) -> Option<(usize, u64)> {
        let allocator = &attached.allocator;
        let (magazine, Plan::Arena(arena)) = (attached.stretch?, &allocator.ground.plan) else { return None };
        let mut loans = allocator.counters.loans();
        let loan = loans.iter_mut().find(|loan| self.is_own(loan, magazine))?;
        if allocator.settle_piece(loan) {
            return None;
        }
        let piece = loan.piece?;
        let left = piece.size.saturating_sub(loan.table.cut_of(magazine) * arena.step_bytes());
        if left >= piece.size / PIECE_PART {
            return Some((IsolateTable::home_of(magazine), piece.offset));
        }
        allocator.end_piece(loan);
        None
    }

    /// Lends a piece, if requests of a size are served by one. Gives its magazine's first word and where it begins.
    #[inline(never)] // seldom: not in the way of the rest
    fn lend_stretch(&self, attached: &mut Attached, size: u64) -> Option<(usize, u64)> {
        let allocator = Arc::clone(&attached.allocator);
        let Plan::Arena(arena) = &allocator.ground.plan else { return None };
        let (step, total) = (arena.step_bytes(), arena.total_bytes());
        let most = (total / ARENA_PART).min(STRETCH_BYTES_MAX) / step * step;
        if most < STRETCH_BYTES_MIN.max(PIECE_PART * size)
            || !super::sole::has_fence()
            || allocator.lent.rests()
        {
            return None;
        }
        let magazine = match attached.stretch {
            Some(magazine) => magazine,
            None => self.open_stretch(attached)?,
        };
        let mut loans = attached.allocator.counters.loans();
        if !attached.allocator.lent.serves(attached.era) {
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
        let magazine = self.open_loan(attached, 0, Back::Nowhere)?;
        attached.stretch = Some(magazine);
        Some(magazine)
    }

    /// Gives back what is left of the piece that was lent, if it is the arena's last one. `ends`: else it is nobody's.
    pub(super) fn settle_stretch(&self, attached: &Attached, ends: bool) {
        let Some(magazine) = attached.stretch else { return };
        let mut loans = attached.allocator.counters.loans();
        if let Some(loan) = loans.iter_mut().find(|loan| self.is_own(loan, magazine))
            && !attached.allocator.settle_piece(loan)
            && ends
        {
            attached.allocator.end_piece(loan);
        }
    }

    /// Gives back what is left of every arena's piece that was lent to this isolate, where nothing lies behind it.
    pub fn settle_stretches(&self) {
        for attached in self.allocators.borrow().attached.iter().flatten() {
            self.settle_stretch(attached, false);
        }
    }

    /// Nothing of an arena is lent to this isolate any more.
    pub(super) fn forget_stretch(&self, attached: &mut Attached) {
        self.settle_stretch(attached, true);
        if let Some(magazine) = attached.stretch.take() {
            let table = &self.table;
            self.close_loan(attached, magazine, |counter| {
                counter.granted_before(table.taken_of(magazine), table.granted_of(magazine));
            });
        }
    }
}

fn grant_of(piece: Piece) -> ArenaGrant {
    let Piece { offset, size, level, generation } = piece;
    ArenaGrant { offset, size, stay: Stay { level, generation } }
}

impl Allocator {
    /// Ends the piece of an arena that is lent, if what is left of it can go back: nothing lies behind it. False when it
    /// stays lent. The caller holds the lock of the loans, and the script is in no cut.
    fn settle_piece(&self, loan: &mut LentFrom) -> bool {
        let (Some(piece), Plan::Arena(arena)) = (loan.piece, &self.ground.plan) else { return true };
        let settled = arena.give_rest(grant_of(piece), loan.table.cut_of(loan.magazine) * arena.step_bytes());
        if settled {
            Self::close_piece(loan);
            self.lent.count_returned();
        }
        settled
    }

    /// Bytes of an arena's pieces that settling them would give back: of the last one what its script has not cut.
    pub(super) fn rest_bytes(&self) -> u64 {
        let Plan::Arena(arena) = &self.ground.plan else { return 0 };
        let rest = |loan: &LentFrom| {
            let used_bytes = loan.table.cut_of(loan.magazine) * arena.step_bytes();
            loan.piece.map(|piece| arena.rest_bytes(grant_of(piece), used_bytes))
        };
        self.counters.loans().iter().filter_map(rest).max().unwrap_or(0)
    }

    /// Ends it in any case: what cannot go back is nobody's until the arena goes back behind it.
    pub(super) fn end_piece(&self, loan: &mut LentFrom) {
        if !self.settle_piece(loan) {
            Self::close_piece(loan);
        }
    }

    fn close_piece(loan: &mut LentFrom) {
        loan.table.end_stretch(loan.magazine);
        loan.piece = None;
    }
}
