//! What nodes hold and send, small enough to be copied and compared by the million.

use std::sync::{Arc, OnceLock};

use conflict::{Change, Known, State, Version};

pub const NODES: usize = 4;
pub const KEYS: usize = 3;

/// The writer of the rows that are there before a history begins; never a member.
pub const NOBODY: u8 = NODES as u8;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stamp {
    pub time: i32,
    pub node: u8,
}

impl Stamp {
    pub fn version(self) -> Version {
        static NAMES: OnceLock<[Arc<str>; NODES + 1]> = OnceLock::new();
        let names = NAMES.get_or_init(|| ["a", "b", "c", "d", "z"].map(Arc::from));
        Version { time: self.time.into(), node: names[self.node as usize].clone() }
    }
}

/// Two columns with a unique index each (0: no value), and the write that put the row there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Row {
    pub u: u8,
    pub v: u8,
    pub op: u8,
}

impl Row {
    pub fn shares_a_value_with(&self, other: &Row) -> bool {
        self.u != 0 && self.u == other.u || self.v != 0 && self.v == other.v
    }
}

/// What a node holds under a key. `op` is the write that made it so: the checks look at it, nodes do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Held {
    Absent,
    Row { row: Row, stamp: Stamp, adopted: bool, unknown: bool },
    Gone { op: u8, stamp: Stamp, adopted: bool, displaced: bool, row: Option<Row>, moved: bool, both_deleted: bool },
}

impl Held {
    pub fn state(&self) -> State {
        let known = |stamp: &Stamp, adopted: &bool| Some(Known { version: stamp.version(), adopted: *adopted });
        match self {
            Self::Absent => State::Absent,
            Self::Row { unknown: true, .. } => State::Row(None),
            Self::Row { stamp, adopted, .. } => State::Row(known(stamp, adopted)),
            Self::Gone { stamp, adopted, displaced, .. } => {
                State::Gone { version: known(stamp, adopted), displaced: *displaced }
            }
        }
    }

    pub fn row(&self) -> Option<Row> {
        if let Self::Row { row, .. } = self { Some(*row) } else { None }
    }

    pub fn stamp(&self) -> Option<Stamp> {
        match self {
            Self::Absent | Self::Row { unknown: true, .. } => None,
            Self::Row { stamp, .. } | Self::Gone { stamp, .. } => Some(*stamp),
        }
    }

    pub fn op(&self) -> Option<u8> {
        match self {
            Self::Absent => None,
            Self::Row { row, .. } => Some(row.op),
            Self::Gone { op, .. } => Some(*op),
        }
    }

    pub fn displaced(&self) -> bool {
        matches!(self, Self::Gone { displaced: true, .. })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Deed {
    Insert,
    Update,
    Move(u8),
    Delete,
    Truncate,
}

/// A write as its node made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Op {
    pub id: u8,
    pub stamp: Stamp,
    pub deed: Deed,
    pub key: u8,
    pub before: Option<Row>,
    pub row: Option<Row>,
    /// The writes that had arrived at its node, as a set of ids. Only for the checks.
    pub seen: u64,
    /// The writes whose rows or tombstones it replaced at its node. Only for the checks.
    pub replaced: u64,
    /// The same under each key.
    pub over: [Option<u8>; KEYS],
    /// It is of the same transaction as the write before it.
    pub joins: bool,
}

impl Op {
    pub fn saw(&self, op: u8) -> bool {
        self.id == op || self.seen & bit(op) != 0
    }

    /// Whether what it did to a key goes back to what another write had done to it, on whatever nodes: through what it
    /// replaced, and through the row that it moved there.
    pub fn goes_back_to(&self, op: u8, key: u8, ops: &[Op]) -> bool {
        let mut past = [0; KEYS];
        past[key as usize] = bit(self.id);
        for later in ops[..=self.id as usize].iter().rev() {
            for key in 0..KEYS {
                if past[key] & bit(later.id) == 0 {
                    continue;
                }
                past[key] |= later.over[key].map_or(0, bit);
                if let (Some(before), Some(_)) = (later.before, later.row) {
                    past[later.key as usize] |= bit(before.op);
                }
            }
        }
        past[key as usize] & bit(op) != 0
    }
}

pub fn bit(op: u8) -> u64 {
    1 << op
}

/// What a write is at one key: a key change removes under the old and puts under the new.
#[derive(Clone, Copy)]
pub struct Part<'a> {
    pub op: &'a Op,
    pub key: u8,
    pub change: Change,
    pub row: Option<Row>,
}

impl Op {
    pub fn parts(&self) -> impl Iterator<Item = Part<'_>> {
        let part = |key, change, row| Some(Part { op: self, key, change, row });
        let (first, second) = match self.deed {
            Deed::Insert => (part(self.key, Change::Insert, self.row), None),
            Deed::Update => (part(self.key, Change::Update, self.row), None),
            Deed::Delete => (part(self.key, Change::Delete, None), None),
            Deed::Move(to) => (part(self.key, Change::Move, None), part(to, Change::Insert, self.row)),
            Deed::Truncate => (None, None),
        };
        first.into_iter().chain(second)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Message {
    Write(u8),
    /// A row that lost a unique value, everywhere.
    Displaced {
        key: u8,
        stamp: Stamp,
    },
    /// Something small with a commit time: who has applied it has seen all that was sent before.
    Beat {
        time: i32,
    },
}
