//! One isolate's state, and how a native function reaches it, its arguments and its results.

use crate::buffer::{Answer, Call, Holders};
use crate::jobs::Jobs;
use crate::{MANAGER, THREADS};
use offheap_core::base::error::{Code, Error, Result};
use offheap_core::manager::Isolate;
use offheap_core::tracker::isolate::word;
use offheap_core::tracker::state::{Generation, Handle, Slot};
use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::{Rc, Weak};

/// One isolate's state; opened by the facade, which knows the table's size.
#[derive(Default)]
pub struct State(OnceCell<Rc<Opened>>);

/// An isolate, its jobs, and who holds its blocks' buffers.
pub struct Opened {
    pub isolate: Isolate,
    pub jobs: Jobs,
    pub holders: Holders,
}

thread_local! {
    /// The isolates of this thread by number, for finalizers: they may come after their isolate's end.
    static OPENED: RefCell<HashMap<u32, Weak<Opened>>> = RefCell::default();
}

impl Drop for Opened {
    fn drop(&mut self) {
        self.jobs.end_all(&self.isolate); // before the isolate gives its memory back
    }
}

impl Drop for State {
    fn drop(&mut self) {
        if let Some(opened) = self.0.get() {
            let _ = OPENED.try_with(|all| all.borrow_mut().remove(&opened.isolate.number()));
        }
    }
}

/// One call.
pub type Context<'a> = Call<'a, State>;

/// Opens the isolate with a table of the given bytes, for a JavaScript thread's id, with 1 if it hands out memory by itself, and
/// gives the ArrayBuffer over the table; undefined when memory is refused or the runtime allows no external ArrayBuffers.
pub fn open(call: &Context<'_>) -> Answer {
    let bytes = call.integer(0).and_then(|bytes| usize::try_from(bytes).ok());
    let lends = call.integer(2) == Some(1);
    let Some(isolate) = Isolate::open_lending(&MANAGER, bytes, lends).ok().and_then(|isolate| {
        let number = isolate.number();
        THREADS.note(number, call.integer(1).map_or(0, |thread| thread as u32));
        let opened = Rc::new(Opened { isolate, jobs: Jobs::default(), holders: Holders::default() });
        OPENED.with(|all| all.borrow_mut().insert(number, Rc::downgrade(&opened)));
        // A second call in one isolate gives the table again, and the new isolate is dropped.
        let _ = call.state.0.set(opened);
        call.state.0.get()
    }) else {
        return Answer::Nothing;
    };
    let table = isolate.isolate.table.bytes();
    call.hidden_buffer(table.address(), table.size())
}

/// The calling isolate.
pub fn isolate<'a>(call: &'a Context<'_>) -> Result<&'a Isolate> {
    opened(call).map(|opened| &opened.isolate)
}

/// The calling isolate, and its holders.
pub fn opened<'a>(call: &'a Context<'_>) -> Result<&'a Opened> {
    call.state.0.get().map(Rc::as_ref).ok_or(Error::from(Code::NotSupported))
}

/// Runs `act`, and leaves status and figures in the table.
pub fn answer(call: &Context<'_>, act: impl FnOnce(&Isolate) -> Result<()>) -> Answer {
    let Ok(isolate) = isolate(call) else { return Answer::Nothing };
    match act(isolate) {
        Ok(()) => isolate.table.set_word(word::RESULT, 0),
        Err(error) => fail(isolate, error),
    }
    Answer::Nothing
}

#[cold]
fn fail(isolate: &Isolate, error: Error) {
    let table = &isolate.table;
    table.set_word(word::RESULT, error.code as i32);
    for (index, number) in [error.requested, error.available].into_iter().enumerate() {
        table.set_word(word::RESULT + 4 + 2 * index, (number as u32).cast_signed());
        table.set_word(word::RESULT + 5 + 2 * index, ((number >> 32) as u32).cast_signed());
    }
}

/// A word that JavaScript left for the call.
pub fn argument(isolate: &Isolate, index: usize) -> u32 {
    isolate.table.word(word::ARGUMENT + index).cast_unsigned()
}

/// Slot and generation in the first two argument words.
pub fn handle(isolate: &Isolate) -> Handle {
    Handle { slot: Slot(argument(isolate, 0)), generation: Generation(argument(isolate, 1)) }
}

/// Leaves slot and generation in the first two result words.
pub fn give_handle(isolate: &Isolate, handle: Handle) {
    isolate.table.set_word(word::RESULT + 1, handle.slot.0.cast_signed());
    isolate.table.set_word(word::RESULT + 2, handle.generation.0.cast_signed());
}

/// The isolate of a number, when it is one of this thread and has not ended.
pub fn of_number(number: u32) -> Option<Rc<Opened>> {
    OPENED.try_with(|all| all.borrow().get(&number).and_then(Weak::upgrade)).ok().flatten()
}
