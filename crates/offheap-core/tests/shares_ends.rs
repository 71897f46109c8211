//! Where the memory of shared blocks is when a holder leaves in another way than by its free, or always last.

use offheap_core::base::error::Code;
use offheap_core::manager::{Isolate, Manager, PoolMeasures, Request};
use offheap_core::ops;
use offheap_core::tracker::label::Label;
use offheap_core::tracker::state::{AlignmentCode, Handle};

const REQUEST: Request =
    Request { size: 1000, alignment: AlignmentCode::NONE, zeroed: false, label: Label::NONE };
const RUN: Request = Request { size: 300_000, ..REQUEST };

fn manager() -> &'static Manager {
    Box::leak(Box::<Manager>::default())
}

fn isolate(manager: &'static Manager) -> Isolate {
    Isolate::open(manager, Some(0)).unwrap()
}

fn attach(from: &Isolate, block: Handle, to: &Isolate) -> Handle {
    from.share(block, 1).unwrap();
    to.attach_shared(1).unwrap().0
}

fn byte(isolate: &Isolate, handle: Handle) -> u8 {
    let mut copy = [0];
    ops::snapshot(isolate.bytes(handle, 0, 1).unwrap(), &mut copy).unwrap();
    copy[0]
}

fn set(isolate: &Isolate, handle: Handle, value: u8) {
    ops::fill(isolate.bytes(handle, 0, 1).unwrap(), value);
}

fn live(manager: &Manager) -> u64 {
    manager.tracker.check().unwrap();
    manager.tracker.counters.sum().live_bytes()
}

#[test]
fn a_pools_block_whose_buffer_escaped_is_not_zeroed_under_others() {
    let manager = manager();
    let (a, b) = (isolate(manager), isolate(manager));
    let measures = PoolMeasures { request: REQUEST, idle_max: 8, limit: 8, zero_on_release: true };
    let pool = a.open_pool("frames", measures).unwrap();
    let block = a.acquire(pool).unwrap();
    set(&a, block, 6);
    let attached = attach(&a, block, &b);
    let buffer = a.show(block, true).unwrap();
    a.free_escaped(block).unwrap();
    assert_eq!((byte(&b, attached), manager.escaped_bytes()), (6, 1000));
    a.buffer_gone(buffer, |_| false);
    assert_eq!((byte(&b, attached), manager.escaped_bytes()), (6, 0));
    b.free(attached).unwrap();
    assert_eq!(live(manager), 0);
}

#[test]
fn who_ends_while_it_waits_at_a_shared_block_leaves_it_to_the_others() {
    let manager = manager();
    let (a, b) = (isolate(manager), isolate(manager));
    let block = a.allocate(REQUEST).unwrap();
    let attached = attach(&a, block, &b);
    for ticket in 1..4 {
        b.pin(attached).unwrap();
        b.wait_pins(ticket, attached);
    }
    b.wait_ended(2);
    b.unpin(attached).unwrap();
    a.pin(block).unwrap();
    drop(b);
    assert_eq!((live(manager), manager.escaped_bytes()), (1000, 0));
    assert_eq!(a.free(block).unwrap_err().code, Code::InUse, "its own pin holds");
    a.unpin(block).unwrap();
    a.free(block).unwrap();
    assert_eq!((live(manager), manager.escaped_bytes(), manager.rows().len()), (0, 0, 0));
}

#[test]
fn memory_that_one_isolate_shares_and_another_always_frees_last_is_used_again() {
    for request in [REQUEST, RUN] {
        for viewed in [false, true] {
            let manager = manager();
            let (a, b) = (isolate(manager), isolate(manager));
            let turn = || {
                let block = a.allocate(request).unwrap();
                let attached = attach(&a, block, &b);
                if viewed {
                    b.show(attached, false).unwrap();
                }
                a.free(block).unwrap();
                b.free(attached).unwrap();
            };
            (0..600).for_each(|_| turn());
            let records = manager.tracker.used();
            (0..2000).for_each(|_| turn());
            assert_eq!(manager.tracker.used(), records, "{} bytes, viewed: {viewed}", request.size);
            assert_eq!(live(manager), 0);
        }
    }
}
