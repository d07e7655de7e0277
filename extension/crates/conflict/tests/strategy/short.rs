//! All short histories, and broken rules that they must find.

use crate::explore;
use crate::world::{Defect, Rules};
use conflict::Strategy;

fn strategies() -> Vec<Strategy> {
    let list = |nodes: &[&str]| Strategy::NodePriority(nodes.iter().map(|node| (*node).into()).collect());
    vec![Strategy::FirstWriteWins, list(&["b", "a"]), list(&["c"]), list(&["a", "c", "b"])]
}

fn rules(nodes: usize, writes: u8, proofs: u8, strategy: Strategy) -> Rules {
    Rules { nodes, writes, proofs, strategy, then: None, defect: Defect::None }
}

fn hold(nodes: usize, writes: u8, proofs: u8) {
    for strategy in strategies() {
        if let Err(broken) = explore::all(&rules(nodes, writes, proofs, strategy)) {
            panic!("{broken}");
        }
    }
}

#[test]
fn two_nodes() {
    hold(2, 4, 2);
}

#[test]
fn three_nodes() {
    hold(3, 3, 1);
}

#[test]
fn four_writes_on_three_nodes() {
    if let Err(broken) = explore::all(&rules(3, 4, 0, Strategy::FirstWriteWins)) {
        panic!("{broken}");
    }
}

/// Somebody changes the strategy meanwhile.
fn hold_changing(nodes: usize, writes: u8, proofs: u8) {
    let list = Strategy::NodePriority(vec!["b".into(), "a".into()]);
    for (strategy, then) in [
        (Strategy::LastWriteWins, Strategy::FirstWriteWins),
        (Strategy::FirstWriteWins, Strategy::LastWriteWins),
        (list.clone(), Strategy::FirstWriteWins),
        (Strategy::LastWriteWins, list.clone()),
        (list, Strategy::LastWriteWins),
    ] {
        let rules = Rules { then: Some(then), ..rules(nodes, writes, proofs, strategy) };
        if let Err(broken) = explore::all(&rules) {
            panic!("{broken}");
        }
    }
}

#[test]
fn a_strategy_that_changes_on_two_nodes() {
    hold_changing(2, 3, 2);
}

#[test]
fn a_strategy_that_changes_on_three_nodes() {
    hold_changing(3, 2, 1);
}

fn is_found(defect: Defect, rules: Rules) {
    let found = explore::all(&Rules { defect, ..rules });
    assert!(found.is_err(), "{defect:?} went unnoticed in {} worlds", found.unwrap_or_default());
}

#[test]
fn broken_rules_are_found() {
    is_found(Defect::Silent, rules(2, 2, 0, Strategy::FirstWriteWins));
    is_found(Defect::ProvenAtOnce, rules(2, 4, 2, Strategy::FirstWriteWins));
    is_found(Defect::NobodyIsAsked, rules(3, 3, 1, Strategy::FirstWriteWins));
    is_found(Defect::DeletionDropped, rules(3, 3, 1, Strategy::FirstWriteWins));
    is_found(Defect::OwnRule, rules(3, 3, 1, Strategy::FirstWriteWins));
    is_found(Defect::DeletionOfOneRow, rules(3, 4, 0, Strategy::FirstWriteWins));
    let changed = Rules { then: Some(Strategy::LastWriteWins), ..rules(2, 4, 1, Strategy::FirstWriteWins) };
    is_found(Defect::ProvenByTheNew, changed);
}
