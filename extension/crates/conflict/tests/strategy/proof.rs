//! The comparison of the key with all peers, and what a node adopts.

use crate::node::Entry;
use crate::world::{Defect, Marks, Rules, World};
use conflict::{Strategy, Version};
use std::cmp::Reverse;

impl World {
    /// Whether two nodes hold the same.
    pub fn same(&self, one: usize, other: usize) -> bool {
        let (here, there) = (self.nodes[one].held.write, self.nodes[other].held.write);
        here == there || self.row_is_gone(one) && self.row_is_gone(other)
    }

    fn version(&self, node: usize) -> Version {
        self.writes[self.nodes[node].held.write as usize].version()
    }

    /// When the latest of what a node has to compare was noted.
    fn noted(&self, node: usize) -> Marks {
        let node = &self.nodes[node];
        let all = node.open.iter().map(|entry| &entry.noted).chain(&node.asked);
        all.fold(Marks::default(), |one, other| std::array::from_fn(|i| one[i].max(other[i])))
    }

    pub fn prove(&mut self, node: usize, rules: &Rules) {
        let nodes = 0..self.nodes.len();
        let strategy = rules.strategy(self.nodes[node].set);
        let differing: Vec<usize> = nodes.clone().filter(|other| !self.same(*other, node)).collect();
        let settled = self.received(&self.noted(node));
        if differing.is_empty() {
            let provisional =
                rules.defect != Defect::ProvenByTheNew && self.nodes[node].open.iter().any(|entry| entry.provisional);
            if !strategy.earlier_may_stay() && !provisional || settled || rules.defect == Defect::ProvenAtOnce {
                let node = &mut self.nodes[node];
                (node.asked, node.pull) = (None, None);
                node.open.clear();
            }
            return;
        }
        let disputes = |node: usize| self.nodes[node].open.iter().any(|entry| entry.dispute);
        let dispute = if rules.defect == Defect::OwnRule { disputes(node) } else { nodes.clone().any(disputes) };
        let rule = if dispute && strategy.earlier_may_stay() { strategy.clone() } else { Strategy::LastWriteWins };
        let target = nodes.clone().max_by(|one, other| self.rank(*one, &rule).cmp(&self.rank(*other, &rule)));
        let target = target.filter(|target| self.version(*target) != self.version(node));
        if (rule != Strategy::LastWriteWins || target.is_none() && settled) && rules.defect != Defect::NobodyIsAsked {
            let now = self.now();
            for other in differing.into_iter().filter(|other| !disputes(*other)).collect::<Vec<_>>() {
                self.nodes[other].asked.get_or_insert(now);
            }
        }
        let Some(target) = target else { return };
        let (mine, theirs) = (self.nodes[node].held.write, self.nodes[target].held.write);
        let seen = match self.nodes[node].pull {
            Some((known, over, seen)) if known == theirs && (over == mine || rule == Strategy::LastWriteWins) => seen,
            _ => self.now(),
        };
        self.nodes[node].pull = Some((theirs, mine, seen));
        let writer = self.writes[theirs as usize].node.map(usize::from);
        let arrived = match rule {
            Strategy::LastWriteWins => [Some(target), writer]
                .into_iter()
                .flatten()
                .all(|from| from == node || self.applied[from][node] >= seen[from]),
            _ => self.received(&seen),
        };
        if arrived {
            let noted = self.now();
            self.nodes[node].log(mine, theirs, Entry { dispute: false, provisional: false, noted });
            let write = self.writes[theirs as usize];
            self.nodes[node].adopt(&write);
            self.nodes[node].pull = None;
        }
    }

    /// The greatest is the target.
    fn rank(&self, node: usize, rule: &Strategy) -> (Reverse<usize>, Reverse<Version>, Version) {
        let version = self.version(node);
        let none = Version::new(i64::MIN, "");
        match rule {
            Strategy::FirstWriteWins => (Reverse(0), Reverse(version), none),
            Strategy::NodePriority(list) => {
                let place = list.iter().position(|node| *node == version.node).unwrap_or(list.len());
                (Reverse(place), Reverse(none), version)
            }
            _ => (Reverse(0), Reverse(none), version),
        }
    }
}
