//! Long histories by chance. CONFLICT_MODEL_HISTORIES says how many; CONFLICT_MODEL_SEED runs the one of a failure again.

use std::env;

use crate::explore;
use crate::hash::Chance;
use crate::rules::{Clocks, Deeds, Events, Rules};
use crate::trace;

const HISTORIES: u64 = 20_000;

/// Rules by chance, and all else from the same seed.
fn rules(chance: &mut Chance) -> Rules {
    let mut often = |end| chance.below(end) as u8;
    let deeds = [Deeds::ONE_KEY, Deeds::MOVES, Deeds::TRUNCATES, Deeds::ALL][often(4) as usize];
    let values: [&[(u8, u8)]; 3] =
        [&[(0, 0)], &[(0, 0), (1, 0), (2, 0)], &[(0, 0), (1, 0), (0, 1), (1, 1), (2, 1), (1, 2)]];
    let steps_back = u8::from(often(8) == 0);
    Rules {
        initial: [&[][..], &[(0, 0)]][often(2) as usize],
        values: values[often(3) as usize],
        events: Events { drops: often(4), copies: often(2), proofs: often(2) * often(4), steps_back },
        clocks: [Clocks::Equal, Clocks::Ties, Clocks::Lagging][often(3) as usize],
        before_images: often(4) != 0,
        worker: often(2) == 0,
        transactions: often(2) == 0,
        ..Rules::new(2 + often(2), 20 + often(21), 1 + often(3), deeds)
    }
}

#[test]
fn long_histories() {
    let number = |name| env::var(name).ok().map(|text| text.parse().expect(name));
    let seeds = match number("CONFLICT_MODEL_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("CONFLICT_MODEL_HISTORIES").unwrap_or(HISTORIES),
    };
    for seed in seeds {
        let mut chance = Chance(seed.wrapping_mul(0x2545_f491_4f6c_dd1d));
        let rules = rules(&mut chance);
        if let Err(failure) = explore::by_chance(&rules, &mut chance) {
            panic!("CONFLICT_MODEL_SEED={seed}, {rules:?}\n{}", trace::report(&rules, &failure));
        }
    }
}
