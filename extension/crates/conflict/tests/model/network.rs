//! The nodes and what is under way between them. What a node sends, all others get in that order; nothing is forwarded.

use std::hash::{Hash, Hasher};

use crate::fact::{Deed, KEYS, Message, NOBODY, NODES, Op, Row, Stamp, bit};
use crate::hash::Digest;
use crate::node::{Node, Wait};
use crate::rules::{Clocks, Events, Rules};

/// Between two writes, so that there is room for one of a clock that went back.
const TICK: i32 = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Write {
        node: u8,
        deed: Deed,
        key: u8,
        u: u8,
        v: u8,
        tie: bool,
        /// In the transaction of the write before.
        joins: bool,
    },
    Deliver {
        from: u8,
        to: u8,
    },
    /// The worker publishes the oldest displaced row.
    Publish {
        node: u8,
    },
    /// Begins to drop the tombstones that are here now.
    Drop {
        node: u8,
    },
    /// A new node, as a copy of this one.
    Copy {
        from: u8,
    },
    Proof {
        node: u8,
        key: u8,
    },
    StepBack {
        node: u8,
    },
}

impl Action {
    /// On which node.
    pub fn node(self) -> u8 {
        match self {
            Self::Deliver { to, .. } => to,
            Self::Copy { from } => from,
            Self::Write { node, .. }
            | Self::Publish { node }
            | Self::Drop { node }
            | Self::Proof { node, .. }
            | Self::StepBack { node } => node,
        }
    }
}

#[derive(Clone, Debug)]
pub struct World {
    pub nodes: Vec<Node>,
    /// What each node has sent, and up to where the others have applied it.
    pub sent: Vec<Vec<Message>>,
    pub applied: [[u8; NODES]; NODES],
    pub ops: Vec<Op>,
    pub now: i32,
    pub writes: u8,
    pub left: Events,
    /// The node whose last write may be followed by another one in its transaction: nothing has happened since.
    pub open: Option<u8>,
}

impl World {
    pub fn new(rules: &Rules) -> Self {
        let lagging = rules.clocks == Clocks::Lagging;
        let mut world = Self {
            nodes: (0..rules.nodes).map(|id| Node::new(id, lagging)).collect(),
            sent: vec![Vec::new(); rules.nodes.into()],
            applied: Default::default(),
            ops: Vec::new(),
            now: 0,
            writes: rules.writes,
            left: rules.events,
            open: None,
        };
        for (key, (u, v)) in rules.initial.iter().enumerate() {
            let id = key as u8;
            let row = Some(Row { u: *u, v: *v, op: id });
            let stamp = Stamp { time: 0, node: NOBODY };
            let op = Op {
                id,
                stamp,
                deed: Deed::Insert,
                key: id,
                before: None,
                row,
                seen: 0,
                replaced: 0,
                over: [None; KEYS],
                joins: false,
            };
            world.nodes.iter_mut().for_each(|node| node.write(&op));
            world.ops.push(op);
        }
        world
    }

    pub fn pending(&self, from: u8, to: u8) -> bool {
        (self.applied[from as usize][to as usize] as usize) < self.sent[from as usize].len()
    }

    /// Whether what arrives on one node means nothing to the others.
    pub fn local(&self, rules: &Rules) -> bool {
        !rules.in_turn && self.left.proofs == 0 && self.nodes.iter().all(|node| node.drop.is_none())
    }

    pub fn quiet(&self) -> bool {
        let nodes = 0..self.nodes.len() as u8;
        nodes.clone().all(|from| nodes.clone().all(|to| from == to || !self.pending(from, to)))
            && self.nodes.iter().all(|node| node.displaced.is_empty())
    }

    /// The same for worlds that cannot be told apart from now on.
    pub fn digest(&self) -> u128 {
        let mut digest = Digest::default();
        self.nodes.hash(&mut digest);
        self.ops.hash(&mut digest);
        (self.now, self.writes, self.left, self.open).hash(&mut digest);
        for (from, sent) in self.sent.iter().enumerate() {
            let applied = &self.applied[from][..self.nodes.len()];
            let others = applied.iter().enumerate().filter(|(to, _)| *to != from).map(|(_, applied)| *applied);
            let least = others.clone().min().unwrap_or(0);
            sent[least as usize..].hash(&mut digest);
            for applied in others {
                digest.write_u8(applied - least);
            }
        }
        digest.value()
    }

    pub fn step(&mut self, action: Action, rules: &Rules) -> Result<(), String> {
        self.open = None;
        match action {
            Action::Write { node, deed, key, u, v, tie, joins } => {
                self.writes -= 1;
                self.open = rules.transactions.then_some(node);
                self.write(node, deed, key, (u, v), tie, joins);
            }
            Action::Deliver { from, to } => self.deliver(from, to, rules)?,
            Action::Publish { node } => self.publish(node),
            Action::Drop { node } => self.begin_drop(node, rules),
            Action::Copy { from } => self.copy(from, rules),
            Action::Proof { node, key } => {
                self.left.proofs -= 1;
                self.adopt(node, key, rules);
            }
            Action::StepBack { node } => {
                self.left.steps_back -= 1;
                let node = &mut self.nodes[node as usize];
                (node.clock, node.lagging) = ((node.clock - 3 * TICK).max(0), true);
            }
        }
        if !rules.worker {
            for node in 0..self.nodes.len() as u8 {
                while !self.nodes[node as usize].displaced.is_empty() {
                    self.publish(node);
                }
            }
        }
        self.end_drops(rules);
        Ok(())
    }

    fn write(&mut self, node: u8, deed: Deed, key: u8, (u, v): (u8, u8), tie: bool, joins: bool) {
        let id = self.ops.len() as u8;
        let here = &self.nodes[node as usize];
        let mut time = match (here.lagging, tie) {
            (true, _) => here.clock + TICK,
            (false, true) => self.now,
            (false, false) => self.now + TICK,
        };
        let row = (!matches!(deed, Deed::Delete | Deed::Truncate)).then_some(Row { u, v, op: id });
        // A clock that went back does not show the same microsecond to two transactions.
        while !joins && self.ops.iter().any(|op| op.stamp == Stamp { time, node }) {
            time += 1;
        }
        if let Some(last) = self.ops.last().filter(|_| joins) {
            time = last.stamp.time;
        }
        let stamp = Stamp { time, node };
        let to = if let Deed::Move(to) = deed { to } else { key };
        let touches = |other: &u8| deed == Deed::Truncate || *other == key || *other == to;
        let over = std::array::from_fn(|key| Some(key as u8).filter(touches).and_then(|key| here.holds(key).op()));
        let replaced = over.iter().flatten().fold(0, |set, op| set | bit(*op));
        let before = if matches!(deed, Deed::Insert | Deed::Truncate) { None } else { here.held[key as usize].row() };
        let op = Op { id, stamp, deed, key, before, row, seen: here.seen, replaced, over, joins };
        self.now = self.now.max(time);
        self.nodes[node as usize].write(&op);
        self.sent[node as usize].push(Message::Write(id));
        self.ops.push(op);
    }

    fn deliver(&mut self, from: u8, to: u8, rules: &Rules) -> Result<(), String> {
        let applied = &mut self.applied[from as usize][to as usize];
        let message = self.sent[from as usize][*applied as usize];
        *applied += 1;
        let confirmed = Wait::Stream(self.sent[to as usize].len() as u8);
        let node = &mut self.nodes[to as usize];
        match message {
            Message::Write(op) => {
                let op = &self.ops[op as usize];
                node.apply(op, &self.ops, rules)?;
                // A transaction arrives as a whole.
                let next = self.sent[from as usize].get(self.applied[from as usize][to as usize] as usize);
                if matches!(next, Some(Message::Write(next)) if self.ops[*next as usize].joins) {
                    return self.deliver(from, to, rules);
                }
            }
            Message::Displaced { key, stamp } => node.apply_displaced(key, stamp, rules),
            Message::Beat { time } => {
                node.clock = node.clock.max(time);
                if let Some(drop) = &mut self.nodes[from as usize].drop {
                    drop.waits[to as usize] = confirmed;
                }
            }
        }
        Ok(())
    }

    fn publish(&mut self, node: u8) {
        let message = self.nodes[node as usize].displaced.remove(0);
        self.sent[node as usize].push(message);
    }
}
