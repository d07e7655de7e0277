//! All histories of a few writes, with every way in which they can arrive between them.

use crate::world::{World, Write, rules};
use conflict::fold::Merge;

/// Goes through what can happen next; how many histories ended.
fn explore(world: &World, writes: usize, deeds: &[Write]) -> usize {
    if writes == 0 {
        world.clone().check();
        return 1;
    }
    let mut ended = 0;
    for node in 0..world.nodes.len() {
        for write in deeds.iter().filter(|write| world.can(node, **write)) {
            let mut next = world.clone();
            next.write(node, *write);
            ended += explore(&next, writes - 1, deeds);
        }
    }
    for (from, to) in world.pending() {
        let mut next = world.clone();
        next.deliver(from, to);
        ended += explore(&next, writes, deeds);
    }
    ended
}

const MERGES: [Merge; 3] = [Merge::Row, Merge::Columns, Merge::Function];

#[test]
fn all_nodes_hold_the_same_after_updates() {
    for merge in MERGES {
        assert!(explore(&World::new(2, rules(merge), 1000), 4, &[Write::Add(1), Write::SetOne]) > 1000);
        assert!(explore(&World::new(3, rules(merge), 1000), 3, &[Write::Add(1), Write::SetTwo]) > 1000);
    }
}

#[test]
fn all_nodes_hold_the_same_around_deletions() {
    for merge in MERGES {
        assert!(explore(&World::new(2, rules(merge), 1000), 4, &[Write::Add(1), Write::Delete, Write::Insert]) > 1000);
        assert!(explore(&World::new(3, rules(merge), 1000), 3, &[Write::SetOne, Write::Delete, Write::Insert]) > 1000);
    }
}

#[test]
fn all_nodes_hold_the_same_where_sums_break_a_constraint() {
    for merge in [Merge::Row, Merge::Columns] {
        assert!(explore(&World::new(2, rules(merge), 16), 4, &[Write::Add(4), Write::Add(-3)]) > 1000);
    }
}

/// Takes minutes: run with `--ignored --release`.
#[test]
#[ignore = "long"]
fn five_writes() {
    let deeds = [Write::Add(1), Write::SetOne, Write::Delete, Write::Insert];
    for merge in MERGES {
        assert!(explore(&World::new(2, rules(merge), 1000), 5, &deeds) > 1000);
        assert!(explore(&World::new(3, rules(merge), 1000), 4, &deeds) > 1000);
    }
}
