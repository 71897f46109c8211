//! Pools: what the facade calls for `MemoryPool`. Bare functions as in `allocators.rs`; the first argument
//! word is a pool's number unless it says otherwise.

use crate::MANAGER;
use crate::buffer::Answer;
use crate::hot::give_time;
use crate::state::{Context, answer, argument, give_handle, handle};
use napi_derive::napi;
use offheap_core::base::error::{Code, Error};
use offheap_core::manager::{PoolMeasures, Request};
use offheap_core::tracker::isolate::word;
use offheap_core::tracker::label::Label;
use offheap_core::tracker::state::AlignmentCode;

/// JavaScript arguments: the name as UTF-8 bytes, size of a block, alignment code, 1 for zeroed ones, label,
/// most idle blocks, most blocks in use (2^53 − 1 for no limit), 1 to zero what is released. Results: the
/// number, and the first word of its magazine or 0. Statuses: `OUT_OF_MEMORY` for a size that no memory has.
pub fn open(call: &Context<'_>) -> Answer {
    answer(call, |isolate| {
        let bytes = call.bytes(0).ok_or(Error::from(Code::InvalidType))?;
        let mut name = vec![0; bytes.size()];
        offheap_core::ops::snapshot(bytes, &mut name)?;
        let integer = |index| call.integer(index).ok_or(Error::from(Code::InvalidType));
        let request = Request {
            size: integer(1)?,
            alignment: AlignmentCode(u8::try_from(integer(2)?).map_err(|_| Error::from(Code::InvalidValue))?),
            zeroed: integer(3)? != 0,
            label: Label(integer(4)? as u16),
        };
        let (idle_max, limit) = (integer(5)?, integer(6)?);
        let measures = PoolMeasures { request, idle_max, limit, zero_on_release: integer(7)? != 0 };
        let number = isolate.open_pool(&String::from_utf8_lossy(&name), measures)?;
        isolate.table.set_word(word::RESULT + 1, number.cast_signed());
        isolate.table.set_word(word::RESULT + 2, isolate.magazine_of(number)? as i32);
        Ok(())
    })
}

/// Results: slot, generation; slot 0 when the block is to be taken from the pool's magazine. Statuses: `LIMIT` with the figures 0 and 0 at the pool's own limit, else with
/// bytes; `OUT_OF_MEMORY`; `CLOSED`.
pub fn acquire(call: &Context<'_>) -> Answer {
    answer(call, |isolate| {
        let number = argument(isolate, 0);
        if isolate.refill_pool(number) {
            isolate.table.set_word(word::RESULT + 1, 0);
            return Ok(());
        }
        isolate.acquire(number).map(|handle| give_handle(isolate, handle))
    })
}

/// Arguments: pool, 1 while somebody waits for a block of it.
pub fn gate(call: &Context<'_>) -> Answer {
    answer(call, |isolate| isolate.gate_pool(argument(isolate, 0), argument(isolate, 1) == 1))
}

/// Arguments: slot, generation, pool. Results: the time, two words. Statuses: `FOREIGN_BLOCK`, `DOUBLE_FREE`,
/// `IN_USE`.
pub fn release(call: &Context<'_>) -> Answer {
    answer(call, |isolate| {
        isolate.release(argument(isolate, 2), handle(isolate)).map(|()| give_time(isolate))
    })
}

/// Arguments: slot, generation. As `free`, and a pool's block goes back to its pool.
pub fn free_any(call: &Context<'_>) -> Answer {
    answer(call, |isolate| isolate.free_any(handle(isolate)).map(|()| give_time(isolate)))
}

/// Gives the idle blocks back.
pub fn clear(call: &Context<'_>) -> Answer {
    answer(call, |isolate| isolate.clear_pool(argument(isolate, 0)))
}

/// Closes it.
pub fn close(call: &Context<'_>) -> Answer {
    answer(call, |isolate| isolate.close_pool(argument(isolate, 0)))
}

/// JavaScript argument: which figure of the pool in the first argument word: 0 available, 1 in use, 2 hits,
/// 3 misses. −1 when it is closed.
pub fn figure(call: &Context<'_>) -> Answer {
    let mut figure = -1.0;
    answer(call, |isolate| {
        let stats = isolate.pool_stats(argument(isolate, 0))?;
        let figures = [stats.available, stats.in_use, stats.hits, stats.misses];
        let index = call.integer(0).and_then(|index| usize::try_from(index).ok());
        figure = index.and_then(|index| figures.get(index)).map_or(-1.0, |value| *value as f64);
        Ok(())
    });
    Answer::Number(figure)
}

/// The name of a pool that is open, or has blocks in use; else undefined.
#[napi(catch_unwind)]
#[must_use]
pub fn pool_name(number: u32) -> Option<String> {
    MANAGER.pools.name(number).map(String::from)
}
