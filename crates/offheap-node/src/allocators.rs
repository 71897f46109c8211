//! Allocators: what the facade calls for `AdvancedMemoryAllocator` and its memory.
//!
//! As in `hot.rs`, a bare function finds its arguments in the table's ARGUMENT words and leaves a
//! status, then results, in the RESULT words. The first two arguments of each are an allocator's
//! number and life, as `allocatorOpen` gave them; a number over two words has its lower half first.
//! Statuses that every function can leave: `ERR_OFFHEAP_CLOSED`.
//!
//! A handle is a slot and a generation of the records that JavaScript reads as it does a block's; its
//! record's place has class 255 and an offset in units of 16 bytes. Of an arena it is a level and that
//! level's generation, to be compared with the words of `arenaGenerations`.

use crate::MANAGER;
use crate::buffer::Answer;
use crate::state::{Context, answer, argument, give_handle};
use napi::bindgen_prelude::Float64Array;
use napi_derive::napi;
use offheap_core::alloc::arena::Mark;
use offheap_core::base::error::{Code, Error, Result};
use offheap_core::manager::Isolate;
use offheap_core::manager::allocators::{Allocator, AllocatorId, Kind, Measures};
use offheap_core::tracker::isolate::word;
use offheap_core::tracker::label::Label;
use offheap_core::tracker::state::{AlignmentCode, Generation, Handle, Slot};
use std::sync::Arc;

/// Number and life in the first two argument words.
fn id(isolate: &Isolate) -> AllocatorId {
    AllocatorId { number: argument(isolate, 0), life: argument(isolate, 1) }
}

/// Slot and generation in the third and fourth.
fn handle(isolate: &Isolate) -> Handle {
    Handle { slot: Slot(argument(isolate, 2)), generation: Generation(argument(isolate, 3)) }
}

fn give(isolate: &Isolate, index: usize, value: u32) {
    isolate.table.set_word(word::RESULT + index, value.cast_signed());
}

fn give_u64(isolate: &Isolate, index: usize, value: u64) {
    give(isolate, index, value as u32);
    give(isolate, index + 1, (value >> 32) as u32);
}

/// JavaScript arguments: the name as UTF-8 bytes, kind (0 buddy, 1 slab, 2 arena, 3 ring, 4 object pool,
/// 5 hybrid), total bytes, alignment code, overwrite-oldest (0 or 1). Results: number, life.
/// Statuses: `CONFIG_MISMATCH`, `ERR_OUT_OF_RANGE` (alignment or total, with the other as the figure),
/// `ERR_INVALID_ARG_VALUE` (name), `LIMIT`, `OUT_OF_MEMORY`.
pub fn open(call: &Context<'_>) -> Answer {
    answer(call, |isolate| {
        let bytes = call.bytes(0).ok_or(Error::from(Code::InvalidType))?;
        let mut name = vec![0; bytes.size()];
        offheap_core::ops::snapshot(bytes, &mut name)?;
        let name = String::from_utf8(name).map_err(|_| Error::from(Code::InvalidValue))?;
        let integer = |index| call.integer(index).ok_or(Error::from(Code::InvalidType));
        let measures = Measures {
            kind: *Kind::ALL.get(integer(1)? as usize).ok_or(Error::from(Code::InvalidValue))?,
            total: integer(2)?,
            alignment: AlignmentCode(u8::try_from(integer(3)?).map_err(|_| Error::from(Code::InvalidValue))?),
            overwrite: integer(4)? != 0,
        };
        let id = isolate.open_allocator(&name, measures)?;
        give(isolate, 1, id.number);
        give(isolate, 2, id.life);
        Ok(())
    })
}

/// Arguments: number, life, size (two words), label. Results: slot, generation, offset (two words), the first word of the magazine
/// that serves requests of that size or 0, where the piece of an arena begins that it lends (two words). Statuses: `ERR_OUT_OF_RANGE` with the largest request, `REGION_FULL` with the largest that fits now, `IN_USE` (an overwriting ring whose oldest is pinned), `OUT_OF_MEMORY`.
pub fn allocate(call: &Context<'_>) -> Answer {
    answer(call, |isolate| {
        let label = Label(argument(isolate, 4) as u16);
        let taken = isolate.allocate_in(id(isolate), isolate.table.argument_u64(2), label)?;
        give_handle(isolate, taken.handle);
        give_u64(isolate, 3, taken.offset);
        give(isolate, 5, taken.home as u32);
        give_u64(isolate, 6, taken.stretch_at);
        Ok(())
    })
}

/// What is left of the pieces that arenas lent goes back, if nothing lies behind it.
pub fn settle_arenas(call: &Context<'_>) -> Answer {
    answer(call, |isolate| {
        isolate.settle_stretches();
        Ok(())
    })
}

/// Arguments: number, life. What lies in its magazines counts as free then.
pub fn settle(call: &Context<'_>) -> Answer {
    answer(call, |isolate| {
        isolate.settle_loans(id(isolate));
        Ok(())
    })
}

/// Arguments: number, life, slot, generation, size that was asked (two words; an arena counts by it).
/// Statuses: `DOUBLE_FREE`, `IN_USE` with the pins, `FOREIGN_BLOCK`; of an arena `USE_AFTER_FREE`.
pub fn free(call: &Context<'_>) -> Answer {
    answer(call, |isolate| isolate.free_in(id(isolate), handle(isolate), isolate.table.argument_u64(4)))
}

/// Arguments: number, life, slot, generation. Statuses: `USE_AFTER_FREE`, `FOREIGN_BLOCK`, `IN_USE` with
/// 65,535 pins. An arena's pins are the arena's: each holds off its rewind, reset and close.
pub fn pin(call: &Context<'_>) -> Answer {
    answer(call, |isolate| isolate.pin_in(id(isolate), handle(isolate)))
}

/// Arguments and statuses as of `pin`; `CORRUPTED` when there is no pin to drop.
pub fn unpin(call: &Context<'_>) -> Answer {
    answer(call, |isolate| isolate.unpin_in(id(isolate), handle(isolate)))
}

/// Arguments: number, life. Adds one to the allocator's resets in the epochs. Statuses: `IN_USE` with
/// the pins.
pub fn reset(call: &Context<'_>) -> Answer {
    answer(call, |isolate| isolate.reset_allocator(id(isolate)))
}

/// Arguments: number, life. Adds one to its life in the epochs. The region is used again when every isolate
/// that sees it has left it, this one too. Statuses: `IN_USE` with the pins. A second close does nothing.
pub fn close(call: &Context<'_>) -> Answer {
    answer(call, |isolate| isolate.close_allocator(id(isolate)))
}

/// Arguments: number, life. Results: bytes given back to the system (two words).
pub fn trim(call: &Context<'_>) -> Answer {
    answer(call, |isolate| isolate.trim_allocator(id(isolate)).map(|bytes| give_u64(isolate, 1, bytes)))
}

/// Arguments: number, life. Results: the mark: level, serial (two words, below 2^53). Statuses:
/// `NOT_SUPPORTED` by other kinds than arena, `REGION_FULL` with 65,536 marks alive.
pub fn mark(call: &Context<'_>) -> Answer {
    answer(call, |isolate| {
        let mark = isolate.mark_in(id(isolate))?;
        give(isolate, 1, mark.level);
        give_u64(isolate, 2, mark.serial);
        Ok(())
    })
}

/// Arguments: number, life, level, serial (two words). Statuses: `ERR_INVALID_ARG_VALUE` for a stale or
/// foreign mark, `IN_USE` with the pins, `NOT_SUPPORTED`.
pub fn rewind(call: &Context<'_>) -> Answer {
    answer(call, |isolate| {
        let mark = Mark { level: argument(isolate, 2), serial: isolate.table.argument_u64(3) };
        isolate.rewind_in(id(isolate), mark)
    })
}

/// The number and life in the first two JavaScript arguments.
fn id_of(call: &Context<'_>) -> Result<AllocatorId> {
    let word = |index| call.integer(index).and_then(|word| u32::try_from(word).ok());
    word(0)
        .zip(word(1))
        .map(|(number, life)| AllocatorId { number, life })
        .ok_or(Error::from(Code::InvalidType))
}

/// JavaScript arguments: number, life, offset, length, 1 when users will see it: then the region is not
/// used again before this isolate has left it. The ArrayBuffer over a part of the region; it has no finalizer, for the region outlives whoever looks at it. Undefined with a status:
/// `ERR_OUT_OF_RANGE`, `NOT_SUPPORTED` when the engine refuses the buffer (Node 20: above 4 GiB).
pub fn region_buffer(call: &Context<'_>) -> Answer {
    let mut value = Answer::Nothing;
    answer(call, |isolate| {
        let number = |index| call.integer(index).ok_or(Error::from(Code::OutOfRange));
        if call.integer(4) == Some(1) {
            isolate.see_region(id_of(call)?)?;
        }
        let allocator = MANAGER.allocators.get(id_of(call)?)?;
        let bytes = allocator.bytes(&MANAGER, number(2)?, number(3)?)?;
        value = call.hidden_buffer(bytes.address(), bytes.size());
        if matches!(value, Answer::Nothing) { Err(Code::NotSupported.into()) } else { Ok(()) }
    });
    value
}

/// JavaScript arguments: number, life, 1 when somebody may have a buffer of the region for good. This
/// isolate's users do not see the region any more.
pub fn region_left(call: &Context<'_>) -> Answer {
    answer(call, |isolate| {
        isolate.leave_region(id_of(call)?, call.integer(2) == Some(1));
        Ok(())
    })
}

/// JavaScript arguments: number, life. The region's first address; −1 when the allocator is closed.
pub fn region_address(call: &Context<'_>) -> Answer {
    let address = id_of(call).and_then(|id| MANAGER.allocators.get(id)?.bytes(&MANAGER, 0, 0));
    Answer::Number(address.map_or(-1.0, |bytes| bytes.address() as f64))
}

/// The hidden ArrayBuffer over the epochs of all allocators: at word 2n the life of number n (odd while
/// it is open), at word 2n + 1 how often it was reset. Undefined with a status when memory is refused.
pub fn epochs(call: &Context<'_>) -> Answer {
    let mut value = Answer::Nothing;
    answer(call, |_| {
        let bytes = MANAGER.allocators.epochs()?;
        value = call.hidden_buffer(bytes.address(), bytes.size());
        Ok(())
    });
    value
}

/// JavaScript arguments: number, life. The hidden ArrayBuffer over an arena's level generations: a
/// handle lives while the word of its level equals its generation. Undefined for other kinds.
pub fn arena_generations(call: &Context<'_>) -> Answer {
    let mut value = Answer::Nothing;
    answer(call, |_| {
        let allocator = MANAGER.allocators.get(id_of(call)?)?;
        let bytes = allocator.generations().ok_or(Error::from(Code::NotSupported))?;
        value = call.hidden_buffer(bytes.address(), bytes.size());
        Ok(())
    });
    value
}

/// All open allocators of the process, six numbers each: number, life, kind as `allocatorOpen` numbers it, total bytes,
/// code of the alignment it was opened with, 1 when a full ring ends its oldest grants.
#[napi(catch_unwind)]
#[must_use]
pub fn allocator_list() -> Float64Array {
    let entry = |allocator: &Arc<Allocator>| {
        let measures = &allocator.measures;
        [
            f64::from(allocator.id.number),
            f64::from(allocator.id.life),
            f64::from(measures.kind as u8),
            measures.total as f64,
            f64::from(measures.alignment.0),
            f64::from(u8::from(measures.overwrite)),
        ]
    };
    MANAGER.allocators.all().iter().flat_map(entry).collect::<Vec<f64>>().into()
}

/// The name of an open allocator.
#[napi(catch_unwind)]
#[must_use]
pub fn allocator_name(number: u32, life: u32) -> Option<String> {
    MANAGER.allocators.get(AllocatorId { number, life }).ok().map(|allocator| allocator.name.to_string())
}

/// Figures of an open allocator: total, held, requested, free, largest free (bytes), blocks, free
/// blocks, hits, misses (of an object pool), scattered bytes. Empty when it is closed.
#[napi(catch_unwind)]
#[must_use]
pub fn allocator_stats(number: u32, life: u32) -> Float64Array {
    let Ok(allocator) = MANAGER.allocators.get(AllocatorId { number, life }) else {
        return Vec::new().into();
    };
    let stats = allocator.stats(&MANAGER);
    let figures = [
        stats.total,
        stats.held,
        stats.requested,
        stats.free,
        stats.largest_free,
        stats.blocks,
        stats.free_blocks,
        stats.hits,
        stats.misses,
        stats.scattered,
    ];
    figures.map(|figure| figure as f64).to_vec().into()
}

/// What does not hold in an allocator's structure, for tests; undefined when all does, or it is closed.
#[napi(catch_unwind)]
#[must_use]
pub fn allocator_check(number: u32, life: u32) -> Option<String> {
    MANAGER.allocators.get(AllocatorId { number, life }).ok()?.check().err()
}
