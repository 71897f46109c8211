//! Inputs that the fuzzer kept: `corpus/NAME.txt`, one a line, in hex. `npm run proof:fuzz` writes them.

use crate::random::Random;
use std::fs;
use std::panic::{RefUnwindSafe, catch_unwind};
use std::path::Path;

/// Plays every input of a target; fewer than `least` are a corpus that was lost.
pub fn replay(name: &str, least: usize, play: impl Fn(Random) + RefUnwindSafe) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(name).with_extension("txt");
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert!(
        text.lines().count() >= least,
        "{name}: {} inputs, at least {least} must be",
        text.lines().count()
    );
    for (index, line) in text.lines().enumerate() {
        let digits = line.as_bytes().chunks(2).map(|pair| str::from_utf8(pair).unwrap());
        let bytes: Vec<u8> = digits.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect();
        let played = catch_unwind(|| play(Random::of_bytes(bytes.clone())));
        assert!(played.is_ok(), "corpus/{name}.txt, line {}", index + 1);
    }
}
