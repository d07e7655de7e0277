//! One node: what it holds, and what its own sessions write.

use conflict::{Change, LostMoves};

use crate::fact::{Deed, Held, KEYS, Message, NODES, Op, Part, Row, Stamp, bit};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Node {
    pub id: u8,
    pub held: [Held; KEYS],
    /// The tombstone of the whole table.
    pub truncated: Option<Held>,
    /// Displaced writes that have not arrived here.
    pub early: Vec<(u8, Stamp)>,
    /// The clock has been seen to be here.
    pub clock: i32,
    pub lagging: bool,
    /// The writes of each key in the order in which this node put them one over the other; None where that is not known.
    pub line: [Vec<Option<u8>>; KEYS],
    /// To be published by the worker.
    pub displaced: Vec<Message>,
    /// Where the transaction that arrives has moved rows in vain.
    pub lost_moves: LostMoves<u8>,
    /// Rows that key changes took away, as long as their tombstones are kept.
    pub moved: Vec<(u8, Row)>,
    /// What was adopted, as long as older writes may still arrive.
    pub adopted: Vec<(u8, Stamp)>,
    pub drop: Option<Drop>,
    /// What has arrived, and what was found to be lost here. Only for the checks.
    pub seen: u64,
    pub found_puts: u64,
    pub found_removes: u64,
    pub found_displaced: u64,
    pub undone_moves: u64,
}

/// Tombstones that are dropped when all peers have confirmed a beat, and all that they had sent by then has arrived.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Drop {
    pub gone: Vec<(u8, Stamp)>,
    pub early: Vec<(u8, Stamp)>,
    pub moved: Vec<(u8, Row)>,
    pub truncated: Option<Stamp>,
    pub waits: [Wait; NODES],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Wait {
    Nothing,
    Confirmation,
    /// The peer's stream up to this message.
    Stream(u8),
}

impl Node {
    pub fn new(id: u8, lagging: bool) -> Self {
        Self {
            id,
            held: [Held::Absent; KEYS],
            truncated: None,
            early: Vec::new(),
            line: Default::default(),
            clock: 0,
            lagging,
            displaced: Vec::new(),
            lost_moves: LostMoves::default(),
            moved: Vec::new(),
            adopted: Vec::new(),
            drop: None,
            seen: 0,
            found_puts: 0,
            found_removes: 0,
            found_displaced: 0,
            undone_moves: 0,
        }
    }

    pub fn holds(&self, key: u8) -> Held {
        match (self.held[key as usize], self.truncated) {
            (Held::Absent, Some(truncated)) => truncated,
            (held, _) => held,
        }
    }

    pub fn rows(&self) -> impl Iterator<Item = (u8, Row, Stamp)> + '_ {
        self.held.iter().enumerate().filter_map(|(key, held)| match held {
            Held::Row { row, stamp, .. } => Some((key as u8, *row, *stamp)),
            _ => None,
        })
    }

    /// Whether a session here could write the row under this key, beside `instead_of`.
    pub fn has_room_for(&self, key: u8, row: &Row, instead_of: u8) -> bool {
        self.rows().all(|(other, held, _)| other == key || other == instead_of || !held.shares_a_value_with(row))
    }

    /// A session's write, which has been checked.
    pub fn write(&mut self, op: &Op) {
        self.seen |= bit(op.id);
        self.clock = self.clock.max(op.stamp.time);
        if op.deed == Deed::Truncate {
            return self.empty(op);
        }
        for part in op.parts() {
            self.held[part.key as usize] = self.written(&part, false);
            self.line[part.key as usize].push(Some(op.id));
            self.remember_moved(&part);
        }
    }

    pub fn remember_moved(&mut self, part: &Part) {
        if let (Change::Move, Some(row)) = (part.change, part.op.before) {
            self.moved.push((part.key, row));
        }
    }

    fn empty(&mut self, op: &Op) {
        self.held = [Held::Absent; KEYS];
        self.line.iter_mut().for_each(|line| line.push(None));
        self.truncated = Some(truncation(op));
    }

    pub fn written(&self, part: &Part, both_deleted: bool) -> Held {
        let op = part.op;
        match part.row {
            Some(row) => Held::Row { row, stamp: op.stamp, adopted: false, unknown: false },
            None => Held::Gone {
                op: op.id,
                stamp: op.stamp,
                adopted: false,
                displaced: false,
                row: op.before,
                moved: part.change == Change::Move,
                both_deleted,
            },
        }
    }
}

pub fn truncation(op: &Op) -> Held {
    let (op, stamp) = (op.id, op.stamp);
    Held::Gone { op, stamp, adopted: false, displaced: false, row: None, moved: false, both_deleted: false }
}
