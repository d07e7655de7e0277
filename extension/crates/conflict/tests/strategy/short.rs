//! All short histories, and broken rules that they must find.

use crate::explore;
use crate::world::{Defect, Rules};
use conflict::Strategy;

fn strategies() -> Vec<Strategy> {
    let list = |nodes: &[&str]| Strategy::NodePriority(nodes.iter().map(|node| (*node).into()).collect());
    vec![Strategy::FirstWriteWins, list(&["b", "a"]), list(&["c"]), list(&["a", "c", "b"])]
}

fn rules(nodes: usize, writes: u8, proofs: u8, strategy: Strategy) -> Rules {
    Rules { nodes, writes, proofs, strategy, defect: Defect::None }
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
}
