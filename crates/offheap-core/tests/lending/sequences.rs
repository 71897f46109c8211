//! Sequences of steps from seeds, and those that the fuzzer kept.

use super::{Random, corpus, model};
use std::panic::catch_unwind;

#[test]
fn any_sequence_of_steps_does_what_the_plain_truth_says() {
    for seed in 0..12 {
        let played = catch_unwind(|| model::play(Random::Seeded(seed), 700));
        assert!(played.is_ok(), "seed {seed}");
    }
}

#[test]
fn what_the_fuzzer_kept_does_what_the_plain_truth_says() {
    corpus::replay("lending", 20, |random| model::play(random, u64::MAX));
}
