//! Shares: what the facade calls for `share()` and `attach()`. Bare functions as in `pools.rs`; a key stands in the argument words 2 to 5.

use crate::buffer::{Answer, Native};
use crate::state::{Context, State, answer, argument, give_handle, handle};
use offheap_core::manager::Isolate;
use offheap_core::tracker::isolate::word;

/// What this file exports: name, function, and that it takes its arguments from the table alone.
pub const ENTRIES: [(&str, Native<State>, bool); 2] = [("share", share, true), ("attach", attach, true)];

fn key(isolate: &Isolate) -> u128 {
    (2..6).fold(0, |key, index| (key << 32) | u128::from(argument(isolate, index)))
}

/// Arguments: slot, generation, key. Statuses: `USE_AFTER_FREE`, `LIMIT`, `OUT_OF_MEMORY`.
pub fn share(call: &Context<'_>) -> Answer {
    answer(call, |isolate| isolate.share(handle(isolate), key(isolate)))
}

/// Arguments: key. Results: slot, generation, size in two words. Statuses: `ERR_INVALID_ARG_VALUE`.
pub fn attach(call: &Context<'_>) -> Answer {
    answer(call, |isolate| {
        let (handle, size) = isolate.attach_shared(key(isolate))?;
        give_handle(isolate, handle);
        isolate.table.set_word(word::RESULT + 3, (size as u32).cast_signed());
        isolate.table.set_word(word::RESULT + 4, ((size >> 32) as u32).cast_signed());
        Ok(())
    })
}
