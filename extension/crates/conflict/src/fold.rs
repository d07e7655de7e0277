//! Rows that are the fold of their changes, in the order of their versions: strategies that keep something of both sides.
//!
//! An insertion sets the row. An update sets the columns it changed, or the whole row; to columns of which deltas count it adds
//! what it added on its own node. A deletion ends the row, whose values stay known: a later update that had not seen it brings
//! the row back. An update that had seen all before it sets the row as it is. The result depends on the set of changes only,
//! not on the order in which they arrived.

use crate::Version;
use std::collections::{BTreeMap, HashSet};

/// A row, by column, as text in one form; None is null.
pub type Columns = BTreeMap<String, Option<String>>;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Deed {
    Insert,
    Update,
    Delete,
    /// A person who looked at both sides decided: it sets the row, or ends it, and is no conflict.
    Set,
    /// All changes up to this version, folded before: `after` is the row, and `before` the last one when it was deleted.
    Base,
}

/// One change of a key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Recorded {
    pub version: Version,
    /// Orders the changes of one transaction.
    pub ordinal: i64,
    pub deed: Deed,
    /// The row that it replaced on its own node.
    pub before: Option<Columns>,
    pub after: Option<Columns>,
}

/// How an update that had not seen the row is merged into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Merge {
    /// It sets the whole row.
    Row,
    /// It sets the columns that it changed.
    Columns,
    /// A function of the user's makes one row of both.
    Function,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    pub merge: Merge,
    /// Columns of which the differences are added up.
    pub deltas: Vec<String>,
}

/// What only the database can do.
pub trait Arithmetic {
    /// `here + (after - before)`; None when the type cannot hold it.
    fn add(&self, column: &str, here: &str, after: &str, before: &str) -> Option<String>;
    /// Whether a row that nobody wrote keeps the constraints of the table.
    fn holds(&self, row: &Columns) -> bool;
    /// What the user's function makes of the row so far and a change; None when it fails.
    fn resolve(&self, local: &Columns, remote: &Recorded, local_version: Option<&Version>) -> Option<Columns>;
}

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It had seen all before it.
    Seen,
    /// Merged with changes that it had not seen.
    Merged,
    /// It replaced what it had not seen.
    Overrode,
    /// Its deltas were made on a row that has been deleted and inserted anew since: they do not count.
    Stale,
    /// The merged row would have broken a constraint: its own whole row stands, and what was before it is lost.
    Clipped,
    /// It is part of the base.
    Past,
}

/// The result of a fold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folded {
    pub row: Option<Columns>,
    /// The row, or the last one before it was deleted.
    pub last: Option<Columns>,
    /// Of the latest change.
    pub version: Option<Version>,
    /// What became of each change, in the order of versions.
    pub fates: Vec<Fate>,
}

/// Puts changes into the order in which they are folded.
pub fn sort(changes: &mut [Recorded]) {
    changes.sort_by(|one, other| (&one.version, one.ordinal).cmp(&(&other.version, other.ordinal)));
}

/// Folds changes that are in order.
pub fn fold(rules: &Rules, changes: &[Recorded], arithmetic: &dyn Arithmetic) -> Folded {
    let base = changes.iter().rposition(|change| change.deed == Deed::Base).unwrap_or(0);
    let mut state = State::before(changes.get(base));
    let mut fates = vec![Fate::Past; base];
    fates.extend(changes[base..].iter().map(|change| state.take(rules, change, arithmetic)));
    let version = changes.last().map(|change| change.version.clone());
    Folded { row: state.last.clone().filter(|_| state.alive), last: state.last, version, fates }
}

struct State {
    last: Option<Columns>,
    alive: bool,
    version: Option<Version>,
    /// Rows that were seen since the key was last inserted, and those of before.
    images: HashSet<Columns>,
    past_images: HashSet<Columns>,
}

impl State {
    /// Before the first change: what that replaced.
    fn before(first: Option<&Recorded>) -> Self {
        let last = first.filter(|change| change.deed != Deed::Base).and_then(|change| change.before.clone());
        let images = last.iter().cloned().collect();
        Self { alive: last.is_some(), last, version: None, images, past_images: HashSet::new() }
    }

    fn take(&mut self, rules: &Rules, change: &Recorded, arithmetic: &dyn Arithmetic) -> Fate {
        let fate = match (change.deed, &change.after) {
            (Deed::Base, after) => {
                self.alive = after.is_some();
                self.last = after.clone().or_else(|| change.before.clone());
                self.images = self.last.iter().cloned().collect();
                self.past_images.clear();
                Fate::Seen
            }
            (Deed::Set, after) => {
                self.alive = after.is_some();
                self.last = after.clone().or_else(|| self.last.take());
                self.past_images.extend(self.images.drain());
                self.images.extend(self.last.clone());
                Fate::Seen
            }
            (Deed::Delete, _) | (_, None) => {
                let seen = !self.alive || change.before == self.last;
                self.alive = false;
                self.last = self.last.take().or_else(|| change.before.clone());
                if seen { Fate::Seen } else { Fate::Overrode }
            }
            (Deed::Insert, Some(after)) => self.insert(rules, change, after, arithmetic),
            (Deed::Update, Some(after)) => self.update(rules, change, after, arithmetic),
        };
        self.version = Some(change.version.clone());
        fate
    }

    fn insert(&mut self, rules: &Rules, change: &Recorded, after: &Columns, arithmetic: &dyn Arithmetic) -> Fate {
        let met = self.last.clone().filter(|_| self.alive);
        self.alive = true;
        let (row, fate) = match met {
            None => (after.clone(), Fate::Seen),
            Some(here) if rules.merge == Merge::Function => self.resolved(&here, change, after, arithmetic),
            Some(_) => (after.clone(), Fate::Overrode),
        };
        self.past_images.extend(self.images.drain());
        self.images.extend([after.clone(), row.clone()]);
        self.last = Some(row);
        fate
    }

    fn update(&mut self, rules: &Rules, change: &Recorded, after: &Columns, arithmetic: &dyn Arithmetic) -> Fate {
        let Some(here) = self.last.clone() else {
            self.last = Some(after.clone());
            self.alive = true;
            self.images.insert(after.clone());
            return Fate::Seen;
        };
        let was_alive = std::mem::replace(&mut self.alive, true);
        let stale = change.before.as_ref().is_some_and(|b| !self.images.contains(b) && self.past_images.contains(b));
        if stale { &mut self.past_images } else { &mut self.images }.insert(after.clone());
        let (row, fate) = if change.before.as_ref() == Some(&here) {
            (after.clone(), if was_alive { Fate::Seen } else { Fate::Overrode })
        } else if rules.merge == Merge::Function {
            self.resolved(&here, change, after, arithmetic)
        } else {
            match merged(rules, &here, change.before.as_ref(), after, stale, arithmetic) {
                Some(row) if row == *after || arithmetic.holds(&row) => {
                    (row, if stale { Fate::Stale } else { Fate::Merged })
                }
                _ => (after.clone(), Fate::Clipped),
            }
        };
        self.images.insert(row.clone());
        self.last = Some(row);
        fate
    }

    fn resolved(
        &self,
        here: &Columns,
        change: &Recorded,
        after: &Columns,
        arithmetic: &dyn Arithmetic,
    ) -> (Columns, Fate) {
        match arithmetic.resolve(here, change, self.version.as_ref()) {
            Some(row) => (row, Fate::Merged),
            None => (after.clone(), Fate::Clipped),
        }
    }
}

/// One row of the row so far and an update that had not seen it. `stale`: the update was made on a row that has been deleted
/// and inserted anew since, so that its deltas do not count.
fn merged(
    rules: &Rules,
    here: &Columns,
    before: Option<&Columns>,
    after: &Columns,
    stale: bool,
    arithmetic: &dyn Arithmetic,
) -> Option<Columns> {
    let mut row = after.clone();
    for (column, value) in &mut row {
        let was = before.map(|row| row.get(column).unwrap_or(&None));
        let Some(is) = here.get(column) else { continue };
        if rules.deltas.contains(column) {
            *value = match (is, &*value, was) {
                _ if stale => is.clone(),
                (_, value, Some(was)) if value == was => is.clone(),
                (Some(is), Some(value), Some(Some(was))) => Some(arithmetic.add(column, is, value, was)?),
                _ => value.clone(),
            };
        } else if rules.merge == Merge::Columns && was == Some(value) {
            value.clone_from(is);
        }
    }
    Some(row)
}
