//! Shares: what the facade calls for `share()` and `attach()`. Bare functions as in `pools.rs`. A key is four words of random bits: who
//! knows it may attach the block.

use crate::buffer::{Answer, Native};
use crate::state::{Context, State, answer, argument, give_handle, handle};
use offheap_core::base::error::{Code, Error};
use offheap_core::tracker::isolate::word;

/// What this file exports: name, function, and that it takes its arguments from the table alone.
pub const ENTRIES: [(&str, Native<State>, bool); 2] = [("share", share, true), ("attach", attach, true)];

const KEY_WORDS: usize = 4;

/// Arguments: slot, generation. Results: a key. Statuses: `USE_AFTER_FREE`, `LIMIT`, `OUT_OF_MEMORY`; `NOT_SUPPORTED`
/// where the system has no random bits.
pub fn share(call: &Context<'_>) -> Answer {
    answer(call, |isolate| {
        let mut bytes = [0; 4 * KEY_WORDS];
        getrandom::fill(&mut bytes).map_err(|_| Error::from(Code::NotSupported))?;
        let key = u128::from_be_bytes(bytes);
        isolate.share(handle(isolate), key)?;
        for index in 0..KEY_WORDS {
            let word = (key >> (32 * (KEY_WORDS - 1 - index))) as u32;
            isolate.table.set_word(word::RESULT + 1 + index, word.cast_signed());
        }
        Ok(())
    })
}

/// Arguments: a key. Results: slot, generation, size in two words. Statuses: `ERR_INVALID_ARG_VALUE`.
pub fn attach(call: &Context<'_>) -> Answer {
    answer(call, |isolate| {
        let key = (0..KEY_WORDS).fold(0, |key, index| (key << 32) | u128::from(argument(isolate, index)));
        let (handle, size) = isolate.attach_shared(key)?;
        give_handle(isolate, handle);
        isolate.table.set_word(word::RESULT + 3, (size as u32).cast_signed());
        isolate.table.set_word(word::RESULT + 4, ((size >> 32) as u32).cast_signed());
        Ok(())
    })
}
