//! Words of a table that nobody needs: what they say of slots that are free, and not lent to it, is only that they are dead.

use super::isolate::{FRONT, FRONT_WORDS, IsolateTable};
use super::record::SEGMENT_BITS;
use super::state::Slot;
use super::table::Tracker;
use crate::raw;
use crate::raw::words;
use std::ops::Range;

impl Tracker {
    /// Gives the pages of a table back on which no word is about a slot that is live or lent to it. A generation of 0 is as dead
    /// as any that is even, and whoever has the slot next writes all words about it. Only in the thread of the table's isolate:
    /// nobody else makes a slot one that it must tell of. Returns the bytes.
    pub fn forget_idle(&self, table: &IsolateTable) -> usize {
        let used = self.used();
        let last = used.last().map_or(0, |count| ((used.len() - 1) << SEGMENT_BITS) + count);
        let told = last.min(table.slots());
        let on_a_page = raw::page_size() / (FRONT_WORDS * size_of::<i32>());
        let is_needed = |page: usize| {
            let slots = page * on_a_page..((page + 1) * on_a_page).min(told);
            slots.into_iter().any(|slot| self.must_tell(table, Slot(slot as u32)))
        };
        let pages = told.div_ceil(on_a_page);
        let (mut given, mut from) = (0, 0);
        for page in 0..=pages {
            if page == pages || is_needed(page) {
                given += table.give_words_back(from * on_a_page..page * on_a_page);
                from = page + 1;
            }
        }
        given
    }

    fn must_tell(&self, table: &IsolateTable, slot: Slot) -> bool {
        self.shared(slot).is_some_and(|record| {
            let state = record.state();
            state.generation().is_live() || table.is_lender(state)
        })
    }
}

impl IsolateTable {
    /// Gives the words about some slots back, as far as they are whole pages.
    fn give_words_back(&self, slots: Range<usize>) -> usize {
        let slots = slots.start.min(self.slots())..slots.end.min(self.slots());
        words::give_back(&self.words[FRONT + slots.start * FRONT_WORDS..FRONT + slots.end * FRONT_WORDS])
    }
}
