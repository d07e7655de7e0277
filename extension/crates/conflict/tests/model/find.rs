//! What a node logs: which writes it finds to have lost. A write found "for certain" must be a conflict.

use conflict::{Change, Evidence, Kind, Verdict, find};

use crate::fact::{Held, Op, Part, bit};
use crate::node::Node;
use crate::rules::{Defect, Rules};

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
        let before = if part.change == Change::Insert || !rules.before_images { None } else { op.before };
        let (mut both, mut moved, mut gone) = (false, false, None);
        if let Held::Gone { both_deleted, moved: away, row, .. } = held {
            (both, moved, gone) = (*both_deleted, *away, *row);
        }
        let may_displace = part.change == Change::Insert && rules.worker && rules.values.len() > 1;
        let may_overtake =
            rules.defect != Defect::OvertakingIgnored && (may_displace || rules.nodes + rules.events.copies > 2);
        let evidence = Evidence {
            saw_what_is_here: before.map(|before| held.row() == Some(before)),
            written_here: held.stamp().is_some_and(|stamp| stamp.node == self.id),
            may_have_overtaken: may_overtake && (before.is_none() || gone != before),
            adopted_before: self.adopted_before(part, rules),
            both_deleted: both,
            inserted_again_here: false,
            truncated: self.held[part.key as usize] == Held::Absent,
            moved_away: moved || before.is_some_and(|before| self.moved.contains(&(part.key, before))),
        };
        let finding = find(&held.state(), part.change, &op.stamp.version(), verdict, evidence);
        let Some(finding) = finding.filter(|_| rules.defect != Defect::Silent) else { return Ok(()) };
        // Where a clock went back, an earlier write may have seen a later one.
        let certain = !finding.possible && rules.events.steps_back == 0;
        if certain && (op.saw(here) || ops[here as usize].saw(op.id)) {
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

    pub fn adopted_before(&self, part: &Part, rules: &Rules) -> bool {
        rules.defect != Defect::AdoptionForgotten
            && self.adopted.iter().any(|(key, stamp)| *key == part.key && *stamp >= part.op.stamp)
    }

    pub fn found(&mut self, put: bool, op: u8) {
        if put {
            self.found_puts |= bit(op);
        } else {
            self.found_removes |= bit(op);
        }
    }
}
