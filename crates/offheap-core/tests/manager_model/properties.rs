//! Sequences that proptest makes up, and those that the fuzzer kept.

use super::model::{Act, play, run};
use super::{GIVES_PAGES_BACK, corpus};
use offheap_core::tracker::state::AlignmentCode;
use proptest::collection::vec;
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_oneof, proptest};
use proptest::sample::select;

fn size() -> impl Strategy<Value = u64> {
    prop_oneof![12 => 1..300_u64, 6 => 1..5000_u64, 3 => 5000..80_000_u64, 1 => 80_000..1_500_000_u64]
}

fn alignment() -> impl Strategy<Value = AlignmentCode> {
    let named = [AlignmentCode::NONE, AlignmentCode::WORD, AlignmentCode::CACHE_LINE, AlignmentCode::PAGE];
    prop_oneof![3 => select(named.to_vec()), 1 => (0..18_u8).prop_map(AlignmentCode)]
}

fn acts() -> impl Strategy<Value = Vec<(bool, Act)>> {
    let which = || any::<u16>().prop_map(usize::from);
    let act = prop_oneof![
        10 => (size(), alignment(), any::<bool>(), 0..3_u16)
            .prop_map(|(size, alignment, zeroed, label)| Act::Allocate { size, alignment, zeroed, label }),
        7 => which().prop_map(Act::Free),
        2 => (which(), 0..3_u32).prop_map(|(which, left)| Act::FreeAndAge(which, left)),
        2 => which().prop_map(Act::FreeOld),
        5 => (which(), size()).prop_map(|(which, size)| Act::Reallocate(which, size)),
        1 => (which(), size()).prop_map(|(which, size)| Act::PrepareAndAbort(which, size)),
        2 => which().prop_map(Act::Pin),
        2 => which().prop_map(Act::Unpin),
        2 => which().prop_map(Act::View),
        1 => Just(Act::Trim),
        1 => prop_oneof![2 => Just(None), 3 => (0..200_000_u64).prop_map(Some)].prop_map(Act::SetLimit),
    ];
    vec((any::<bool>(), act), 1..100)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if GIVES_PAGES_BACK { 96 } else { 12 }))]

    #[test]
    fn any_sequence_of_operations_does_what_maps_do(isolates in 1..=2_usize, acts in acts()) {
        run(isolates, acts);
    }
}

#[test]
fn what_the_fuzzer_kept_does_what_maps_do() {
    corpus::replay("manager", 20, play);
}
