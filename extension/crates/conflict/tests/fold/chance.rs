//! Longer histories by chance. A failure prints its seed: CONFLICT_FOLD_SEED repeats it.

use crate::world::{World, Write, rules};
use conflict::fold::Merge;

/// Numbers by chance (splitmix64).
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % end as u64) as usize
    }
}

fn history(seed: u64) {
    let mut chance = Chance(seed);
    let merge = [Merge::Row, Merge::Columns, Merge::Function][chance.below(3)];
    let limit = [1000, 20][chance.below(2)];
    let mut world = World::new(2 + chance.below(2), rules(merge), limit);
    let ends = chance.below(2) == 0;
    for _ in 0..8 + chance.below(30) {
        let node = chance.below(world.nodes.len());
        match chance.below(8) {
            0 => world.forget(node),
            1..=3 => {
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
    world.check();
}

#[test]
fn long_histories() {
    let seed = std::env::var("CONFLICT_FOLD_SEED").ok().map(|seed| seed.parse::<u64>().expect("a number"));
    let count = std::env::var("CONFLICT_FOLD_HISTORIES").map_or(500, |count| count.parse().expect("a number"));
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a clock").as_nanos() as u64;
    for seed in seed.map_or_else(|| (0..count).map(|n| now.wrapping_add(n)).collect(), |seed| vec![seed]) {
        if let Err(panic) = std::panic::catch_unwind(|| history(seed)) {
            println!("CONFLICT_FOLD_SEED={seed}");
            std::panic::resume_unwind(panic);
        }
    }
}
