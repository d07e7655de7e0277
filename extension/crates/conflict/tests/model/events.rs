//! What happens to nodes beside writes: tombstones are dropped, a node is copied, a key is compared and adopted.

use crate::fact::{Deed, Held, KEYS, Message, NODES, Stamp, bit};
use crate::network::World;
use crate::node::{Drop, Node, Wait};
use crate::rules::{Defect, Rules};

impl World {
    /// The tombstones that are here now are dropped when all have confirmed a beat sent now.
    pub fn begin_drop(&mut self, node: u8, rules: &Rules) {
        self.left.drops -= 1;
        let mut waits = [Wait::Nothing; NODES];
        (0..self.nodes.len()).filter(|peer| *peer != node as usize).for_each(|peer| waits[peer] = Wait::Confirmation);
        let here = &mut self.nodes[node as usize];
        let gone = (0..KEYS as u8).zip(&here.held).filter(|(_, held)| held.row().is_none());
        let gone = gone.filter_map(|(key, held)| Some((key, held.stamp()?))).collect();
        let truncated = here.truncated.and_then(|held| held.stamp());
        here.drop = Some(Drop { gone, early: here.early.clone(), truncated, moved: here.moved.clone(), waits });
        let time = if rules.defect == Defect::ConfirmedWithoutBeat { 0 } else { here.clock };
        self.sent[node as usize].push(Message::Beat { time });
    }

    pub fn end_drops(&mut self, rules: &Rules) {
        for node in 0..self.nodes.len() {
            let Some(drop) = &self.nodes[node].drop else { continue };
            let done = (0..self.nodes.len()).all(|peer| match drop.waits[peer] {
                Wait::Nothing => true,
                Wait::Confirmation => false,
                Wait::Stream(end) => self.applied[peer][node] >= end || rules.defect == Defect::DroppedOnConfirmation,
            });
            if done {
                self.nodes[node].drop_tombstones();
            }
        }
    }

    /// A third node as a copy of one, with versions and tombstones; each stream goes on where the copied snapshot stands.
    pub fn copy(&mut self, from: u8, rules: &Rules) {
        self.left.copies -= 1;
        let (from, id) = (from as usize, self.nodes.len());
        let mut copy = Node { id: id as u8, ..Node::new(id as u8, self.nodes[from].lagging) };
        let source = &self.nodes[from];
        copy.held = source.held;
        copy.line = std::array::from_fn(|_| vec![None]);
        copy.truncated = source.truncated;
        copy.early = source.early.clone();
        copy.adopted = source.adopted.clone();
        copy.moved = source.moved.clone();
        copy.clock = source.clock;
        copy.seen = source.seen;
        for held in &mut copy.held {
            match (held, rules.defect) {
                (Held::Row { unknown, .. }, Defect::CopiedWithoutVersions) => *unknown = true,
                (held @ Held::Gone { .. }, Defect::CopiedWithoutTombstones) => *held = Held::Absent,
                _ => {}
            }
        }
        self.nodes.push(copy);
        self.sent.push(Vec::new());
        for peer in 0..id {
            self.applied[peer][id] = if peer == from { self.sent[from].len() as u8 } else { self.applied[peer][from] };
            let ahead = &self.sent[peer][self.applied[peer][id] as usize..];
            if ahead.iter().any(|message| matches!(message, Message::Beat { .. }))
                && let Some(drop) = &mut self.nodes[peer].drop
            {
                drop.waits[id] = Wait::Confirmation;
            }
        }
    }

    /// Compares a key with all peers and adopts the greatest, if it is greater than what is here.
    pub fn adopt(&mut self, node: u8, key: u8, rules: &Rules) -> bool {
        let here = self.nodes[node as usize].holds(key);
        let rank = |held: &Held| held.stamp().map(|stamp| (stamp, held.displaced()));
        let mut others = self.nodes.iter().filter(|other| other.id != node).map(|other| other.holds(key));
        let greatest = match rules.defect {
            Defect::AdoptedFromOnePeer => others.find(|held| rank(held) > rank(&here)),
            _ => others.max_by_key(rank),
        };
        let Some(greatest) = greatest.filter(|held| rank(held) > rank(&here)) else { return false };
        let flag = rules.defect != Defect::AdoptedLikeStreamed;
        let (node, ops) = (&mut self.nodes[node as usize], &self.ops);
        node.seen |=
            greatest.op().filter(|op| !matches!(ops[*op as usize].deed, Deed::Move(_) | Deed::Truncate)).map_or(0, bit);
        if rules.defect != Defect::AdoptedAheadOfTheClock {
            node.clock = node.clock.max(greatest.stamp().map_or(0, |stamp| stamp.time));
        }
        // What is overwritten goes into the log, a deletion too.
        if let Some(op) = here.op() {
            node.found(here.row().is_some(), op);
        }
        node.line[key as usize].push(None);
        node.adopted.extend(greatest.stamp().map(|stamp| (key, stamp)));
        match greatest {
            Held::Row { row, stamp, .. } => node.put(key, row, stamp, flag, rules),
            Held::Gone { op, stamp, displaced, row, moved, both_deleted, .. } => {
                node.held[key as usize] = Held::Gone { op, stamp, adopted: flag, displaced, row, moved, both_deleted };
            }
            Held::Absent => {}
        }
        true
    }
}

impl Node {
    fn drop_tombstones(&mut self) {
        let Some(drop) = self.drop.take() else { return };
        let same = |held: &Held, stamp: Stamp| held.row().is_none() && held.stamp() == Some(stamp);
        for (key, stamp) in drop.gone {
            if same(&self.held[key as usize], stamp) {
                self.held[key as usize] = Held::Absent;
            }
        }
        self.early.retain(|early| !drop.early.contains(early));
        self.moved.retain(|moved| !drop.moved.contains(moved));
        if self.truncated.and_then(|held| held.stamp()) == drop.truncated {
            self.truncated = None;
        }
    }
}
