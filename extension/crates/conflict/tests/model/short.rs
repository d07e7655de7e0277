//! All histories of a few writes, in every order of arrival.

use crate::explore;
use crate::rules::{Clocks, Deeds, Events, Rules};
use crate::trace;

const UNIQUE: &[(u8, u8)] = &[(0, 0), (1, 0), (0, 1), (1, 1)];
const CLASHING: &[(u8, u8)] = &[(1, 0), (0, 1), (1, 1)];

fn holds(rules: Rules) {
    let start = std::time::Instant::now();
    match explore::all(&rules) {
        Ok(worlds) => println!("{worlds} worlds in {:?}", start.elapsed()),
        Err(failure) => panic!("{}", trace::report(&rules, &failure)),
    }
}

/// From one row that all have.
fn from_one(nodes: u8, writes: u8, keys: u8, deeds: Deeds) -> Rules {
    Rules { initial: &[(0, 0)], ..Rules::new(nodes, writes, keys, deeds) }
}

fn unique(nodes: u8, writes: u8, deeds: Deeds) -> Rules {
    Rules { values: UNIQUE, ..Rules::new(nodes, writes, 3, deeds) }
}

fn with(events: Events, rules: Rules) -> Rules {
    Rules { events, ..rules }
}

const DROP: Events = Events { drops: 1, copies: 0, proofs: 0, steps_back: 0 };
const COPY: Events = Events { drops: 0, copies: 1, proofs: 0, steps_back: 0 };
const PROOF: Events = Events { drops: 0, copies: 0, proofs: 1, steps_back: 0 };
const STEP_BACK: Events = Events { drops: 0, copies: 0, proofs: 0, steps_back: 1 };

#[test]
fn one_key() {
    holds(Rules::new(2, 4, 1, Deeds::ONE_KEY));
    holds(Rules::new(3, 4, 1, Deeds::ONE_KEY));
    holds(Rules { before_images: false, ..Rules::new(3, 4, 1, Deeds::ONE_KEY) });
}

#[test]
fn writes_in_turn_are_no_conflict() {
    holds(Rules { in_turn: true, ..unique(3, 3, Deeds::MOVES) });
    holds(Rules { in_turn: true, ..with(DROP, from_one(3, 3, 2, Deeds::MOVES)) });
    holds(Rules { in_turn: true, ..with(COPY, from_one(2, 4, 2, Deeds::MOVES)) });
}

#[test]
fn one_key_with_other_clocks() {
    for clocks in [Clocks::Ties, Clocks::Lagging] {
        holds(Rules { clocks, ..Rules::new(2, 4, 1, Deeds::ONE_KEY) });
        holds(Rules { clocks, ..Rules::new(3, 3, 1, Deeds::ONE_KEY) });
    }
}

#[test]
fn one_key_with_events() {
    holds(with(DROP, from_one(3, 2, 1, Deeds::ONE_KEY)));
    holds(Rules { clocks: Clocks::Lagging, ..with(DROP, from_one(3, 2, 1, Deeds::ONE_KEY)) });
    holds(with(DROP, from_one(2, 3, 1, Deeds::ONE_KEY)));
    holds(with(COPY, from_one(2, 4, 1, Deeds::ONE_KEY)));
    holds(with(PROOF, from_one(3, 3, 1, Deeds::ONE_KEY)));
    holds(with(STEP_BACK, from_one(3, 3, 1, Deeds::ONE_KEY)));
}

#[test]
fn key_changes() {
    holds(from_one(2, 4, 3, Deeds::MOVES));
    holds(from_one(3, 3, 3, Deeds::MOVES));
    holds(Rules { worker: true, ..from_one(2, 3, 3, Deeds::MOVES) });
    holds(Rules { initial: &[(0, 0), (0, 0)], ..Rules::new(2, 4, 3, Deeds { insert: false, ..Deeds::MOVES }) });
}

#[test]
fn key_changes_on_three_nodes() {
    holds(from_one(3, 4, 2, Deeds { insert: false, ..Deeds::MOVES }));
}

/// A row that a transaction moves on does not stay under two keys when its first move lost.
#[test]
fn transactions_of_key_changes() {
    let each = |rules| Rules { transactions: true, one_key_each: true, ..rules };
    holds(each(from_one(2, 4, 3, Deeds::MOVES)));
    holds(each(from_one(3, 3, 3, Deeds::MOVES)));
    holds(each(from_one(3, 4, 3, Deeds::ONLY_MOVES)));
    holds(each(Rules { initial: &[(0, 0), (0, 0)], ..Rules::new(3, 4, 3, Deeds::ONLY_MOVES) }));
    holds(each(Rules { worker: true, ..from_one(3, 3, 3, Deeds::MOVES) }));
    for clocks in [Clocks::Ties, Clocks::Lagging] {
        holds(each(Rules { clocks, ..from_one(3, 3, 3, Deeds::ONLY_MOVES) }));
    }
}

#[test]
fn transactions_with_events() {
    let several = |rules| Rules { transactions: true, ..rules };
    holds(several(with(DROP, from_one(2, 3, 3, Deeds::MOVES))));
    holds(several(with(COPY, from_one(2, 3, 3, Deeds::MOVES))));
    holds(several(with(PROOF, from_one(2, 3, 3, Deeds::MOVES))));
    holds(several(with(STEP_BACK, from_one(2, 3, 2, Deeds::MOVES))));
    holds(several(unique(2, 3, Deeds::MOVES)));
    holds(several(Rules { values: CLASHING, ..Rules::new(3, 3, 2, Deeds::MOVES) }));
}

#[test]
fn key_changes_with_events() {
    holds(with(DROP, from_one(2, 3, 3, Deeds::MOVES)));
    holds(with(COPY, from_one(2, 3, 3, Deeds::MOVES)));
    holds(with(PROOF, from_one(2, 3, 3, Deeds::MOVES)));
    holds(with(STEP_BACK, from_one(2, 3, 2, Deeds::MOVES)));
    holds(Rules { clocks: Clocks::Ties, ..from_one(2, 3, 3, Deeds::MOVES) });
}

#[test]
fn unique_values() {
    holds(unique(2, 4, Deeds::ONE_KEY));
    holds(unique(2, 3, Deeds::MOVES));
    holds(Rules { worker: true, ..unique(2, 3, Deeds::ONE_KEY) });
}

#[test]
fn unique_values_on_three_nodes() {
    holds(unique(3, 3, Deeds::ONE_KEY));
}

/// Takes a minute: run with `--ignored`.
#[test]
#[ignore = "long"]
fn four_writes_on_three_nodes() {
    let put = Deeds { delete: false, ..Deeds::ONE_KEY };
    holds(Rules { values: &[(1, 0), (1, 1)], ..Rules::new(3, 4, 3, put) });
    holds(Rules { values: CLASHING, ..Rules::new(3, 4, 3, Deeds { update: false, ..Deeds::ONE_KEY }) });
    holds(from_one(3, 4, 2, Deeds::TRUNCATES));
    holds(from_one(3, 4, 3, Deeds::MOVES));
}

#[test]
fn unique_values_with_events() {
    holds(with(DROP, Rules { values: &[(1, 0)], ..Rules::new(2, 3, 2, Deeds::ONE_KEY) }));
    holds(with(COPY, Rules { values: &[(1, 0), (1, 1)], ..Rules::new(2, 3, 2, Deeds::ONE_KEY) }));
    holds(with(PROOF, Rules { values: CLASHING, ..Rules::new(2, 3, 2, Deeds::ONE_KEY) }));
    holds(with(STEP_BACK, Rules { values: CLASHING, ..Rules::new(2, 3, 2, Deeds::ONE_KEY) }));
    holds(Rules { clocks: Clocks::Ties, values: CLASHING, ..Rules::new(2, 3, 3, Deeds::ONE_KEY) });
}

#[test]
fn truncates() {
    holds(from_one(2, 4, 2, Deeds::TRUNCATES));
    holds(from_one(3, 3, 2, Deeds::TRUNCATES));
    holds(with(DROP, from_one(2, 3, 2, Deeds::TRUNCATES)));
    holds(with(COPY, from_one(2, 3, 2, Deeds::TRUNCATES)));
    holds(with(PROOF, from_one(2, 3, 2, Deeds::TRUNCATES)));
    holds(Rules { clocks: Clocks::Ties, ..from_one(2, 3, 2, Deeds::TRUNCATES) });
}
