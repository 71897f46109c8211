//! Arenas: a position that moves on by exchanges, and back under a lock.

use offheap_core::alloc::arena::{Arena, ArenaGrant};
use offheap_loom::{explore, explore_exactly, join, spawn};
use std::sync::Arc;

const SIZE: u64 = 16;
const TOTAL: u64 = 4096;

fn arena() -> Arc<Arena> {
    Arc::new(Arena::new(TOTAL, 16).unwrap())
}

/// A thread that is granted so many.
fn grants(arena: &Arc<Arena>, count: usize) -> impl FnOnce() -> Vec<ArenaGrant> + Send + use<> {
    let arena = Arc::clone(arena);
    move || {
        let counter = arena.counters.counter();
        (0..count).map(|_| arena.allocate(SIZE, &counter).unwrap()).collect()
    }
}

/// Live grants share no byte and lie before the position.
fn assert_apart(arena: &Arena, all: &[ArenaGrant]) {
    let mut live: Vec<ArenaGrant> = all.iter().copied().filter(|grant| arena.is_live(grant.stay)).collect();
    live.sort_unstable_by_key(|grant| grant.offset);
    assert!(live.windows(2).all(|pair| pair[0].offset + pair[0].size <= pair[1].offset), "{live:?}");
    let usage = arena.usage();
    assert!(live.last().is_none_or(|last| last.offset + last.size <= usage.held), "{live:?} of {usage:?}");
    arena.check().unwrap();
}

#[test]
fn two_who_allocate_in_one_arena_share_no_byte() {
    explore(None, || {
        let arena = arena();
        let other = spawn(grants(&arena, 2));
        let mut all = grants(&arena, 2)();
        all.extend(join(other));
        assert!(all.iter().all(|grant| arena.is_live(grant.stay)));
        assert_apart(&arena, &all);
        assert_eq!(arena.usage().held, 4 * SIZE);
    });
}

#[test]
fn a_grant_from_before_a_reset_is_dead_and_one_from_after_it_is_live() {
    // How many of the other thread's two grants came after the reset.
    explore_exactly(3, [0, 1, 2], || {
        let arena = arena();
        let before = grants(&arena, 1)();
        let other = spawn(grants(&arena, 2));
        arena.reset(&|| ());
        assert!(!arena.is_live(before[0].stay));
        let after = grants(&arena, 1)();
        assert!(arena.is_live(after[0].stay));
        let theirs = join(other);
        let live = theirs.iter().filter(|grant| arena.is_live(grant.stay)).count();
        assert_apart(&arena, &[before, after, theirs].concat());
        live
    });
}

#[test]
fn what_was_granted_before_a_mark_outlives_its_rewind_and_what_came_after_does_not() {
    explore(3, || {
        let arena = arena();
        let kept = grants(&arena, 1)();
        let mark = arena.mark().unwrap();
        let ended = grants(&arena, 1)();
        let other = spawn(grants(&arena, 2));
        arena.rewind(mark, &|| ()).unwrap();
        assert!(arena.is_live(kept[0].stay) && !arena.is_live(ended[0].stay));
        let all: Vec<_> = [kept, ended, join(other)].concat();
        assert_apart(&arena, &all);
        arena.rewind(mark, &|| ()).unwrap();
        let live = all.iter().filter(|grant| arena.is_live(grant.stay)).count();
        assert_eq!((live, arena.usage().held), (1, SIZE));
    });
}

#[test]
fn a_mark_that_is_set_while_another_thread_allocates_divides_its_grants() {
    explore(3, || {
        let arena = arena();
        let first = grants(&arena, 1)();
        let other = spawn(grants(&arena, 2));
        let mark = arena.mark().unwrap();
        let position = arena.usage().held; // at least where the mark is
        let all: Vec<_> = [first, join(other)].concat();
        assert_apart(&arena, &all);
        arena.rewind(mark, &|| ()).unwrap();
        let base = arena.usage().held;
        assert!(base <= position);
        for grant in &all {
            assert_eq!(arena.is_live(grant.stay), grant.offset < base, "{grant:?}, marked at {base}");
        }
        assert_apart(&arena, &all);
    });
}

#[test]
fn the_rest_of_a_stretch_goes_back_only_when_nothing_lies_behind_it() {
    explore(3, || {
        let arena = arena();
        let other = spawn(grants(&arena, 1));
        let stretch = arena.take_stretch(4 * SIZE);
        let mut all = Vec::new();
        if let Some(stretch) = stretch {
            all.push(ArenaGrant { size: SIZE, ..stretch }); // one was cut off it
            arena.counters.counter().granted(SIZE);
            arena.give_rest(stretch, SIZE);
        }
        all.extend(grants(&arena, 1)());
        all.extend(join(other));
        assert_apart(&arena, &all);
    });
}

#[test]
fn the_rest_of_a_stretch_never_goes_back_past_a_reset() {
    explore(3, || {
        let arena = arena();
        let stretch = arena.take_stretch(4 * SIZE).unwrap();
        let cut = ArenaGrant { size: SIZE, ..stretch };
        arena.counters.counter().granted(SIZE);
        let other = {
            let arena = Arc::clone(&arena);
            spawn(move || {
                arena.reset(&|| ());
                grants(&arena, 4)() // the position stands again where the stretch ended
            })
        };
        arena.give_rest(stretch, SIZE);
        let mine = grants(&arena, 1)();
        let all: Vec<_> = [vec![cut], mine, join(other)].concat();
        assert_apart(&arena, &all);
    });
}

#[test]
fn a_grant_from_after_a_reset_outlives_the_marks_that_come_later() {
    explore(3, || {
        let arena = arena();
        let before = grants(&arena, 1)();
        arena.mark().unwrap();
        let inside = grants(&arena, 1)();
        let other = spawn(grants(&arena, 1));
        arena.reset(&|| ()); // ends the mark too
        let after = grants(&arena, 1)();
        let all: Vec<_> = [before, inside, after.clone(), join(other)].concat();
        let live = |all: &[ArenaGrant]| all.iter().filter(|grant| arena.is_live(grant.stay)).count();
        let count = live(&all);
        let mark = arena.mark().unwrap();
        grants(&arena, 1)();
        arena.rewind(mark, &|| ()).unwrap();
        assert!(arena.is_live(after[0].stay) && live(&all) == count, "ended by a later mark");
        assert_apart(&arena, &all);
    });
}
