//! Figures that a script changes without a call.

use super::rules::{SIZE, warm};
use super::script::{GRANTED, Script, TAKEN};
use super::{MIB, figures, lending, manager};
use offheap_core::manager::allocators::Kind;
use offheap_core::tracker::label::Label;

#[test]
fn an_object_pool_counts_what_its_script_takes_as_hits() {
    let isolate = lending(manager());
    let (script, mut region) = warm(&isolate, Kind::ObjectPool, 3);
    let (id, misses) = (region.id, figures(&isolate, region.id).misses);
    let hits = || {
        let now = figures(&isolate, id);
        assert_eq!(now.misses, misses);
        now.hits
    };
    let before = hits();
    assert_eq!(before + misses, 4);
    let taken = [(); 3].map(|()| script.take(&region, SIZE).unwrap());
    assert_eq!(hits(), before + 3);
    isolate.pin_in(id, taken[0].handle).unwrap();
    isolate.unpin_in(id, taken[0].handle).unwrap();
    assert_eq!(hits(), before + 3, "an adopted grant counts as before");
    taken.into_iter().for_each(|memory| script.free(&region, memory).unwrap());
    isolate.settle_loans(id);
    assert_eq!(hits(), before + 3);
    isolate.reset_allocator(id).unwrap();
    assert_eq!(hits(), before + 3, "a reset forgets none");
    region = script.again(&region);
    script.allocate(&mut region, SIZE).unwrap();
    let now = figures(&isolate, id);
    assert_eq!(now.hits + now.misses, before + misses + 4);
}

#[test]
fn figures_are_exact_when_more_than_two_gib_of_lent_grants_are_in_the_program_s_hands() {
    let isolate = lending(manager());
    let (script, region) = warm(&isolate, Kind::Buddy, 2);
    let granted = script.home(&region, SIZE) + GRANTED;
    let mut taken = 2 * SIZE;
    assert!((0..2).all(|_| script.take(&region, SIZE).is_some()));
    for count in 1..=5 {
        // As if it had taken so many as make nearly a gibibyte. Then one that is fresh is lent.
        isolate.table.set_word(granted, script.word(granted).wrapping_add(1000 << 20));
        assert_eq!(figures(&isolate, region.id).requested, taken + count * (1000 << 20));
        let fresh = isolate.allocate_in(region.id, SIZE, Label::NONE).unwrap();
        isolate.free_in(region.id, fresh.handle, SIZE).unwrap();
        script.take(&region, SIZE).unwrap();
        taken += SIZE;
        assert_eq!(figures(&isolate, region.id).requested, taken + count * (1000 << 20));
    }
}

#[test]
fn figures_are_exact_when_more_than_two_gib_came_out_of_magazines_that_were_refilled() {
    let isolate = lending(manager());
    let (script, mut region) = warm(&isolate, Kind::Slab, 2);
    let granted = script.home(&region, SIZE) + GRANTED;
    let mut taken = 0;
    for _ in 0..5 {
        // As if it had taken so many as make nearly a gibibyte. Then its magazine is empty, and is filled with fresh ones.
        isolate.table.set_word(granted, script.word(granted).wrapping_add(1000 << 20));
        while script.take(&region, SIZE).is_some() {
            taken += SIZE;
        }
        script.ask(&mut region, SIZE, Label::NONE).unwrap();
        assert!(script.ready(&region, SIZE) > 0, "it was not filled");
        taken += SIZE;
    }
    assert_eq!(figures(&isolate, region.id).requested, taken + 5 * (1000 << 20));
}

#[test]
fn an_arena_s_figures_are_exact_when_a_script_has_cut_more_than_two_gib() {
    let isolate = lending(manager());
    let script = Script::new(&isolate);
    let mut region = script.opened(Kind::Arena, MIB);
    let home = isolate.allocate_in(region.id, SIZE, Label::NONE).unwrap().home;
    for count in 1..=5 {
        isolate.table.set_word(home + GRANTED, script.word(home + GRANTED).wrapping_add(1000 << 20));
        isolate.table.set_word(home + TAKEN, script.word(home + TAKEN).wrapping_add(1000 << 20));
        script.ask(&mut region, SIZE, Label::NONE).unwrap();
        let (now, much) = (figures(&isolate, region.id), count * (1000 << 20));
        assert_eq!((now.blocks, now.requested), (1 + count + much, SIZE * (1 + count) + much));
    }
}
