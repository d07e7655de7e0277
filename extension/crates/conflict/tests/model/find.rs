//! What a node logs: which writes it finds to have lost. A write found "for certain" must be a conflict.

use conflict::{Change, Evidence, Kind, Verdict, find};

use crate::fact::{Deed, Held, Op, Part, Row, bit};
use crate::node::Node;
use crate::rules::{Defect, Rules};

/// How far the writes of a key that are later than the arriving one go back.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// To the first of them, which replaced the very row that the arriving one replaced, or only something older than that.
    First {
        first: u8,
        same_row: bool,
        all_own: bool,
    },
    Unknown,
}

impl Part<'_> {
    /// The row before, as it is sent.
    fn before(&self, rules: &Rules) -> Option<Row> {
        if self.change == Change::Insert || !rules.before_images { None } else { self.op.before }
    }
}

impl Node {
    pub fn find(
        &mut self,
        held: &Held,
        part: &Part,
        verdict: Verdict,
        ops: &[Op],
        rules: &Rules,
    ) -> Result<(), String> {
        let Some(here) = held.op() else { return Ok(()) };
        let op = part.op;
        let before = part.before(rules);
        let (mut both, mut moved) = (false, false);
        if let Held::Gone { both_deleted, moved: away, .. } = held {
            (both, moved) = (*both_deleted, *away);
        }
        let reach = self.reach(held, part, ops, rules);
        let may_displace = part.change == Change::Insert && rules.worker && rules.values.len() > 1;
        let may_overtake =
            rules.defect != Defect::OvertakingIgnored && (may_displace || rules.nodes + rules.events.copies > 2);
        let evidence = Evidence {
            saw_what_is_here: before.map(|before| held.row() == Some(before)),
            written_here: held.stamp().is_some_and(|stamp| stamp.node == self.id),
            may_have_overtaken: may_overtake && !matches!(reach, Reach::First { same_row: true, .. }),
            may_stand_on_it: self.may_stand_on(held, part, ops, rules),
            both_deleted: both,
            inserted_again_here: false,
            truncated: self.held[part.key as usize] == Held::Absent,
            moved_away: moved || before.is_some_and(|before| self.moved.contains(&(part.key, before))),
        };
        let finding = find(&held.state(), part.change, &op.stamp.version(), verdict, evidence);
        let Some(finding) = finding.filter(|_| rules.defect != Defect::Silent) else { return Ok(()) };
        // Where a clock went back, an earlier write may have seen a later one.
        let certain = !finding.possible && rules.events.steps_back == 0;
        let other = &ops[here as usize];
        let goes_back = |later: &Op, earlier: u8| later.saw(earlier) || later.goes_back_to(earlier, part.key, ops);
        let seen = goes_back(op, here) || goes_back(other, op.id);
        // That a peer has undone the key change which put the row here may be on its way.
        let perhaps_undone = rules.worker && other.deed == Deed::Move(part.key);
        if certain && seen && !perhaps_undone {
            return Err(format!(
                "{:?}, not only possible, although one of the writes had seen the other",
                finding.kind
            ));
        }
        if finding.kind == Kind::KeyUpdate {
            // The entry has both sides, and either may be the one whose row goes in the end.
            self.found(part.row.is_some(), op.id);
            self.found(held.row().is_some(), here);
        }
        match (verdict, held) {
            (Verdict::Loses, _) => self.found(part.row.is_some(), op.id),
            (_, held) => self.found(held.row().is_some(), here),
        }
        Ok(())
    }

    /// Whether what was written here may stand on what arrives, through a third node or an adoption.
    fn may_stand_on(&self, held: &Held, part: &Part, ops: &[Op], rules: &Rules) -> bool {
        self.doubts(part, rules) && !matches!(self.reach(held, part, ops, rules), Reach::First { all_own: true, .. })
    }

    fn doubts(&self, part: &Part, rules: &Rules) -> bool {
        let mut adopted = self.adopted.iter().filter(|_| rules.defect != Defect::AdoptionForgotten);
        rules.defect != Defect::StandingIgnored
            && (rules.nodes + rules.events.copies > 2 || adopted.any(|(_, stamp)| *stamp >= part.op.stamp))
    }

    /// This node's own write that beat an arriving one and for certain had not seen it.
    pub fn own_winner(&self, held: &Held, part: &Part, ops: &[Op], rules: &Rules) -> Option<u8> {
        let own = |op: &u8| ops[*op as usize].stamp.node == self.id;
        if !self.doubts(part, rules) {
            return held.op().filter(own);
        }
        let first = match self.reach(held, part, ops, rules) {
            Reach::First { first, .. } => Some(first).filter(own),
            Reach::Unknown => None,
        };
        first.or_else(|| self.took_away(part, ops, rules))
    }

    /// This node's own write that took away the very row which the arriving one moves.
    fn took_away(&self, part: &Part, ops: &[Op], rules: &Rules) -> Option<u8> {
        let before = part.before(rules)?;
        self.line[part.key as usize].iter().flatten().copied().find(|op| {
            let own = &ops[*op as usize];
            let gone = matches!(own.deed, Deed::Delete | Deed::Move(_)) && own.key == part.key;
            gone && own.stamp.node == self.id && own.before == Some(before) && own.stamp.time >= part.op.stamp.time
        })
    }

    fn reach(&self, held: &Held, part: &Part, ops: &[Op], rules: &Rules) -> Reach {
        if matches!(held, Held::Row { adopted: true, .. } | Held::Gone { adopted: true, .. }) || held.displaced() {
            return Reach::Unknown;
        }
        let (before, mut all_own) = (part.before(rules), true);
        let mut first: Option<u8> = None;
        for link in self.line[part.key as usize].iter().rev() {
            let Some(op) = link.map(|op| &ops[op as usize]) else { return Reach::Unknown };
            if let Some(first) = first {
                let same_row = before.is_some_and(|row| row.op == op.id && op.row.is_some());
                if same_row || op.stamp.time < part.op.stamp.time {
                    return Reach::First { first, same_row, all_own };
                }
            }
            if op.deed == Deed::Move(part.key) {
                // It brings along all that it had seen under its other keys.
                return Reach::Unknown;
            }
            all_own &= op.stamp.node == self.id;
            first = Some(op.id);
        }
        first.map_or(Reach::Unknown, |first| Reach::First { first, same_row: false, all_own })
    }

    pub fn found(&mut self, put: bool, op: u8) {
        if put {
            self.found_puts |= bit(op);
        } else {
            self.found_removes |= bit(op);
        }
    }
}
