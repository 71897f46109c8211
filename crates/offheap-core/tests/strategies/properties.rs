//! Sequences that proptest makes up, and those that the fuzzer kept. One that fails is printed, with the seed that makes
//! it again.

use super::corpus;
use super::house::ALL;
use super::model::{ALIGNMENTS, Act, TOTALS, play, run};
use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, Strategy as _, any, prop_oneof, proptest};
use proptest::sample::select;
use proptest::strategy::Just;

fn acts() -> impl proptest::strategy::Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        4 => (1..200_u64, 1..30_usize).prop_map(|(size, count)| Act::Allocate(size, count)),
        3 => (1..3000_u64, 1..100_usize).prop_map(|(size, count)| Act::Many(size, count)),
        3 => (1..20_000_u64, 1..10_usize).prop_map(|(size, count)| Act::Allocate(size, count)),
        1 => (1..40_u64).prop_map(Act::Part),
        8 => (any::<u16>(), 1..25_usize).prop_map(|(from, count)| Act::Free(usize::from(from), count)),
        1 => (0..8_000_000_u64).prop_map(Act::FreeWrong),
        1 => Just(Act::Trim),
    ];
    vec(act, 1..60)
}

macro_rules! models {
    ($($name:ident, $kept:ident, $target:literal = $index:literal;)*) => {
        proptest! {
            #![proptest_config(ProptestConfig::with_cases(48))]
            $(
                #[test]
                fn $name(total in select(&TOTALS[..]), alignment in select(&ALIGNMENTS[..]), acts in acts()) {
                    run(ALL[$index], total, alignment, &acts);
                }
            )*
        }
        $(
            #[test]
            fn $kept() {
                corpus::replay($target, 20, |random| play(ALL[$index], random));
            }
        )*
    };
}

models! {
    any_sequence_on_a_buddy_is_that_of_a_map, kept_inputs_on_a_buddy_are_those_of_a_map, "buddy" = 0;
    any_sequence_on_a_slab_is_that_of_a_map, kept_inputs_on_a_slab_are_those_of_a_map, "slab" = 1;
    any_sequence_on_an_arena_is_that_of_a_map, kept_inputs_on_an_arena_are_those_of_a_map, "arena" = 2;
    any_sequence_on_a_ring_is_that_of_a_map, kept_inputs_on_a_ring_are_those_of_a_map, "ring" = 3;
    any_sequence_on_an_object_pool_is_that_of_a_map, kept_inputs_on_an_object_pool_are_those_of_a_map, "object-pool" = 4;
    any_sequence_on_a_hybrid_is_that_of_a_map, kept_inputs_on_a_hybrid_are_those_of_a_map, "hybrid" = 5;
}

#[test]
fn sequences_that_once_failed_are_those_of_a_map() {
    for kind in ALL {
        run(kind, 200_000, 1, &[Act::Many(1281, 45)]);
        run(kind, 1000, 1, &[Act::Allocate(1, 1)]);
    }
}
