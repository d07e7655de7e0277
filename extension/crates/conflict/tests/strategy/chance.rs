//! Longer histories by chance.

use crate::explore::trace;
use crate::world::{Defect, Rules, World};
use conflict::Strategy;
use std::time::{SystemTime, UNIX_EPOCH};

struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        // xorshift64*
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % end
    }
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn long_histories() {
    let first = setting("CONFLICT_STRATEGY_SEED")
        .or_else(|| Some(SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_nanos() as u64))
        .unwrap_or(1);
    for seed in first..first + setting("CONFLICT_STRATEGY_HISTORIES").unwrap_or(20_000) {
        one(seed);
    }
}

fn one(seed: u64) {
    let mut chance = Chance(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let strategy = match chance.below(4) {
        0 => Strategy::LastWriteWins,
        1 => Strategy::FirstWriteWins,
        2 => Strategy::NodePriority(vec!["c".into(), "a".into()]),
        _ => Strategy::NodePriority(vec!["b".into()]),
    };
    let then = match chance.below(4) {
        0 => Some(Strategy::LastWriteWins),
        1 => Some(Strategy::FirstWriteWins),
        2 => Some(Strategy::NodePriority(vec!["b".into(), "c".into()])),
        _ => None,
    };
    let rules = Rules { nodes: 2 + chance.below(2), writes: 8, proofs: 12, strategy, then, defect: Defect::None };
    let (mut world, mut way) = (World::new(&rules), Vec::new());
    loop {
        let actions = world.actions(&rules);
        if actions.is_empty() {
            break;
        }
        let action = actions[chance.below(actions.len())];
        world.step(action, &rules);
        way.push(action);
    }
    if let Err(broken) = world.settle(&rules, false) {
        panic!(
            "{broken}, under {:?}, then {:?} (CONFLICT_STRATEGY_SEED={seed}):\n{}",
            rules.strategy,
            rules.then,
            trace(&way)
        );
    }
}
