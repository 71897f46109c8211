//! Taking over: when a second isolate comes to an allocator, what is lent to the first one's JavaScript is lent no longer.
//! Its script says when it is busy, looks whether it is alone, does its work, and says that it is not busy any more, as
//! [`super::sole`] has it for the native side; so the system's fence lets us wait for the end of it. From then on the script
//! makes native calls, and those hold the lock of the loans.

use super::stock::put_record;
use super::{Allocator, Isolate};
use crate::base::sync::{Arc, Ordering, thread};
use crate::raw;
use crate::tracker::counters::{Counter, LentFrom};
use crate::tracker::isolate::{IsolateTable, word};
use crate::tracker::lent::moment;
use crate::tracker::state::{Generation, Handle, Slot};

impl Isolate {
    /// Ends all that is lent of an allocator to other isolates. The epochs say already that it is shared.
    pub(super) fn take_loans_over(&self, allocator: &Allocator, counter: &Counter, records: &mut Vec<Slot>) {
        let is_other = |loan: &LentFrom| !Arc::ptr_eq(&loan.table, &self.table);
        if !allocator.counters.loans().iter().any(is_other) {
            return;
        }
        raw::fence_everywhere();
        loop {
            let mut loans = allocator.counters.loans();
            let Some(index) = loans.iter().position(is_other) else { return };
            if loans[index].table.word(word::BUSY) != 0 {
                drop(loans);
                thread::yield_now(); // its script is stopped in the middle, or its isolate ends and takes all back itself
                continue;
            }
            // Its last stores may still be on their way behind the one that says that it is not busy.
            raw::fence_everywhere();
            let loan = loans.swap_remove(index);
            self.take_loan_over(allocator, loan, counter, records);
        }
    }

    /// The caller holds the lock of the loans.
    fn take_loan_over(
        &self,
        allocator: &Allocator,
        mut loan: LentFrom,
        counter: &Counter,
        records: &mut Vec<Slot>,
    ) {
        if !loan.returns {
            allocator.end_piece(&mut loan);
            counter.granted_before(loan.table.taken_of(loan.magazine), loan.table.granted_of(loan.magazine));
            return;
        }
        let home = IsolateTable::home_of(loan.magazine);
        let mut lent = Vec::new();
        self.manager.tracker.each_lent(&loan.table, |handle, record| {
            let front = loan.table.front(handle.slot).filter(|front| front.home == home);
            if let Some(front) = front.filter(|_| allocator.ground.holds(record.place())) {
                lent.push((handle, record, front));
            }
        });
        let mut out = 0;
        for (handle, record, front) in lent {
            if handle.generation.is_live() {
                record.speak(handle, front, moment(front.born, raw::now_ms()));
                loan.table.repeat(Handle { generation: Generation(0), ..handle });
                counter.granted(front.size);
                out += 1;
            } else {
                record.take_back(handle.slot, &loan.table);
                let put = allocator.ground.put(record.place());
                debug_assert!(put.is_ok());
                put_record(&self.manager.tracker, records, handle.slot);
            }
        }
        counter.passed(loan.table.taken_of(loan.magazine).saturating_sub(out));
    }
}

impl Allocator {
    /// Whether it is closed, and not in the middle of it.
    pub(super) fn is_over(&self) -> bool {
        let _lent = self.counters.loans(); // held while it is being closed
        self.closed.load(Ordering::Acquire)
    }
}
