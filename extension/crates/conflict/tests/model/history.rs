//! What can happen next.

use crate::fact::{Deed, NOBODY, NODES, Row};
use crate::network::{Action, World};
use crate::node::Node;
use crate::rules::{Clocks, Rules};

impl World {
    pub fn choices(&self, rules: &Rules) -> Vec<Action> {
        let mut choices: Vec<Action> = self.work().collect();
        if self.writes > 0 && (!rules.in_turn || self.quiet()) {
            let (nodes, keys) = self.in_order_of_use(rules);
            for node in &self.nodes[..nodes as usize] {
                self.add_writes(node, keys, rules, &mut choices);
            }
        }
        self.add_events(rules, &mut choices);
        choices
    }

    /// How many of the nodes and keys may be used next: one that has not been used is like any other such.
    fn in_order_of_use(&self, rules: &Rules) -> (u8, u8) {
        let next = |used: Option<u8>, all: u8| used.map_or(1, |used| used + 2).min(all);
        let writers = self.ops.iter().map(|op| op.stamp.node).filter(|node| *node != NOBODY);
        let keys = self.ops.iter().flat_map(|op| [op.key, if let Deed::Move(to) = op.deed { to } else { 0 }]);
        let nodes = self.nodes.len() as u8;
        (if rules.symmetric() { next(writers.max(), nodes) } else { nodes }, next(keys.max(), rules.keys))
    }

    fn add_writes(&self, node: &Node, keys: u8, rules: &Rules, choices: &mut Vec<Action>) {
        let (deeds, id) = (rules.deeds, node.id);
        let joins = self.open == Some(id);
        let can_tie = rules.clocks == Clocks::Ties && node.clock < self.now;
        let mut add = |deed, key, u, v| {
            choices.push(Action::Write { node: id, deed, key, u, v, tie: false, joins: false });
            if joins {
                choices.push(Action::Write { node: id, deed, key, u, v, tie: false, joins });
            }
            if can_tie {
                choices.push(Action::Write { node: id, deed, key, u, v, tie: true, joins: false });
            }
        };
        for key in 0..keys {
            let held = node.held[key as usize].row();
            let room = |key, u, v, instead| node.has_room_for(key, &Row { u, v, op: 0 }, instead);
            let deed = if held.is_some() { Deed::Update } else { Deed::Insert };
            if if held.is_some() { deeds.update } else { deeds.insert } {
                for (u, v) in rules.values.iter().filter(|(u, v)| room(key, *u, *v, key)) {
                    add(deed, key, *u, *v);
                }
            }
            let Some(row) = held else { continue };
            if deeds.delete {
                add(Deed::Delete, key, 0, 0);
            }
            if deeds.moves {
                for to in (0..keys).filter(|to| node.held[*to as usize].row().is_none()) {
                    add(Deed::Move(to), key, row.u, row.v);
                }
            }
        }
        if deeds.truncate && !self.ops.is_empty() {
            add(Deed::Truncate, 0, 0, 0);
        }
    }

    fn add_events(&self, rules: &Rules, choices: &mut Vec<Action>) {
        let nodes = 0..self.nodes.len() as u8;
        for node in nodes {
            if self.left.proofs > 0 {
                choices.extend((0..rules.keys).map(|key| Action::Proof { node, key }));
            }
            let here = &self.nodes[node as usize];
            if self.left.drops > 0 && here.drop.is_none() && here.displaced.is_empty() {
                choices.push(Action::Drop { node });
            }
            if self.left.copies > 0 && self.nodes.len() < NODES {
                choices.push(Action::Copy { from: node });
            }
            if self.left.steps_back > 0 && here.clock > 0 {
                choices.push(Action::StepBack { node });
            }
        }
    }
}
