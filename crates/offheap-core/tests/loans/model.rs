//! Random steps of one or two isolates and their scripts, against the plain truth.

use super::script::{GIVE_STORES, Memory, Region, Script, TAKE_LIVES, TAKE_STORES};
use super::world::{Grant, World};
use super::{LENDING, MIB, Random};
use offheap_core::base::error::{Code, Error};
use offheap_core::manager::Request;
use offheap_core::manager::allocators::Kind;
use offheap_core::tracker::label::Label;
use offheap_core::tracker::state::{AlignmentCode, Handle};

const SIZES: [u64; 12] = [1, 16, 100, 100, 700, 1000, 1000, 5000, 16_000, 20_000, 40_000, 70_000];

struct Player {
    world: World,
    random: Random,
    blocks: Vec<(usize, Handle)>, // that only use records up
}

impl Player {
    fn below(&mut self, limit: usize) -> usize {
        self.random.below(limit as u64) as usize
    }

    fn step(&mut self) -> Option<()> {
        let who = self.below(self.world.isolates.len());
        let name = self.below(3);
        let what = self.random.below(1000);
        if what < 20 || self.world.opened[name].is_none() {
            // The second isolate comes late, and not to all.
            let comes = who == 0 || self.random.below(8) == 0 || self.world.opened[name].is_none();
            let (kind, total) = (self.random.pick(&LENDING), self.random.pick(&[MIB / 4, MIB, MIB, 8 * MIB]));
            if comes {
                self.world.open(who, name, kind, total);
            }
            return Some(());
        }
        let region = self.world.region(who, name)?;
        match what {
            0..=449 => self.allocate(who, name, region),
            450..=799 => self.free(who, name, &region)?,
            800..=839 => self.pin(who, name, &region)?,
            840..=859 => self.misuse(who, name)?,
            860..=874 => self.world.script(who).stand(),
            875..=884 => {
                let limit = self.random.pick(&[None, Some(1 << 40)]);
                self.world.manager.set_limit(limit);
            }
            885..=899 => self.world.isolates[who].settle_loans(region.id),
            900..=914 => drop(self.world.isolates[who].trim_allocator(region.id).unwrap()),
            915..=929 => self.end_all(who, name, &region, false),
            930..=939 => self.end_all(who, name, &region, true),
            940..=959 => self.block(who),
            960..=967 => self.terminate(who, name, &region),
            _ => self.drain(who, name, &region),
        }
        Some(())
    }

    fn allocate(&mut self, who: usize, name: usize, mut region: Region) {
        let size = self.random.pick(&SIZES);
        let label = u16::from(self.random.below(10) == 0);
        let script = self.world.script(who);
        let answer = if label == 0 && self.random.below(4) > 0 {
            script.allocate(&mut region, size)
        } else {
            script.ask(&mut region, size, Label(label))
        };
        self.world.regions[who][name] = Some(region.clone());
        match answer {
            Ok(memory) => self.world.enter(who, name, memory, label),
            Err(refused) => self.refused(who, name, &region, size, refused),
        }
    }

    fn refused(&self, who: usize, name: usize, region: &Region, size: u64, refused: Error) {
        let opened = self.world.opened[name].as_ref().unwrap();
        if refused.code == Code::OutOfRange {
            assert!(size > 16_384, "{refused:?}");
            return;
        }
        assert_eq!(refused.code, Code::RegionFull);
        if !opened.was_shared {
            // With nothing that lies ready anywhere it is as full; slots of another size serve no request of this one.
            let largest = super::stats(&self.world.isolates[who], region.id).largest_free;
            assert_eq!(refused.available, largest);
            assert!(largest < size || opened.kind != Kind::Buddy, "{refused:?}, {largest}");
            assert_eq!(self.world.isolates[who].allocate_in(region.id, size, Label::NONE), Err(refused));
        }
    }

    /// A live grant that an isolate holds.
    fn pick(&mut self, who: usize, name: usize) -> Option<(usize, Grant)> {
        let live = &self.world.opened[name].as_ref()?.live;
        let own: Vec<usize> = (0..live.len()).filter(|index| live[*index].owner == who).collect();
        let index = *own.get(self.random.below(own.len().max(1) as u64) as usize)?;
        Some((index, live[index]))
    }

    fn free(&mut self, who: usize, name: usize, region: &Region) -> Option<()> {
        let (index, grant) = self.pick(who, name)?;
        let script = self.world.script(who);
        let answer = if self.random.below(4) > 0 {
            script.free(region, grant.memory)
        } else {
            script.hand_back(region, grant.memory)
        };
        let expected = if grant.pins > 0 { Err(Error::new(Code::InUse, 0, grant.pins)) } else { Ok(()) };
        assert_eq!(answer, expected, "{grant:?}");
        if answer.is_ok() {
            self.world.leave(name, index);
        }
        Some(())
    }

    /// Most of what an isolate holds, so that a magazine runs over.
    fn drain(&mut self, who: usize, name: usize, region: &Region) {
        for _ in 0..self.random.below(60) {
            self.free(who, name, region);
        }
    }

    fn pin(&mut self, who: usize, name: usize, region: &Region) -> Option<()> {
        let (index, grant) = self.pick(who, name)?;
        let isolate = &self.world.isolates[who];
        let pins = if self.random.below(3) == 0 && grant.pins < 2 {
            isolate.pin_in(region.id, grant.memory.handle).unwrap();
            grant.pins + 1
        } else {
            let expected = if grant.pins > 0 { Ok(()) } else { Err(Code::Corrupted.into()) };
            assert_eq!(isolate.unpin_in(region.id, grant.memory.handle), expected);
            grant.pins.saturating_sub(1)
        };
        self.world.opened[name].as_mut()?.live[index].pins = pins;
        Some(())
    }

    /// What is dead is dead for everybody, and another allocator's is foreign.
    fn misuse(&mut self, who: usize, name: usize) -> Option<()> {
        let other = (name + 1) % 3;
        if let Some((_, grant)) = self.pick(who, other) {
            let region = self.world.region(who, name)?;
            let answer = self.world.script(who).hand_back(&region, grant.memory);
            assert_eq!(answer, Err(Code::ForeignBlock.into()), "{grant:?}");
        }
        let dead = &self.world.dead;
        let (owner, name, memory) = *dead.get(self.random.below(dead.len().max(1) as u64) as usize)?;
        let region = self.world.region(owner, name)?;
        let script = self.world.script(owner);
        assert!(!script.is_live(&region, memory) && !script.give(&region, memory));
        assert_eq!(script.hand_back(&region, memory), Err(Code::DoubleFree.into()));
        assert_eq!(script.isolate.pin_in(region.id, memory.handle), Err(Code::UseAfterFree.into()));
        Some(())
    }

    fn end_all(&mut self, who: usize, name: usize, region: &Region, closes: bool) {
        let world = &mut self.world;
        let isolate = &world.isolates[who];
        let pins: u64 = world.opened[name].as_ref().unwrap().live.iter().map(|grant| grant.pins).sum();
        let answer =
            if closes { isolate.close_allocator(region.id) } else { isolate.reset_allocator(region.id) };
        let expected = if pins > 0 { Err(Error::new(Code::InUse, 0, pins)) } else { Ok(()) };
        assert_eq!(answer, expected);
        if answer.is_ok() {
            world.clear(name);
            if closes {
                world.opened[name] = None;
                world.dead.retain(|(_, of, _)| *of != name);
            } else {
                let users: Vec<usize> = world.opened[name].as_ref().unwrap().users.iter().copied().collect();
                users.into_iter().for_each(|user| drop(world.region(user, name)));
            }
        }
    }

    /// A block of the manager's, whose record may have been a grant's or become one.
    fn block(&mut self, who: usize) {
        let own = self.blocks.iter().position(|(owner, _)| *owner == who);
        match own.filter(|_| self.random.below(2) == 0) {
            Some(index) => self.world.isolates[who].free_any(self.blocks.swap_remove(index).1).unwrap(),
            None => {
                let (alignment, label) = (AlignmentCode::WORD, Label::NONE);
                let request = Request { size: 100, alignment, zeroed: false, label };
                self.blocks.push((who, self.world.isolates[who].allocate(request).unwrap()));
            }
        }
    }

    /// The script is stopped between two stores, and its isolate ends.
    fn terminate(&mut self, who: usize, name: usize, region: &Region) {
        if self.random.below(2) == 0 {
            let (stores, size) =
                (self.random.below(u64::from(TAKE_STORES) + 1) as u32, SIZES[self.below(10)]);
            let stopped = Script::stopped_after(&self.world.isolates[who], stores);
            if let Some(Memory { handle, .. }) = stopped.take(region, size) {
                self.count_stopped(name, handle, stores);
            }
        } else if let Some((_, grant)) = self.pick(who, name) {
            let stores = self.random.below(u64::from(GIVE_STORES) + 1) as u32;
            Script::stopped_after(&self.world.isolates[who], stores).give(region, grant.memory);
        }
        self.world.end(who);
        self.blocks.retain(|(owner, _)| *owner != who);
    }

    /// What is left of a grant that a script was about to take.
    fn count_stopped(&mut self, name: usize, handle: Handle, stores: u32) {
        if stores >= TAKE_LIVES {
            // The handle is what the table said when it was stopped: of the grant that was about to live.
            self.world.enter_id(handle);
        }
        if stores == TAKE_STORES {
            self.world.opened[name].as_mut().unwrap().allocations += 1;
        }
    }
}

/// Steps until they are enough or the choices are over, and the end of both isolates.
pub fn play(mut random: Random, steps: u64) {
    let isolates = 1 + random.below(2) as usize;
    let mut player = Player { world: World::new(isolates), random, blocks: Vec::new() };
    for _ in 0..steps {
        if player.random.is_over() {
            break;
        }
        player.step();
        if player.random.below(2) == 0 {
            let settles = player.random.below(8) == 0;
            player.world.compare(settles);
        }
    }
    for who in 0..isolates {
        player.world.end(who);
        player.world.compare(true);
    }
    for name in 0..3 {
        let Some((kind, total)) =
            player.world.opened[name].as_ref().map(|opened| (opened.kind, opened.total))
        else {
            continue;
        };
        player.world.open(0, name, kind, total);
        let region = player.world.region(0, name).unwrap();
        super::assert_all_free(&player.world.isolates[0], region.id);
    }
}
