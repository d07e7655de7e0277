//! Broken rules, which the same checks must find: a test of the tests.

use crate::explore;
use crate::rules::{Clocks, Deeds, Defect, Events, Rules};

fn is_found(defect: Defect, rules: Rules) {
    let found = explore::all(&Rules { defect, ..rules });
    assert!(found.is_err(), "{defect:?} went unnoticed in {} worlds", found.unwrap_or_default());
}

fn one_key() -> Rules {
    Rules { initial: &[(0, 0)], ..Rules::new(3, 2, 1, Deeds::ONE_KEY) }
}

fn clashes() -> Rules {
    Rules { values: &[(0, 0), (1, 0)], ..Rules::new(3, 3, 2, Deeds::ONE_KEY) }
}

fn events(drops: u8, copies: u8, proofs: u8, steps_back: u8) -> Events {
    Events { drops, copies, proofs, steps_back }
}

#[test]
fn deciding_otherwise() {
    is_found(Defect::ArrivalOrder, one_key());
    is_found(Defect::LocalWinsTies, Rules { clocks: Clocks::Ties, ..one_key() });
    is_found(Defect::Silent, one_key());
}

#[test]
fn forgetting_deletions() {
    is_found(Defect::NoTombstones, one_key());
    is_found(Defect::DroppedOnConfirmation, Rules { events: events(1, 0, 0, 0), ..one_key() });
    let lagging = Rules { clocks: Clocks::Lagging, ..one_key() };
    is_found(Defect::ConfirmedWithoutBeat, Rules { events: events(1, 0, 0, 0), ..lagging });
}

#[test]
fn displacing_otherwise() {
    is_found(Defect::DisplacedHereOnly, clashes());
    is_found(Defect::DisplacedForgotten, clashes());
    is_found(Defect::DisplacedLeavesOlder, Rules { writes: 4, ..clashes() });
}

#[test]
fn copying_less() {
    let copied = Rules { nodes: 2, events: events(0, 1, 0, 0), ..one_key() };
    is_found(Defect::CopiedWithoutVersions, copied.clone());
    is_found(Defect::CopiedWithoutTombstones, copied);
}

#[test]
fn telling_conflicts_otherwise() {
    is_found(Defect::OvertakingIgnored, Rules { writes: 3, ..one_key() });
    is_found(Defect::StandingIgnored, Rules { writes: 3, ..one_key() });
    is_found(Defect::StandingIgnored, Rules { keys: 2, writes: 3, deeds: Deeds::MOVES, ..one_key() });
    is_found(Defect::UndoneByItsWriter, Rules { keys: 2, writes: 3, deeds: Deeds::MOVES, ..one_key() });
    let moves = Rules { transactions: true, one_key_each: true, deeds: Deeds::ONLY_MOVES, ..one_key() };
    is_found(Defect::MovedOnIgnored, Rules { keys: 3, writes: 4, ..moves });
    let proofs = events(0, 0, 1, 0);
    is_found(Defect::AdoptionForgotten, Rules { nodes: 2, writes: 3, events: proofs, ..one_key() });
}

#[test]
fn adopting_otherwise() {
    is_found(Defect::AdoptedLikeStreamed, Rules { events: events(0, 0, 1, 0), ..Rules::new(3, 3, 1, Deeds::ONE_KEY) });
    let ties = Rules { clocks: Clocks::Ties, ..one_key() };
    is_found(Defect::AdoptedAheadOfTheClock, Rules { events: events(0, 0, 1, 0), ..ties });
    is_found(Defect::AdoptedFromOnePeer, Rules { events: events(1, 0, 1, 0), ..one_key() });
}
