//! Where the memory of shared blocks is when a holder leaves in another way than by its free, or always last.

use super::{REQUEST, RUN, attach, byte, isolate, live, manager, set};
use offheap_core::base::error::Code;
use offheap_core::manager::PoolMeasures;

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
