//! Nodes that write one key and send each other what they wrote, each stream in its order.

use conflict::Version;
use conflict::fold::{self, Arithmetic, Columns, Deed, Fate, Folded, Merge, Recorded, Rules, sort};

/// Integers that must not exceed a limit, as by a CHECK; a function that takes the middle.
pub struct Numbers {
    pub limit: i64,
}

impl Arithmetic for Numbers {
    fn add(&self, _: &str, here: &str, after: &str, before: &str) -> Option<String> {
        let number = |text: &str| text.parse::<i64>().expect("a number");
        Some((number(here) + number(after) - number(before)).to_string())
    }

    fn holds(&self, row: &Columns) -> bool {
        number(row, "sum") <= self.limit
    }

    fn resolve(&self, local: &Columns, remote: &Recorded, _: Option<&Version>) -> Option<Columns> {
        let mut row = remote.after.clone()?;
        row.insert("sum".into(), Some(((number(local, "sum") + number(&row, "sum")) / 2).to_string()));
        Some(row)
    }
}

pub fn number(row: &Columns, column: &str) -> i64 {
    row[column].as_deref().expect("not null").parse().expect("a number")
}

pub fn row(sum: i64, one: &str, two: &str) -> Columns {
    let text = |text: &str| Some(text.to_owned());
    [("sum".into(), Some(sum.to_string())), ("one".into(), text(one)), ("two".into(), text(two))].into()
}

pub fn rules(merge: Merge) -> Rules {
    let deltas = if merge == Merge::Function { vec![] } else { vec![String::from("sum")] };
    Rules { merge, deltas }
}

/// What a session does with the row it sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Write {
    Add(i64),
    SetOne,
    SetTwo,
    Delete,
    Insert,
}

#[derive(Clone)]
pub struct Node {
    /// What it has written or received, in that order; the index of a change in `World::written`.
    pub has: Vec<usize>,
    /// How many changes of each node it has.
    received: Vec<usize>,
    /// What it has forgotten, folded.
    base: Option<Recorded>,
    forgotten: Vec<usize>,
}

#[derive(Clone)]
pub struct World {
    pub nodes: Vec<Node>,
    pub written: Vec<(usize, Recorded)>,
    /// Which changes the writer of each had.
    seen: Vec<Vec<usize>>,
    pub start: Option<Columns>,
    pub rules: Rules,
    pub limit: i64,
}

impl World {
    pub fn new(nodes: usize, rules: Rules, limit: i64) -> Self {
        let node = Node { has: vec![], received: vec![0; nodes], base: None, forgotten: vec![] };
        let start = Some(row(10, "-", "-"));
        Self { nodes: vec![node; nodes], written: vec![], seen: vec![], start, rules, limit }
    }

    /// What a node holds: the fold of what it has.
    pub fn at(&self, node: usize) -> Folded {
        let mut changes: Vec<Recorded> = self.nodes[node].has.iter().map(|c| self.written[*c].1.clone()).collect();
        changes.extend(self.nodes[node].base.clone());
        self.folded(changes)
    }

    fn folded(&self, mut changes: Vec<Recorded>) -> Folded {
        if changes.is_empty() {
            let row = self.start.clone();
            return Folded { last: row.clone(), row, version: None, fates: vec![] };
        }
        sort(&mut changes);
        fold::fold(&self.rules, &changes, &Numbers { limit: self.limit })
    }

    /// Whether the node's row allows this.
    pub fn can(&self, node: usize, write: Write) -> bool {
        let here = self.at(node).row;
        match write {
            Write::Insert => here.is_none(),
            Write::Add(n) => here.is_some_and(|row| number(&row, "sum") + n <= self.limit),
            _ => here.is_some(),
        }
    }

    pub fn write(&mut self, node: usize, write: Write) {
        let id = self.written.len();
        let before = self.at(node).row;
        let value = format!("{id}");
        let mut after = before.clone();
        let set = |after: &mut Option<Columns>, column: &str, value: String| {
            after.as_mut().expect("a row").insert(column.into(), Some(value));
        };
        let deed = match write {
            Write::Add(n) => {
                let sum = number(after.as_ref().expect("a row"), "sum");
                set(&mut after, "sum", (sum + n).to_string());
                Deed::Update
            }
            Write::SetOne => {
                set(&mut after, "one", value);
                Deed::Update
            }
            Write::SetTwo => {
                set(&mut after, "two", value);
                Deed::Update
            }
            Write::Delete => {
                after = None;
                Deed::Delete
            }
            Write::Insert => {
                after = Some(row(50 + id as i64, &value, &value));
                Deed::Insert
            }
        };
        // Clocks never lag behind what a node has seen; otherwise the order of times is that of writing.
        let version = Version::new(id as i64, &format!("n{node}"));
        self.seen.push(self.everything(node));
        self.written.push((node, Recorded { version, ordinal: 0, deed, before, after }));
        self.nodes[node].has.push(id);
        self.nodes[node].received[node] += 1;
    }

    fn everything(&self, node: usize) -> Vec<usize> {
        self.nodes[node].has.iter().chain(&self.nodes[node].forgotten).copied().collect()
    }

    /// The next change in the stream between two nodes.
    pub fn next(&self, from: usize, to: usize) -> Option<usize> {
        let mut own = self.written.iter().enumerate().filter(|(_, (node, _))| *node == from);
        own.nth(self.nodes[to].received[from]).map(|(id, _)| id)
    }

    /// It arrives. Where it is later than all that is there and had seen the row, it must pass as it is.
    pub fn deliver(&mut self, from: usize, to: usize) {
        let Some(id) = self.next(from, to) else { return };
        let held = self.at(to);
        let arriving = self.written[id].1.clone();
        self.nodes[to].has.push(id);
        self.nodes[to].received[from] += 1;
        let now = self.at(to);
        if held.version.as_ref().is_none_or(|here| *here < arriving.version) && held.row == arriving.before {
            assert_eq!(now.row, arriving.after, "passes as it is: {arriving:?}");
            assert_eq!(now.fates.last(), Some(&Fate::Seen), "had seen what is here: {arriving:?}");
        }
    }

    pub fn pending(&self) -> Vec<(usize, usize)> {
        let nodes = self.nodes.len();
        let pairs = (0..nodes).flat_map(|from| (0..nodes).map(move |to| (from, to)));
        pairs.filter(|(from, to)| from != to && self.next(*from, *to).is_some()).collect()
    }

    pub fn drain(&mut self) {
        while let Some((from, to)) = self.pending().first().copied() {
            self.deliver(from, to);
        }
    }

    /// Forgets the changes of a node up to the latest that all others have, when all that was written without having seen
    /// one of them has arrived.
    pub fn forget(&mut self, node: usize) {
        let mut has = self.nodes[node].has.clone();
        has.sort_unstable();
        let everywhere = |id: &usize| (0..self.nodes.len()).all(|n| self.everything(n).contains(id));
        let mut old: Vec<usize> = has.iter().take_while(|id| everywhere(id)).copied().collect();
        let mine = self.everything(node);
        old.retain(|id| (0..self.written.len()).all(|w| mine.contains(&w) || self.seen[w].contains(id)));
        // A prefix in the order of versions.
        let prefix = old.iter().zip(&has).take_while(|(old, has)| old == has).count();
        if prefix == 0 {
            return;
        }
        let mut changes: Vec<Recorded> = has.iter().map(|id| self.written[*id].1.clone()).collect();
        let before = usize::from(self.nodes[node].base.is_some());
        changes.extend(self.nodes[node].base.clone());
        sort(&mut changes);
        let limit = Numbers { limit: self.limit };
        let Some(mut base) = fold::base(&self.rules, &changes, prefix + before, &limit) else { return };
        base.ordinal = i64::MAX;
        let gone = has[..prefix].to_vec();
        let here = &mut self.nodes[node];
        here.base = Some(base);
        here.has.retain(|id| !gone.contains(id));
        here.forgotten.extend(gone);
    }

    /// All nodes hold the same, whatever came in which order; and that is what it must be.
    pub fn check(&mut self) {
        self.drain();
        let first = self.at(0);
        for node in 1..self.nodes.len() {
            let other = self.at(node);
            assert_eq!((&first.row, &first.version), (&other.row, &other.version), "{}", self.story());
        }
        let plain = !self.written.is_empty() && self.written.iter().all(|(_, c)| c.deed == Deed::Update);
        let whole = self.nodes.iter().all(|node| node.base.is_none());
        if plain && whole && !first.fates.contains(&Fate::Clipped) && self.rules.merge != Merge::Function {
            self.check_merged(&first.row.expect("no deletion"));
        }
    }

    /// Sums are those of all differences; of other columns the latest change of each counts.
    fn check_merged(&self, end: &Columns) {
        let parts = |change: &Recorded| (change.before.clone().expect("a row"), change.after.clone().expect("a row"));
        let changes: Vec<_> = self.written.iter().map(|(_, change)| parts(change)).collect();
        let added: i64 = changes.iter().map(|(before, after)| number(after, "sum") - number(before, "sum")).sum();
        assert_eq!(number(end, "sum"), 10 + added, "{}", self.story());
        if self.rules.merge == Merge::Columns {
            for column in ["one", "two"] {
                let latest = changes.iter().rev().find(|(before, after)| before[column] != after[column]);
                let expected = latest.map_or(Some("-".into()), |(_, after)| after[column].clone());
                assert_eq!(end[column], expected, "{column}: {}", self.story());
            }
        } else {
            // The whole row of the latest, but for the sums.
            let mut latest = changes.last().expect("a change").1.clone();
            latest.insert("sum".into(), end["sum"].clone());
            assert_eq!(*end, latest, "{}", self.story());
        }
    }

    fn story(&self) -> String {
        let lines = self.written.iter().map(|(node, change)| format!("  node {node}: {change:?}\n"));
        format!("{:?}\n{}", self.rules, lines.collect::<String>())
    }
}
