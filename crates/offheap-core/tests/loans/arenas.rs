//! Random steps of one or two isolates in an arena, against a position that only moves forward.

use super::script::{CUT_STORES, Memory, Region, Script};
use super::{MIB, Random, figures, lending, measures, stats};
use offheap_core::alloc::arena::Mark;
use offheap_core::base::error::{Code, Error};
use offheap_core::manager::allocators::{Kind, Measures};
use offheap_core::manager::{Isolate, Manager};
use offheap_core::tracker::label::Label;
use offheap_core::tracker::state::AlignmentCode;

const SIZES: [u64; 9] = [1, 8, 20, 100, 100, 1000, 3000, 16_384, 40_000];

#[derive(Debug, Clone, Copy)]
struct Cut {
    memory: Memory,
    stamp: u8,
    is_freed: bool,
    is_counted: bool, // not when its script was stopped before it counted
    has_bytes: bool,
}

struct Arena {
    manager: &'static Manager,
    isolates: Vec<Isolate>,
    regions: Vec<Option<Region>>,
    wanted: Measures,
    random: Random,
    cuts: Vec<Cut>,
    marks: Vec<(Mark, usize, u64)>, // how many cuts and which position there were
    position: u64,                  // exact while one isolate alone uses it
    was_shared: bool,
    stamps: u8,
    full: u64,
}

impl Arena {
    fn new(mut random: Random) -> Self {
        let manager = super::manager();
        let isolates = 1 + random.below(2) as usize;
        let total = [100_000, MIB, 3 * MIB, 16 * MIB][random.below(4) as usize];
        let alignment = AlignmentCode([33, 33, 6, 8][random.below(4) as usize]);
        Self {
            manager,
            isolates: (0..isolates).map(|_| lending(manager)).collect(),
            regions: vec![None; isolates],
            wanted: Measures { alignment, ..measures(Kind::Arena, total) },
            random,
            cuts: Vec::new(),
            marks: Vec::new(),
            position: 0,
            was_shared: false,
            stamps: 0,
            full: 0,
        }
    }

    fn script(&self, who: usize) -> Script<'_> {
        Script::new(&self.isolates[who])
    }

    fn step_bytes(&self) -> u64 {
        (self.wanted.alignment.bytes().unwrap() as u64).max(8)
    }

    /// The isolate's region, which it opens first.
    fn region(&mut self, who: usize) -> Region {
        let script = self.script(who);
        let region = match &self.regions[who] {
            Some(region) if script.is_current(region) => region.clone(),
            Some(region) => script.again(region),
            None => script.open("arena", self.wanted).unwrap(),
        };
        self.regions[who] = Some(region.clone());
        self.was_shared |= self.regions.iter().flatten().count() > 1;
        region
    }

    fn step(&mut self) -> Option<()> {
        let what = self.random.below(1000);
        let mut who = self.random.below(self.isolates.len() as u64) as usize;
        if self.regions[who].is_none() && self.random.below(200) > 0 {
            who = 0; // the second comes late
        }
        let region = self.region(who);
        match what {
            0..=799 => self.allocate(who, region),
            800..=859 => self.free(who, &region)?,
            860..=889 => self.mark(who, &region),
            890..=919 => self.rewind(who, &region)?,
            920..=924 => self.reset(who, &region),
            925..=929 => self.close(who, &region),
            930..=949 => self.isolates[who].settle_loans(region.id),
            950..=959 => self.isolates[who].settle_stretches(),
            960..=969 => drop(self.isolates[who].trim_allocator(region.id).unwrap()),
            970..=974 => self.refuse(who, &region)?,
            975..=979 => self.terminate(who, &region),
            _ => self.compare(true),
        }
        self.compare(false);
        Some(())
    }

    fn allocate(&mut self, who: usize, mut region: Region) {
        let size = SIZES[self.random.below(SIZES.len() as u64) as usize];
        let is_native = self.random.below(20) == 0;
        let script = self.script(who);
        let answer = if !is_native {
            script.allocate(&mut region, size)
        } else {
            script.ask(&mut region, size, Label::NONE)
        };
        self.regions[who] = Some(region.clone());
        match answer {
            Ok(memory) => self.enter(who, &region, memory),
            Err(refused) => {
                self.full += 1;
                assert_eq!((refused.code, refused.available < size), (Code::RegionFull, true));
                assert!(
                    self.was_shared || refused.available == self.wanted.total.saturating_sub(self.position)
                );
            }
        }
    }

    fn enter(&mut self, who: usize, region: &Region, memory: Memory) {
        let end = memory.offset + memory.size.next_multiple_of(self.step_bytes());
        assert!(
            memory.offset.is_multiple_of(self.step_bytes())
                && memory.offset + memory.size <= self.wanted.total
        );
        assert!(self.was_shared || memory.offset == self.position, "{memory:?} at {}", self.position);
        for cut in &self.cuts {
            let other = cut.memory;
            assert!(
                other.offset + other.size <= memory.offset || memory.offset + memory.size <= other.offset
            );
        }
        self.position = self.position.max(end);
        self.stamps = self.stamps % 250 + 1;
        self.script(who).stamp(region, memory, self.stamps);
        let (stamp, is_freed) = (self.stamps, false);
        self.cuts.push(Cut { memory, stamp, is_freed, is_counted: true, has_bytes: true });
    }

    fn free(&mut self, who: usize, region: &Region) -> Option<()> {
        let index = self.random.below(self.cuts.len().max(1) as u64) as usize;
        let memory = self.cuts.get(index).filter(|cut| !cut.is_freed && cut.is_counted)?.memory;
        self.script(who).free(region, memory).unwrap();
        self.cuts[index].is_freed = true;
        Some(())
    }

    fn mark(&mut self, who: usize, region: &Region) {
        let mark = self.isolates[who].mark_in(region.id).unwrap();
        let known = self.marks.iter().any(|(other, ..)| *other == mark);
        if !known {
            self.marks.push((mark, self.cuts.len(), self.position));
        }
    }

    fn rewind(&mut self, who: usize, region: &Region) -> Option<()> {
        let index = self.random.below(self.marks.len().max(1) as u64) as usize;
        let (mark, count, position) = *self.marks.get(index)?;
        let late: Vec<Mark> = self.marks.drain(index + 1..).map(|(mark, ..)| mark).collect();
        self.isolates[who].rewind_in(region.id, mark).unwrap();
        for mark in late {
            let refused = self.isolates[who].rewind_in(region.id, mark);
            assert_eq!(refused, Err(Code::InvalidValue.into()));
        }
        let ended = self.cuts.split_off(count);
        assert!(ended.iter().all(|cut| !self.script(who).is_live(region, cut.memory)));
        self.position = position;
        Some(())
    }

    fn reset(&mut self, who: usize, region: &Region) {
        self.isolates[who].reset_allocator(region.id).unwrap();
        self.marks.clear();
        self.cuts.clear();
        self.position = 0;
    }

    fn close(&mut self, who: usize, region: &Region) {
        self.isolates[who].close_allocator(region.id).unwrap();
        self.regions.fill(None);
        self.marks.clear();
        self.cuts.clear();
        (self.position, self.was_shared) = (0, false);
        self.region(who);
    }

    /// A pin refuses whatever ends something.
    fn refuse(&mut self, who: usize, region: &Region) -> Option<()> {
        let cut = *self.cuts.last()?;
        let isolate = &self.isolates[who];
        isolate.pin_in(region.id, cut.memory.handle).unwrap();
        let refused = Err(Error::new(Code::InUse, 0, 1));
        assert_eq!(isolate.reset_allocator(region.id), refused);
        assert_eq!(isolate.close_allocator(region.id), refused);
        if let Some((mark, ..)) = self.marks.first() {
            assert_eq!(isolate.rewind_in(region.id, *mark), refused);
        }
        isolate.unpin_in(region.id, cut.memory.handle).unwrap();
        Some(())
    }

    /// The script is stopped between two stores, and its isolate ends.
    fn terminate(&mut self, who: usize, region: &Region) {
        let (size, stores) = (100, self.random.below(u64::from(CUT_STORES) + 1) as u32);
        let stopped = Script::stopped_after(&self.isolates[who], stores).take(region, size);
        if let Some(memory) = stopped.filter(|_| stores > 0) {
            self.enter(who, region, memory);
            let cut = self.cuts.last_mut().unwrap();
            (cut.is_counted, cut.has_bytes) = (stores == CUT_STORES, stores > 1);
        }
        self.isolates[who] = lending(self.manager);
        self.regions[who] = None;
        self.was_shared = true; // for whoever comes now
    }

    fn compare(&mut self, settles: bool) {
        self.manager.tracker.check().unwrap();
        let Some(id) = self.regions.iter().flatten().next().map(|region| region.id) else { return };
        let users = (0..self.isolates.len()).filter(|who| self.regions[*who].is_some());
        let users: Vec<usize> = users.collect();
        if settles {
            users.iter().for_each(|who| self.isolates[*who].settle_stretches());
        }
        let now = figures(&self.isolates[0], id); // of whom none settles
        let live =
            |counts: fn(&Cut) -> bool| self.cuts.iter().filter(move |cut| !cut.is_freed && counts(cut));
        assert_eq!(now.blocks, live(|cut| cut.is_counted).count() as u64);
        assert_eq!(now.requested, live(|cut| cut.has_bytes).map(|cut| cut.memory.size).sum::<u64>());
        assert!(now.held >= self.position.min(self.wanted.total));
        if settles && !self.was_shared {
            assert_eq!(now.held, self.position.min(self.wanted.total));
        }
        let looks = self.random.below(10) == 0;
        let region = self.regions[users[0]].as_ref().unwrap();
        let script = self.script(users[0]);
        if looks && script.is_current(region) {
            for cut in &self.cuts {
                assert!(script.is_live(region, cut.memory), "{cut:?} is said to be dead");
                assert!(script.reads(region, cut.memory, cut.stamp), "{cut:?} changed");
            }
        }
    }
}

/// Steps until they are enough or the choices are over, and a reset. Tells how often the arena was full.
pub fn play(random: Random, steps: u64) -> u64 {
    let mut arena = Arena::new(random);
    for _ in 0..steps {
        if arena.random.is_over() {
            break;
        }
        arena.step();
    }
    let region = arena.region(0);
    arena.reset(0, &region);
    let now = stats(&arena.isolates[0], region.id);
    assert_eq!((now.blocks, now.requested, now.held), (0, 0, 0));
    arena.full
}
