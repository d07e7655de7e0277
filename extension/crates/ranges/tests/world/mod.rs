//! Nodes that hand out ids of one table, and everything that can happen to them.

use ranges::{Grid, Range, Share};
use std::collections::{BTreeMap, BTreeSet};

/// How many ids a range has: blocks end within ranges.
const SIZE: i64 = 3;
const BLOCK: i64 = 5;

/// Which of the rules are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rules {
    /// What a node has is void when it comes up on another timeline.
    pub restores_void: bool,
    /// A question that was put on another timeline is not put again.
    pub requests_of_timeline: bool,
    /// The same question gets the same share.
    pub requests_remembered: bool,
    /// A share is answered when it has been committed that it was given.
    pub answers_committed: bool,
    /// Before a share is halved, the ranges are written down that sessions have opened by themselves.
    pub ranges_filled: bool,
    pub descending: bool,
}

impl Rules {
    pub const KEPT: Self = Self {
        restores_void: true,
        requests_of_timeline: true,
        requests_remembered: true,
        answers_committed: true,
        ranges_filled: true,
        descending: false,
    };
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// The worker writes the next range down.
    Cut(usize),
    /// Sessions hand out all ids of the next range, written down or not.
    Use(usize),
    /// A node without a share commits the question.
    Request(usize),
    /// A peer gives a share, commits, and the answer is on its way; or it fails before the commit.
    Grant { giver: usize, asker: usize },
    /// The node takes what was answered last.
    Take(usize),
    /// It crashes before that, or the answer is lost.
    Lose(usize),
    /// A backup.
    Keep(usize),
    /// The backup is restored, on a new timeline.
    Restore(usize),
    /// The node is removed and another one made in its place.
    Renew(usize),
}

/// A question, which is a random number.
type Request = u32;

/// What is on a node's disk.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Disk {
    timeline: u32,
    /// With the timeline on which it was received.
    share: Option<(Share, u32)>,
    /// That have been written down of the share.
    ranges: Vec<Range>,
    /// How many have been opened.
    opened: usize,
    /// With the timeline on which it was made.
    request: Option<(Request, u32)>,
    grants: BTreeMap<Request, Share>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Node {
    disk: Disk,
    backup: Option<Disk>,
    /// On its way to the node.
    answer: Option<(Request, Share)>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct World {
    rules: Rules,
    grid: Grid,
    nodes: Vec<Node>,
    handed_out: BTreeSet<i64>,
    requests: u32,
    /// What each giver answered to each question.
    answered: BTreeMap<(usize, Request), Share>,
}

impl Node {
    fn new() -> Self {
        let (ranges, grants) = (Vec::new(), BTreeMap::new());
        let disk = Disk { timeline: 1, share: None, ranges, opened: 0, request: None, grants };
        Self { disk, backup: None, answer: None }
    }
}

impl World {
    pub fn new(nodes: usize, rules: Rules) -> Self {
        let mut all = vec![Node::new(); nodes];
        all[0].disk.share = Some((Share::ALL, 1));
        let grid = if rules.descending {
            Grid { base: -1, block: BLOCK, limit: i64::MIN, descending: true }
        } else {
            Grid { base: 1, block: BLOCK, limit: i64::MAX, descending: false }
        };
        Self { rules, grid, nodes: all, handed_out: BTreeSet::new(), requests: 0, answered: BTreeMap::new() }
    }

    fn share(&self, node: usize) -> Option<Share> {
        let disk = &self.nodes[node].disk;
        let valid = |received: u32| received == disk.timeline || !self.rules.restores_void;
        disk.share.and_then(|(share, received)| valid(received).then_some(share))
    }

    fn request(&self, node: usize) -> Option<Request> {
        let disk = &self.nodes[node].disk;
        let valid = |made: u32| made == disk.timeline || !self.rules.requests_of_timeline;
        disk.request.and_then(|(request, made)| valid(made).then_some(request))
    }

    /// What can happen now.
    pub fn actions(&self) -> Vec<Action> {
        let mut actions = Vec::new();
        for n in 0..self.nodes.len() {
            let node = &self.nodes[n];
            if self.share(n).is_some() {
                actions.extend([Action::Cut(n), Action::Use(n)]);
            } else if self.request(n).is_none() {
                actions.push(Action::Request(n));
            } else {
                let givers = (0..self.nodes.len()).filter(|giver| *giver != n);
                actions.extend(givers.map(|giver| Action::Grant { giver, asker: n }));
            }
            if node.answer.is_some() {
                actions.extend([Action::Take(n), Action::Lose(n)]);
            }
            actions.push(Action::Keep(n));
            if node.backup.is_some() {
                actions.push(Action::Restore(n));
            }
            if n > 0 {
                actions.push(Action::Renew(n));
            }
        }
        actions
    }

    /// Lets it happen; an error when something has gone wrong by it.
    pub fn act(&mut self, action: Action) -> Result<(), String> {
        match action {
            Action::Cut(n) => {
                self.fill(n);
                self.cut(n);
            }
            Action::Use(n) => return self.hand_out(n),
            Action::Request(n) => {
                self.requests += 1;
                let disk = &mut self.nodes[n].disk;
                disk.request = Some((self.requests, disk.timeline));
            }
            Action::Grant { giver, asker } => return self.grant(giver, asker),
            Action::Take(n) => self.take(n),
            Action::Lose(n) => self.nodes[n].answer = None,
            Action::Keep(n) => self.nodes[n].backup = Some(self.nodes[n].disk.clone()),
            Action::Restore(n) => {
                let node = &mut self.nodes[n];
                if let Some(backup) = &node.backup {
                    // The next number after the backup's: who restores it twice without an archive gets the same one twice.
                    node.disk = Disk { timeline: backup.timeline + 1, ..backup.clone() };
                }
                self.forget(n);
            }
            Action::Renew(n) => {
                // Another cluster, whose timelines begin again.
                self.nodes[n] = Node::new();
                self.forget(n);
            }
        }
        Ok(())
    }

    /// A giver that does not know what it was asked may give another share; the connection to it is gone.
    fn forget(&mut self, n: usize) {
        self.nodes[n].answer = None;
        self.answered.retain(|(giver, _), _| *giver != n);
    }

    fn last(&self, n: usize) -> Option<Range> {
        self.nodes[n].disk.ranges.last().copied()
    }

    fn cut(&mut self, n: usize) {
        let Some(share) = self.share(n) else { return };
        if let Some(next) = self.grid.next(share, self.last(n), SIZE) {
            self.nodes[n].disk.ranges.push(next);
        }
    }

    /// Writes down what sessions have opened by themselves.
    fn fill(&mut self, n: usize) {
        while self.nodes[n].disk.ranges.len() < self.nodes[n].disk.opened {
            self.cut(n);
        }
    }

    fn hand_out(&mut self, n: usize) -> Result<(), String> {
        let Some(share) = self.share(n) else { return Ok(()) };
        let opened = self.nodes[n].disk.opened;
        let mut ranges = self.nodes[n].disk.ranges.clone();
        while ranges.len() <= opened {
            ranges.push(self.grid.next(share, ranges.last().copied(), SIZE).ok_or("no range is left")?);
        }
        self.nodes[n].disk.opened += 1;
        for id in ranges[opened].start..=ranges[opened].end {
            if !self.handed_out.insert(id) {
                return Err(format!("id {id} was handed out twice"));
            }
        }
        Ok(())
    }

    fn grant(&mut self, giver: usize, asker: usize) -> Result<(), String> {
        let Some(request) = self.request(asker) else { return Ok(()) };
        let known = self.nodes[giver].disk.grants.get(&request).copied();
        let given = match known.filter(|_| self.rules.requests_remembered) {
            Some(share) => share,
            None => {
                let Some(share) = self.share(giver) else { return Ok(()) };
                if self.rules.ranges_filled {
                    self.fill(giver);
                }
                let free = self.grid.free(share, self.nodes[giver].disk.ranges.iter().copied());
                let Some((mine, theirs)) = share.halve(free) else { return Ok(()) };
                if self.rules.answers_committed {
                    let disk = &mut self.nodes[giver].disk;
                    disk.share = Some((mine, disk.timeline));
                    disk.grants.insert(request, theirs);
                }
                theirs
            }
        };
        self.nodes[asker].answer = Some((request, given));
        match self.answered.insert((giver, request), given) {
            Some(before) if before != given => Err(format!("{before:?} and {given:?} were given for one question")),
            _ => Ok(()),
        }
    }

    fn take(&mut self, n: usize) {
        let asked = self.request(n);
        let node = &mut self.nodes[n];
        if let Some((request, share)) = node.answer.take()
            && asked == Some(request)
        {
            // The ranges of before are dead, and so are their numbers here.
            node.disk.ranges.clear();
            node.disk.opened = 0;
            node.disk.share = Some((share, node.disk.timeline));
            node.disk.request = None;
        }
    }
}
