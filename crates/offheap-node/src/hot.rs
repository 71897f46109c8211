//! What must take nanoseconds: raw functions. Statuses instead of throws (a throw from native costs
//! 4 µs); 0 is success, else the number of a [`Code`], with its two figures in the table.

use crate::MANAGER;
use crate::allocators;
use crate::atomics;
use crate::buffer::{Answer, Export, Native, export};
use crate::jobs;
use crate::operations;
use crate::pools;
use crate::shares;
use crate::state::{Context, State, answer, argument, give_handle, handle, isolate, open};
use crate::views::{chunk_buffer, holder_of, mark_viewed, settle, window_buffer};
use napi::Env;
use napi::bindgen_prelude::Object;
use napi_derive::napi;
use offheap_core::alloc::chunks::classes::SMALL_MAX;
use offheap_core::manager::{Isolate, Request};
use offheap_core::raw;
use offheap_core::raw::atlas::Span;
use offheap_core::tracker::isolate::word;
use offheap_core::tracker::label::Label;
use offheap_core::tracker::state::{AlignmentCode, Slot};

/// Exports the functions of this file, for each isolate that loads the addon.
#[napi(module_exports)]
pub fn init(exports: Object<'_>, env: Env) -> napi::Result<()> {
    let entry = |name, function: Native<State>, bare| Export { name, function, bare };
    let mut all = vec![
        entry("open", open, false),
        entry("allocate", allocate, true),
        entry("noteTaken", note_taken, true),
        entry("free", free, true),
        entry("freeEscaped", free_escaped, true),
        entry("markViewed", mark_viewed, false),
        entry("holderOf", holder_of, false),
        entry("settle", settle, true),
        entry("pin", pin, true),
        entry("unpin", unpin, true),
        entry("prepareReallocation", prepare_reallocation, true),
        entry("commitReallocation", commit_reallocation, true),
        entry("abortReallocation", abort_reallocation, true),
        entry("chunkBuffer", chunk_buffer, false),
        entry("windowBuffer", window_buffer, false),
        entry("spanBuffer", span_buffer, false),
        entry("spanSize", span_size, false),
        entry("recordsBuffer", records_buffer, false),
        entry("addressOf", address_of, false),
        entry("viewAddress", view_address, false),
        entry("bufferAddress", buffer_address, false),
        entry("detach", detach, false),
        entry("isDetached", is_detached, false),
        entry("trim", trim, true),
        entry("isolateNumber", isolate_number, true),
        entry("allocatorOpen", allocators::open, false),
        entry("allocatorAllocate", allocators::allocate, true),
        entry("allocatorSettle", allocators::settle, true),
        entry("arenasSettle", allocators::settle_arenas, true),
        entry("allocatorFree", allocators::free, true),
        entry("allocatorPin", allocators::pin, true),
        entry("allocatorUnpin", allocators::unpin, true),
        entry("allocatorReset", allocators::reset, true),
        entry("allocatorClose", allocators::close, true),
        entry("allocatorTrim", allocators::trim, true),
        entry("allocatorMark", allocators::mark, true),
        entry("allocatorRewind", allocators::rewind, true),
        entry("allocatorEpochs", allocators::epochs, true),
        entry("regionBuffer", allocators::region_buffer, false),
        entry("regionLeft", allocators::region_left, false),
        entry("regionAddress", allocators::region_address, false),
        entry("arenaGenerations", allocators::arena_generations, false),
        entry("poolOpen", pools::open, false),
        entry("poolAcquire", pools::acquire, true),
        entry("poolRelease", pools::release, true),
        entry("poolGate", pools::gate, true),
        entry("freeAny", pools::free_any, true),
        entry("poolClear", pools::clear, true),
        entry("poolClose", pools::close, true),
        entry("poolFigure", pools::figure, false),
    ];
    all.extend(operations::ENTRIES.map(|(name, function, bare)| entry(name, function, bare)));
    all.extend(jobs::ENTRIES.map(|(name, function, bare)| entry(name, function, bare)));
    all.extend(atomics::ENTRIES.map(|(name, function, bare)| entry(name, function, bare)));
    all.extend(shares::ENTRIES.map(|(name, function, bare)| entry(name, function, bare)));
    export(&env, &exports, State::default(), &all)
}

const WORD: u32 = AlignmentCode::WORD.0 as u32;
const ZEROED: u32 = 1 << 8;
const CLEARED_BY_CALLER: u32 = 1 << 9;

/// Arguments: size (two words); alignment code, bit 8 for zeroed, bit 9 where the caller would clear it, label above bit 16. Results:
/// slot, generation; slot 0 when the block is to be taken from the magazine of its class, which has some now.
fn allocate(call: &Context<'_>) -> Answer {
    answer(call, |isolate| {
        let details = argument(isolate, 2);
        let request = Request {
            size: isolate.table.argument_u64(0),
            alignment: AlignmentCode(details as u8),
            zeroed: details & ZEROED != 0,
            label: Label((details >> 16) as u16),
        };
        // Asked first: most requests that come here cannot be served from a magazine.
        let may_refill = details == WORD || details == WORD | ZEROED | CLEARED_BY_CALLER;
        if may_refill && request.size <= SMALL_MAX && isolate.refill(Request { zeroed: false, ..request }) {
            isolate.table.set_word(word::RESULT + 1, 0);
            return Ok(());
        }
        isolate.allocate(request).map(|handle| give_handle(isolate, handle))
    })
}

/// A count of JavaScript's has gone a quarter around: whichever it is, so that the one who counts need not say.
fn note_taken(call: &Context<'_>) -> Answer {
    answer(call, |isolate| {
        isolate.note_taken();
        Ok(())
    })
}

/// Arguments of this and the next ones: slot, generation. Results of this one: the time, two words.
fn free(call: &Context<'_>) -> Answer {
    answer(call, |isolate| isolate.free(handle(isolate)).map(|()| give_time(isolate)))
}

/// Results: the time.
fn free_escaped(call: &Context<'_>) -> Answer {
    answer(call, |isolate| isolate.free_escaped(handle(isolate)).map(|()| give_time(isolate)))
}

/// When the free happened, in two result words.
pub fn give_time(isolate: &Isolate) {
    let now_ms = raw::now_ms();
    isolate.table.set_word(word::RESULT + 1, (now_ms as u32).cast_signed());
    isolate.table.set_word(word::RESULT + 2, ((now_ms >> 32) as u32).cast_signed());
}

fn pin(call: &Context<'_>) -> Answer {
    answer(call, |isolate| isolate.pin(handle(isolate)).map(|_| ()))
}

fn unpin(call: &Context<'_>) -> Answer {
    answer(call, |isolate| isolate.unpin(handle(isolate)))
}

/// Arguments: slot, generation, new size (two words).
fn prepare_reallocation(call: &Context<'_>) -> Answer {
    answer(call, |isolate| isolate.prepare_reallocation(handle(isolate), isolate.table.argument_u64(2)))
}

/// Results: slot, generation.
fn commit_reallocation(call: &Context<'_>) -> Answer {
    answer(call, |isolate| isolate.commit_reallocation().map(|handle| give_handle(isolate, handle)))
}

fn abort_reallocation(call: &Context<'_>) -> Answer {
    answer(call, |isolate| {
        isolate.abort_reallocation();
        Ok(())
    })
}

/// Arguments: span, offset, length. The hidden ArrayBuffer over a part of a span.
fn span_buffer(call: &Context<'_>) -> Answer {
    let parts = (call.integer(0), call.integer(1), call.integer(2));
    let (Some(span), Some(offset), Some(length)) = parts else { return Answer::Nothing };
    let Some(region) = MANAGER.chunks.atlas.region(Span(span as u32)) else { return Answer::Nothing };
    let inside = offset <= region.size() as u64 && length <= region.size() as u64 - offset;
    if inside {
        call.hidden_buffer(region.address() + offset as usize, length as usize)
    } else {
        Answer::Nothing
    }
}

/// Arguments: span. Its bytes; 0 when there is none.
fn span_size(call: &Context<'_>) -> Answer {
    let region = call.integer(0).and_then(|span| MANAGER.chunks.atlas.region(Span(span as u32)));
    Answer::Number(region.map_or(0.0, |region| region.size() as f64))
}

/// Arguments: number of a segment. The hidden ArrayBuffer over its shared records.
fn records_buffer(call: &Context<'_>) -> Answer {
    match call.integer(0).and_then(|index| MANAGER.tracker.segment(index as usize)) {
        Some(columns) => call.hidden_buffer(columns.bytes().address(), columns.bytes().size()),
        None => Answer::Nothing,
    }
}

/// Arguments: slot. The address of its memory, live or not; −1 when there is none.
fn address_of(call: &Context<'_>) -> Answer {
    let address = call.integer(0).and_then(|slot| isolate(call).ok()?.address(Slot(slot as u32)));
    Answer::Number(address.map_or(-1.0, |address| address as f64))
}

/// Arguments: a Uint8Array. Its address; −1 for anything else.
fn view_address(call: &Context<'_>) -> Answer {
    Answer::Number(call.bytes(0).map_or(-1.0, |bytes| bytes.address() as f64))
}

/// Arguments: an ArrayBuffer. Its address; −1 for anything else.
fn buffer_address(call: &Context<'_>) -> Answer {
    Answer::Number(call.array_buffer(0).map_or(-1.0, |(address, _)| address as f64))
}

/// Arguments: an ArrayBuffer of ours. 1 when it is detached afterwards, else 0.
fn detach(call: &Context<'_>) -> Answer {
    Answer::Number(f64::from(u8::from(call.detach(0))))
}

/// Arguments: an ArrayBuffer. 1 when it is detached, else 0.
fn is_detached(call: &Context<'_>) -> Answer {
    Answer::Number(f64::from(u8::from(call.is_detached(0))))
}

/// Bytes given back to the system.
fn trim(call: &Context<'_>) -> Answer {
    Answer::Number(isolate(call).map_or(0.0, |isolate| isolate.trim() as f64))
}

/// The isolate's number in rows.
fn isolate_number(call: &Context<'_>) -> Answer {
    Answer::Number(isolate(call).map_or(-1.0, |isolate| f64::from(isolate.number())))
}
