//! Random steps of one or two isolates and their scripts, against the plain truth.

use super::script::{GIVE_STORES, Script, TAKE_LIVES, TAKE_SHOWS, TAKE_STORES, magazine_for};
use super::world::{Pool, World, read};
use super::{Random, plain};
use offheap_core::base::error::{Code, Error};
use offheap_core::manager::{PoolMeasures, Request};
use offheap_core::tracker::isolate::{FRONT, FRONT_WORDS};
use offheap_core::tracker::label::Label;
use offheap_core::tracker::state::{AlignmentCode, Handle};

/// A table with words for the first 150 slots only: of some blocks nothing can be lent.
const SMALL_TABLE: usize = (FRONT + 150 * FRONT_WORDS) * size_of::<i32>();

struct Player {
    world: World,
    random: Random,
    table_bytes: Option<usize>,
}

fn size(random: &mut Random) -> u64 {
    match random.below(20) {
        0..=11 => 1 + random.below(300),
        12..=17 => 1 + random.below(5000),
        18 => (32 << 10) - random.below(2), // the largest that is lent
        _ => 5000 + random.below(60_000),
    }
}

impl Player {
    fn step(&mut self) -> Option<()> {
        let who = self.random.below(self.world.isolates.len() as u64) as usize;
        match self.random.below(100) {
            0..=29 => self.allocate(who),
            30..=49 => self.free(who),
            50..=54 => self.reallocate(who),
            55..=60 => self.pin(who),
            61..=66 => self.write(who),
            67..=69 => self.show(who),
            70..=71 => self.limit(),
            72..=81 => self.acquire(who),
            82..=89 => self.release(who),
            90..=93 => self.change_pool(who),
            94..=95 => self.terminate(who),
            96 => drop(self.world.isolate(who).trim()),
            _ => self.forget_buffer(who),
        }
        Some(())
    }

    fn allocate(&mut self, who: usize) {
        let size = size(&mut self.random);
        let way = self.random.below(5);
        let mut request = plain(size);
        if way == 4 {
            request.alignment = AlignmentCode(self.random.pick(&[32, 33, 34, 35, 12]));
            request.zeroed = self.random.below(2) == 0;
            request.label = Label(self.random.below(2) as u16);
        }
        let world = &mut self.world;
        let answer = match way {
            0..=2 => world.script(who).allocate(request),
            _ => world.isolate(who).allocate(request),
        };
        assert_eq!(answer.map(|_| ()), world.admits(size));
        let Ok(handle) = answer else { return };
        if request.zeroed {
            let bytes = world.script(who).peek(handle.slot, size);
            assert!(read(bytes, size).iter().all(|byte| *byte == 0), "asked zeroed");
        }
        let address = world.enter(handle, who, None, size);
        world.live.get_mut(&address).unwrap().label = request.label.0;
        if self.random.below(4) > 0 {
            world.write(address, self.random.below(2) == 0);
        }
    }

    fn free(&mut self, who: usize) {
        let Some((address, block)) = self.world.pick(who, &mut self.random) else { return };
        let world = &mut self.world;
        world.assert_bytes(&block, block.size);
        let is_pooled = block.pool.is_some_and(|pool| !world.pools[who][pool].is_closed);
        let is_script = self.random.below(3) > 0 && !is_pooled;
        let answer = if is_script {
            world.script(who).free(block.handle, block.size)
        } else {
            world.isolate(who).free(block.handle)
        };
        let expected = match block.pins {
            _ if is_pooled => Err(Code::ForeignBlock.into()),
            0 => Ok(()),
            pins => Err(Error::new(Code::InUse, 0, pins)),
        };
        assert_eq!(answer, expected, "{block:?}");
        if answer.is_ok() {
            world.leave(address);
        }
    }

    fn reallocate(&mut self, who: usize) {
        let Some((address, block)) = self.world.pick(who, &mut self.random) else { return };
        let (size, world) = (size(&mut self.random), &mut self.world);
        let answer = world.isolate(who).reallocate(block.handle, size);
        let expected = match block.pins {
            _ if block.pool.is_some_and(|pool| !world.pools[who][pool].is_closed) => {
                Err(Code::ForeignBlock.into())
            }
            0 => world.admits(size.saturating_sub(block.size)),
            pins => Err(Error::new(Code::InUse, 0, pins)),
        };
        assert_eq!(answer.map(|_| ()), expected, "{block:?}");
        let Ok(handle) = answer else { return };
        world.leave(address);
        let address = world.enter(handle, who, None, size);
        let next = world.live.get_mut(&address).unwrap();
        (next.label, next.stamp) = (block.label, block.stamp);
        let next = next.clone();
        world.assert_bytes(&next, size.min(block.size));
        world.write(address, true);
    }

    fn pin(&mut self, who: usize) {
        let Some((address, block)) = self.world.pick(who, &mut self.random) else { return };
        let isolate = self.world.isolate(who);
        let pins = if self.random.below(3) == 0 && block.pins < 3 {
            assert_eq!(isolate.pin(block.handle), Ok(block.pins));
            block.pins + 1
        } else {
            let expected = if block.pins > 0 { Ok(()) } else { Err(Code::Corrupted.into()) };
            assert_eq!(isolate.unpin(block.handle), expected);
            block.pins.saturating_sub(1)
        };
        self.world.live.get_mut(&address).unwrap().pins = pins;
    }

    fn write(&mut self, who: usize) {
        let Some((address, block)) = self.world.pick(who, &mut self.random) else { return };
        self.world.assert_bytes(&block, block.size);
        self.world.write(address, self.random.below(2) == 0);
    }

    fn show(&mut self, who: usize) {
        if let Some((address, _)) = self.world.pick(who, &mut self.random) {
            self.world.show(address, self.random.below(2) == 0);
        }
    }

    fn forget_buffer(&mut self, who: usize) {
        let buffers = &mut self.world.buffers;
        if !buffers.is_empty() {
            let buffer = buffers.swap_remove(self.random.below(buffers.len() as u64) as usize);
            self.world.isolate(who).buffer_gone(buffer, |_| true); // all handles live
        }
    }

    fn limit(&mut self) {
        let near = self.world.current() + self.random.below(4000);
        self.world.limit = [None, Some(near)][self.random.below(2) as usize];
        self.world.manager.set_limit(self.world.limit);
        for who in 0..self.world.isolates.len() {
            assert_eq!(self.world.script(who).take(8), None, "a new limit asks everybody to ask");
        }
    }

    fn open_pool(&mut self, who: usize) {
        let measures = PoolMeasures {
            request: Request {
                zeroed: self.random.below(3) == 0,
                label: Label(self.random.below(2) as u16),
                alignment: AlignmentCode(self.random.pick(&[33, 34, 6])),
                ..plain(self.random.pick(&[1, 700, 1000, 40_000]))
            },
            idle_max: self.random.pick(&[0, 2, 5, 100]),
            limit: self.random.pick(&[3, 8, u64::MAX]),
            zero_on_release: self.random.below(2) == 0,
        };
        let number = self.world.isolate(who).open_pool("model", measures).unwrap();
        self.world.pools[who].push(Pool { number, measures, acquired: 0, is_gated: false, is_closed: false });
    }

    /// An open pool of an isolate.
    fn a_pool(&mut self, who: usize) -> Option<usize> {
        let open: Vec<usize> =
            (0..self.world.pools[who].len()).filter(|pool| !self.world.pools[who][*pool].is_closed).collect();
        open.get(self.random.below(open.len().max(1) as u64) as usize).copied()
    }

    fn acquire(&mut self, who: usize) {
        let Some(index) = self.a_pool(who) else { return self.open_pool(who) };
        let world = &mut self.world;
        let (number, measures) = (world.pools[who][index].number, world.pools[who][index].measures);
        let (size, hits) = (measures.request.size, world.isolate(who).pool_stats(number).unwrap().hits);
        let answer = if self.random.below(3) > 0 {
            world.script(who).acquire(number, size)
        } else {
            world.isolate(who).acquire(number)
        };
        let expected = if world.in_use(who, index) >= measures.limit {
            Err(Error::new(Code::Limit, 0, 0))
        } else {
            world.admits(size)
        };
        assert_eq!(answer.map(|_| ()), expected);
        let Ok(handle) = answer else { return };
        let is_hit = world.isolate(who).pool_stats(number).unwrap().hits > hits;
        if measures.request.zeroed || (measures.zero_on_release && is_hit) {
            let bytes = read(world.script(who).peek(handle.slot, size), size);
            assert!(bytes.iter().all(|byte| *byte == 0), "of {measures:?}, hit: {is_hit}");
        }
        world.pools[who][index].acquired += 1;
        let address = world.enter(handle, who, Some(index), size);
        world.live.get_mut(&address).unwrap().label = measures.request.label.0;
        if self.random.below(3) > 0 {
            world.write(address, self.random.below(2) == 0);
        }
    }

    fn release(&mut self, who: usize) {
        let Some((address, block)) = self.world.pick(who, &mut self.random) else { return };
        let Some(index) = block.pool.filter(|index| !self.world.pools[who][*index].is_closed) else { return };
        let world = &mut self.world;
        world.assert_bytes(&block, block.size);
        let number = world.pools[who][index].number;
        let answer = match self.random.below(3) {
            0 => world.isolate(who).free_any(block.handle),
            1 => world.isolate(who).release(number, block.handle),
            _ => world.script(who).release(number, block.handle, block.size),
        };
        let expected = if block.pins > 0 { Err(Error::new(Code::InUse, 0, block.pins)) } else { Ok(()) };
        assert_eq!(answer, expected, "{block:?}");
        if answer.is_ok() {
            world.leave(address);
        }
    }

    fn change_pool(&mut self, who: usize) {
        let Some(index) = self.a_pool(who) else { return self.open_pool(who) };
        let (what, isolate) = (self.random.below(8), self.world.isolates[who].as_ref().unwrap());
        let pool = &mut self.world.pools[who][index];
        match what {
            0..=3 => {
                pool.is_gated = !pool.is_gated;
                isolate.gate_pool(pool.number, pool.is_gated).unwrap();
                assert!(!pool.is_gated || Script::new(isolate).take_pooled(pool.number, 1).is_none());
            }
            4 => isolate.clear_pool(pool.number).unwrap(),
            5 => {
                isolate.close_pool(pool.number).unwrap();
                pool.is_closed = true;
            }
            _ => self.open_pool(who),
        }
    }

    /// The script is stopped between two stores, and its isolate ends.
    fn terminate(&mut self, who: usize) {
        let (world, random) = (&mut self.world, &mut self.random);
        let pool = world.pools[who].iter().position(|pool| !pool.is_closed);
        match random.below(3) {
            0 => {
                let (size, stores) = (1 + random.below(300), random.below(u64::from(TAKE_STORES) + 1) as u32);
                let script = Script::stopped_after(world.isolate(who), stores);
                let before = script.counted(magazine_for(size));
                let taken = script.take(size);
                let is_counted = script.counted(magazine_for(size)) != before;
                Self::count_stopped(world, taken, size, stores, is_counted);
            }
            1 if pool.is_some() => {
                let pool = &world.pools[who][pool.unwrap()];
                let size = pool.measures.request.size;
                let stores = random.below(u64::from(TAKE_STORES) + 1) as u32;
                let script = Script::stopped_after(world.isolate(who), stores);
                let home = script.isolate.magazine_of(pool.number).unwrap();
                let before = script.counted(home);
                let taken = script.take_pooled(pool.number, size);
                let is_counted = script.counted(home) != before;
                Self::count_stopped(world, taken, size, stores, is_counted);
            }
            _ => {
                if let Some((_, block)) = world.pick(who, random) {
                    let stores = random.below(u64::from(GIVE_STORES)) as u32;
                    let _ = Script::stopped_after(world.isolate(who), stores).give(block.handle, block.size);
                }
            }
        }
        world.end(who);
        world.reopen(who, self.table_bytes);
    }

    /// What is left of a block that a script was about to take.
    fn count_stopped(world: &mut World, taken: Option<Handle>, size: u64, stores: u32, is_counted: bool) {
        let Some(handle) = taken else { return };
        if stores >= TAKE_LIVES {
            world.enter_id(handle);
        }
        if is_counted {
            world.allocated += size;
            world.freed += size;
        }
        if stores >= TAKE_SHOWS {
            // It was live for a moment; whether that moment was seen is chance.
            let peak = super::stats(world.manager).peak_allocated;
            assert!(peak == world.peak || peak == world.peak.max(world.current() + size));
            world.peak = peak;
        }
    }
}

/// Steps until they are enough or the choices are over, and the end of both isolates.
pub fn play(mut random: Random, steps: u64) {
    let table_bytes = (random.below(3) == 2).then_some(SMALL_TABLE);
    let isolates = 1 + random.below(2) as usize;
    let mut player = Player { world: World::new(isolates, table_bytes), random, table_bytes };
    for _ in 0..steps {
        if player.random.is_over() {
            break;
        }
        player.step();
        // Not each time: to look at figures is to take notice of them.
        if player.random.below(3) > 0 {
            player.world.compare(&mut player.random);
        }
    }
    for who in 0..isolates {
        player.world.end(who);
        player.world.compare(&mut player.random);
    }
    assert!(player.world.live.is_empty());
}
