//! What a node does with a write that arrives. The decisions are the crate's.

use conflict::{Change, LostMoves, Verdict, decide};

use crate::fact::{Deed, Held, KEYS, Message, Op, Part, Stamp, bit};
use crate::node::{Node, truncation};
use crate::rules::{Defect, Rules};

impl Node {
    /// A write of a peer arrives.
    pub fn apply(&mut self, op: &Op, ops: &[Op], rules: &Rules) -> Result<(), String> {
        self.seen |= bit(op.id);
        self.clock = self.clock.max(op.stamp.time);
        if !op.joins {
            self.lost_moves = LostMoves::default();
        }
        if op.deed == Deed::Truncate {
            return self.apply_truncate(op, ops, rules);
        }
        let held = self.holds(op.key);
        let mut lost = held.displaced() && held.stamp() == Some(op.stamp);
        for part in op.parts() {
            lost |= self.apply_part(&part, ops, rules)?;
        }
        if let Deed::Move(to) = op.deed {
            let verdict = self.decide(&held, op.stamp, rules);
            let undone = self.lost_moves.moves(&op.key, to, verdict, lost);
            if if rules.defect == Defect::MovedOnIgnored { lost } else { undone } {
                self.undo(to, op, rules);
            }
        } else if matches!(op.deed, Deed::Insert | Deed::Delete) {
            self.lost_moves.ends(&op.key);
        }
        Ok(())
    }

    /// The row that a losing key change put there is displaced on all nodes. Where that put none, what is there is later.
    fn undo(&mut self, key: u8, op: &Op, rules: &Rules) {
        match self.held[key as usize] {
            Held::Row { stamp, .. } if stamp == op.stamp => self.displace(key, rules),
            Held::Row { .. } => self.displaced.push(Message::Displaced { key, stamp: op.stamp }),
            _ => {}
        }
        self.undone_moves |= bit(op.id);
        self.found_displaced |= bit(op.id);
    }

    fn apply_part(&mut self, part: &Part, ops: &[Op], rules: &Rules) -> Result<bool, String> {
        let (op, key) = (part.op, part.key);
        let held = self.holds(key);
        let verdict = self.decide(&held, op.stamp, rules);
        self.find(&held, part, verdict, ops, rules)?;
        let mut lost = false;
        if let (Change::Move, Verdict::Loses, Some(winner)) =
            (part.change, verdict, self.own_winner(&held, part, ops, rules))
        {
            lost = true;
            unseen(op, &ops[winner as usize], ops)?;
        }
        let own = held.stamp().is_some_and(|here| here.node == self.id);
        if rules.defect == Defect::UndoneByItsWriter
            && matches!(held, Held::Gone { moved: true, .. })
            && (own && verdict.applies() && matches!(part.change, Change::Update | Change::Move))
            && let Some(moving) = held.op()
        {
            unseen(&ops[moving as usize], op, ops)?;
        }
        let deletes_too = part.change == Change::Delete
            && matches!(held, Held::Gone { op: other, displaced: false, .. } if ops[other as usize].stamp.node != op.stamp.node);
        if !verdict.applies() {
            if held.displaced() && held.stamp() == Some(op.stamp) && part.row.is_some() {
                // An earlier write of its transaction is displaced, and this one with it: it is logged.
                self.found_displaced |= bit(op.id);
            }
            if let Held::Gone { both_deleted, .. } = &mut self.held[key as usize] {
                *both_deleted |= deletes_too;
            }
            return Ok(lost);
        }
        self.line[key as usize].push(Some(op.id));
        match part.row {
            None => {
                self.held[key as usize] = self.written(part, deletes_too);
                self.remember_moved(part);
            }
            Some(_) if rules.defect == Defect::DisplacedLeavesOlder && self.early.contains(&(key, op.stamp)) => {}
            Some(row) => self.put(key, row, op.stamp, false, rules),
        }
        self.forget(key, rules);
        Ok(lost)
    }

    fn apply_truncate(&mut self, op: &Op, ops: &[Op], rules: &Rules) -> Result<(), String> {
        for key in 0..KEYS as u8 {
            let held = self.held[key as usize];
            let verdict = self.decide(&held, op.stamp, rules);
            if held.row().is_some() && verdict.applies() {
                let part = Part { op, key, change: Change::Delete, row: None };
                self.find(&held, &part, verdict, ops, rules)?;
            }
        }
        self.empty_by(op, rules);
        Ok(())
    }

    fn empty_by(&mut self, op: &Op, rules: &Rules) {
        for key in 0..KEYS {
            if self.decide(&self.held[key], op.stamp, rules).applies() {
                self.held[key] = Held::Absent;
                self.line[key].push(None);
            }
        }
        if self.decide(&self.truncated.unwrap_or(Held::Absent), op.stamp, rules).applies() {
            self.truncated = Some(truncation(op));
        }
    }

    fn decide(&self, held: &Held, arriving: Stamp, rules: &Rules) -> Verdict {
        let tie = held.stamp().is_some_and(|here| here.time == arriving.time && here.node == self.id);
        match rules.defect {
            Defect::ArrivalOrder => Verdict::Applies,
            Defect::LocalWinsTies if tie && arriving.node != self.id => Verdict::Loses,
            _ => decide(&held.state(), &arriving.version()),
        }
    }

    fn forget(&mut self, key: u8, rules: &Rules) {
        if rules.defect == Defect::NoTombstones && self.held[key as usize].row().is_none() {
            self.held[key as usize] = Held::Absent;
        }
    }
}

/// A key change that is undone lost its old key to a write of this node, which for certain had not seen it.
fn unseen(moving: &Op, winner: &Op, ops: &[Op]) -> Result<(), String> {
    if winner.saw(moving.id) || winner.goes_back_to(moving.id, moving.key, ops) {
        return Err("a key change is undone for a write that had seen it".into());
    }
    Ok(())
}
