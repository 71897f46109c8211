//! Copies, fills and comparisons on operands, of which each is a block, a grant, or bytes of JavaScript's. Operands are handed over as values, or as words
//! of the table where each has a handle.

use crate::buffer::{Answer, Native};
use crate::state::{Context, State, answer, argument, isolate};
use offheap_core::alloc::arena::Stay;
use offheap_core::base::error::{Code, Error, Result};
use offheap_core::manager::{Isolate, Operand, Operation};
use offheap_core::ops::{self, CopyMode, Element, Pattern};
use offheap_core::raw::bytes::Bytes;
use offheap_core::tracker::isolate::word;
use offheap_core::tracker::state::{Generation, Handle, Slot};

/// What this file exports: name, function, and whether it takes its arguments from the table alone.
pub const ENTRIES: [(&str, Native<State>, bool); 8] = [
    ("fill", fill, false),
    ("copy", copy, false),
    ("compare", compare, false),
    ("mismatch", mismatch, false),
    ("fillStaged", fill_staged, true),
    ("copyStaged", copy_staged, true),
    ("compareStaged", compare_staged, true),
    ("mismatchStaged", mismatch_staged, true),
];

/// An operand stands in three arguments: a Uint8Array, a slot, or −1 less the number of an arena; a generation (unused with an array), above whose
/// 32 bits stands the level of an arena; an offset.
pub fn operand(call: &Context<'_>, first: usize) -> Operand {
    let (Some(slot), Some(generation)) = (call.number(first), call.number(first + 1)) else {
        return Operand::Foreign;
    };
    operand_of(slot as i64, generation as u64)
}

fn operand_of(slot: i64, generation: u64) -> Operand {
    let [level, low] = [(generation >> 32) as u32, generation as u32];
    match u32::try_from(slot) {
        Ok(slot) => Operand::Recorded(Handle { slot: Slot(slot), generation: Generation(low) }),
        Err(_) => Operand::Granted(!slot as u32, Stay { level, generation: low }),
    }
}

/// The bytes of an operand that stands in arguments.
pub fn bytes_of<'a>(call: &'a Context<'_>, operand: Operand, first: usize, length: u64) -> Result<Bytes<'a>> {
    let offset = call.integer(first + 2).ok_or(Error::from(Code::OutOfRange))?;
    if operand != Operand::Foreign {
        return isolate(call)?.operand_bytes(operand, offset, length);
    }
    let bytes = call.bytes(first).ok_or(Error::from(Code::InvalidType))?;
    let size = bytes.size() as u64;
    bytes
        .slice(offset, length)
        .ok_or_else(|| Error::new(Code::OutOfRange, offset.saturating_add(length), size))
}

/// Arguments: operand, length. Argument words: the pattern.
fn fill(call: &Context<'_>) -> Answer {
    answer(call, |isolate| {
        let target = operand(call, 0);
        let _operation = isolate.operate([target; 2]);
        let length = call.integer(3).ok_or(Error::from(Code::OutOfRange))?;
        ops::fill(bytes_of(call, target, 0, length)?, pattern(isolate));
        Ok(())
    })
}

/// The pattern in the argument words, 16 bytes.
pub fn pattern(isolate: &Isolate) -> Pattern {
    let [low, high] = [0, 2].map(|word| u128::from(isolate.table.argument_u64(STAGED_LENGTH + 2 + word)));
    Pattern::new((low | high << 64).to_le_bytes())
}

/// An operation that was begun on two operands, and their bytes.
type Both<'a> = (Operation<'a>, Bytes<'a>, Bytes<'a>);

/// Begins an operation on two operands, which stand in arguments, and their length behind them.
fn both<'a>(call: &'a Context<'_>, isolate: &'a Isolate) -> Result<Both<'a>> {
    let [one, other] = [0, 3].map(|first| operand(call, first));
    let operation = isolate.operate([one, other]);
    let length = call.integer(6).ok_or(Error::from(Code::OutOfRange))?;
    Ok((operation, bytes_of(call, one, 0, length)?, bytes_of(call, other, 3, length)?))
}

/// Arguments: target operand, source operand, length, mode.
fn copy(call: &Context<'_>) -> Answer {
    answer(call, |isolate| {
        let mode = mode(call, 7)?;
        let (_operation, to, from) = both(call, isolate)?;
        ops::copy(to, from, mode)
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
        let (_operation, one, other) = both(call, isolate)?;
        let order = ops::compare(one, other)?;
        isolate.table.set_word(word::RESULT + 1, order as i32);
        Ok(())
    })
}

/// Arguments: two operands, length. Returns the first differing index or −1; undefined on failure.
fn mismatch(call: &Context<'_>) -> Answer {
    let mut index = -1.0;
    answer(call, |isolate| {
        let (_operation, one, other) = both(call, isolate)?;
        if let Some(at) = ops::mismatch(one, other)? {
            index = at as f64;
        }
        Ok(())
    });
    Answer::Number(index)
}

/// Where in the argument words the length of a staged operation stands, two words, behind it what else it takes, and behind that the
/// levels of operands of arenas.
const STAGED_LENGTH: usize = 8;
const STAGED_LEVELS: usize = 14;

/// A staged operand stands in four argument words: slot and generation as of [`operand`], the level apart; offset (two words). One
/// that is handed over as values costs 20 to 30 ns.
fn staged(isolate: &Isolate, index: usize) -> Operand {
    let [slot, generation] = [0, 1].map(|word| argument(isolate, 4 * index + word));
    let level = u64::from(argument(isolate, STAGED_LEVELS + index));
    operand_of(i64::from(slot.cast_signed()), level << 32 | u64::from(generation))
}

fn staged_bytes(isolate: &Isolate, operand: Operand, index: usize) -> Result<Bytes<'static>> {
    let table = &isolate.table;
    isolate.operand_bytes(operand, table.argument_u64(4 * index + 2), table.argument_u64(STAGED_LENGTH))
}

/// Begins an operation on two staged operands.
fn both_staged(isolate: &Isolate) -> Result<Both<'_>> {
    let [one, other] = [0, 1].map(|index| staged(isolate, index));
    let operation = isolate.operate([one, other]);
    Ok((operation, staged_bytes(isolate, one, 0)?, staged_bytes(isolate, other, 1)?))
}

/// Argument words: operand; pattern.
fn fill_staged(call: &Context<'_>) -> Answer {
    answer(call, |isolate| {
        let target = staged(isolate, 0);
        let _operation = isolate.operate([target; 2]);
        ops::fill(staged_bytes(isolate, target, 0)?, pattern(isolate));
        Ok(())
    })
}

/// Argument words: target, source; mode.
fn copy_staged(call: &Context<'_>) -> Answer {
    answer(call, |isolate| {
        let mode = mode_of(argument(isolate, STAGED_LENGTH + 2))?;
        let (_operation, to, from) = both_staged(isolate)?;
        ops::copy(to, from, mode)
    })
}

/// Argument words: two operands. Result: −1, 0 or 1.
fn compare_staged(call: &Context<'_>) -> Answer {
    answer(call, |isolate| {
        let (_operation, one, other) = both_staged(isolate)?;
        let order = ops::compare(one, other)?;
        isolate.table.set_word(word::RESULT + 1, order as i32);
        Ok(())
    })
}

/// Argument words: two operands. Result: 1 more than the index of the first difference, two words; 0 when there is none.
fn mismatch_staged(call: &Context<'_>) -> Answer {
    answer(call, |isolate| {
        let (_operation, one, other) = both_staged(isolate)?;
        let index = ops::mismatch(one, other)?;
        let after = index.map_or(0, |index| index as u64 + 1);
        isolate.table.set_word(word::RESULT + 1, (after as u32).cast_signed());
        isolate.table.set_word(word::RESULT + 2, ((after >> 32) as u32).cast_signed());
        Ok(())
    })
}
