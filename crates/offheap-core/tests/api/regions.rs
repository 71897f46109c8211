//! Steps on named allocators.

use super::steps::Player;
use offheap_core::alloc::arena::Mark;
use offheap_core::base::error::{Code, Error};
use offheap_core::manager::Manager;
use offheap_core::manager::allocators::{AllocatorId, Kind, Measures};
use offheap_core::ops;
use offheap_core::raw::bytes::Bytes;
use offheap_core::tracker::label::Label;
use offheap_core::tracker::state::{AlignmentCode, Handle};
use std::collections::HashSet;

#[derive(Debug, Clone, Copy)]
pub struct Grant {
    handle: Handle,
    offset: u64,
    size: u64,
    owner: Option<usize>, // an arena keeps what ended isolates were granted
    stamp: u8,
    pins: u64,
    is_freed: bool, // of an arena, whose bytes come back later
}

/// An allocator that is open.
pub struct Opened {
    pub measures: Measures,
    id: AllocatorId,
    users: HashSet<usize>,
    grants: Vec<Grant>,
    dead: Vec<(usize, Handle)>,
    marks: Vec<(Mark, usize)>, // and how many grants there were
    arena_pins: [u64; 2],
}

impl Opened {
    fn is_arena(&self) -> bool {
        self.measures.kind == Kind::Arena
    }

    fn pins(&self) -> u64 {
        self.arena_pins.iter().sum::<u64>() + self.grants.iter().map(|grant| grant.pins).sum::<u64>()
    }

    fn may_end(&self) -> Result<(), Error> {
        if self.pins() > 0 { Err(Error::new(Code::InUse, 0, self.pins())) } else { Ok(()) }
    }

    fn bytes(&self, manager: &Manager, grant: &Grant) -> Bytes<'static> {
        manager.allocators.get(self.id).unwrap().bytes(manager, grant.offset, grant.size).unwrap()
    }

    fn enter(&mut self, manager: &Manager, grant: Grant) {
        assert!(grant.offset + grant.size <= self.measures.total);
        for other in &self.grants {
            let (one, two) = (other.offset + other.size, grant.offset + grant.size);
            assert!(one <= grant.offset || two <= other.offset, "{other:?} and {grant:?}");
        }
        ops::fill(self.bytes(manager, &grant), grant.stamp);
        self.grants.push(grant);
    }

    /// Grants from one on are over.
    fn cut(&mut self, from: usize) {
        for grant in self.grants.drain(from..) {
            self.dead.extend(grant.owner.map(|owner| (owner, grant.handle)));
        }
        self.marks.retain(|(_, grants)| *grants <= from);
    }

    /// An isolate ends: what it held goes back, but of an arena.
    pub fn leave(&mut self, who: usize) {
        self.users.remove(&who);
        self.arena_pins[who] = 0;
        self.dead.retain(|(owner, _)| *owner != who);
        if self.is_arena() {
            let own = self.grants.iter_mut().filter(|grant| grant.owner == Some(who));
            own.for_each(|grant| grant.owner = None);
        } else {
            self.grants.retain(|grant| grant.owner != Some(who));
        }
    }

    pub fn compare(&self, manager: &Manager) {
        let allocator = manager.allocators.get(self.id).unwrap();
        allocator.check().unwrap();
        let stats = allocator.stats(manager);
        let live = || self.grants.iter().filter(|grant| !grant.is_freed);
        let requested: u64 = live().map(|grant| grant.size).sum();
        assert_eq!(
            (stats.blocks, stats.requested),
            (live().count() as u64, requested),
            "{:?}",
            self.measures.kind
        );
        assert_eq!(stats.held + stats.free, self.measures.total);
        assert!(stats.held >= requested && stats.largest_free <= stats.free);
        for grant in live() {
            let mut copy = vec![0; grant.size as usize];
            ops::snapshot(self.bytes(manager, grant), &mut copy).unwrap();
            assert!(copy.iter().all(|byte| *byte == grant.stamp), "{grant:?} changed");
        }
    }
}

impl Player {
    /// A name that an isolate may use.
    fn a_name(&mut self, who: usize) -> Option<usize> {
        let name = self.below(3);
        let is_user = self.world.names[name].as_ref().is_some_and(|opened| opened.users.contains(&who));
        is_user.then_some(name)
    }

    fn opened(&mut self, name: usize) -> &mut Opened {
        self.world.names[name].as_mut().unwrap()
    }

    pub fn open(&mut self, who: usize) {
        let (name, kind) = (self.below(3), self.random.pick(&Kind::ALL));
        let total = self.random.pick(&[20_000, 64 << 10, 300_000]);
        let wanted = Measures { kind, total, alignment: AlignmentCode::WORD, overwrite: false };
        let answer = self.world.isolates[who].open_allocator(["a", "b", "c"][name], wanted);
        let admitted = self.world.admits(total);
        if let Some(opened) = &mut self.world.names[name] {
            let is_same = (opened.measures.kind, opened.measures.total) == (kind, total);
            let expected = if is_same { Ok(opened.id) } else { Err(Code::ConfigMismatch) };
            assert_eq!(answer.map_err(|error| error.code), expected);
            if is_same {
                opened.users.insert(who);
            }
            return;
        }
        assert_eq!(answer.map(|_| ()), admitted);
        self.world.names[name] = answer.ok().map(|id| Opened {
            measures: wanted,
            id,
            users: HashSet::from([who]),
            grants: Vec::new(),
            dead: Vec::new(),
            marks: Vec::new(),
            arena_pins: [0; 2],
        });
    }

    pub fn grant(&mut self, who: usize) -> Option<()> {
        let name = self.a_name(who)?;
        let most = self.random.pick(&[100, 2000, 30_000]);
        let size = 1 + self.random.below(most);
        let stamp = self.world.next_stamp();
        let opened = self.world.names[name].as_mut()?;
        match self.world.isolates[who].allocate_in(opened.id, size, Label::NONE) {
            Ok(taken) => {
                let is_new = opened.is_arena() || self.world.ids.insert(taken.handle.id());
                assert!(is_new && taken.granted >= size, "{taken:?}");
                let (handle, offset, owner) = (taken.handle, taken.offset, Some(who));
                opened.enter(
                    self.world.manager,
                    Grant { handle, offset, size, owner, stamp, pins: 0, is_freed: false },
                );
            }
            Err(error) if error.code == Code::RegionFull => {
                assert!(error.requested == size && !opened.grants.is_empty(), "{error:?}");
            }
            Err(error) => {
                let expected = (Code::OutOfRange, size);
                assert!((error.code, error.requested) == expected && size > error.available, "{error:?}");
            }
        }
        Some(())
    }

    /// A live grant of an isolate.
    fn a_grant(&mut self, who: usize, name: usize) -> Option<(usize, Grant)> {
        let grants = &self.world.names[name].as_ref()?.grants;
        let own = |index: &usize| grants[*index].owner == Some(who) && !grants[*index].is_freed;
        let own: Vec<usize> = (0..grants.len()).filter(own).collect();
        let index = *own.get(self.random.below(own.len().max(1) as u64) as usize)?;
        Some((index, grants[index]))
    }

    pub fn free_grant(&mut self, who: usize) -> Option<()> {
        let name = self.a_name(who)?;
        self.free_foreign(who, name);
        let (index, grant) = self.a_grant(who, name)?;
        let opened = self.world.names[name].as_mut()?;
        let answer = self.world.isolates[who].free_in(opened.id, grant.handle, grant.size);
        let expected = if grant.pins > 0 { Err(Error::new(Code::InUse, 0, grant.pins)) } else { Ok(()) };
        assert_eq!(answer, expected, "{grant:?}");
        answer.ok()?;
        if opened.is_arena() {
            opened.grants[index].is_freed = true;
        } else {
            opened.grants.remove(index);
            opened.dead.push((who, grant.handle));
        }
        Some(())
    }

    /// What is over is over, and what another allocator granted is foreign.
    fn free_foreign(&mut self, who: usize, name: usize) {
        let (isolate, opened) = (&self.world.isolates[who], self.world.names[name].as_ref().unwrap());
        if opened.is_arena() {
            return;
        }
        if let Some((_, handle)) = opened.dead.last() {
            assert_eq!(isolate.free_in(opened.id, *handle, 1), Err(Code::DoubleFree.into()));
        }
        let others =
            self.world.names.iter().flatten().filter(|other| other.id != opened.id && !other.is_arena());
        let foreign = others.flat_map(|other| &other.grants).map(|grant| grant.handle);
        let blocks = self.world.blocks.iter().filter_map(|block| block.handle);
        for handle in foreign.chain(blocks).take(2) {
            assert_eq!(isolate.free_in(opened.id, handle, 1), Err(Code::ForeignBlock.into()));
        }
    }

    pub fn pin_grant(&mut self, who: usize) -> Option<()> {
        let name = self.a_name(who)?;
        let (index, grant) = self.a_grant(who, name)?;
        let takes = self.below(2) == 0;
        let (id, is_arena) = (self.opened(name).id, self.opened(name).is_arena());
        let isolate = &self.world.isolates[who];
        let answer =
            if takes { isolate.pin_in(id, grant.handle) } else { isolate.unpin_in(id, grant.handle) };
        let opened = self.opened(name);
        let pins = if is_arena { &mut opened.arena_pins[who] } else { &mut opened.grants[index].pins };
        let expected = if takes || *pins > 0 { Ok(()) } else { Err(Code::Corrupted.into()) };
        assert_eq!(answer, expected);
        *pins = if takes { *pins + 1 } else { pins.saturating_sub(1) };
        Some(())
    }

    pub fn change_region(&mut self, who: usize) -> Option<()> {
        let name = self.a_name(who)?;
        let (what, which) = (self.below(8), self.below(256));
        let isolate = &self.world.isolates[who];
        let opened = self.world.names[name].as_mut()?;
        match what {
            0 => {
                assert_eq!(isolate.reset_allocator(opened.id), opened.may_end());
                if opened.pins() == 0 {
                    opened.cut(0);
                    opened.marks.clear();
                }
            }
            1 => {
                assert_eq!(isolate.close_allocator(opened.id), opened.may_end());
                if opened.pins() == 0 {
                    assert_eq!(isolate.close_allocator(opened.id), Ok(()));
                    self.world.names[name] = None;
                }
            }
            2..=4 => match isolate.mark_in(opened.id) {
                Ok(mark) => opened.marks.push((mark, opened.grants.len())),
                Err(error) if opened.is_arena() => assert_eq!(error.code, Code::RegionFull),
                Err(error) => assert_eq!(error.code, Code::NotSupported),
            },
            5..=6 => {
                let (mark, grants) = *opened.marks.get(which.checked_rem(opened.marks.len())?)?;
                assert_eq!(isolate.rewind_in(opened.id, mark), opened.may_end());
                if opened.pins() == 0 {
                    opened.cut(grants);
                }
            }
            _ => drop(isolate.trim_allocator(opened.id).unwrap()),
        }
        Some(())
    }
}
