//! What an isolate freed waits for its next request of the same class, and is free all the same.

use super::{MIB, allocate, assert_all_free, code, isolate, manager, open, reads, stamp, stats};
use offheap_core::base::error::Code;
use offheap_core::manager::Isolate;
use offheap_core::manager::allocators::{AllocatorId, Kind, Taken};
use offheap_core::tracker::label::Label;

/// Kinds whose grants wait.
const WAITING: [Kind; 4] = [Kind::Buddy, Kind::Slab, Kind::ObjectPool, Kind::Hybrid];

fn fill_up(isolate: &Isolate, id: AllocatorId, size: u64) -> Vec<Taken> {
    let mut taken = Vec::new();
    loop {
        match isolate.allocate_in(id, size, Label::NONE) {
            Ok(one) => taken.push(one),
            Err(refused) => {
                assert_eq!(refused.code, Code::RegionFull);
                return taken;
            }
        }
    }
}

fn free_all(isolate: &Isolate, id: AllocatorId, taken: impl IntoIterator<Item = Taken>) {
    for one in taken {
        isolate.free_in(id, one.handle, 1).unwrap();
    }
}

#[test]
fn a_freed_grant_is_the_next_of_its_class_with_a_handle_of_its_own() {
    let isolate = isolate(manager());
    for kind in WAITING {
        let id = open(&isolate, kind, MIB);
        let first = allocate(&isolate, id, 1000);
        free_all(&isolate, id, [first]);
        let second = allocate(&isolate, id, 1000);
        assert_eq!((second.offset, second.granted), (first.offset, first.granted), "{kind:?}");
        assert_ne!(second.handle, first.handle);
        assert_eq!(code(isolate.free_in(id, first.handle, 1)), Code::DoubleFree);
        assert_eq!(code(isolate.pin_in(id, first.handle)), Code::UseAfterFree);
        free_all(&isolate, id, [second]);
        assert_eq!(code(isolate.free_in(id, second.handle, 1)), Code::DoubleFree, "{kind:?}: while it waits");
        assert_eq!(code(isolate.pin_in(id, second.handle)), Code::UseAfterFree);
        assert_all_free(&isolate, id);
    }
}

#[test]
fn what_waits_in_one_isolate_is_granted_to_another_before_it_is_refused() {
    let manager = manager();
    let (keeps, wants) = (isolate(manager), isolate(manager));
    for kind in WAITING {
        let id = open(&keeps, kind, MIB);
        open(&wants, kind, MIB);
        for round in 0..3 {
            let all = fill_up(&keeps, id, 1000);
            free_all(&keeps, id, all.iter().copied());
            let theirs = fill_up(&wants, id, 1000);
            assert_eq!(theirs.len(), all.len(), "{kind:?} {round}");
            theirs.iter().for_each(|taken| stamp(&wants, id, *taken, 7));
            assert_eq!(code(keeps.allocate_in(id, 1000, Label::NONE)), Code::RegionFull);
            assert!(theirs.iter().all(|taken| reads(&wants, id, *taken, 7)));
            free_all(&wants, id, theirs);
            assert_all_free(&keeps, id);
        }
        // All of it as one, while parts of it wait in both.
        free_all(&keeps, id, fill_up(&keeps, id, 3000));
        free_all(&wants, id, fill_up(&wants, id, 500));
        let largest = stats(&wants, id).largest_free;
        free_all(&keeps, id, (0..5).map(|_| allocate(&keeps, id, 700)).collect::<Vec<_>>());
        free_all(&wants, id, [allocate(&wants, id, largest)]);
        assert_all_free(&wants, id);
    }
}

#[test]
fn a_hybrid_s_ranges_wait_up_to_64_kib_and_a_full_region_takes_them_back_from_every_isolate() {
    let manager = manager();
    let (keeps, wants) = (isolate(manager), isolate(manager));
    let id = open(&keeps, Kind::Hybrid, 8 * MIB);
    open(&wants, Kind::Hybrid, 8 * MIB);
    for (size, waits) in [(16_385, true), (20_000, true), (40_000, true), (1 << 16, true), (70_000, false)] {
        // Joined, two neighbours would be granted from their start; the one that waits is the last.
        let [first, second] = [(); 2].map(|()| allocate(&keeps, id, size));
        assert_eq!(second.offset, first.offset + first.granted);
        free_all(&keeps, id, [first, second]);
        let next = allocate(&keeps, id, size);
        assert_eq!(next.offset, if waits { second.offset } else { first.offset }, "{size}");
        assert_eq!(
            (next.granted, code(keeps.free_in(id, second.handle, 1))),
            (first.granted, Code::DoubleFree)
        );
        free_all(&keeps, id, [next]);
        assert_all_free(&keeps, id);
        let all = fill_up(&keeps, id, size);
        let count = all.len();
        assert_eq!(code(wants.allocate_in(id, size, Label::NONE)), Code::RegionFull);
        free_all(&keeps, id, all);
        let theirs = fill_up(&wants, id, size);
        assert_eq!(theirs.len(), count, "{size}");
        free_all(&wants, id, theirs);
        free_all(&keeps, id, [allocate(&keeps, id, 8 * MIB)]); // all of it as one
        assert_all_free(&wants, id);
    }
}

#[test]
fn statistics_count_what_waits_as_free() {
    let manager = manager();
    let (one, two) = (isolate(manager), isolate(manager));
    for kind in WAITING {
        let id = open(&one, kind, MIB);
        open(&two, kind, MIB);
        let kept = allocate(&one, id, 100);
        let before = stats(&one, id);
        for isolate in [&one, &two] {
            free_all(isolate, id, (0..40).map(|_| allocate(isolate, id, 100)).collect::<Vec<_>>());
        }
        let after = stats(&one, id);
        assert_eq!(
            (after.held, after.blocks, after.largest_free),
            (before.held, 1, before.largest_free),
            "{kind:?}"
        );
        free_all(&one, id, [kept]);
        assert_all_free(&two, id);
    }
}

#[test]
fn a_reset_a_close_a_trim_and_the_end_of_an_isolate_find_what_waits() {
    for kind in WAITING {
        let manager = manager();
        let (ends, stays) = (isolate(manager), isolate(manager));
        let id = open(&ends, kind, MIB);
        open(&stays, kind, MIB);
        let let_wait = |isolate: &Isolate| free_all(isolate, id, fill_up(isolate, id, 2000));
        let_wait(&ends);
        stays.reset_allocator(id).unwrap();
        assert_all_free(&stays, id);
        let_wait(&ends);
        assert!(stays.trim_allocator(id).unwrap() > 0 || cfg!(offheap_portable), "{kind:?}");
        let_wait(&ends);
        drop(ends);
        assert_all_free(&stays, id);
        let span = |id| manager.allocators.get(id).unwrap().bytes(manager, 0, 0).unwrap().address();
        let first = span(id);
        let_wait(&stays);
        stays.close_allocator(id).unwrap();
        assert_eq!(
            span(open(&stays, kind, MIB)),
            first,
            "{kind:?}: something still waits in the closed region"
        );
    }
}
