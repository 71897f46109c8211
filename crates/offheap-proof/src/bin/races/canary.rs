//! The race that must be reported. JavaScript may do this to what it shares, so the library lets it.

use offheap_core::raw::{self, region::Region};
use offheap_proof::{stamp, together};

pub fn two_who_write_the_same_bytes() {
    let region = Region::reserve(raw::page_size(), 1).unwrap();
    region.commit_to(raw::page_size()).unwrap();
    together(2, |thread| stamp(region.bytes(0, 64).unwrap(), thread as u8));
}
