//! Steps that other threads would have to interrupt at one moment: here they are interrupted by hand.
//! `shards`: where blocks above a page come from; `owners`: the same by many threads at once.

mod owners;
mod shards;

use super::Buddy;
use crate::alloc::strategy::Strategy;
use crate::base::error::Code;
use crate::base::sync::Ordering;

const MIB: u64 = 1 << 20;

#[test]
fn of_two_threads_that_both_saw_a_grant_the_later_frees_nothing() {
    let buddy = Buddy::new(MIB, 1).unwrap();
    let (grant, neighbour) = (buddy.allocate(256).unwrap(), buddy.allocate(256).unwrap());
    let block = (grant.offset / 64) as usize;
    let order = buddy.orders[block].load(Ordering::Relaxed);
    buddy.free(grant.offset).unwrap();
    buddy.orders[block].store(order, Ordering::Relaxed); // what the later thread has seen
    assert_eq!(buddy.free(grant.offset).unwrap_err().code, Code::DoubleFree);
    buddy.free(neighbour.offset).unwrap();
    assert_eq!(buddy.usage().largest_free, MIB);
    buddy.check().unwrap();
}

#[test]
fn a_page_that_is_granted_again_is_not_handed_up() {
    let buddy = Buddy::new(MIB, 1).unwrap();
    let grant = buddy.allocate(4096).unwrap();
    buddy.free(grant.offset).unwrap(); // vacant, and hinted
    let again = buddy.allocate(64).unwrap();
    assert_eq!(again.offset, grant.offset);
    buddy.shards.hold_all().gather_all(&buddy.pages);
    buddy.check().unwrap();
    assert_eq!(buddy.usage().largest_free, MIB / 2);
}

#[test]
fn a_hint_that_was_lost_costs_a_search_and_no_room() {
    let buddy = Buddy::new(MIB, 1).unwrap();
    let grants: Vec<_> = (0..MIB / 64).map(|_| buddy.allocate(64).unwrap()).collect();
    let (small, page) = (&grants[7], &grants[640..704]);
    buddy.free(small.offset).unwrap();
    for grant in page {
        buddy.free(grant.offset).unwrap();
    }
    for word in buddy.partial.words.iter().chain(buddy.pages.vacant.words) {
        word.store(0, Ordering::Relaxed);
    }
    buddy.recent.iter().for_each(|recent| recent.store(0, Ordering::Relaxed));
    assert_eq!(buddy.allocate(4096).unwrap().offset, page[0].offset);
    assert_eq!(buddy.allocate(64).unwrap().offset, small.offset);
    buddy.check().unwrap();
}
