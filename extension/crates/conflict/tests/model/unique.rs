//! Rows that claim one unique value, and the set of displaced writes that all nodes get.

use conflict::{Clash, clash};

use crate::fact::{Held, Message, Row, Stamp, bit};
use crate::node::Node;
use crate::rules::{Defect, Rules};

impl Node {
    /// Puts a row that has won its key: it may still lose its values.
    pub fn put(&mut self, key: u8, row: Row, stamp: Stamp, adopted: bool, rules: &Rules) {
        self.held[key as usize] = Held::Row { row, stamp, adopted, unknown: false };
        if self.early.contains(&(key, stamp)) {
            return self.remove_displaced(key);
        }
        let holders: Vec<(u8, Row, Stamp)> =
            self.rows().filter(|(other, held, _)| *other != key && held.shares_a_value_with(&row)).collect();
        if holders.is_empty() {
            return;
        }
        let versions: Vec<_> = holders.iter().map(|(_, _, stamp)| stamp.version()).collect();
        match clash(&stamp.version(), versions.iter().map(Some)) {
            Clash::ArrivingGivesWay => self.displace(key, rules),
            Clash::HoldersGiveWay => holders.iter().for_each(|(other, ..)| self.displace(*other, rules)),
        }
    }

    pub fn displace(&mut self, key: u8, rules: &Rules) {
        let held = self.held[key as usize];
        if let (Some(row), Some(stamp)) = (held.row(), held.stamp()) {
            self.found_displaced |= bit(row.op);
            if rules.defect != Defect::DisplacedHereOnly {
                self.displaced.push(Message::Displaced { key, stamp });
            }
            self.remove_displaced(key);
        }
    }

    fn remove_displaced(&mut self, key: u8) {
        if let Held::Row { row, stamp, adopted, .. } = self.held[key as usize] {
            let (op, row) = (row.op, Some(row));
            self.line[key as usize].push(None);
            self.held[key as usize] =
                Held::Gone { op, stamp, adopted, displaced: true, row, moved: false, both_deleted: false };
        }
    }

    /// A peer says that a write is displaced.
    pub fn apply_displaced(&mut self, key: u8, stamp: Stamp, rules: &Rules) {
        self.clock = self.clock.max(stamp.time);
        match self.holds(key).stamp() {
            Some(here) if here == stamp => self.remove_displaced(key),
            Some(here) if here > stamp => {}
            _ if rules.defect == Defect::DisplacedForgotten => {}
            _ if self.early.contains(&(key, stamp)) => {}
            _ => self.early.push((key, stamp)),
        }
    }
}
