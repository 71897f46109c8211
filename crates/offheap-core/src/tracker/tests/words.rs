//! Bit fields and ids.

use super::super::state::{AlignmentCode, Extent, Generation, Handle, Origin, Owner, Place, Slot, State};
use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};
use std::collections::HashSet;

const FLAGS: [u64; 7] = [
    State::VIEWED,
    State::ESCAPED,
    State::CLEAN,
    State::DECOMMITTED,
    State::EVER_VIEWED,
    State::ORPHANED,
    State::RETIRED,
];

proptest! {
    #[test]
    fn a_state_word_reads_back_field_by_field(
        generation in 0..=Generation::MAX.0, chosen in 0..1_u32 << FLAGS.len(), alignment in 0..=35_u8, pins in 0..=State::PINS_MAX,
    ) {
        let flags = FLAGS.iter().enumerate().filter(|(bit, _)| chosen >> bit & 1 == 1).fold(0, |all, (_, flag)| all | flag);
        let aligned = State::new(Generation(generation), flags).0 | u64::from(alignment) << 8;
        let state = State(aligned + pins * State::PIN);
        prop_assert_eq!(state.generation(), Generation(generation));
        prop_assert_eq!(state.pins(), pins);
        prop_assert_eq!(state.alignment(), AlignmentCode(alignment));
        for (bit, flag) in FLAGS.iter().enumerate() {
            prop_assert_eq!(state.has(*flag), chosen >> bit & 1 == 1);
        }
    }

    #[test]
    fn a_life_keeps_what_is_known_of_the_memory_and_nothing_of_the_owner(
        half in 0..Generation::MAX.0 / 2, chosen in 0..1_u32 << FLAGS.len(), alignment in 0..=35_u8,
    ) {
        let flags = FLAGS.iter().enumerate().filter(|(bit, _)| chosen >> bit & 1 == 1).fold(0, |all, (_, flag)| all | flag);
        let before = State::new(Generation(half * 2), flags & !State::VIEWED);
        let live = before.begun(AlignmentCode(alignment));
        prop_assert_eq!(live.generation().0, half * 2 + 1);
        prop_assert_eq!((live.pins(), live.alignment()), (0, AlignmentCode(alignment)));
        prop_assert_eq!(live.flags() & !(0x3f << 8), before.0 & State::EVER_VIEWED);
        let seen = State(live.0 | State::VIEWED | State::EVER_VIEWED | State::ESCAPED | State::ORPHANED).ended();
        prop_assert_eq!(seen, State::new(Generation(half * 2 + 2), State::EVER_VIEWED | State::ESCAPED | State::ORPHANED));
        prop_assert_eq!(live.ended(), State::new(Generation(half * 2 + 2), before.0 & State::EVER_VIEWED));
    }

    #[test]
    fn places_extents_and_origins_read_back(
        span in 0..1_u32 << 20, class in any::<u8>(), offset in any::<u32>(), size in 0..=Extent::SIZE_MAX,
        label in any::<u16>(), born_ms in 0..1_u64 << 40, owner in 0..1_u32 << 24,
    ) {
        let place = Place { span, offset, class };
        prop_assert_eq!(Place::unpack(place.pack()), place);
        let extent = Extent { size, label };
        prop_assert_eq!(Extent::unpack(extent.pack()), extent);
        let origin = Origin { born_ms, owner: Owner(owner) };
        prop_assert_eq!(Origin::unpack(origin.pack()), origin);
        prop_assert_eq!(Owner(owner).kind() << 22 | Owner(owner).number(), owner);
    }

    #[test]
    fn a_clock_beyond_40_bits_leaves_the_owner_alone(born_ms in any::<u64>(), number in any::<u32>()) {
        let owner = Owner::block(number);
        let origin = Origin::unpack(Origin { born_ms, owner }.pack());
        prop_assert_eq!((origin.born_ms, origin.owner), (born_ms & ((1 << 40) - 1), owner));
        prop_assert_eq!((owner.kind(), owner.number()), (0, number & Owner::NUMBER_MAX));
    }

    #[test]
    fn an_id_is_below_2_to_the_53_and_names_one_owner_of_one_record(slot in 0..Slot::COUNT, half in 0..Generation::MAX.0 / 2) {
        let handle = Handle { slot: Slot(slot), generation: Generation(half * 2 + 1) };
        let id = handle.id();
        prop_assert!(id < 1 << 53);
        let back = Handle { slot: Slot((id % u64::from(Slot::COUNT)) as u32), generation: Generation((id / u64::from(Slot::COUNT)) as u32 * 2 + 1) };
        prop_assert_eq!(back, handle);
        let ended = Generation(handle.generation.0 + 1);
        prop_assert_eq!((handle.generation.last_live(), ended.last_live()), (handle.generation, handle.generation));
    }
}

#[test]
fn the_words_of_the_edges_read_back() {
    for generation in [0, 1, 2, Generation::MAX.0 - 1, Generation::MAX.0] {
        assert_eq!(State::new(Generation(generation), 0).generation().0, generation);
        assert_eq!(Generation(generation).is_live(), generation % 2 == 1);
    }
    let full = State(u64::MAX);
    assert_eq!((full.generation().0, full.pins()), ((1 << 29) - 1, State::PINS_MAX));
    let last = Handle { slot: Slot(Slot::COUNT - 1), generation: Generation(Generation::MAX.0 - 1) };
    assert_eq!(last.id(), (1 << 52) - 1 - (1 << 24)); // the very last odd generation is never given
    assert!(!Generation::MAX.is_live(), "a spent record must be a free one");
}

#[test]
fn no_flag_shares_a_bit_with_another_field() {
    let fields = FLAGS.iter().copied().chain([State::PINS_MAX * State::PIN, 0x3f << 8, u64::MAX << 35]);
    let mut taken = 0_u64;
    for field in fields {
        assert_eq!(taken & field, 0, "{field:#x} shares a bit");
        taken |= field;
    }
}

#[test]
fn every_alignment_code_tells_a_power_of_two_or_nothing() {
    let mut sizes = HashSet::new();
    for code in 0..=u8::MAX {
        let bytes = AlignmentCode(code).bytes();
        assert_eq!(bytes.is_some(), code <= 30 || (32..=35).contains(&code), "code {code}");
        assert!(bytes.is_none_or(usize::is_power_of_two));
        sizes.extend(bytes);
    }
    assert!((0..=30).all(|log2| sizes.contains(&(1_usize << log2))));
    assert_eq!(AlignmentCode::NONE.bytes(), Some(16));
    assert_eq!(AlignmentCode::WORD.bytes(), Some(8));
    assert_eq!(AlignmentCode::PAGE.bytes(), Some(crate::raw::page_size()));
    assert_eq!(AlignmentCode::CACHE_LINE.bytes(), Some(crate::raw::cache_line_size()));
}
