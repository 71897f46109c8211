//! Atomic words, and waiting for them to change. An operand stands in three arguments, as in `hot.rs`; numbers of up to 64 bits stand in
//! two argument words each, the lower half first; a result stands in the second and third result word, where 64 bits are aligned.

use crate::MANAGER;
use crate::buffer::{Answer, Native};
use crate::operations::{bytes_of, operand};
use crate::state::{Context, State, answer, argument, isolate};
use offheap_core::base::error::{Code, Error, Result};
use offheap_core::manager::{Isolate, Operand};
use offheap_core::ops::{self, AtomicOp};
use offheap_core::raw::bytes::Bytes;
use offheap_core::tracker::isolate::word;

/// What this file exports: name, function, and whether it takes its arguments from the table alone.
pub const ENTRIES: [(&str, Native<State>, bool); 5] = [
    ("atomic", atomic, false),
    ("wait", wait, false),
    ("notify", notify, false),
    ("waitOver", wait_over, true),
    ("giveUpWait", give_up_wait, false),
];

fn wide(isolate: &Isolate, index: usize) -> i64 {
    let (low, high) = (argument(isolate, index), argument(isolate, index + 1));
    (i64::from(high.cast_signed()) << 32) | i64::from(low)
}

/// The word that is meant: of an operand that stands in arguments, and its width, 4 or 8 bytes.
fn target<'a>(call: &'a Context<'_>, operand: Operand) -> Result<Bytes<'a>> {
    let width =
        call.integer(3).filter(|width| matches!(width, 4 | 8)).ok_or(Error::from(Code::InvalidValue))?;
    bytes_of(call, operand, 0, width)
}

/// Arguments: operand, width, operation. Words: value, expected. Result: the number that was there.
pub fn atomic(call: &Context<'_>) -> Answer {
    answer(call, |isolate| {
        let (value, expected) = (wide(isolate, 0), wide(isolate, 2));
        let op = match call.integer(4) {
            Some(0) => AtomicOp::Load,
            Some(1) => AtomicOp::Exchange(value),
            Some(2) => AtomicOp::Add(value),
            Some(3) => AtomicOp::And(value),
            Some(4) => AtomicOp::Or(value),
            Some(5) => AtomicOp::Xor(value),
            Some(6) => AtomicOp::CompareExchange { expected, value },
            _ => return Err(Code::InvalidValue.into()),
        };
        let operand = operand(call, 0);
        let _operation = isolate.operate([operand; 2]);
        let old = ops::atomic(target(call, operand)?, op)?;
        isolate.table.set_word(word::RESULT + 2, old as i32);
        isolate.table.set_word(word::RESULT + 3, (old >> 32) as i32);
        Ok(())
    })
}

/// Arguments: operand, width. Words: nothing, expected. Returns a ticket, 0 when another number is there.
pub fn wait(call: &Context<'_>) -> Answer {
    let mut ticket = None;
    answer(call, |isolate| {
        let operand = operand(call, 0);
        let (target, expected) = (target(call, operand)?, wide(isolate, 2));
        let expected = if target.size() == 4 { i64::from(expected as i32) } else { expected };
        ticket = MANAGER.waits.wait(isolate.number(), target, expected)?;
        if let (Some(ticket), Operand::Recorded(handle)) = (ticket, operand) {
            isolate.wait_pins(ticket, handle);
        }
        Ok(())
    });
    Answer::Number(ticket.unwrap_or(0) as f64)
}

/// Arguments: operand, width, the most that are woken. Results: how many here, how many elsewhere.
pub fn notify(call: &Context<'_>) -> Answer {
    answer(call, |isolate| {
        let count = call.integer(4).ok_or(Error::from(Code::OutOfRange))?;
        let notified = MANAGER.waits.notify(isolate.number(), target(call, operand(call, 0))?, count);
        for (index, count) in [notified.here, notified.elsewhere].into_iter().enumerate() {
            isolate.table.set_word(word::RESULT + 1 + index, i32::try_from(count).unwrap_or(i32::MAX));
        }
        Ok(())
    })
}

/// A ticket of this isolate whose wait is over; 0 when there is none.
pub fn wait_over(call: &Context<'_>) -> Answer {
    let ticket = isolate(call).ok().and_then(|isolate| {
        let ticket = MANAGER.waits.over(isolate.number())?;
        isolate.wait_ended(ticket);
        Some(ticket)
    });
    Answer::Number(ticket.unwrap_or(0) as f64)
}

/// Arguments: a ticket. 1 when its wait ended by this call, 0 when it was over.
pub fn give_up_wait(call: &Context<'_>) -> Answer {
    let given_up = isolate(call).is_ok_and(|isolate| {
        let ticket = call.integer(0).filter(|ticket| MANAGER.waits.give_up(isolate.number(), *ticket));
        ticket.map(|ticket| isolate.wait_ended(ticket)).is_some()
    });
    Answer::Number(f64::from(u8::from(given_up)))
}
