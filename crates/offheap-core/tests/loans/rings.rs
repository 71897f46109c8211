//! Random steps of one or two isolates in a ring, against a ring of which nothing is ever lent: each grant lies where it
//! would lie there, each refusal is the same, and so are the figures.

use super::script::{GIVE_STORES, Memory, Region, Script, TAKE_LIVES, TAKE_STORES};
use super::{Random, figures, lending, measures};
use offheap_core::alloc::ring::Ring;
use offheap_core::alloc::strategy::Strategy;
use offheap_core::base::error::{Code, Error};
use offheap_core::manager::allocators::{Kind, Measures};
use offheap_core::manager::{Isolate, Manager};
use offheap_core::tracker::label::Label;
use offheap_core::tracker::state::AlignmentCode;

const TOTALS: [u64; 5] = [1000, 4096, 20_000, 65_536, 300_001];
/// Steps after which a ring that others came to is left for another.
const STEPS_SHARED: u64 = 60;
const SIZES: [u64; 8] = [1, 64, 200, 256, 300, 1000, 5000, 33_000];

#[derive(Debug, Clone, Copy)]
struct Grant {
    memory: Memory,
    owner: usize,
    stamp: u8,
    pins: u64,
}

struct Rings {
    manager: &'static Manager,
    isolates: Vec<Isolate>,
    regions: Vec<Option<Region>>,
    wanted: Measures,
    plain: Ring,
    random: Random,
    grants: Vec<Grant>, // the oldest first
    dead: Vec<Grant>,
    usual: u64,
    stamps: u8,
    shared_for: u64, // so many steps: nothing is lent any more
    taken: u64,      // without a native call
}

impl Rings {
    /// `number`: how many there were before it. Whoever opens a region of a size of its own has it alone.
    fn new(manager: &'static Manager, mut random: Random, number: u64) -> Self {
        let isolates = 1 + random.below(3) as usize / 2;
        let total = random.pick(&TOTALS) + number;
        let alignment = AlignmentCode(random.pick(&[33, 6, 8]));
        let bytes = alignment.bytes().unwrap() as u64;
        Self {
            manager,
            isolates: (0..isolates).map(|_| lending(manager)).collect(),
            regions: vec![None; isolates],
            wanted: Measures { alignment, ..measures(Kind::Ring, total) },
            plain: Ring::new(total, bytes).unwrap(),
            random,
            grants: Vec::new(),
            dead: Vec::new(),
            usual: 256,
            stamps: 0,
            shared_for: 0,
            taken: 0,
        }
    }

    fn script(&self, who: usize) -> Script<'_> {
        Script::new(&self.isolates[who])
    }

    /// The isolate's region, which it opens first.
    fn region(&mut self, who: usize) -> Region {
        let script = self.script(who);
        let region = match &self.regions[who] {
            Some(region) if script.is_current(region) => region.clone(),
            Some(region) => script.again(region),
            None => script.open("ring", self.wanted).unwrap(),
        };
        self.regions[who] = Some(region.clone());
        region
    }

    fn step(&mut self) -> Option<()> {
        let what = self.random.below(1000);
        let mut who = self.random.below(self.isolates.len() as u64) as usize;
        if self.regions[who].is_none() && self.random.below(200) > 0 {
            who = 0; // the second comes late
        }
        let region = self.region(who);
        self.shared_for += u64::from(self.shared_for > 0 || self.regions.iter().flatten().count() > 1);
        match what {
            0..=449 => self.allocate(who, region),
            450..=889 => self.free(who, &region)?,
            890..=899 => self.drain(who, &region),
            900..=909 => self.usual = self.random.pick(&SIZES),
            910..=919 => self.burst(who, region),
            920..=929 => self.isolates[who].settle_loans(region.id),
            930..=934 => drop(self.isolates[who].trim_allocator(region.id).unwrap()),
            935..=949 => self.pin(who, &region)?,
            950..=954 => self.end_all(who, &region, false),
            955..=957 => self.end_all(who, &region, true),
            958..=967 => self.terminate(who, &region),
            968..=977 => self.free_dead(who, &region)?,
            978..=982 => self.script(who).stand(),
            _ => self.look(),
        }
        Some(())
    }

    /// Many in a row, so that all of a run is taken.
    fn burst(&mut self, who: usize, mut region: Region) {
        for _ in 0..self.random.below(150) {
            self.allocate(who, region);
            region = self.region(who);
        }
    }

    /// Frees many of an isolate's grants, the oldest first; those that are pinned it unpins.
    fn drain(&mut self, who: usize, region: &Region) {
        for _ in 0..self.random.below(200) {
            let Some(index) = self.grants.iter().position(|grant| grant.owner == who) else { return };
            if self.grants[index].pins > 0 {
                self.isolates[who].unpin_in(region.id, self.grants[index].memory.handle).unwrap();
            }
            self.script(who).free(region, self.grants[index].memory).unwrap();
            self.leave(index);
        }
    }

    fn allocate(&mut self, who: usize, mut region: Region) {
        let size = if self.random.below(20) > 0 { self.usual } else { self.random.pick(&SIZES) };
        let (is_native, label) = (self.random.below(50) == 0, self.random.below(60) == 0);
        let script = self.script(who);
        let taken = if is_native || label { None } else { script.take(&region, size) };
        let answer = match taken {
            Some(memory) => {
                self.taken += 1;
                Ok(memory)
            }
            None if label => script.ask(&mut region, size, Label(1)),
            None => script.ask(&mut region, size, Label::NONE),
        };
        self.regions[who] = Some(region.clone());
        match (answer, self.plain.allocate(size)) {
            (Ok(memory), Ok(grant)) => {
                assert_eq!(memory.offset, grant.offset, "{size} bytes lie elsewhere");
                self.enter(who, &region, memory);
            }
            (Err(refused), Err(expected)) => assert_eq!(refused, expected),
            (answer, expected) => panic!("{answer:?} instead of {expected:?} for {size} bytes"),
        }
    }

    fn enter(&mut self, who: usize, region: &Region, memory: Memory) {
        self.stamps = self.stamps % 250 + 1;
        self.script(who).stamp(region, memory, self.stamps);
        self.grants.push(Grant { memory, owner: who, stamp: self.stamps, pins: 0 });
    }

    /// Mostly the oldest.
    fn free(&mut self, who: usize, region: &Region) -> Option<()> {
        let count = self.grants.len() as u64;
        let index = if self.random.below(4) > 0 { 0 } else { self.random.below(count.max(1)) as usize };
        let grant = *self.grants.get(index).filter(|grant| grant.owner == who)?;
        let script = self.script(who);
        assert!(script.is_live(region, grant.memory) && script.reads(region, grant.memory, grant.stamp));
        let freed = script.free(region, grant.memory);
        if grant.pins > 0 {
            assert_eq!(freed, Err(Error::new(Code::InUse, 0, grant.pins)));
            return Some(());
        }
        freed.unwrap();
        self.leave(index);
        Some(())
    }

    fn leave(&mut self, index: usize) {
        let grant = self.grants.remove(index);
        self.plain.free(grant.memory.offset).unwrap();
        self.dead.push(grant);
    }

    fn free_dead(&mut self, who: usize, region: &Region) -> Option<()> {
        let grant = *self.dead.last().filter(|grant| grant.owner == who)?;
        let script = self.script(who);
        assert!(!script.is_live(region, grant.memory) && !script.give(region, grant.memory));
        assert!(script.hand_back(region, grant.memory).is_err());
        Some(())
    }

    fn pin(&mut self, who: usize, region: &Region) -> Option<()> {
        let index = self.random.below(self.grants.len().max(1) as u64) as usize;
        let grant = self.grants.get_mut(index).filter(|grant| grant.owner == who)?;
        let isolate = &self.isolates[who];
        if grant.pins > 0 {
            isolate.unpin_in(region.id, grant.memory.handle).unwrap();
            grant.pins = 0;
        } else {
            isolate.pin_in(region.id, grant.memory.handle).unwrap();
            grant.pins = 1;
        }
        Some(())
    }

    fn end_all(&mut self, who: usize, region: &Region, closes: bool) {
        let isolate = &self.isolates[who];
        let ended =
            if closes { isolate.close_allocator(region.id) } else { isolate.reset_allocator(region.id) };
        let pins: u64 = self.grants.iter().map(|grant| grant.pins).sum();
        if pins > 0 {
            assert_eq!(ended.unwrap_err().code, Code::InUse);
            return;
        }
        ended.unwrap();
        while !self.grants.is_empty() {
            self.leave(0);
        }
        self.dead.clear();
        if closes {
            self.regions.fill(None);
            self.region(who);
        }
    }

    /// The script is stopped between two stores, and its isolate ends.
    fn terminate(&mut self, who: usize, region: &Region) {
        let stores = self.random.below(u64::from(TAKE_STORES.max(GIVE_STORES)) + 1) as u32;
        let script = Script::stopped_after(&self.isolates[who], stores);
        let own = self.grants.iter().position(|grant| grant.owner == who && grant.pins == 0);
        if self.random.below(2) == 0 {
            if script.take(region, self.usual).is_some() && stores >= TAKE_LIVES {
                let grant = self.plain.allocate(self.usual).unwrap();
                self.plain.free(grant.offset).unwrap();
            }
        } else if let Some(index) = own {
            script.give(region, self.grants[index].memory);
        }
        while let Some(index) = self.grants.iter().position(|grant| grant.owner == who) {
            self.leave(index);
        }
        self.dead.clear();
        self.isolates[who] = lending(self.manager);
        self.regions[who] = None;
        self.shared_for += 1; // for whoever comes now
        self.look();
    }

    /// Nothing is left of it, and it is closed. Gives what is left of the choices.
    fn end(mut self) -> Random {
        let region = self.region(0);
        for index in 0..self.grants.len() {
            let Grant { memory, owner, pins, .. } = self.grants[index];
            if pins > 0 {
                self.isolates[owner].unpin_in(region.id, memory.handle).unwrap();
                self.grants[index].pins = 0;
            }
        }
        self.end_all(0, &region, false);
        self.look();
        assert_eq!(super::lent(self.manager), 0);
        self.isolates[0].close_allocator(region.id).unwrap();
        self.random
    }

    fn look(&self) {
        let Some(id) = self.regions.iter().flatten().next().map(|region| region.id) else { return };
        let now = figures(&self.isolates[0], id); // of which nothing has to be settled
        let (used, requested) = (self.plain.usage(), self.grants.iter().map(|grant| grant.memory.size).sum());
        assert_eq!((now.held, now.free, now.largest_free), (used.held, used.free, used.largest_free));
        assert_eq!((now.scattered, now.free_blocks), (used.scattered, used.free_blocks));
        assert_eq!((now.blocks, now.requested), (self.grants.len() as u64, requested));
        let rows = self.manager.rows();
        assert_eq!(rows.len(), usize::from(!self.grants.is_empty()), "one row for the ring");
        if let [info] = &rows[..] {
            let granted = self.grants.iter().map(|grant| self.plain.granted(grant.memory.offset).unwrap());
            assert_eq!((info.row.extent.size, info.actual_size), (requested, granted.sum()));
        }
    }
}

/// Steps in one ring after the other, until they are enough or the choices are over. Tells how often a script took a place
/// by itself.
pub fn play(mut random: Random, steps: u64) -> u64 {
    let (manager, mut taken, mut steps) = (super::manager(), 0, 0..steps);
    for number in 0.. {
        let mut rings = Rings::new(manager, random, number);
        while rings.shared_for < STEPS_SHARED && !rings.random.is_over() && steps.next().is_some() {
            rings.step();
        }
        taken += rings.taken;
        random = rings.end();
        if random.is_over() || steps.is_empty() {
            break;
        }
    }
    taken
}
