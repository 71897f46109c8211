//! Operations: work on the bytes of memory that another isolate may end meanwhile. Blocks have one isolate each; what an allocator
//! granted ends by a reset or a close in any.
//!
//! Who works says so, and looks for its grants afterwards. Who ends grants waits, when they are ended, for everybody
//! who says so, before anybody is granted their memory. The fences of both are why one of them sees the other.

use super::{Isolate, Manager};
use crate::alloc::arena::Stay;
use crate::base::error::{Code, Result};
use crate::base::sync::{Arc, Ordering, fence, lock, thread};
use crate::raw::bytes::Bytes;
use crate::tracker::isolate::{IsolateTable, word};
use crate::tracker::state::Handle;

/// What an operation works on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operand {
    /// Bytes of somebody else, who keeps them.
    Foreign,
    /// A block, or a grant that has a record.
    Recorded(Handle),
    /// A grant of the arena that this isolate uses under a number: offsets are those in its region.
    Granted(u32, Stay),
}

/// While it is there, what is found live of the grants that it was begun for keeps its bytes.
#[must_use]
#[derive(Debug)]
pub struct Operation<'a>(Option<&'a IsolateTable>);

impl Drop for Operation<'_> {
    fn drop(&mut self) {
        if let Some(table) = self.0 {
            fence(Ordering::Release); // pairs with the one at the end of `wait_for_operations`
            table.set_word(word::OPERATING, 0);
        }
    }
}

impl Isolate {
    /// Begins an operation on one or two operands, before their bytes are asked for. There is one at a time. Nothing
    /// is begun for blocks, for records that there are not, and for what is foreign.
    #[inline(never)] // in each of ten callers it would be 300 bytes
    pub fn operate(&self, operands: [Operand; 2]) -> Operation<'_> {
        let is_grant = |operand| match operand {
            Operand::Foreign => false,
            Operand::Recorded(Handle { slot, .. }) => {
                self.manager.tracker.shared(slot).is_some_and(|record| record.place().is_grant())
            }
            Operand::Granted(..) => true,
        };
        if !operands.into_iter().any(is_grant) {
            return Operation(None);
        }
        self.table.set_word(word::OPERATING, 1);
        fence(Ordering::SeqCst); // the other half is in `wait_for_operations`
        Operation(Some(&self.table))
    }

    /// Bytes of an operand that is not foreign.
    ///
    /// # Errors
    /// [`Code::UseAfterFree`], [`Code::Closed`], [`Code::OutOfRange`].
    pub fn operand_bytes(&self, operand: Operand, offset: u64, length: u64) -> Result<Bytes<'static>> {
        match operand {
            Operand::Recorded(handle) => self.bytes(handle, offset, length),
            Operand::Granted(number, stay) => self.bytes_in_arena(number, stay, offset, length),
            Operand::Foreign => Err(Code::InvalidType.into()),
        }
    }
}

impl Manager {
    /// Returns when whatever other isolates found live before the caller ended it is not worked on any more.
    pub(super) fn wait_for_operations(&self, own: &Arc<IsolateTable>) {
        fence(Ordering::SeqCst);
        let others: Vec<_> =
            lock(&self.tables).open.iter().filter(|table| !Arc::ptr_eq(table, own)).map(Arc::clone).collect();
        for table in others {
            while table.word(word::OPERATING) != 0 {
                thread::yield_now();
            }
        }
        fence(Ordering::Acquire);
    }
}
