//! The protocol by which shares travel, in all orders of what can happen: no id is handed out twice, by whomever.
//!
//! Small histories are looked at exhaustively, longer ones by chance with seeds that are always the same. Each rule is
//! broken once, to see that the model notices.

mod world;

use std::collections::HashSet;
use world::{Action, Rules, World};

/// The first history, of all up to a length, in which something goes wrong. States that were seen are not looked at again.
fn exhaustive(nodes: usize, depth: usize, rules: Rules) -> Option<(Vec<Action>, String)> {
    let mut seen = HashSet::new();
    let mut level = vec![(World::new(nodes, rules), Vec::new())];
    for _ in 0..depth {
        let mut next = Vec::new();
        for (world, history) in level {
            for action in world.actions() {
                let mut after = world.clone();
                let mut longer: Vec<Action> = history.clone();
                longer.push(action);
                match after.act(action) {
                    Err(wrong) => return Some((longer, wrong)),
                    Ok(()) if seen.insert(after.clone()) => next.push((after, longer)),
                    Ok(()) => {}
                }
            }
        }
        level = next;
    }
    None
}

/// Numbers by chance, the same for the same seed (xorshift).
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or(0) % limit
    }
}

/// Of histories by chance, the first in which something goes wrong.
fn random(nodes: usize, steps: usize, seeds: u64, rules: Rules) -> Option<(Vec<Action>, String)> {
    for seed in 1..=seeds {
        let mut chance = Chance(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let mut world = World::new(nodes, rules);
        let mut history = Vec::new();
        for _ in 0..steps {
            let actions = world.actions();
            let action = actions[chance.below(actions.len())];
            history.push(action);
            if let Err(wrong) = world.act(action) {
                return Some((history, wrong));
            }
        }
    }
    None
}

fn found(rules: Rules) -> Option<(Vec<Action>, String)> {
    exhaustive(2, 5, rules).or_else(|| random(2, 40, 20_000, rules)).or_else(|| random(4, 80, 5_000, rules))
}

fn broken(rules: Rules, by: &str) {
    let (history, wrong) = found(rules).unwrap_or_else(|| panic!("nobody noticed that {by}"));
    println!("{by}: {wrong} after {history:?}");
}

#[test]
fn no_id_is_handed_out_twice_in_any_short_history() {
    for descending in [false, true] {
        let rules = Rules { descending, ..Rules::KEPT };
        assert_eq!(exhaustive(2, 7, rules), None);
        assert_eq!(exhaustive(3, 5, rules), None);
    }
}

#[test]
fn no_id_is_handed_out_twice_in_long_histories() {
    for descending in [false, true] {
        let rules = Rules { descending, ..Rules::KEPT };
        assert_eq!(random(2, 60, 20_000, rules), None);
        assert_eq!(random(5, 150, 5_000, rules), None);
    }
}

#[test]
fn a_restore_that_kept_its_ranges_would_be_noticed() {
    broken(Rules { restores_void: false, ..Rules::KEPT }, "a restored node goes on in its ranges");
}

#[test]
fn a_request_that_outlived_a_restore_would_be_noticed() {
    broken(
        Rules { requests_of_timeline: false, ..Rules::KEPT },
        "a restored node asks again what its former self asked",
    );
}

#[test]
fn a_giver_that_forgot_requests_would_be_noticed() {
    broken(Rules { requests_remembered: false, ..Rules::KEPT }, "the same question gets another share");
}

#[test]
fn an_answer_before_the_commit_would_be_noticed() {
    broken(Rules { answers_committed: false, ..Rules::KEPT }, "a giver answers and does not keep that it gave");
}

#[test]
fn a_giver_that_looked_past_its_sessions_would_be_noticed() {
    broken(Rules { ranges_filled: false, ..Rules::KEPT }, "a giver gives away a block that its sessions have opened");
}
