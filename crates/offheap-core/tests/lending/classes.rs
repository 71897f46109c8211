//! Magazines of the manager's own blocks.

use super::script::{Script, magazine_for};
use super::{lending, manager, plain, small_manager, stats};
use offheap_core::base::error::{Code, Error};
use offheap_core::manager::{Isolate, Request};
use offheap_core::raw;
use offheap_core::tracker::isolate::{FRONT, FRONT_WORDS, TICK_MS, word};
use offheap_core::tracker::state::{Generation, Handle, State};
use std::collections::HashSet;
use std::thread;
use std::time::{Duration, Instant};

const SIZE: u64 = 64;

fn take(script: &Script<'_>, count: usize) -> Vec<Handle> {
    (0..count).map(|_| script.allocate(plain(SIZE)).unwrap()).collect()
}

fn addresses(isolate: &Isolate, handles: &[Handle]) -> HashSet<u64> {
    handles.iter().map(|handle| isolate.address(handle.slot).unwrap()).collect()
}

#[test]
fn a_spent_record_leaves_the_magazine_and_its_memory_goes_on_under_a_fresh_one() {
    let isolate = lending(manager());
    let (script, tracker) = (Script::new(&isolate), &isolate.manager().tracker);
    let [_held, first] = [(); 2].map(|()| isolate.allocate(plain(SIZE)).unwrap());
    let address = isolate.address(first.slot);
    isolate.free(first).unwrap();
    tracker.age(first.slot, Generation(Generation::MAX.0 - 2));
    let last = script.allocate(plain(SIZE)).unwrap();
    assert_eq!((last.slot, last.generation.0), (first.slot, Generation::MAX.0 - 1));
    assert!(script.is_lent(last.slot) && script.give(last, SIZE));
    assert_eq!(script.take(SIZE), None, "the last life of the record is over");
    assert!(isolate.refill(plain(SIZE)), "there are others");
    assert!(!script.is_lent(last.slot));
    let next = script.take(SIZE).unwrap();
    assert_ne!(isolate.address(next.slot), address);
    let fresh = isolate.allocate(plain(SIZE)).unwrap();
    assert_eq!((isolate.address(fresh.slot), tracker.retired()), (address, 1));
    assert_ne!(fresh.slot, last.slot);
    for dead in [first, last] {
        assert_eq!(isolate.free(dead), Err(Code::DoubleFree.into()));
    }
    script.free(next, SIZE).unwrap();
    script.free(fresh, SIZE).unwrap();
    tracker.check().unwrap();
    assert_eq!(stats(isolate.manager()).current_allocated, SIZE);
}

#[test]
fn nothing_is_lent_through_a_table_without_words_or_to_whom_does_not_ask() {
    for isolate in [
        Isolate::open_lending(manager(), Some(0), true).unwrap(),
        Isolate::open(manager(), None).unwrap(),
        Isolate::open_lending(manager(), None, false).unwrap(),
    ] {
        let script = Script::new(&isolate);
        assert!(!isolate.refill(plain(SIZE)));
        let handles = take(&script, 100);
        assert!(handles.iter().all(|handle| !script.is_lent(handle.slot)));
        handles.into_iter().for_each(|handle| script.free(handle, SIZE).unwrap());
        assert!(!isolate.refill(plain(SIZE)) && script.take(SIZE).is_none());
        let pool = isolate.open_pool("none", super::pooled::MEASURES).unwrap();
        assert_eq!((isolate.magazine_of(pool), isolate.refill_pool(pool)), (Ok(0), false));
        assert_eq!(stats(isolate.manager()).active_blocks, 0);
    }
}

#[test]
fn slots_without_words_are_not_lent_and_their_blocks_are_as_good_as_others() {
    let bytes = (FRONT + 20 * FRONT_WORDS) * size_of::<i32>();
    let isolate = Isolate::open_lending(manager(), Some(bytes), true).unwrap();
    let (script, slots) = (Script::new(&isolate), isolate.table.slots() as u32);
    let handles = take(&script, 200);
    assert!(handles.iter().any(|handle| script.is_lent(handle.slot)));
    assert!(handles.iter().all(|handle| handle.slot.0 < slots || !script.is_lent(handle.slot)));
    assert_eq!(addresses(&isolate, &handles).len(), 200);
    assert_eq!((stats(isolate.manager()).active_blocks, isolate.own_blocks().len()), (200, 200));
    handles.into_iter().for_each(|handle| script.free(handle, SIZE).unwrap());
    assert_eq!(stats(isolate.manager()).active_blocks, 0);
    isolate.manager().tracker.check().unwrap();
}

#[test]
fn only_plain_requests_are_served_from_magazines() {
    let isolate = lending(manager());
    for refused in [
        Request { zeroed: true, ..plain(SIZE) },
        Request { label: isolate.manager().tracker.labels.intern("label"), ..plain(SIZE) },
        Request { alignment: offheap_core::tracker::state::AlignmentCode::CACHE_LINE, ..plain(SIZE) },
        plain(0),
        plain((32 << 10) + 1),
        plain(u64::MAX),
    ] {
        assert!(!isolate.refill(refused), "{refused:?}");
    }
    assert!(isolate.refill(plain(1)) && isolate.refill(plain(32 << 10)));
}

#[test]
fn with_a_limit_nothing_is_taken_from_magazines_and_the_limit_is_exact() {
    let isolate = lending(manager());
    let script = Script::new(&isolate);
    let held = take(&script, 10);
    isolate.manager().set_limit(Some(11 * SIZE + 5));
    assert_eq!(script.take(SIZE), None, "the magazine is not empty, but nobody may take from it");
    assert!(!isolate.refill(plain(SIZE)));
    let last = script.allocate(plain(SIZE)).unwrap();
    assert_eq!(script.allocate(plain(6)), Err(Error::new(Code::Limit, 6, 5)));
    let rest = script.allocate(plain(5)).unwrap();
    assert_eq!(script.allocate(plain(1)), Err(Error::new(Code::Limit, 1, 0)));
    assert!(!script.give(held[0], SIZE), "what is given back might be taken by nobody");
    script.free(held[0], SIZE).unwrap();
    let again = script.allocate(plain(SIZE)).unwrap();
    isolate.manager().set_limit(None);
    assert_eq!(script.take(SIZE), None, "the clock is started by a native call");
    let more = take(&script, 100);
    assert!(more.iter().any(|handle| script.is_lent(handle.slot)));
    isolate.manager().set_limit(Some(0));
    assert_eq!((script.take(SIZE), script.allocate(plain(1)).unwrap_err().code), (None, Code::Limit));
    for handle in held.into_iter().skip(1).chain(more).chain([last, again]) {
        script.free(handle, SIZE).unwrap();
    }
    script.free(rest, 5).unwrap();
    assert_eq!(stats(isolate.manager()).current_allocated, 0);
}

#[test]
fn a_chunk_that_was_ever_viewed_is_never_lent() {
    let isolate = lending(manager());
    let script = Script::new(&isolate);
    let shown = take(&script, 400);
    for handle in &shown {
        isolate.show(*handle, true).unwrap();
        assert!(!script.is_lent(handle.slot), "its record speaks for it");
        script.free(*handle, SIZE).unwrap();
    }
    let viewed = addresses(&isolate, &shown);
    let mut met = 0;
    for handle in take(&script, 500) {
        if viewed.contains(&isolate.address(handle.slot).unwrap()) {
            assert!(!script.is_lent(handle.slot));
            met += 1;
        }
    }
    assert!(met > 50, "past the quarantine they are used again");
}

#[test]
fn what_is_given_back_is_the_next_and_a_full_magazine_gives_half_on() {
    let isolate = lending(manager());
    let script = Script::new(&isolate);
    let handles = take(&script, 300);
    let committed = stats(isolate.manager()).committed;
    for handle in &handles {
        script.free(*handle, SIZE).unwrap();
        assert!(isolate.table.word(magazine_for(SIZE)) <= 64);
    }
    let other = lending(isolate.manager());
    let others = take(&Script::new(&other), 90);
    let all = addresses(&isolate, &handles);
    let shared = addresses(&other, &others).intersection(&all).count();
    assert!(shared > 60, "an isolate keeps {} of 300 to itself", 300 - shared);
    assert_eq!(script.take(SIZE).unwrap().slot, handles.last().unwrap().slot, "the newest is warm");
    let last = script.allocate(plain(SIZE)).unwrap();
    isolate.free(last).unwrap();
    assert_eq!(script.take(SIZE).unwrap().slot, last.slot, "whoever gave it back");
    assert_eq!(take(&script, 200).len(), 200);
    assert_eq!(stats(isolate.manager()).committed, committed, "all of it is found again");
    isolate.trim();
    assert_eq!(isolate.table.word(magazine_for(SIZE)), 0);
    isolate.manager().tracker.check().unwrap();
}

#[test]
fn before_memory_runs_out_magazines_are_emptied() {
    let isolate = lending(small_manager());
    let script = Script::new(&isolate);
    take(&script, 5).into_iter().for_each(|handle| script.free(handle, SIZE).unwrap());
    let in_magazine = isolate.table.word(magazine_for(SIZE));
    assert!(in_magazine > 1);
    while isolate.manager().tracker.take(u32::MAX).is_ok() {}
    // Each new chunk would need a record, and there is none.
    let mut count = 0;
    while isolate.allocate(Request { zeroed: true, ..plain(SIZE) }).is_ok() {
        count += 1;
    }
    assert!(count >= in_magazine, "{count} blocks");
    assert_eq!(isolate.table.word(magazine_for(SIZE)), 0);
    assert_eq!(script.allocate(plain(SIZE)).unwrap_err().code, Code::OutOfMemory);
    assert_eq!(stats(isolate.manager()).active_blocks, count.cast_unsigned().into());
}

#[test]
fn what_lies_in_magazines_is_used_before_a_quarantine_is_cut_short() {
    let isolate = lending(small_manager());
    let script = Script::new(&isolate);
    let shown = isolate.allocate(Request { zeroed: true, ..plain(SIZE) }).unwrap();
    isolate.show(shown, true).unwrap();
    isolate.free(shown).unwrap(); // it waits in quarantine
    take(&script, 3).into_iter().for_each(|handle| script.free(handle, SIZE).unwrap());
    while isolate.manager().tracker.take(u32::MAX).is_ok() {}
    let mut given = Vec::new();
    while let Ok(handle) = isolate.allocate(Request { zeroed: true, ..plain(SIZE) }) {
        given.push(handle.slot);
    }
    assert!(given.len() > 3, "{} blocks", given.len());
    assert_eq!(given.iter().position(|slot| *slot == shown.slot), Some(given.len() - 1), "the last of all");
}

#[test]
fn a_viewed_chunk_that_comes_back_early_for_want_of_memory_stays_with_its_isolate() {
    let manager = small_manager();
    let (isolate, other) = (lending(manager), lending(manager));
    let mut held: Vec<Handle> = (0..96).map(|_| isolate.allocate(plain(SIZE)).unwrap()).collect();
    while manager.tracker.take(u32::MAX).is_ok() {}
    while let Ok(handle) = isolate.allocate(plain(SIZE)) {
        held.push(handle);
    }
    let shown = held.pop().unwrap();
    isolate.show(shown, true).unwrap();
    isolate.free(shown).unwrap();
    assert!(!isolate.refill(plain(SIZE)), "it is viewed, and there is no other");
    // More than the cache keeps: it gives the older half to whoever asks.
    held.into_iter().for_each(|handle| isolate.free(handle).unwrap());
    let mut others = Vec::new();
    while let Ok(handle) = other.allocate(plain(SIZE)) {
        others.push(handle);
    }
    assert!(others.len() > 20, "{} blocks", others.len());
    assert!(others.iter().all(|handle| handle.slot != shown.slot), "another isolate has it");
}

#[test]
fn sums_are_exact_where_the_words_of_a_script_go_around() {
    let isolate = lending(manager());
    let script = Script::new(&isolate);
    let first = script.allocate(plain(SIZE)).unwrap();
    script.free(first, SIZE).unwrap();
    let mut expected = SIZE;
    let taken = magazine_for(SIZE) + 2;
    for start in [(1 << 30) - 500, i32::MAX - 500, -(1 << 30) - 500, -500] {
        expected += u64::from(start.wrapping_sub(isolate.table.word(taken)).cast_unsigned());
        isolate.table.set_word(taken, start); // as if it had taken so much
        for _ in 0..20 {
            let handle = script.take(SIZE).unwrap();
            assert!(script.give(handle, SIZE));
            expected += SIZE;
        }
        let figures = stats(isolate.manager());
        assert_eq!((figures.total_allocated, figures.total_freed), (expected, expected));
    }
}

#[test]
fn the_clock_runs_while_a_table_is_used_and_stands_when_it_is_not() {
    let isolate = lending(manager());
    let script = Script::new(&isolate);
    assert_eq!(isolate.table.word(word::CLOCK), 0);
    let begun = Instant::now();
    let mut ticks = HashSet::new();
    while ticks.len() < 5 {
        let handle = script.allocate(plain(SIZE)).unwrap();
        let now = raw::now_ms();
        let row = isolate.manager().tracker.shared_row(handle.slot).unwrap();
        // The clock's thread may have had no processor for a while.
        assert!(row.born_ms <= now && row.born_ms + 5000 > now, "{} at {now}", row.born_ms);
        ticks.insert(isolate.table.word(word::CLOCK));
        script.free(handle, SIZE).unwrap();
        thread::sleep(Duration::from_millis(TICK_MS));
        assert!(begun.elapsed() < Duration::from_secs(60), "the clock does not run");
    }
    let handle = script.allocate(plain(SIZE)).unwrap();
    while isolate.table.word(word::CLOCK) != 0 {
        thread::sleep(Duration::from_millis(20));
        assert!(begun.elapsed() < Duration::from_secs(60), "the clock does not stop");
    }
    assert!(isolate.pin(handle).is_ok() && script.take(SIZE).is_none());
    let next = script.allocate(plain(SIZE)).unwrap();
    assert!(script.is_lent(next.slot) && isolate.table.word(word::CLOCK) != 0, "a native call starts it");
}

#[test]
fn pages_that_were_given_back_count_as_committed_again_when_they_are_lent() {
    let isolate = lending(manager());
    let script = Script::new(&isolate);
    let committed = || stats(isolate.manager()).committed;
    for _ in 0..3 {
        let handles: Vec<Handle> = (0..200).map(|_| script.allocate(plain(4096)).unwrap()).collect();
        assert!(committed() >= 200 * 4096, "{} bytes", committed());
        handles.into_iter().for_each(|handle| script.free(handle, 4096).unwrap());
        let before = committed();
        assert_eq!(before - isolate.trim(), committed());
    }
}

#[test]
fn an_operation_on_a_lent_block_makes_its_record_speak_for_it() {
    let isolate = lending(manager());
    let script = Script::new(&isolate);
    let pinned = script.allocate(plain(SIZE)).unwrap();
    assert!(isolate.manager().tracker.live(pinned).is_err(), "the table speaks");
    assert_eq!((isolate.pin(pinned), isolate.unpin(pinned)), (Ok(0), Ok(())));
    let moved = script.allocate(plain(SIZE)).unwrap();
    let grown = isolate.reallocate(moved, 5000).unwrap();
    let chunk = script.allocate(plain(SIZE)).unwrap();
    assert_eq!(isolate.chunk(chunk).unwrap().size(), SIZE as usize);
    for (handle, size) in [(pinned, SIZE), (grown, 5000), (chunk, SIZE)] {
        assert!(!script.is_lent(handle.slot) && script.is_live(handle) == Some(true));
        assert!(!script.give(handle, size), "it has no magazine any more");
        let row = isolate.manager().tracker.shared_row(handle.slot).unwrap();
        assert_eq!((row.handle, row.extent.size, row.state.has(State::LENT)), (handle, size, false));
        script.free(handle, size).unwrap();
        assert_eq!(script.is_live(handle), Some(false));
    }
    let bytes = script.allocate(plain(SIZE)).unwrap();
    assert_eq!(isolate.bytes(bytes, 1, SIZE - 1).unwrap().size(), SIZE as usize - 1);
    let beyond = isolate.bytes(bytes, 1, SIZE).unwrap_err();
    assert_eq!(beyond, Error::new(Code::OutOfRange, SIZE + 1, SIZE));
    assert!(script.is_lent(bytes.slot), "to look at bytes is no reason");
}
