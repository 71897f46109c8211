//! The ArrayBuffers over blocks: made, handed on, and gone.

use crate::buffer::{Answer, Turn};
use crate::state::{Context, answer, argument, handle, of_number, opened};
use offheap_core::base::error::{Code, Error, Result};
use offheap_core::manager::{BufferRecord, Isolate};
use offheap_core::tracker::state::{Generation, Handle, Slot};

/// A kept buffer is about to be handed to the block's owner. Argument: a new holder of a chunk that no
/// single buffer shows, or nothing.
pub fn mark_viewed(call: &Context<'_>) -> Answer {
    answer(call, |isolate| {
        let handle = handle(isolate);
        isolate.hand(handle)?;
        opened(call)?.holders.set(call, handle.slot.0, 0);
        Ok(())
    })
}

/// Argument: slot. The holder of its chunk while that lives.
pub fn holder_of(call: &Context<'_>) -> Answer {
    match (call.integer(0), opened(call)) {
        (Some(slot), Ok(opened)) => opened.holders.get(call.turn(), slot as u32),
        _ => Answer::Nothing,
    }
}

/// Looks again at blocks whose buffers are gone and that something else held then.
pub fn settle(call: &Context<'_>) -> Answer {
    if let Ok(opened) = opened(call) {
        opened.isolate.settle(|slot| opened.holders.is_held(call.turn(), slot.0));
    }
    Answer::Nothing
}

/// The last ArrayBuffer over a block's memory is gone. On another thread than its isolate's, or after
/// that has ended, nothing happens: the memory is kept.
fn buffer_gone(record: BufferRecord, turn: Turn) {
    if let Some(opened) = of_number(record.isolate) {
        opened.isolate.buffer_gone(record, |slot| opened.holders.is_held(turn, slot.0));
    }
}

/// Arguments (words): slot, generation, 1 when the buffer is to stay with the chunk. Argument: the
/// chunk's holder when it is a new one. The ArrayBuffer over the whole chunk of a live block.
pub fn chunk_buffer(call: &Context<'_>) -> Answer {
    let mut value = Answer::Nothing;
    answer(call, |isolate| {
        let handle = handle(isolate);
        let record = isolate.show(handle, argument(isolate, 2) == 1)?; // before the buffer exists
        value = call.block_buffer(isolate.chunk(handle)?, record, buffer_gone);
        opened(call)?.holders.set(call, handle.slot.0, 0);
        made(isolate, record, &value)
    });
    value
}

/// Arguments: slot, generation, offset, length. An ArrayBuffer over a part of a live block.
pub fn window_buffer(call: &Context<'_>) -> Answer {
    let mut value = Answer::Nothing;
    answer(call, |isolate| {
        let number = |index| call.integer(index).ok_or(Error::from(Code::OutOfRange));
        let handle = Handle { slot: Slot(number(0)? as u32), generation: Generation(number(1)? as u32) };
        let bytes = isolate.bytes(handle, number(2)?, number(3)?)?;
        let record = isolate.show(handle, false)?;
        value = call.block_buffer(bytes, record, buffer_gone);
        made(isolate, record, &value)
    });
    value
}

/// A buffer that was announced, and refused by the runtime, is not counted.
fn made(isolate: &Isolate, record: BufferRecord, value: &Answer) -> Result<()> {
    if matches!(value, Answer::Nothing) {
        isolate.buffer_gone(record, |_| true);
        return Err(Code::NotSupported.into());
    }
    Ok(())
}
