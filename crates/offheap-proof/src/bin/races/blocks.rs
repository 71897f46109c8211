//! Blocks of several isolates: freed by others, shared, looked at meanwhile.

use offheap_core::manager::{Isolate, Manager, Request};
use offheap_core::tracker::label::Label;
use offheap_core::tracker::state::{AlignmentCode, Handle};
use offheap_proof::{Mailbox, Random, assert_stamp, manager, stamp, together};
use std::sync::atomic::{AtomicU64, Ordering};

const THREADS: u64 = 3;
const STEPS: u32 = 6000;
const SHARES: u64 = 3000;

const fn request(size: u64) -> Request {
    Request { size, alignment: AlignmentCode::NONE, zeroed: false, label: Label::NONE }
}

#[derive(Debug, Clone, Copy)]
struct Held {
    handle: Handle,
    size: u64,
    value: u8,
}

fn size_of_one(random: &mut Random) -> u64 {
    if random.below(50) == 0 { 1 + random.below(300_000) } else { 1 + random.below(2000) }
}

fn free(isolate: &Isolate, held: Held) {
    assert_stamp(isolate.bytes(held.handle, 0, held.size).unwrap(), held.value);
    isolate.free(held.handle).unwrap();
}

fn work(isolate: &Isolate, thread: u64, mailbox: &Mailbox<Held>) {
    let mut random = Random(thread);
    let mut all: Vec<Held> = Vec::new();
    for step in 0..STEPS {
        let (any, value) = (random.index(all.len()), (thread << 6 | u64::from(step) & 63) as u8);
        match random.below(100) {
            0..=44 => {
                let size = size_of_one(&mut random);
                let handle = isolate.allocate(request(size)).unwrap();
                stamp(isolate.bytes(handle, 0, size).unwrap(), value);
                all.push(Held { handle, size, value });
            }
            45..=89 if !all.is_empty() => free(isolate, all.swap_remove(any)),
            90..=91 if !all.is_empty() => mailbox.put([all.swap_remove(any)]),
            92..=93 => mailbox.take().into_iter().for_each(|held| free(isolate, held)),
            94..=97 if !all.is_empty() => {
                let held = &mut all[any];
                held.size = size_of_one(&mut random);
                held.handle = isolate.reallocate(held.handle, held.size).unwrap();
                stamp(isolate.bytes(held.handle, 0, held.size).unwrap(), held.value);
            }
            99 if random.below(10) == 0 => drop(isolate.trim()),
            _ => {}
        }
    }
    mailbox.put(all);
}

/// Looks at everything until the others are done.
fn look(manager: &Manager, done: &AtomicU64) {
    while done.load(Ordering::Relaxed) < THREADS {
        assert!(manager.rows().iter().all(|info| info.row.extent.size > 0));
        let _ =
            (manager.tracker.counters.sum(), manager.chunks.committed_bytes(), manager.quarantined_bytes());
    }
}

/// Blocks are written, moved, handed to other threads and freed there.
pub fn blocks_change_hands() {
    let (manager, mailbox, done) = (manager(), Mailbox::default(), AtomicU64::new(0));
    let isolates = together(THREADS + 1, |thread| {
        if thread > THREADS {
            look(manager, &done);
            return None;
        }
        let isolate = Isolate::open(manager, Some(0)).unwrap();
        work(&isolate, thread, &mailbox);
        done.fetch_add(1, Ordering::Relaxed);
        Some(isolate) // its blocks live as long as it does
    });
    let last = Isolate::open(manager, Some(0)).unwrap();
    while let Some(held) = mailbox.take() {
        free(&last, held);
    }
    drop(isolates);
    assert_eq!(manager.tracker.counters.sum().live_bytes(), 0);
}

/// Each block has three holders: all read it, and the last one's free gives the memory to whoever comes next.
pub fn holders_come_and_go() {
    let manager = manager();
    let ready = AtomicU64::new(0);
    together(3, |thread| {
        let isolate = Isolate::open(manager, Some(0)).unwrap();
        for round in 0..SHARES {
            let value = round as u8;
            if thread == 1 {
                let block = isolate.allocate(request(1000)).unwrap();
                stamp(isolate.bytes(block, 0, 1000).unwrap(), value);
                (2..4).for_each(|to| isolate.share(block, u128::from(round * 4 + to)).unwrap());
                ready.store(round + 1, Ordering::Relaxed); // says that there is an offer, and nothing of its bytes
                free(&isolate, Held { handle: block, size: 1000, value });
                continue;
            }
            while ready.load(Ordering::Relaxed) <= round {
                std::thread::yield_now();
            }
            let (handle, size) = isolate.attach_shared(u128::from(round * 4 + thread)).unwrap();
            free(&isolate, Held { handle, size, value });
        }
        ready.fetch_add(1, Ordering::Relaxed);
        while thread == 1 && ready.load(Ordering::Relaxed) < SHARES + 3 {
            std::thread::yield_now(); // offers end with the isolate that made them
        }
    });
    assert_eq!((manager.tracker.counters.sum().live_bytes(), manager.shares.tokens()), (0, 0));
}
