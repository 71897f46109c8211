//! Steps between two threads, done by hand.

use super::{Hybrid, SPAN_BYTES};
use crate::alloc::strategy::Strategy;
use crate::base::error::Code;

#[test]
fn a_span_that_is_lent_and_not_used_yet_cannot_be_freed_by_its_offset() {
    let hybrid = Hybrid::new(4 * SPAN_BYTES, 1).unwrap();
    assert!(hybrid.lend(hybrid.slab.as_ref().unwrap()));
    assert_eq!(hybrid.free(0).unwrap_err().code, Code::DoubleFree);
    assert_eq!(hybrid.granted(0), None);
    assert_eq!(hybrid.allocate(100).unwrap().offset, 0, "the slab has it");
    hybrid.check().unwrap();
}

#[test]
fn small_grants_go_on_where_no_whole_span_is_left() {
    let hybrid = Hybrid::new(SPAN_BYTES + 1000, 1).unwrap();
    let large = hybrid.allocate(SPAN_BYTES - 5000).unwrap();
    let small = hybrid.allocate(100).unwrap();
    assert!(small.offset >= large.size && small.size < 1000);
    hybrid.free(large.offset).unwrap();
    hybrid.free(small.offset).unwrap();
    assert_eq!(hybrid.usage().held, 0);
}
