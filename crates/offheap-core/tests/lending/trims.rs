//! What a trim leaves of the words about slots.

use super::script::Script;
use super::{lending, manager, plain, stats};
use offheap_core::base::error::Code;
use offheap_core::manager::Isolate;
use offheap_core::raw;
use offheap_core::tracker::isolate::{FRONT, FRONT_WORDS, front};
use offheap_core::tracker::state::{Handle, Slot};
use std::collections::HashSet;

const SIZE: u64 = 64;
/// Whether pages that were given back read 0; the portable fallback gives none back.
const FORGETS: bool = raw::DECOMMIT_ZEROES && !cfg!(offheap_portable);

/// How many slots have their words on a page.
fn on_a_page() -> usize {
    raw::page_size() / (FRONT_WORDS * size_of::<i32>())
}

fn take(script: &Script<'_>, count: usize) -> Vec<Handle> {
    (0..count).map(|_| script.allocate(plain(SIZE)).unwrap()).collect()
}

fn generation(isolate: &Isolate, slot: Slot) -> i32 {
    isolate.table.word(FRONT + slot.0 as usize * FRONT_WORDS + front::GENERATION)
}

/// A slot that is far from all of the given ones: no page has words about both.
fn is_far(slot: Slot, from: &[Handle]) -> bool {
    from.iter().all(|handle| handle.slot.0.abs_diff(slot.0) as usize >= on_a_page())
}

#[test]
fn a_trim_forgets_words_about_what_is_free_and_none_about_what_lives() {
    let isolate = lending(manager());
    let (script, count) = (Script::new(&isolate), 16 * on_a_page());
    let all = take(&script, count);
    let is_kept = |index: usize| index < 20 || index == count / 2 || index == count - 1;
    let kept: Vec<Handle> = (0..count).filter(|index| is_kept(*index)).map(|index| all[index]).collect();
    let freed: Vec<Handle> = (0..count).filter(|index| !is_kept(*index)).map(|index| all[index]).collect();
    isolate.pin(kept[3]).unwrap(); // its record speaks, and the words repeat it
    freed.iter().for_each(|handle| script.free(*handle, SIZE).unwrap());
    for _ in 0..2 {
        isolate.trim();
        for handle in &kept {
            assert_eq!(script.is_live(*handle), Some(true), "slot {}", handle.slot.0);
            assert_eq!(script.is_lent(handle.slot), *handle != kept[3]);
        }
        for handle in &freed {
            assert_eq!(script.is_live(*handle), Some(false), "slot {}", handle.slot.0);
            assert_eq!(isolate.free(*handle), Err(Code::DoubleFree.into()));
        }
    }
    let far: Vec<i32> = freed
        .iter()
        .filter(|handle| is_far(handle.slot, &kept))
        .map(|handle| generation(&isolate, handle.slot))
        .collect();
    assert!(far.len() > count / 2);
    assert_eq!(far.iter().all(|generation| *generation == 0), FORGETS);
    isolate.unpin(kept[3]).unwrap();
    // The next owners have other generations, and the words tell of them.
    let again = take(&script, freed.len());
    let slots: HashSet<Slot> = freed.iter().map(|handle| handle.slot).collect();
    assert!(again.iter().filter(|handle| slots.contains(&handle.slot)).count() > freed.len() / 2);
    assert!(again.iter().all(|handle| script.is_live(*handle) == Some(true) && !freed.contains(handle)));
    assert!(freed.iter().all(|handle| script.is_live(*handle) == Some(false)));
    kept.iter().chain(&again).for_each(|handle| script.free(*handle, SIZE).unwrap());
    isolate.manager().tracker.check().unwrap();
    assert_eq!(stats(isolate.manager()).current_allocated, 0);
}

#[test]
fn a_trim_leaves_the_words_of_other_isolates() {
    let isolate = lending(manager());
    let other = lending(isolate.manager());
    let (script, others) = (Script::new(&isolate), Script::new(&other));
    let count = 16 * on_a_page();
    let (mine, theirs) = (take(&script, count), take(&others, count));
    mine.iter().for_each(|handle| script.free(*handle, SIZE).unwrap());
    isolate.trim();
    assert!(theirs.iter().all(|handle| others.is_live(*handle) == Some(true) && others.is_lent(handle.slot)));
    theirs.iter().for_each(|handle| others.free(*handle, SIZE).unwrap());
    other.trim();
    assert!(theirs.iter().all(|handle| others.is_live(*handle) == Some(false)));
    let again = take(&others, count);
    assert!(again.iter().all(|handle| others.is_live(*handle) == Some(true)));
    again.iter().for_each(|handle| others.free(*handle, SIZE).unwrap());
    isolate.manager().tracker.check().unwrap();
    assert_eq!(stats(isolate.manager()).current_allocated, 0);
}
