//! Marks, rewinds and resets.

use offheap_core::alloc::arena::{Arena, ArenaGrant, Mark};
use offheap_core::base::error::{Code, Result};
use offheap_core::tracker::counters::Counter;
use std::thread;

/// An arena and one thread's counter of it.
struct User<'a>(&'a Arena, Counter);

impl std::ops::Deref for User<'_> {
    type Target = Arena;

    fn deref(&self) -> &Arena {
        self.0
    }
}

impl User<'_> {
    fn allocate(&self, size: u64) -> Result<ArenaGrant> {
        self.0.allocate(size, &self.1)
    }
}

fn user(arena: &Arena) -> User<'_> {
    User(arena, arena.counters.counter())
}

fn arena_of(total: u64, alignment: u64) -> User<'static> {
    user(Box::leak(Box::new(Arena::new(total, alignment).unwrap())))
}

fn arena() -> User<'static> {
    arena_of(100_000, 1)
}

#[test]
fn a_rewind_ends_what_came_after_the_mark_and_nothing_else() {
    let arena = arena();
    let before = arena.allocate(100).unwrap();
    let mark = arena.mark().unwrap();
    let after = arena.allocate(100).unwrap();
    arena.rewind(mark, &|| ()).unwrap();
    assert!(arena.is_live(before.stay) && !arena.is_live(after.stay));
    assert_eq!(arena.allocate(50).unwrap().offset, after.offset, "the room came back");
    assert_eq!((arena.usage().blocks, arena.requested()), (2, 150));
    arena.check().unwrap();
}

#[test]
fn a_mark_serves_again_and_again_until_an_earlier_rewind() {
    let arena = arena();
    let early = arena.mark().unwrap();
    arena.allocate(8).unwrap();
    let late = arena.mark().unwrap();
    for _ in 0..3 {
        let given = arena.allocate(10).unwrap();
        arena.rewind(late, &|| ()).unwrap();
        assert!(!arena.is_live(given.stay));
    }
    arena.rewind(early, &|| ()).unwrap();
    assert_eq!(arena.rewind(late, &|| ()).unwrap_err().code, Code::InvalidValue);
    arena.allocate(8).unwrap();
    let fresh = arena.mark().unwrap();
    assert_eq!(fresh.level, late.level);
    assert_eq!(
        arena.rewind(late, &|| ()).unwrap_err().code,
        Code::InvalidValue,
        "another mark of the same level"
    );
    arena.rewind(fresh, &|| ()).unwrap();
    arena.check().unwrap();
}

#[test]
fn marks_without_an_allocation_between_are_one() {
    let arena = arena();
    let (one, two) = (arena.mark().unwrap(), arena.mark().unwrap());
    assert_eq!(one, two);
    for _ in 0..200_000 {
        let mark = arena.mark().unwrap();
        arena.allocate(1).unwrap();
        arena.rewind(mark, &|| ()).unwrap();
    }
    assert_eq!(arena.usage().held, 0);
}

#[test]
fn a_mark_of_another_arena_or_from_before_a_reset_is_refused() {
    let (arena, other) = (arena(), arena());
    let foreign = other.mark().unwrap();
    let mark = arena.mark().unwrap();
    assert_eq!(arena.rewind(foreign, &|| ()).unwrap_err().code, Code::InvalidValue);
    let given = arena.allocate(1).unwrap();
    arena.reset(&|| ());
    assert!(!arena.is_live(given.stay));
    assert_eq!(arena.rewind(mark, &|| ()).unwrap_err().code, Code::InvalidValue);
    for mark in [Mark { level: 7, serial: mark.serial }, Mark { level: u32::MAX, serial: 0 }] {
        assert_eq!(arena.rewind(mark, &|| ()).unwrap_err().code, Code::InvalidValue);
        assert!(!arena.has_mark(mark));
    }
}

#[test]
fn levels_run_out_with_an_error_and_come_back_with_a_reset() {
    let arena = arena_of(1 << 20, 1);
    let mut last = arena.mark().unwrap();
    let refused = loop {
        arena.allocate(1).unwrap();
        match arena.mark() {
            Ok(mark) => last = mark,
            Err(error) => break error,
        }
    };
    assert_eq!(refused.code, Code::RegionFull);
    arena.rewind(last, &|| ()).unwrap();
    arena.check().unwrap();
    arena.reset(&|| ());
    arena.allocate(1).unwrap();
    arena.mark().unwrap();
}

#[test]
fn a_request_larger_than_all_before_it_fits_as_long_as_the_region_holds_it() {
    let arena = arena_of(1 << 30, 4096);
    let mut end = 0;
    for size in [1, 100 << 20, 1, 500 << 20, 4096] {
        let given = arena.allocate(size).unwrap();
        assert!(given.offset >= end && given.offset.is_multiple_of(4096));
        end = given.offset + size;
    }
    let refused = arena.allocate(500 << 20).unwrap_err();
    assert_eq!((refused.code, refused.available), (Code::RegionFull, (1 << 30) - end.next_multiple_of(4096)));
}

#[test]
fn freeing_counts_once_in_its_level_and_never_below_zero() {
    let arena = arena();
    let given = arena.allocate(100).unwrap();
    let held = arena.usage().held;
    arena.free(given.stay, 1000).unwrap();
    assert_eq!((arena.usage().blocks, arena.requested(), arena.usage().held), (0, 0, held));
    arena.reset(&|| ());
    assert_eq!(arena.free(given.stay, 100).unwrap_err().code, Code::UseAfterFree);
}

#[test]
fn an_allocation_falls_on_one_side_of_each_reset_beside_it() {
    let arena = arena_of(1 << 20, 16);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let arena = user(arena.0);
                for _ in 0..30_000 {
                    let Ok(given) = arena.allocate(48) else { continue };
                    assert!(given.offset + given.size <= 1 << 20 && given.offset.is_multiple_of(16));
                    let _ = arena.free(given.stay, 48);
                }
            });
        }
        for _ in 0..10_000 {
            let mark = arena.mark();
            arena.reset(&|| ());
            if let Ok(mark) = mark {
                assert!(arena.rewind(mark, &|| ()).is_err(), "a mark outlived a reset");
            }
        }
    });
    arena.reset(&|| ());
    arena.check().unwrap();
    assert_eq!((arena.usage().held, arena.usage().blocks), (0, 0));
}
