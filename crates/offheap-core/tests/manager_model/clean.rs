//! Zeroed blocks, and rows that a table makes up.

use super::{GIVES_PAGES_BACK, MIB, address, isolate, manager, read, request, write_stamp};
use offheap_core::manager::{Isolate, PoolMeasures, Request};
use offheap_core::report;
use offheap_core::tracker::isolate::{FRONT, FRONT_WORDS, front, word};
use offheap_core::tracker::label::Label;
use offheap_core::tracker::state::{AlignmentCode, Handle};

const POOL: PoolMeasures = PoolMeasures {
    request: Request { size: 100, alignment: AlignmentCode::WORD, zeroed: false, label: Label::NONE },
    idle_max: 50,
    limit: u64::MAX,
    zero_on_release: true,
};
const SIZES: [u64; 8] = [1, 16, 100, 4096, 32 << 10, (32 << 10) + 1, 100_000, 2 * MIB];

fn zeroed(isolate: &Isolate, size: u64) -> Handle {
    isolate.allocate(Request { zeroed: true, ..request(size) }).unwrap()
}

#[track_caller]
fn assert_zero(isolate: &Isolate, handle: Handle, size: u64) {
    assert_eq!(read(isolate, handle, size).iter().position(|byte| *byte != 0), None);
}

/// Dirties all of a block's chunk.
fn dirty(isolate: &Isolate, handle: Handle) {
    offheap_core::ops::fill(isolate.chunk(handle).unwrap(), 0xa5);
}

#[test]
fn zeroed_blocks_read_zero_whoever_wrote_the_chunk_before() {
    let isolate = isolate(manager());
    for size in SIZES {
        for trim in [false, true, false] {
            let mut handle = zeroed(&isolate, size);
            for _ in 0..4 {
                assert_zero(&isolate, handle, size);
                dirty(&isolate, handle);
                let place = address(&isolate, handle);
                isolate.free(handle).unwrap();
                if trim {
                    isolate.trim();
                }
                handle = zeroed(&isolate, size);
                assert!(trim || address(&isolate, handle) == place, "the dirty chunk again");
            }
            isolate.free(handle).unwrap();
        }
    }
}

#[test]
fn zeroed_blocks_read_zero_after_a_viewed_owner_and_after_another_isolate() {
    let manager = manager();
    for size in SIZES {
        let one = isolate(manager);
        for viewed in [true, false] {
            let handle = one.allocate(request(size)).unwrap();
            dirty(&one, handle);
            if viewed {
                one.show(handle, true).unwrap();
            }
            one.free(handle).unwrap();
        }
        let handle = zeroed(&one, size);
        assert_zero(&one, handle, size);
        dirty(&one, handle);
        drop(one);
        let other = isolate(manager);
        for _ in 0..70 {
            let handle = zeroed(&other, size);
            assert_zero(&other, handle, size);
        }
    }
}

#[test]
fn a_reallocated_block_zeroes_nothing_and_the_freed_half_is_dirty_for_the_next() {
    let isolate = isolate(manager());
    let old = zeroed(&isolate, 100_000);
    write_stamp(&isolate, old, 4, 100_000);
    let new = isolate.reallocate(old, 200_000).unwrap();
    super::assert_stamp(&isolate, new, 4, 100_000);
    let next = zeroed(&isolate, 100_000);
    assert_zero(&isolate, next, 100_000);
}

#[test]
fn a_trimmed_megabyte_is_given_back_and_reads_zero_again() {
    let isolate = isolate(manager());
    let handles: Vec<Handle> = (0..40).map(|_| isolate.allocate(request(MIB)).unwrap()).collect();
    for handle in handles {
        dirty(&isolate, handle);
        isolate.free(handle).unwrap();
    }
    assert_eq!(isolate.trim(), if GIVES_PAGES_BACK { 40 * MIB } else { 0 });
    assert_eq!(isolate.trim(), 0);
    for _ in 0..40 {
        let handle = zeroed(&isolate, MIB);
        assert_zero(&isolate, handle, MIB);
    }
}

#[test]
fn trimmed_small_chunks_count_as_committed_again_when_they_are_handed_out() {
    let isolate = isolate(manager());
    let committed = || super::stats(isolate.manager()).committed;
    for round in 0..3 {
        let handles: Vec<Handle> = (0..500).map(|_| isolate.allocate(request(1000)).unwrap()).collect();
        assert!(committed() >= 500 * 1024, "round {round}: {} bytes", committed());
        handles.into_iter().for_each(|handle| isolate.free(handle).unwrap());
        let before = committed();
        let given = isolate.trim();
        assert_eq!(before - committed(), given, "trim tells by how much it fell");
        assert_eq!(given >= 400 * 1024, GIVES_PAGES_BACK);
    }
}

/// Pages that are locked into memory cannot be given back: Linux refuses and leaves the bytes.
#[cfg(target_os = "linux")]
#[test]
fn pages_that_the_system_does_not_take_are_not_called_clean() {
    let isolate = isolate(manager());
    for size in [40 << 10, 48 << 10] {
        let handle = isolate.allocate(request(size)).unwrap();
        let bytes = isolate.chunk(handle).unwrap();
        // Asked of the system itself: the `mlock` that AddressSanitizer puts in its place says yes and locks nothing.
        // SAFETY: the range is mapped for ever; locking it changes no byte.
        let status = unsafe { libc::syscall(libc::SYS_mlock, bytes.address(), bytes.size()) };
        assert_eq!(status, 0, "this test must be able to lock {size} bytes (ulimit -l)");
        dirty(&isolate, handle);
        let place = address(&isolate, handle);
        let committed = super::stats(isolate.manager()).committed;
        isolate.free(handle).unwrap();
        assert_eq!(isolate.trim(), 0, "nothing was taken");
        assert_eq!(super::stats(isolate.manager()).committed, committed);
        let next = zeroed(&isolate, size);
        assert_eq!(address(&isolate, next), place);
        assert_zero(&isolate, next, size);
    }
}

#[test]
fn no_word_of_a_table_makes_a_report_panic() {
    let isolate = Isolate::open_lending(manager(), None, true).unwrap();
    let pool = isolate.open_pool("wild", POOL).unwrap();
    let pooled: Vec<Handle> = (0..40).map(|_| isolate.acquire(pool).unwrap()).collect();
    assert!(isolate.refill(request(64)), "32 chunks are lent");
    for slot in 0..300 {
        let at = FRONT + slot * FRONT_WORDS;
        let wild = if slot % 3 == 0 { -1 } else { slot as i32 };
        for word in [front::BORN, front::WRITTEN] {
            isolate.table.set_word(at + word, wild);
        }
        let home = isolate.table.word(at + front::HOME) | wild & 0xffff;
        isolate.table.set_word(at + front::HOME, if slot % 5 == 0 { wild } else { home });
        isolate.table.set_word(at + front::GENERATION, if slot % 2 == 0 { 1 } else { -1 });
    }
    for word in [word::LIVE, word::HIGH, word::CLOCK] {
        isolate.table.set_word(word, -7);
    }
    let manager = isolate.manager();
    assert!(report::rows(&manager.tracker, &manager.chunks).len() > 40);
    let _ = (report::stats(&manager.tracker, &manager.chunks), isolate.pool_stats(pool));
    for handle in pooled {
        let _ = (isolate.release(pool, handle), isolate.free_any(handle), isolate.pin(handle));
        let _ = (isolate.acquire(pool), isolate.refill_pool(pool), isolate.reallocate(handle, 5));
    }
    let _ = (isolate.refill(request(64)), isolate.allocate(request(64)), isolate.trim());
    drop(isolate);
    let _ = report::rows(&manager.tracker, &manager.chunks);
}
