//! One node: what it holds under the key, what its sessions write and what arrives.

use crate::world::{Defect, Marks, Rules, Write};
use conflict::{Change, Evidence, Kind, Known, State, Strategy, Verdict, Version, decide, find};

pub const NAMES: [&str; 3] = ["a", "b", "c"];

/// The write that made what is here; the first row of all is number 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Held {
    pub write: u8,
    pub adopted: bool,
}

/// A conflict that is not proven.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Entry {
    /// The strategy has to say which of the two stays, on all nodes.
    pub dispute: bool,
    /// A strategy decided it by which an earlier write may stay.
    pub provisional: bool,
    pub noted: Marks,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Node {
    pub id: u8,
    /// The setting has come.
    pub set: bool,
    pub held: Held,
    /// What stood here, one write over the other; it begins anew with what is adopted.
    line: Vec<u8>,
    pub open: Vec<Entry>,
    /// A peer asks to compare.
    pub asked: Option<Marks>,
    /// What this node has to adopt, over what, and since when it knows.
    pub pull: Option<(u8, u8, Marks)>,
    /// Tombstones: deletions made here, arrived or adopted, also those that lost to a later one here.
    stones: Vec<u8>,
    /// Writes that arrived and lost in a conflict.
    lost: Vec<u8>,
    /// Its log: what was here, and what arrived.
    pub logged: Vec<(u8, u8)>,
}

/// How far the later writes here could be followed back, as in lineage.rs.
struct Reach {
    same_row: bool,
    ours: bool,
    all_ours: bool,
}

impl Node {
    pub fn new(id: u8) -> Self {
        let held = Held { write: 0, adopted: false };
        Self {
            id,
            set: false,
            held,
            line: vec![0],
            open: Vec::new(),
            asked: None,
            pull: None,
            stones: Vec::new(),
            lost: Vec::new(),
            logged: Vec::new(),
        }
    }

    pub fn put(&mut self, write: &Write) {
        self.held = Held { write: write.id, adopted: false };
        self.line.push(write.id);
        self.remember(write);
    }

    pub fn adopt(&mut self, write: &Write) {
        self.held = Held { write: write.id, adopted: true };
        self.line.clear();
        self.remember(write);
    }

    fn remember(&mut self, write: &Write) {
        if write.change == Change::Delete && !self.stones.contains(&write.id) {
            self.stones.push(write.id);
        }
    }

    pub fn log(&mut self, one: u8, other: u8, entry: Entry) {
        self.logged.push((one, other));
        self.open.push(entry);
    }

    fn state(&self, writes: &[Write]) -> State {
        let write = &writes[self.held.write as usize];
        let known = Some(Known { version: write.version(), adopted: self.held.adopted });
        match write.change {
            Change::Delete => State::Gone { version: known, displaced: false },
            _ => State::Row(known),
        }
    }

    /// A write of a peer arrives: judge.rs.
    pub fn apply(&mut self, write: &Write, writes: &[Write], rules: &Rules, now: Marks) {
        let (others, strategy) = (rules.nodes > 2, rules.strategy(self.set));
        let (held, version) = (self.state(writes), write.version());
        let here = &writes[self.held.write as usize];
        let by_time = decide(&held, &version);
        let written_here = here.node == Some(self.id);
        let mut evidence = Evidence {
            written_here,
            may_have_overtaken: others,
            saw_what_is_here: write.before.filter(|_| here.change != Change::Delete).map(|row| row == here.id),
            both_deleted: self.last_stone(writes, write.node) < self.last_stone(writes, here.node)
                && self.stones.iter().any(|stone| writes[*stone as usize].node == write.node),
            inserted_again_here: write.change == Change::Delete && self.last_stone(writes, here.node).is_some(),
            ..Evidence::default()
        };
        let mut finding = find(&held, write.change, &version, by_time, evidence);
        if let Some(found) = finding
            && written_here
            && (by_time == Verdict::Loses && others || found.possible && by_time.applies() && write.before.is_some())
        {
            let reach = self.reach(write, writes);
            if by_time == Verdict::Loses {
                evidence.may_stand_on_it = !reach.as_ref().is_some_and(|reach| reach.ours && reach.all_ours);
            } else {
                evidence.may_have_overtaken &= !reach.is_some_and(|reach| reach.same_row);
            }
            finding = find(&held, write.change, &version, by_time, evidence);
        }
        let Some(finding) = finding else {
            if by_time.applies() {
                self.put(write);
            } else if write.change == Change::Delete
                && strategy.earlier_may_stay()
                && rules.defect != Defect::DeletionDropped
            {
                self.remember(write);
            }
            return;
        };
        let asked = strategy.decides(finding) && !(finding.possible && others);
        // Somebody else has deleted the row since, who may have seen what arrives, or what its node made of it.
        let ended = self
            .stones
            .iter()
            .map(|stone| &writes[*stone as usize])
            .filter(|stone| rules.defect != Defect::DeletionOfOneRow || stone.before == Some(write.id))
            .any(|stone| stone.time > write.time && stone.node != write.node && stone.node != Some(self.id));
        let asked = asked && !ended;
        let mut verdict = if asked { strategy.choose(&held, &version, by_time, written_here) } else { by_time };
        // This node had deleted the very row before that write, or the write goes on from one that has lost here.
        let before = self
            .stones
            .iter()
            .map(|stone| &writes[*stone as usize])
            .any(|stone| stone.time < write.time && stone.node == Some(self.id) && stone.before == write.before);
        let before = write.before.is_some_and(|row| before || self.lost.contains(&row));
        if asked && *strategy == Strategy::FirstWriteWins && before {
            verdict = Verdict::Loses;
        }
        if verdict == Verdict::Loses {
            self.lost.push(write.id);
        }
        let dispute = (!finding.possible || !others)
            && matches!(finding.kind, Kind::InsertInsert | Kind::UpdateUpdate | Kind::UpdateDelete);
        let provisional = asked && strategy.earlier_may_stay();
        self.log(here.id, write.id, Entry { dispute, provisional, noted: now });
        if verdict.applies() {
            if by_time == Verdict::Loses {
                self.stones.retain(|stone| {
                    let stone = &writes[*stone as usize];
                    stone.node != Some(self.id) || stone.time < write.time
                });
            }
            self.put(write);
        }
    }

    /// The latest deletion by a node that is remembered.
    fn last_stone(&self, writes: &[Write], node: Option<u8>) -> Option<Version> {
        let stones = self.stones.iter().map(|stone| &writes[*stone as usize]);
        stones.filter(|stone| stone.node == node).map(Write::version).max()
    }

    /// To the first of the writes here that are later than the one that arrives.
    fn reach(&self, write: &Write, writes: &[Write]) -> Option<Reach> {
        let mut all_ours = true;
        for pair in self.line.windows(2).rev() {
            let (before, later) = (&writes[pair[0] as usize], &writes[pair[1] as usize]);
            let ours = later.node == Some(self.id);
            all_ours &= ours;
            let same_row = write.before == Some(before.id) && later.change != Change::Insert;
            if same_row || before.time < write.time {
                return Some(Reach { same_row, ours, all_ours });
            }
        }
        None
    }
}

impl Write {
    pub fn version(&self) -> Version {
        Version::new(self.time, self.node.map_or("", |node| NAMES[node as usize]))
    }
}
