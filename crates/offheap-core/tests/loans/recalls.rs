//! Who recalls what others have ready: what for, and what it costs them.

use super::script::{Memory, Script};
use super::{LENDING, MIB, code, figures, lending, lent, manager, stats};
use offheap_core::base::error::Code;
use offheap_core::manager::allocators::Kind;
use offheap_core::tracker::label::Label;

const SIZE: u64 = 1000;

#[test]
fn statistics_of_who_never_used_the_allocator_count_what_lies_ready_as_free() {
    for kind in LENDING {
        let manager = manager();
        let (one, two) = (lending(manager), lending(manager));
        let script = Script::new(&one);
        let mut region = script.opened(kind, MIB);
        let all = [(); 5].map(|()| script.ask(&mut region, SIZE, Label::NONE).unwrap());
        all.into_iter().for_each(|memory| script.free(&region, memory).unwrap());
        let kept = script.allocate(&mut region, SIZE).unwrap();
        assert!(lent(manager) > 1 && figures(&one, region.id).blocks == 1, "{kind:?}");
        let now = stats(&two, region.id);
        assert_eq!((now.blocks, now.requested, lent(manager)), (1, SIZE, 0), "{kind:?}");
        assert_eq!((now.held, now.free), (held_by_one(kind), MIB - held_by_one(kind)), "{kind:?}");
        assert!(script.is_live(&region, kept) && !script.give(&region, kept), "{kind:?}");
        script.free(&region, kept).unwrap();
        let memory = script.allocate(&mut region, SIZE).unwrap();
        assert!(script.give(&region, memory), "{kind:?}: and it is lent again");
        assert_eq!(stats(&two, region.id).held, 0, "{kind:?}");
    }
}

/// What one grant of [`SIZE`] takes.
fn held_by_one(kind: Kind) -> u64 {
    if kind == Kind::ObjectPool { SIZE.next_multiple_of(16) } else { 1024 }
}

#[test]
fn statistics_take_nothing_of_an_arena_from_others() {
    let manager = manager();
    let (one, two, three) = (lending(manager), lending(manager), lending(manager));
    let (script, other) = (Script::new(&one), Script::new(&two));
    let mut region = script.opened(Kind::Arena, MIB);
    let mut theirs = other.opened(Kind::Arena, MIB);
    let mine = script.allocate(&mut region, 8).unwrap();
    let last = other.allocate(&mut theirs, 8).unwrap();
    for count in 1..=100 {
        let next = script.take(&region, 8).expect("there is more of the piece");
        assert_eq!(next.offset, mine.offset + 8 * count);
        let held = last.offset + 8 * count;
        for now in [stats(&three, region.id), figures(&one, region.id)] {
            assert_eq!((now.blocks, now.held, now.largest_free), (1 + 2 * count, held, MIB - held));
        }
        assert_eq!(manager.rows()[0].actual_size, held);
        three.trim_allocator(Script::new(&three).opened(Kind::Arena, MIB).id).unwrap();
        assert_eq!(other.take(&theirs, 8).map(|memory| memory.offset), Some(last.offset + 8 * count));
    }
    let free = stats(&three, region.id).largest_free;
    assert_eq!(code(script.ask(&mut region, free + 1, Label::NONE)), Code::RegionFull);
    assert!(script.take(&region, 8).is_some(), "it would not have been enough");
    assert!(script.ask(&mut region, free, Label::NONE).is_ok());
    assert_eq!((other.take(&theirs, 8), stats(&three, region.id).free), (None, 0));
}

#[test]
fn an_arena_s_mark_takes_the_pieces_of_others() {
    let manager = manager();
    let (one, two) = (lending(manager), lending(manager));
    let (script, other) = (Script::new(&one), Script::new(&two));
    let mut region = script.opened(Kind::Arena, MIB);
    let mut theirs = other.opened(Kind::Arena, MIB);
    let all: [Memory; 2] =
        [script.allocate(&mut region, 8).unwrap(), other.allocate(&mut theirs, 8).unwrap()];
    two.mark_in(theirs.id).unwrap();
    assert_eq!([script.take(&region, 8), other.take(&theirs, 8)], [None; 2]);
    assert_eq!(stats(&one, region.id).held, all[1].offset + 8);
}
