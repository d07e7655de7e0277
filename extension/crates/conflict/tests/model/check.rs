//! What must hold when all has arrived.

use crate::fact::{Deed, NOBODY, Op, Stamp, bit};
use crate::network::{Action, World};
use crate::node::Node;
use crate::rules::Rules;

pub fn check(world: &World, rules: &Rules) -> Result<(), String> {
    if rules.events.steps_back > 0 {
        let mut proven = world.clone();
        proven.prove(rules)?;
        return proven.check(rules);
    }
    world.check(rules)
}

impl World {
    fn check(&self, rules: &Rules) -> Result<(), String> {
        self.equal()?;
        self.unique()?;
        self.nothing_lost(false)?;
        let found = |node: &Node| node.found_puts | node.found_removes | node.found_displaced;
        if rules.in_turn && self.nodes.iter().any(|node| found(node) != 0) {
            return Err("a conflict, and nobody wrote at the same time".into());
        }
        if rules.one_key_each {
            self.one_key_each()?;
        }
        if rules.before_images && rules.events.proofs == 0 && rules.events.steps_back == 0 {
            self.nothing_lost(true)?;
        }
        Ok(())
    }

    /// All that is under way arrives, and all keys are compared, until nothing changes any more.
    fn prove(&mut self, rules: &Rules) -> Result<(), String> {
        loop {
            loop {
                let Some(action) = self.work().next() else { break };
                self.step(action, rules)?;
            }
            let mut changed = false;
            for node in 0..self.nodes.len() as u8 {
                for key in 0..rules.keys {
                    changed |= self.adopt(node, key, rules);
                }
            }
            if !changed && self.quiet() {
                return Ok(());
            }
        }
    }

    fn equal(&self) -> Result<(), String> {
        let mut all = self.nodes.iter().map(|node| node.rows().collect::<Vec<_>>());
        let first = all.next().unwrap_or_default();
        if all.all(|rows| rows == first) { Ok(()) } else { Err("the nodes differ".into()) }
    }

    fn unique(&self) -> Result<(), String> {
        for node in &self.nodes {
            for (key, row, _) in node.rows() {
                if !node.has_room_for(key, &row, key) {
                    return Err(format!("node {} holds one unique value twice", node.id));
                }
            }
        }
        Ok(())
    }

    /// A row whose key two nodes changed stands under one key only, unless a later transaction has gone on from the key change
    /// that is undone: that is left to a person.
    fn one_key_each(&self) -> Result<(), String> {
        let undone = self.nodes.iter().fold(0, |set, node| set | node.undone_moves);
        let asked =
            |past: u64, here: Stamp| self.ops.iter().any(|op| op.stamp < here && undone & past & bit(op.id) != 0);
        let lines: Vec<_> = self.nodes[0].rows().map(|(key, row, at)| (key, self.ancestors(row.op), at)).collect();
        for (nth, (key, line, at)) in lines.iter().enumerate() {
            for (other, past, then) in &lines[nth + 1..] {
                if line & past != 0 && !asked(*line, *at) && !asked(*past, *then) {
                    return Err(format!("keys {key} and {other} have the same row"));
                }
            }
        }
        Ok(())
    }

    /// Each write is in the past of a row, or of a deletion that saw it, or was found to have lost: on some node, or on
    /// the one that wrote it.
    fn nothing_lost(&self, by_its_writer: bool) -> Result<(), String> {
        let found = |op: &Op, writer: u8, set: fn(&Node) -> u64| {
            let logs = |node: &&Node| !by_its_writer || writer == NOBODY || node.id == writer;
            self.nodes.iter().filter(logs).any(|node| set(node) & bit(op.id) != 0)
        };
        let displaced = self.nodes.iter().fold(0, |set, node| set | node.found_displaced);
        let last: Vec<(u8, u64)> = self.nodes[0].rows().map(|(key, row, _)| (key, self.ancestors(row.op))).collect();
        let mut kept = self.nodes[0].rows().fold(0, |set, (_, row, _)| set | bit(row.op));
        // Whoever finds a write, finds what it had replaced.
        let mut told = 0;
        let lost = |op: &Op, what| {
            let place = if by_its_writer { "on its node" } else { "anywhere" };
            Err(format!("write {} is lost and was not found {place}: {what}", op.id))
        };
        for op in self.ops.iter().rev() {
            let found_put = displaced & bit(op.id) != 0 || found(op, op.stamp.node, |node| node.found_puts);
            let found_remove = self.twins(op).any(|twin| found(twin, op.stamp.node, |node| node.found_removes))
                || found_put && matches!(op.deed, Deed::Move(_));
            if found_put || found_remove || told & bit(op.id) != 0 {
                told |= op.replaced;
            }
            // A clock that went back may make a deletion older than its row: that it was seen before the row, nobody can tell.
            let back = op.before.is_some_and(|before| self.ops[before.op as usize].stamp > op.stamp);
            if let (Some(before), Deed::Delete | Deed::Move(_), false) = (op.before, op.deed, back) {
                let lives = last.iter().any(|(key, past)| {
                    let here = op.deed == Deed::Delete || *key == op.key;
                    here && past & bit(before.op) != 0 && past & bit(op.id) == 0
                });
                if lives && !found_remove && (self.nodes.len() == 2 || !by_its_writer) && told & bit(op.id) == 0 {
                    return lost(op, "the row that it removed is there");
                }
            }
            match op.deed {
                Deed::Truncate | Deed::Delete => {}
                _ if found_put || (kept | told) & bit(op.id) != 0 => {}
                _ => return lost(op, "its row"),
            }
            kept |= op.replaced;
        }
        Ok(())
    }

    /// Deletions of the same row are one: the later stands for all.
    fn twins(&self, op: &Op) -> impl Iterator<Item = &Op> {
        let deletion = op.deed == Deed::Delete;
        let (id, key) = (op.id, op.key);
        self.ops
            .iter()
            .filter(move |other| other.id == id || deletion && other.deed == Deed::Delete && other.key == key)
    }

    fn ancestors(&self, op: u8) -> u64 {
        let mut past = bit(op);
        let mut before = self.ops[op as usize].before;
        while let Some(row) = before {
            past |= bit(row.op);
            before = self.ops[row.op as usize].before;
        }
        past
    }

    /// What is under way.
    pub fn work(&self) -> impl Iterator<Item = Action> + '_ {
        let nodes = 0..self.nodes.len() as u8;
        let pairs = nodes.clone().flat_map(move |from| nodes.clone().map(move |to| (from, to)));
        let deliveries = pairs.filter(|(from, to)| from != to && self.pending(*from, *to));
        let deliveries = deliveries.map(|(from, to)| Action::Deliver { from, to });
        let publishing = self.nodes.iter().filter(|node| !node.displaced.is_empty());
        let publishing = publishing.map(|node| Action::Publish { node: node.id });
        deliveries.chain(publishing)
    }
}
