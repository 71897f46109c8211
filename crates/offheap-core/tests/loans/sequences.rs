//! Sequences of steps from seeds, and those that the fuzzer kept.

use super::{Random, arenas, corpus, model, rings};
use offheap_core::raw;
use std::panic::catch_unwind;

#[test]
fn any_sequence_of_steps_does_what_the_plain_truth_says() {
    for seed in 0..16 {
        let played = catch_unwind(|| model::play(Random::Seeded(seed), 1200));
        assert!(played.is_ok(), "seed {seed}");
    }
}

#[test]
fn any_sequence_of_steps_is_that_of_a_position_that_only_moves_forward() {
    let mut full = 0;
    for seed in 0..24 {
        let played = catch_unwind(|| arenas::play(Random::Seeded(seed), 1000));
        full += played.unwrap_or_else(|_| panic!("seed {seed}"));
    }
    assert!(full > 0, "no arena was ever full");
}

#[test]
fn any_sequence_of_steps_is_that_of_a_ring_of_which_nothing_is_lent() {
    let mut taken = 0;
    for seed in 0..48 {
        let played = catch_unwind(|| rings::play(Random::Seeded(seed), 1500));
        taken += played.unwrap_or_else(|_| panic!("seed {seed}"));
    }
    assert!(taken > 0 || !raw::can_fence_everywhere(), "nothing was ever lent");
}

#[test]
fn what_the_fuzzer_kept_does_what_the_plain_truth_says() {
    corpus::replay("loans", 20, |random| model::play(random, u64::MAX));
}

#[test]
fn what_the_fuzzer_kept_is_that_of_a_ring_of_which_nothing_is_lent() {
    corpus::replay("loans-ring", 20, |random| {
        rings::play(random, u64::MAX);
    });
}

#[test]
fn what_the_fuzzer_kept_is_that_of_a_position_that_only_moves_forward() {
    corpus::replay("loans-arena", 20, |random| {
        arenas::play(random, u64::MAX);
    });
}
