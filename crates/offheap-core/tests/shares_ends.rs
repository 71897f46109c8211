//! Where the memory of shared blocks is when a holder leaves in another way than by its free, or always last.

use offheap_core::manager::{Isolate, Manager, Request};
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

fn live(manager: &Manager) -> u64 {
    manager.tracker.check().unwrap();
    manager.tracker.counters.sum().live_bytes()
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
