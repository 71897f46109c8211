//! The plain truth about allocators whose isolates' scripts hand out what is lent to them.

use super::script::{Memory, Region, Script};
use super::{lending, lent, measures};
use offheap_core::manager::allocators::Kind;
use offheap_core::manager::{Isolate, Manager};
use offheap_core::tracker::state::{Handle, Owner};
use std::collections::{HashMap, HashSet};

#[derive(Debug, Clone, Copy)]
pub struct Grant {
    pub memory: Memory,
    pub owner: usize,
    pub label: u16,
    pub stamp: u8,
    pub pins: u64,
}

/// An allocator that is open.
pub struct Opened {
    pub kind: Kind,
    pub total: u64,
    pub users: HashSet<usize>,
    pub was_shared: bool,
    pub live: Vec<Grant>,
    pub allocations: u64, // of an object pool; an adopted grant counts once
}

pub struct World {
    pub manager: &'static Manager,
    pub isolates: Vec<Isolate>,
    pub opened: [Option<Opened>; 3],       // by name
    pub regions: Vec<[Option<Region>; 3]>, // of each isolate, also of what is over
    pub dead: Vec<(usize, usize, Memory)>, // whose, of which allocator's present life
    ids: HashSet<u64>,
    stamps: u8,
}

impl World {
    pub fn new(isolates: usize) -> Self {
        let manager = super::manager();
        let _ = manager.tracker.labels.intern("one");
        Self {
            manager,
            isolates: (0..isolates).map(|_| lending(manager)).collect(),
            opened: [None, None, None],
            regions: (0..isolates).map(|_| [None, None, None]).collect(),
            dead: Vec::new(),
            ids: HashSet::new(),
            stamps: 0,
        }
    }

    pub fn script(&self, who: usize) -> Script<'_> {
        Script::new(&self.isolates[who])
    }

    /// An isolate's region of an open allocator that it uses, as its JavaScript has it after a look at the epochs.
    pub fn region(&mut self, who: usize, name: usize) -> Option<Region> {
        let is_user = self.opened[name].as_ref().is_some_and(|opened| opened.users.contains(&who));
        let region = self.regions[who][name].clone().filter(|_| is_user)?;
        if self.script(who).is_current(&region) {
            return Some(region);
        }
        let again = self.script(who).again(&region);
        self.regions[who][name] = Some(again.clone());
        Some(again)
    }

    /// An isolate opens an allocator, or finds it.
    pub fn open(&mut self, who: usize, name: usize, kind: Kind, total: u64) {
        let opened = self.opened[name].get_or_insert_with(|| Opened {
            kind,
            total,
            users: HashSet::new(),
            was_shared: false,
            live: Vec::new(),
            allocations: 0,
        });
        opened.users.insert(who);
        opened.was_shared |= opened.users.len() > 1;
        let wanted = measures(opened.kind, opened.total);
        let region = self.script(who).open(&format!("name {name}"), wanted).unwrap();
        if self.regions[who][name].as_ref().is_none_or(|known| known.id != region.id) {
            self.regions[who][name] = Some(region);
        }
    }

    /// Enters a grant, and checks that it may be.
    pub fn enter(&mut self, who: usize, name: usize, memory: Memory, label: u16) {
        assert!(self.ids.insert(memory.handle.id()), "an id came twice");
        self.stamps = self.stamps % 250 + 1;
        let grant = Grant { memory, owner: who, label, stamp: self.stamps, pins: 0 };
        let opened = self.opened[name].as_mut().unwrap();
        opened.allocations += 1;
        for other in &opened.live {
            let (one, two) = (other.memory, memory);
            assert!(
                one.offset + one.size <= two.offset || two.offset + two.size <= one.offset,
                "{one:?} and {two:?}"
            );
        }
        opened.live.push(grant);
        let region = self.regions[who][name].as_ref().unwrap();
        self.script(who).stamp(region, memory, grant.stamp);
    }

    /// An id was given, though nobody came to use it.
    pub fn enter_id(&mut self, handle: Handle) {
        assert!(self.ids.insert(handle.id()), "an id came twice");
    }

    pub fn leave(&mut self, name: usize, index: usize) {
        let grant = self.opened[name].as_mut().unwrap().live.swap_remove(index);
        self.dead.push((grant.owner, name, grant.memory));
    }

    /// All that is live in an allocator has ended.
    pub fn clear(&mut self, name: usize) {
        while !self.opened[name].as_ref().unwrap().live.is_empty() {
            self.leave(name, 0);
        }
    }

    /// An isolate ends, and another takes its place.
    pub fn end(&mut self, who: usize) {
        self.isolates[who] = lending(self.manager);
        self.regions[who] = [None, None, None];
        for name in 0..self.opened.len() {
            let Some(opened) = &mut self.opened[name] else { continue };
            opened.live.retain(|grant| grant.owner != who);
            opened.users.remove(&who);
            // It may have been the one that opened it: then nobody is alone any more.
            opened.was_shared = true;
        }
        self.dead.retain(|(owner, ..)| *owner != who);
    }

    /// Compares everything that can be seen.
    pub fn compare(&mut self, settles: bool) {
        self.manager.tracker.check().unwrap();
        self.compare_rows();
        for name in 0..self.opened.len() {
            let Some(opened) = &self.opened[name] else { continue };
            let users: Vec<usize> = opened.users.iter().copied().collect();
            let Some(id) = users.first().and_then(|who| self.regions[*who][name].as_ref()).map(|one| one.id)
            else {
                continue;
            };
            if settles {
                users.iter().for_each(|who| self.isolates[*who].settle_loans(id));
            }
            let allocator = self.manager.allocators.get(id).unwrap();
            if settles {
                allocator.check().unwrap();
            }
            let now = allocator.stats(self.manager);
            let requested: u64 = opened.live.iter().map(|grant| grant.memory.size).sum();
            assert_eq!(
                (now.blocks, now.requested),
                (opened.live.len() as u64, requested),
                "{:?}",
                opened.kind
            );
            assert_eq!(now.held + now.free, opened.total);
            if opened.kind == Kind::ObjectPool {
                assert_eq!(now.hits + now.misses, opened.allocations);
            }
            let rows = self.manager.rows();
            let own = rows.iter().filter(|info| info.allocator == Some(id.number));
            let granted: u64 = own.map(|info| info.actual_size).sum();
            assert!(now.held >= granted);
            if settles {
                assert_eq!(now.held, granted, "{:?}", opened.kind);
                assert!(granted > 0 || opened.kind != Kind::Buddy || now.free_blocks == 1);
            }
            self.compare_contents(name);
        }
        if settles {
            let is_lent = |grant: &&Grant| grant.pins == 0 && grant.label == 0;
            let most = self.opened.iter().flatten().flat_map(|opened| &opened.live).filter(is_lent).count();
            assert!(lent(self.manager) <= most, "what nobody has is still lent");
        }
    }

    fn compare_contents(&self, name: usize) {
        for grant in &self.opened[name].as_ref().unwrap().live {
            let region = self.regions[grant.owner][name].as_ref().unwrap();
            let script = self.script(grant.owner);
            assert!(script.is_live(region, grant.memory), "{grant:?} is said to be dead");
            assert!(script.reads(region, grant.memory, grant.stamp), "{grant:?} changed");
        }
    }

    fn compare_rows(&self) {
        let live = self.opened.iter().flatten().flat_map(|opened| &opened.live);
        let by_handle: HashMap<Handle, &Grant> = live.map(|grant| (grant.memory.handle, grant)).collect();
        let mut rows = 0;
        self.manager.tracker.scan(|row| {
            if row.owner.kind() != Owner::GRANT {
                return;
            }
            rows += 1;
            let grant = by_handle.get(&row.handle).unwrap_or_else(|| panic!("whose is {row:?}?"));
            assert_eq!((row.extent.size, row.extent.label), (grant.memory.size, grant.label), "{grant:?}");
            assert_eq!((row.pins, row.place.offset_bytes()), (grant.pins, grant.memory.offset));
            assert_eq!(row.owner, Owner::grant(self.isolates[grant.owner].number()));
        });
        assert_eq!(rows, by_handle.len(), "a live grant has no row");
    }
}
