//! Which step is next.

use super::Random;
use super::world::World;

pub struct Player {
    pub world: World,
    pub random: Random,
}

impl Player {
    pub fn below(&mut self, limit: usize) -> usize {
        self.random.below(limit as u64) as usize
    }

    fn step(&mut self) -> Option<()> {
        let who = self.below(2);
        match self.below(32) {
            0..=3 => self.allocate(who),
            4..=6 => self.free(who)?,
            7 => self.free_dead(who)?,
            8..=9 => self.reallocate(who)?,
            10 => self.pin(who)?,
            11 => self.unpin(who)?,
            12..=13 => self.show(who)?,
            14 => self.forget_buffer()?,
            15 => self.free_escaped(who)?,
            16..=17 => self.share(who)?,
            18..=19 => self.attach(who)?,
            20 => self.open_pool(who),
            21 => self.acquire(who)?,
            22 => self.change_pool(who)?,
            23 => self.set_limit(),
            24 => self.end_or_trim(who),
            25 => self.open(who),
            26..=28 => self.grant(who)?,
            29 => self.free_grant(who)?,
            30 => self.pin_grant(who)?,
            _ => self.change_region(who)?,
        }
        Some(())
    }

    fn set_limit(&mut self) {
        let bytes = self.random.below(400_000);
        self.world.limit = (self.below(2) == 0).then_some(bytes);
        self.world.manager.set_limit(self.world.limit);
    }

    fn end_or_trim(&mut self, who: usize) {
        if self.below(4) == 0 {
            self.world.end(who);
        } else {
            self.world.isolates[who].trim();
        }
    }
}

/// Steps until they are enough or the choices are over, and the end of both isolates.
pub fn play(random: Random, steps: u64) {
    let mut player = Player { world: World::new(), random };
    for _ in 0..steps {
        if player.random.is_over() {
            break;
        }
        let _ = player.step();
        player.world.compare();
    }
    for who in 0..2 {
        player.world.end(who);
        player.world.compare();
    }
    assert!(player.world.blocks.is_empty());
}
