use super::super::pieces::{PIECE_BYTES, Pieces, span_bytes};
use super::super::segment::Segment;
use super::*;
use crate::raw;
use crate::raw::atlas::Atlas;
use crate::raw::region::Region;
use std::cell::RefCell;

/// Every class that is cut from spans.
fn small_classes() -> impl Iterator<Item = u8> {
    (0..classes::COUNT as u8).filter(|class| !classes::is_run(*class))
}

#[test]
fn spans_of_one_piece_do_not_overlap() {
    let (atlas, pieces) = (Atlas::default(), Pieces::default());
    let (mut ranges, mut by_piece) = (Vec::new(), BTreeMap::new());
    for class in small_classes().chain(small_classes().collect::<Vec<_>>().into_iter().rev()) {
        let cut = pieces.cut(&atlas, class).unwrap();
        let region = atlas.region(cut.span).unwrap();
        let bytes = span_bytes(classes::size_of(class));
        assert!(region.bytes(cut.offset as usize, bytes as usize).is_some(), "class {class}: committed");
        let start = region.address() as u64 + cut.offset;
        assert!(start.is_multiple_of(classes::alignment_of(class).max(raw::page_size() as u64)));
        ranges.push((start, start + bytes));
        *by_piece.entry(cut.span).or_insert(0) += 1;
    }
    ranges.sort_unstable();
    assert!(ranges.windows(2).all(|pair| pair[0].1 <= pair[1].0), "two spans share bytes");
    assert_eq!(by_piece.len() as u32, atlas.count());
    assert!(by_piece.values().any(|count| *count > 10), "a piece is for many spans: {by_piece:?}");
}

#[test]
fn a_refused_piece_is_asked_for_smaller() {
    let least = 80 << 10;
    for most in [PIECE_BYTES, 1 << 20, 100 << 10, least] {
        let (atlas, asked) = (Atlas::default(), RefCell::new(Vec::new()));
        let reserve = |size: u64| {
            asked.borrow_mut().push(size);
            if size > most { None } else { Region::reserve(size as usize, 1) }
        };
        let mut segment = Segment::default();
        assert!(segment.renew(&atlas, PIECE_BYTES, least, reserve));
        let asked = asked.into_inner();
        assert_eq!(asked[0], PIECE_BYTES);
        assert!(asked.windows(2).all(|pair| pair[1] == (pair[0] / 2).max(least)), "{asked:?}");
        assert_eq!(
            (segment.size(), asked.iter().filter(|size| **size <= most).count()),
            (asked[asked.len() - 1], 1)
        );
        let cut = segment.cut(&atlas, least, 16).unwrap().unwrap();
        assert_eq!((cut.offset, cut.committed), (0, least));
    }
}

#[test]
fn what_is_refused_at_every_size_changes_nothing() {
    let atlas = Atlas::default();
    let mut segment = Segment::default();
    assert!(!segment.renew(&atlas, PIECE_BYTES, 64 << 10, |_| None));
    assert_eq!((segment.cut_bytes(), atlas.count()), ((0, 0), 0));
    assert!(segment.cut(&atlas, 4096, 16).unwrap().is_none());
    // Of one that is in use, what is left can still be cut.
    assert!(segment.renew(&atlas, 128 << 10, 64 << 10, |size| Region::reserve(size as usize, 1)));
    segment.cut(&atlas, 64 << 10, 16).unwrap().unwrap();
    assert!(!segment.renew(&atlas, PIECE_BYTES, 64 << 10, |_| None));
    assert_eq!(segment.cut(&atlas, 64 << 10, 16).unwrap().unwrap().offset, 64 << 10);
    assert!(segment.cut(&atlas, 64 << 10, 16).unwrap().is_none());
}

#[test]
fn committed_counts_only_spans_that_were_cut() {
    let (mut house, mut cache) = (House::default(), Cache::default());
    assert_eq!(house.chunks.committed_bytes(), 0);
    let first = house.take(&mut cache, class_of(64)).unwrap();
    let place = house.tracker.shared(house.live[&first].handle.slot).unwrap().place();
    assert_eq!(house.chunks.atlas.region(Span(place.span)).unwrap().size() as u64, PIECE_BYTES);
    assert_eq!(house.chunks.committed_bytes(), 64 << 10, "a piece is addresses, a span is memory");
    for _ in 1..1024 {
        house.take(&mut cache, class_of(64)).unwrap();
    }
    assert_eq!(house.chunks.committed_bytes(), 64 << 10, "1024 of 64 bytes fill one span");
    house.take(&mut cache, class_of(64)).unwrap();
    assert_eq!(house.chunks.committed_bytes(), 128 << 10);
    house.take(&mut cache, class_of(4096)).unwrap();
    assert_eq!(house.chunks.committed_bytes(), (128 + 256) << 10);
    house.check(&[&cache]);
}

#[test]
fn a_trim_gives_back_what_lies_in_several_pieces() {
    let (mut house, mut cache) = (House::default(), Cache::default());
    let class = class_of(1024);
    let count = 3 * PIECE_BYTES / 1024;
    let all: Vec<u64> = (0..count).map(|_| house.take_stamped(&mut cache, class)).collect();
    assert_eq!(house.chunks.atlas.count(), 3);
    for address in &all {
        house.put(&mut cache, *address);
    }
    let given = house.chunks.trim(&mut cache, &house.tracker);
    let (bytes, left) = if GIVES_PAGES_BACK { (3 * PIECE_BYTES, 0) } else { (0, 3 * PIECE_BYTES) };
    assert_eq!((given, house.chunks.committed_bytes()), (bytes, left));
    house.check(&[&cache]);
    // The lowest addresses come first, and all of them come once.
    let again: Vec<u64> = (0..count).map(|_| house.take(&mut cache, class).unwrap()).collect();
    let spans: Vec<u32> = again
        .iter()
        .map(|address| house.tracker.shared(house.live[address].handle.slot).unwrap().place().span)
        .collect();
    assert!(spans.is_sorted());
    assert_eq!(house.chunks.committed_bytes(), 3 * PIECE_BYTES);
    house.check(&[&cache]);
}
