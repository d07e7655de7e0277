//! The nodes and what is under way between them.

use crate::node::Node;
use conflict::{Change, Strategy};

pub const NODES: usize = 3;

/// In the stream: not a write, but the table's new strategy.
pub const SETTING: u8 = u8::MAX;

/// How much each node had sent at some moment.
pub type Marks = [u8; NODES];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Write {
    pub id: u8,
    /// None: there from the start.
    pub node: Option<u8>,
    pub time: i64,
    pub change: Change,
    /// The row that it replaced on its own node.
    pub before: Option<u8>,
    /// What stood on its own node: that row, or a deletion.
    pub over: u8,
}

/// A defect, planted to see the checks find it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Defect {
    None,
    /// Nodes that agree are proven, whatever is under way.
    ProvenAtOnce,
    /// Those that know of no conflict are not asked to compare.
    NobodyIsAsked,
    /// What differs by the strategy is brought to the latest write on each node that knows of no conflict itself.
    OwnRule,
    /// A deletion that loses to another one is not remembered, and the row comes back which that had seen.
    DeletionDropped,
    /// A deletion stands against the write of the very row that it deleted only, not against those which that stands on.
    DeletionOfOneRow,
    /// Whether a conflict may be proven at once goes by the table's strategy of then, not by the one that decided it.
    ProvenByTheNew,
    /// Conflicts are not logged.
    Silent,
}

#[derive(Clone, Debug)]
pub struct Rules {
    pub nodes: usize,
    pub writes: u8,
    /// How often nodes compare while writes are under way; in the end as often as needed.
    pub proofs: u8,
    pub strategy: Strategy,
    /// One that somebody may give the table meanwhile; it travels with the writes.
    pub then: Option<Strategy>,
    pub defect: Defect,
}

impl Rules {
    /// The strategy of a node to which the setting has come, or not.
    pub fn strategy(&self, set: bool) -> &Strategy {
        self.then.as_ref().filter(|_| set).unwrap_or(&self.strategy)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Set { node: u8 },
    Write { node: u8, change: Change },
    Deliver { from: u8, to: u8 },
    Prove { node: u8 },
}

#[derive(Clone, Debug)]
pub struct World {
    pub nodes: Vec<Node>,
    pub writes: Vec<Write>,
    pub sent: Vec<Vec<u8>>,
    pub applied: [[u8; NODES]; NODES],
    pub proofs: u8,
}

impl World {
    pub fn new(rules: &Rules) -> Self {
        let first = Write { id: 0, node: None, time: 0, change: Change::Insert, before: None, over: 0 };
        Self {
            nodes: (0..rules.nodes as u8).map(Node::new).collect(),
            writes: vec![first],
            sent: vec![Vec::new(); rules.nodes],
            applied: Default::default(),
            proofs: rules.proofs,
        }
    }

    /// How much has been sent by now.
    pub fn now(&self) -> Marks {
        std::array::from_fn(|node| self.sent.get(node).map_or(0, |sent| sent.len() as u8))
    }

    /// Whether all nodes have received what had been sent then.
    pub fn received(&self, marks: &Marks) -> bool {
        let nodes = 0..self.nodes.len();
        nodes.clone().all(|from| nodes.clone().all(|to| from == to || self.applied[from][to] >= marks[from]))
    }

    pub fn row_is_gone(&self, node: usize) -> bool {
        self.writes[self.nodes[node].held.write as usize].change == Change::Delete
    }

    /// What can happen next.
    pub fn actions(&self, rules: &Rules) -> Vec<Action> {
        let mut actions = Vec::new();
        for node in 0..self.nodes.len() as u8 {
            if self.writes.len() <= rules.writes.into() {
                let changes: &[Change] =
                    if self.row_is_gone(node.into()) { &[Change::Insert] } else { &[Change::Update, Change::Delete] };
                actions.extend(changes.iter().map(|change| Action::Write { node, change: *change }));
            }
            if rules.then.is_some() && !self.sent.iter().flatten().any(|sent| *sent == SETTING) {
                actions.push(Action::Set { node });
            }
            if self.proofs > 0 && self.has_to_compare(node.into()) {
                actions.push(Action::Prove { node });
            }
            for to in 0..self.nodes.len() as u8 {
                if usize::from(self.applied[node as usize][to as usize]) < self.sent[node as usize].len() && to != node
                {
                    actions.push(Action::Deliver { from: node, to });
                }
            }
        }
        actions
    }

    pub fn has_to_compare(&self, node: usize) -> bool {
        !self.nodes[node].open.is_empty() || self.nodes[node].asked.is_some()
    }

    pub fn step(&mut self, action: Action, rules: &Rules) {
        match action {
            Action::Write { node, change } => self.write(node, change),
            Action::Deliver { from, to } => {
                let (from, to) = (from as usize, to as usize);
                let sent = self.sent[from][self.applied[from][to] as usize];
                self.applied[from][to] += 1;
                if sent == SETTING {
                    self.nodes[to].set = true;
                    return;
                }
                let write = self.writes[sent as usize];
                let now = self.now();
                self.nodes[to].apply(&write, &self.writes, rules, now);
                if rules.defect == Defect::Silent {
                    self.nodes[to].open.clear();
                    self.nodes[to].logged.clear();
                }
            }
            Action::Set { node } => {
                self.nodes[node as usize].set = true;
                self.sent[node as usize].push(SETTING);
            }
            Action::Prove { node } => {
                self.proofs -= 1;
                self.prove(node.into(), rules);
            }
        }
    }

    fn write(&mut self, node: u8, change: Change) {
        let over = self.nodes[node as usize].held.write;
        let before = if self.row_is_gone(node.into()) { None } else { Some(over) };
        let id = self.writes.len() as u8;
        self.writes.push(Write { id, node: Some(node), time: id.into(), change, before, over });
        let write = self.writes[id as usize];
        self.nodes[node as usize].put(&write);
        self.sent[node as usize].push(id);
    }
}
