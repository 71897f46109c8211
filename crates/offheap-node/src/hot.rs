//! What must take nanoseconds: raw functions. Statuses instead of throws (a throw from native costs
//! 4 µs); 0 is success, else the number of a [`Code`], with its two figures in the table.

use crate::MANAGER;
use crate::allocators;
use crate::atomics;
use crate::buffer::{Answer, Export, Native, export};
use crate::jobs;
use crate::pools;
use crate::shares;
use crate::state::{Context, State, answer, argument, give_handle, handle, isolate, open};
use crate::views::{chunk_buffer, holder_of, mark_viewed, settle, window_buffer};
use napi::Env;
use napi::bindgen_prelude::Object;
use napi_derive::napi;
use offheap_core::alloc::chunks::classes::SMALL_MAX;
use offheap_core::base::error::{Code, Error, Result};
use offheap_core::manager::{Isolate, Operation, Request};
use offheap_core::ops::{self, CopyMode, Element, Pattern};
use offheap_core::raw;
use offheap_core::raw::atlas::Span;
use offheap_core::raw::bytes::Bytes;
use offheap_core::tracker::isolate::word;
use offheap_core::tracker::label::Label;
use offheap_core::tracker::state::{AlignmentCode, Generation, Handle, Slot};

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
        entry("fill", fill, false),
        entry("copy", copy, false),
        entry("compare", compare, false),
        entry("mismatch", mismatch, false),
        entry("fillStaged", fill_staged, true),
        entry("copyStaged", copy_staged, true),
        entry("compareStaged", compare_staged, true),
        entry("mismatchStaged", mismatch_staged, true),
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
    all.extend(jobs::ENTRIES.map(|(name, function, bare)| entry(name, function, bare)));
    all.extend(atomics::ENTRIES.map(|(name, function, bare)| entry(name, function, bare)));
    all.extend(shares::ENTRIES.map(|(name, function, bare)| entry(name, function, bare)));
    export(&env, &exports, State::default(), &all)
}

/// Arguments: size (two words); alignment code, bit 8 for zeroed, label above bit 16. Results: slot,
/// generation; slot 0 when the block is to be taken from the magazine of its class, which has some now.
fn allocate(call: &Context<'_>) -> Answer {
    answer(call, |isolate| {
        let details = argument(isolate, 2);
        let request = Request {
            size: isolate.table.argument_u64(0),
            alignment: AlignmentCode(details as u8),
            zeroed: details & 1 << 8 != 0,
            label: Label((details >> 16) as u16),
        };
        // Asked first: most requests that come here cannot be served from a magazine.
        if details == u32::from(AlignmentCode::WORD.0) && request.size <= SMALL_MAX && isolate.refill(request)
        {
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

/// An operand stands in three arguments: a slot or a Uint8Array, a generation (unused with an
/// array), an offset.
pub fn operand<'a>(call: &'a Context<'_>, first: usize, length: u64) -> Result<Bytes<'a>> {
    let offset = call.integer(first + 2).ok_or(Error::from(Code::OutOfRange))?;
    let Some(slot) = call.number(first) else {
        let bytes = call.bytes(first).ok_or(Error::from(Code::InvalidType))?;
        let size = bytes.size() as u64;
        return bytes
            .slice(offset, length)
            .ok_or_else(|| Error::new(Code::OutOfRange, offset.saturating_add(length), size));
    };
    let generation = call.number(first + 1).ok_or(Error::from(Code::InvalidType))?;
    let handle = Handle { slot: Slot(slot as u32), generation: Generation(generation as u32) };
    isolate(call)?.bytes(handle, offset, length)
}

/// Begins an operation on the operands that stand in arguments from these on, which may be the same.
#[inline(never)] // as `Isolate::operate`
pub fn operate<'a>(call: &Context<'_>, isolate: &'a Isolate, firsts: [usize; 2]) -> Operation<'a> {
    let none = f64::from(u32::MAX); // bytes of JavaScript's are of no slot
    isolate.operate(firsts.map(|first| Slot(call.number(first).unwrap_or(none) as u32)))
}

/// Arguments: operand, length. Argument words: the pattern.
fn fill(call: &Context<'_>) -> Answer {
    answer(call, |isolate| {
        let _operation = operate(call, isolate, [0, 0]);
        let length = call.integer(3).ok_or(Error::from(Code::OutOfRange))?;
        ops::fill(operand(call, 0, length)?, pattern(isolate));
        Ok(())
    })
}

/// The pattern in the argument words, 16 bytes.
pub fn pattern(isolate: &Isolate) -> Pattern {
    let [low, high] = [0, 2].map(|word| u128::from(isolate.table.argument_u64(STAGED_LENGTH + 2 + word)));
    Pattern::new((low | high << 64).to_le_bytes())
}

/// Arguments: target operand, source operand, length, mode.
fn copy(call: &Context<'_>) -> Answer {
    answer(call, |isolate| {
        let _operation = operate(call, isolate, [0, 3]);
        let length = call.integer(6).ok_or(Error::from(Code::OutOfRange))?;
        ops::copy(operand(call, 0, length)?, operand(call, 3, length)?, mode(call, 7)?)
    })
}

/// The mode of a copy that stands in an argument.
pub fn mode(call: &Context<'_>, index: usize) -> Result<CopyMode> {
    let number = call.integer(index).and_then(|number| u32::try_from(number).ok());
    mode_of(number.ok_or(Error::from(Code::InvalidValue))?)
}

/// 0 normal, 1 non-temporal, else the element size of a byte swap.
fn mode_of(number: u32) -> Result<CopyMode> {
    Ok(match number {
        0 => CopyMode::Normal,
        1 => CopyMode::NonTemporal,
        element => CopyMode::SwapEndian(Element::try_from(element)?),
    })
}

/// Arguments: two operands, length. Result: −1, 0 or 1.
fn compare(call: &Context<'_>) -> Answer {
    answer(call, |isolate| {
        let _operation = operate(call, isolate, [0, 3]);
        let length = call.integer(6).ok_or(Error::from(Code::OutOfRange))?;
        let order = ops::compare(operand(call, 0, length)?, operand(call, 3, length)?)?;
        isolate.table.set_word(word::RESULT + 1, order as i32);
        Ok(())
    })
}

/// Arguments: two operands, length. Returns the first differing index or −1; undefined on failure.
fn mismatch(call: &Context<'_>) -> Answer {
    let mut index = -1.0;
    answer(call, |isolate| {
        let _operation = operate(call, isolate, [0, 3]);
        let length = call.integer(6).ok_or(Error::from(Code::OutOfRange))?;
        if let Some(at) = ops::mismatch(operand(call, 0, length)?, operand(call, 3, length)?)? {
            index = at as f64;
        }
        Ok(())
    });
    Answer::Number(index)
}

/// Where in the argument words the length of a staged operation stands, two words, and behind it what else it takes.
const STAGED_LENGTH: usize = 8;

/// A staged operand stands in four argument words: slot, generation, offset (two words). An operand that is handed over as
/// a value costs 20 to 30 ns.
fn staged(isolate: &Isolate, first: usize) -> Result<Bytes<'static>> {
    let slot = Slot(argument(isolate, first));
    let handle = Handle { slot, generation: Generation(argument(isolate, first + 1)) };
    isolate.bytes(handle, isolate.table.argument_u64(first + 2), isolate.table.argument_u64(STAGED_LENGTH))
}

/// Begins an operation on the staged operands that stand in argument words from these on, which may be the same.
fn operate_staged(isolate: &Isolate, firsts: [usize; 2]) -> Operation<'_> {
    isolate.operate(firsts.map(|first| Slot(argument(isolate, first))))
}

/// Argument words: operand; pattern.
fn fill_staged(call: &Context<'_>) -> Answer {
    answer(call, |isolate| {
        let _operation = operate_staged(isolate, [0, 0]);
        ops::fill(staged(isolate, 0)?, pattern(isolate));
        Ok(())
    })
}

/// Argument words: target, source; mode.
fn copy_staged(call: &Context<'_>) -> Answer {
    answer(call, |isolate| {
        let mode = mode_of(argument(isolate, STAGED_LENGTH + 2))?;
        let _operation = operate_staged(isolate, [0, 4]);
        ops::copy(staged(isolate, 0)?, staged(isolate, 4)?, mode)
    })
}

/// Argument words: two operands. Result: −1, 0 or 1.
fn compare_staged(call: &Context<'_>) -> Answer {
    answer(call, |isolate| {
        let _operation = operate_staged(isolate, [0, 4]);
        let order = ops::compare(staged(isolate, 0)?, staged(isolate, 4)?)?;
        isolate.table.set_word(word::RESULT + 1, order as i32);
        Ok(())
    })
}

/// Argument words: two operands. Result: 1 more than the index of the first difference, two words; 0 when there is none.
fn mismatch_staged(call: &Context<'_>) -> Answer {
    answer(call, |isolate| {
        let _operation = operate_staged(isolate, [0, 4]);
        let index = ops::mismatch(staged(isolate, 0)?, staged(isolate, 4)?)?;
        let after = index.map_or(0, |index| index as u64 + 1);
        isolate.table.set_word(word::RESULT + 1, (after as u32).cast_signed());
        isolate.table.set_word(word::RESULT + 2, ((after >> 32) as u32).cast_signed());
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
