//! The models of the core's tests as targets of a fuzzer: the bytes of an input are the choices of a model, which looks at
//! everything after each step. Built with `--cfg fuzzing` libFuzzer makes the inputs up (`npm run proof:fuzz`), for the target
//! that `OFFHEAP_FUZZ` names. Built without, it is a plain program that tries inputs again:
//! `cargo run -p offheap-fuzz -- TARGET FILE…`.
#![cfg_attr(fuzzing, no_main)]

mod api;
mod canary;
mod lending;
mod loans;
mod manager;
#[expect(dead_code, reason = "the tests have seeds, too")]
#[path = "../../offheap-core/tests/shared/random.rs"]
mod random;
mod strategies;

use random::Random;
use strategies::house::ALL;

/// What plays an input.
type Play = fn(Random);

/// All targets by name; `canary` has a planted bug.
const TARGETS: [(&str, Play); 13] = [
    ("buddy", |random| strategies::play(ALL[0], random)),
    ("slab", |random| strategies::play(ALL[1], random)),
    ("arena", |random| strategies::play(ALL[2], random)),
    ("ring", |random| strategies::play(ALL[3], random)),
    ("object-pool", |random| strategies::play(ALL[4], random)),
    ("hybrid", |random| strategies::play(ALL[5], random)),
    ("manager", manager::play),
    ("lending", |random| lending::play(random, u64::MAX)),
    ("loans", |random| loans::play(random, u64::MAX)),
    ("loans-arena", |random| _ = loans::play_arena(random, u64::MAX)),
    ("loans-ring", |random| _ = loans::play_ring(random, u64::MAX)),
    ("api", |random| api::play(random, u64::MAX)),
    ("canary", canary::play),
];

fn target(name: &str) -> Play {
    let found = TARGETS.iter().find(|(known, _)| *known == name);
    found.unwrap_or_else(|| panic!("no target is named {name:?}")).1
}

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    static PLAY: std::sync::LazyLock<Play> =
        std::sync::LazyLock::new(|| target(&std::env::var("OFFHEAP_FUZZ").unwrap_or_default()));
    PLAY(Random::of_bytes(data.to_vec()));
});

#[cfg(not(fuzzing))]
fn main() {
    let mut arguments = std::env::args().skip(1);
    let play = target(&arguments.next().unwrap_or_default());
    for path in arguments {
        let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        play(Random::of_bytes(bytes));
        println!("{path}: nothing is wrong");
    }
}
