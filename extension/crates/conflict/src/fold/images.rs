//! Which rows a key has shown since it was last inserted, and which before: a change that was made on one of the latter had
//! not seen the insertion.

use super::Columns;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Grows with each change; what came after a moment can be cut off again.
#[derive(Default)]
pub(super) struct Images {
    /// The key is never inserted anew, so nobody asks.
    pub idle: bool,
    /// A hash of each row, and whether it belongs to a row of before, though it came later.
    shown: Vec<(u64, bool)>,
    at: Moment,
}

#[derive(Clone, Copy, Default)]
pub(super) struct Moment {
    length: usize,
    /// What counts at all begins here, and what came since the last insertion there.
    from: usize,
    since: usize,
    /// There is a row of before among those since.
    mixed: bool,
}

impl Images {
    pub fn moment(&self) -> Moment {
        Moment { length: self.shown.len(), ..self.at }
    }

    pub fn back_to(&mut self, moment: Moment) {
        self.shown.truncate(moment.length);
        self.at = moment;
    }

    /// Nothing that was shown counts any more.
    pub fn forget(&mut self) {
        let here = self.shown.len();
        self.at = Moment { length: here, from: here, since: here, mixed: false };
    }

    /// What was shown belongs to the row of before.
    pub fn begin_anew(&mut self) {
        self.at = Moment { since: self.shown.len(), mixed: false, ..self.at };
    }

    pub fn show(&mut self, row: Option<&Columns>) {
        if let Some(row) = row.filter(|_| !self.idle) {
            self.push(hash(row), false);
        }
    }

    /// A row that was made of one of before.
    pub fn show_before(&mut self, row: &Columns) {
        self.push(hash(row), true);
        self.at.mixed = true;
    }

    fn push(&mut self, hash: u64, before: bool) {
        // Mostly a change shows the row that it leaves.
        if self.shown.len() == self.at.since || self.shown.last() != Some(&(hash, before)) {
            self.shown.push((hash, before));
        }
    }

    /// Whether a row was shown at all.
    pub fn shows(&self, row: &Columns) -> bool {
        let hash = hash(row);
        self.shown[self.at.from..].iter().any(|(shown, _)| *shown == hash)
    }

    /// Whether a row was shown before the last insertion, and not since.
    pub fn only_before(&self, row: &Columns) -> bool {
        if self.at.since == self.at.from && !self.at.mixed {
            return false;
        }
        let hash = hash(row);
        let since = &self.shown[self.at.since..];
        !since.contains(&(hash, false))
            && (since.contains(&(hash, true))
                || self.shown[self.at.from..self.at.since].iter().any(|(shown, _)| *shown == hash))
    }
}

/// The same in every process and on every node.
fn hash(row: &Columns) -> u64 {
    let mut hasher = DefaultHasher::new();
    row.hash(&mut hasher);
    hasher.finish()
}
