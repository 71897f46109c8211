//! Grants of a hybrid that are mappings of their own as far as the system is concerned.

use super::{MIB, code, isolate, manager, measures};
use offheap_core::base::error::Code;
use offheap_core::manager::Isolate;
use offheap_core::manager::allocators::{AllocatorId, Kind, Taken};
use offheap_core::ops;
use offheap_core::raw;
use offheap_core::tracker::label::Label;

const SIZE: u64 = 8 * MIB;

fn opened() -> (Isolate, AllocatorId) {
    let isolate = isolate(manager());
    let id = isolate.open_allocator("mappings", measures(Kind::Hybrid, 64 * MIB)).unwrap();
    (isolate, id)
}

/// A grant of which every page was written.
fn written(isolate: &Isolate, id: AllocatorId, size: u64) -> Taken {
    let taken = isolate.allocate_in(id, size, Label::NONE).unwrap();
    ops::fill(bytes(isolate, id, taken.offset, size), 7);
    taken
}

fn bytes(isolate: &Isolate, id: AllocatorId, offset: u64, size: u64) -> raw::bytes::Bytes<'static> {
    let manager = isolate.manager();
    manager.allocators.get(id).unwrap().bytes(manager, offset, size).unwrap()
}

/// How many bytes of a range have a page. Where the system does not say: as far as they are not 0.
fn resident(isolate: &Isolate, id: AllocatorId, offset: u64, size: u64) -> u64 {
    let (range, page) = (bytes(isolate, id, offset, size), raw::page_size() as u64);
    #[cfg(all(target_os = "linux", not(offheap_portable)))]
    {
        use std::io::{Read, Seek, SeekFrom};
        let mut map = std::fs::File::open("/proc/self/pagemap").unwrap();
        map.seek(SeekFrom::Start(range.address() as u64 / page * 8)).unwrap();
        let mut entries = vec![0; (size / page) as usize * 8];
        map.read_exact(&mut entries).unwrap();
        let present = |entry: &[u8]| entry[7] & 0xc0 != 0; // there, or swapped out
        page * entries.chunks(8).filter(|entry| present(entry)).count() as u64
    }
    #[cfg(not(all(target_os = "linux", not(offheap_portable))))]
    {
        let mut copy = vec![0; size as usize];
        ops::snapshot(range, &mut copy).unwrap();
        let used = |page: &[u8]| page.iter().any(|byte| *byte != 0);
        page * copy.chunks(page as usize).filter(|page| used(page)).count() as u64
    }
}

#[test]
fn a_free_of_more_than_4_mib_gives_its_pages_back_at_once_and_no_other_s() {
    let (isolate, id) = opened();
    let [before, taken, after] = [5 * MIB, SIZE, 5 * MIB].map(|size| written(&isolate, id, size));
    assert_eq!(resident(&isolate, id, taken.offset, SIZE), SIZE);
    isolate.free_in(id, taken.handle, SIZE).unwrap();
    assert_eq!(resident(&isolate, id, taken.offset, SIZE), 0);
    for neighbour in [before, after] {
        assert_eq!(resident(&isolate, id, neighbour.offset, 5 * MIB), 5 * MIB);
    }
    let again = written(&isolate, id, SIZE);
    assert_eq!((again.offset, resident(&isolate, id, taken.offset, SIZE)), (taken.offset, SIZE));
}

#[test]
fn up_to_4_mib_pages_are_kept_for_the_next_until_a_trim() {
    let (isolate, id) = opened();
    let taken = written(&isolate, id, 4 * MIB);
    isolate.free_in(id, taken.handle, 4 * MIB).unwrap();
    assert_eq!(resident(&isolate, id, taken.offset, 4 * MIB), 4 * MIB);
    isolate.trim_allocator(id).unwrap();
    assert_eq!(resident(&isolate, id, taken.offset, 4 * MIB), 0);
}

#[test]
fn a_pinned_one_keeps_its_pages_and_a_reset_gives_all_back() {
    let (isolate, id) = opened();
    let taken = written(&isolate, id, SIZE);
    let other = written(&isolate, id, SIZE);
    isolate.pin_in(id, taken.handle).unwrap();
    assert_eq!(code(isolate.free_in(id, taken.handle, SIZE)), Code::InUse);
    assert_eq!(code(isolate.reset_allocator(id)), Code::InUse);
    assert_eq!(resident(&isolate, id, taken.offset, 2 * SIZE), 2 * SIZE);
    isolate.unpin_in(id, taken.handle).unwrap();
    isolate.reset_allocator(id).unwrap();
    assert_eq!(resident(&isolate, id, taken.offset.min(other.offset), 2 * SIZE), 0);
}

#[test]
fn a_worker_s_end_gives_its_pages_back() {
    let (isolate, id) = opened();
    let worker = self::isolate(isolate.manager());
    worker.open_allocator("mappings", measures(Kind::Hybrid, 64 * MIB)).unwrap();
    let taken = written(&worker, id, SIZE);
    drop(worker);
    assert_eq!(resident(&isolate, id, taken.offset, SIZE), 0);
}

#[test]
fn what_somebody_may_see_keeps_its_bytes_at_a_free_a_reset_and_a_worker_s_end() {
    let (isolate, id) = opened();
    let worker = self::isolate(isolate.manager());
    worker.open_allocator("mappings", measures(Kind::Hybrid, 64 * MIB)).unwrap();
    worker.see_region(id).unwrap();
    let freed = written(&worker, id, SIZE);
    worker.free_in(id, freed.handle, SIZE).unwrap();
    assert_eq!(resident(&isolate, id, freed.offset, SIZE), SIZE);
    isolate.trim_allocator(id).unwrap();
    assert_eq!(resident(&isolate, id, freed.offset, SIZE), 0, "a trim asks for it");
    let left = written(&worker, id, SIZE);
    drop(worker);
    assert_eq!(resident(&isolate, id, left.offset, SIZE), SIZE);
    let own = written(&isolate, id, SIZE);
    isolate.reset_allocator(id).unwrap();
    assert_eq!(resident(&isolate, id, own.offset, SIZE), SIZE);
}
