//! Longer histories by chance. A failure prints its seed: CONFLICT_FOLD_SEED repeats it.

use crate::world::{World, Write, rules};
use conflict::fold::Merge;

/// Numbers by chance (splitmix64).
pub struct Chance(pub u64);

impl Chance {
    pub fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % end as u64) as usize
    }
}

impl World {
    /// What nodes did by chance, in so many steps and a few more or less.
    pub fn by_chance(chance: &mut Chance, steps: usize) -> Self {
        let merge = [Merge::Row, Merge::Columns, Merge::Function][chance.below(3)];
        let limit = [1000, 20][chance.below(2)];
        let mut world = World::new(2 + chance.below(2), rules(merge), limit);
        let ends = chance.below(2) == 0;
        for _ in 0..steps / 4 + chance.below(steps) {
            let node = chance.below(world.nodes.len());
            match chance.below(8) {
                0 if steps < 60 => world.forget(node),
                0..=3 => {
                    let write = match chance.below(if ends { 12 } else { 9 }) {
                        n @ 0..=4 => Write::Add(n as i64 - 1),
                        5 | 6 => Write::SetOne,
                        7 | 8 => Write::SetTwo,
                        9 => Write::Delete,
                        _ => Write::Insert,
                    };
                    if world.can(node, write) {
                        world.write(node, write);
                    }
                }
                _ => {
                    let pending = world.pending();
                    if let Some((from, to)) = pending.get(chance.below(pending.len().max(1))) {
                        world.deliver(*from, *to);
                    }
                }
            }
        }
        world
    }
}

/// Runs histories by chance, or the one whose seed is asked for.
pub fn with_seeds(count: u64, history: fn(u64)) {
    let seed = std::env::var("CONFLICT_FOLD_SEED").ok().map(|seed| seed.parse::<u64>().expect("a number"));
    let count = std::env::var("CONFLICT_FOLD_HISTORIES").map_or(count, |count| count.parse().expect("a number"));
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a clock").as_nanos() as u64;
    for seed in seed.map_or_else(|| (0..count).map(|n| now.wrapping_add(n)).collect(), |seed| vec![seed]) {
        if let Err(panic) = std::panic::catch_unwind(|| history(seed)) {
            println!("CONFLICT_FOLD_SEED={seed}");
            std::panic::resume_unwind(panic);
        }
    }
}

#[test]
fn long_histories() {
    with_seeds(500, |seed| World::by_chance(&mut Chance(seed), 30).check());
}
