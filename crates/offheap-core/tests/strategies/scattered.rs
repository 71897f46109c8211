//! Free bytes that cannot be part of the largest request, for where the grants lie.

use super::house::{ALL, House};
use offheap_core::alloc::strategy::{Grant, Usage};

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

fn house(name: &str, total: u64) -> House {
    House::new(*ALL.iter().find(|(each, _)| *each == name).unwrap(), total, 1).unwrap()
}

fn take(house: &House, size: u64, count: usize) -> Vec<Grant> {
    let mut grants = Vec::new();
    assert_eq!(house.strategy.allocate_many(size, count, &mut |grant| grants.push(grant)), count);
    grants
}

/// Frees all but every `step`-th.
fn thin_out(house: &House, grants: &[Grant], step: usize) {
    for (_, grant) in grants.iter().enumerate().filter(|(index, _)| index % step > 0) {
        house.strategy.free(grant.offset).unwrap();
    }
}

fn scattered(house: &House) -> u64 {
    house.strategy.check().unwrap();
    house.strategy.usage().scattered
}

#[test]
fn nothing_of_what_is_empty_is_scattered_whatever_its_total() {
    for strategy in ALL {
        for total in [1000, 3 * MIB, MIB + 5000, 5 * MIB + 12_345] {
            for alignment in [1, 64, 4096] {
                let Some(house) = House::new(strategy, total, alignment) else { continue };
                assert_eq!(scattered(&house), 0, "{}", house.name);
                let grant = house.strategy.allocate(house.largest()).unwrap();
                house.strategy.free(grant.offset).unwrap();
                assert_eq!(scattered(&house), 0, "{} of {total} by {alignment}, used once", house.name);
            }
        }
    }
}

#[test]
fn of_a_slab_what_is_free_beside_live_slots_is_scattered() {
    let house = house("slab", MIB);
    let one = take(&house, 100, 1)[0];
    assert_eq!(scattered(&house), 64 * KIB - 112, "the rest of its span");
    take(&house, 16 * KIB, 4);
    assert_eq!(scattered(&house), 64 * KIB - 112, "a span that is full");
    let many = take(&house, 1024, 14 * 64);
    assert_eq!(house.strategy.usage().free, scattered(&house), "every span has a live slot");
    house.strategy.free(one.offset).unwrap();
    assert_eq!(scattered(&house), 0, "its span is anybody's");
    thin_out(&house, &many, 64);
    assert_eq!(scattered(&house), 14 * 63 * KIB);
}

#[test]
fn of_an_object_pool_idle_slots_beside_live_ones_are_scattered_and_cells_that_do_not_touch() {
    let house = house("object pool", MIB); // cells of 64 KiB
    let many = take(&house, 1024, 3 * 64);
    assert_eq!(scattered(&house), 0, "the rest is one range");
    thin_out(&house, &many, 64);
    assert_eq!(scattered(&house), 3 * 63 * KIB);
    house.strategy.free(many[64].offset).unwrap();
    assert_eq!(scattered(&house), 2 * 63 * KIB + 64 * KIB, "a cell between two");
    house.strategy.free(many[128].offset).unwrap();
    assert_eq!(scattered(&house), 63 * KIB, "joined with the rest");
    let rest = take(&house, 1024, 16 * 64 - 1);
    thin_out(&house, &rest, 64);
    assert_eq!((house.strategy.usage().free, house.strategy.usage().largest_free), (scattered(&house), 1024));
}

#[test]
fn of_a_hybrid_what_is_outside_the_largest_range_is_scattered() {
    let house = house("hybrid", 8 * MIB);
    let small = take(&house, 100, 1)[0];
    assert_eq!(scattered(&house), 64 * KIB - 112, "the rest of its span");
    let ranges = take(&house, 2 * MIB, 3);
    house.strategy.free(ranges[1].offset).unwrap();
    assert_eq!(
        scattered(&house),
        64 * KIB - 112 + 8 * MIB - 6 * MIB - 64 * KIB,
        "and the smaller of two ranges"
    );
    house.strategy.free(small.offset).unwrap();
    assert_eq!(scattered(&house), 2 * MIB);
    // With no range left, what is free beside small ones serves nobody but them.
    let rest = [2 * MIB, 2 * MIB - 64 * KIB, 64 * KIB].map(|size| take(&house, size, 1)[0]);
    assert_eq!((house.strategy.usage().free, scattered(&house)), (0, 0));
    house.strategy.free(rest[0].offset).unwrap();
    take(&house, 64, 32 * 1024 - 1);
    let Usage { free, largest_free, scattered, .. } = house.strategy.usage();
    assert_eq!((free, largest_free, scattered), (64, 64, 64));
}

#[test]
fn of_a_buddy_and_a_ring_what_is_outside_the_largest_piece_is_scattered() {
    let buddy = house("buddy", MIB);
    let first = buddy.strategy.allocate(64).unwrap();
    assert_eq!(scattered(&buddy), MIB / 2 - 64);
    buddy.strategy.free(first.offset).unwrap();
    let forest = house("buddy", 3 * MIB);
    let all = take(&forest, MIB, 3);
    forest.strategy.free(all[0].offset).unwrap();
    assert_eq!(scattered(&forest), 0, "one block");
    forest.strategy.free(all[2].offset).unwrap();
    let Usage { free, largest_free, scattered: pieces, .. } = forest.strategy.usage();
    assert_eq!((free, largest_free), (2 * MIB, MIB));
    assert_eq!(pieces, MIB, "two could be one of the largest");
    let ring = house("ring", MIB);
    let all = take(&ring, MIB / 4, 3);
    ring.strategy.free(all[0].offset).unwrap();
    ring.strategy.free(all[1].offset).unwrap();
    assert_eq!(scattered(&ring), MIB / 4, "the end, and half of it at the beginning");
}
