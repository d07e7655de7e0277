//! Rows that are the fold of their changes, in the order of their versions: strategies that keep something of both sides.
//!
//! An insertion sets the row. An update sets the columns it changed, or the whole row; to columns of which deltas count it adds
//! what it added on its own node. A deletion ends the row, whose values stay known: a later update that had not seen it brings
//! the row back. An update that had seen all before it sets the row as it is. The result depends on the set of changes only,
//! not on the order in which they arrived.

mod history;
mod images;
mod state;

pub use history::{History, Resumed};

use crate::Version;
use images::Images;
use state::State;
use std::collections::BTreeMap;

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
    fold_with_images(rules, changes, arithmetic).0
}

fn fold_with_images(rules: &Rules, changes: &[Recorded], arithmetic: &dyn Arithmetic) -> (Folded, Images) {
    let base = changes.iter().rposition(|change| change.deed == Deed::Base).unwrap_or(0);
    let mut images = Images::default();
    let mut state = State::before(changes.get(base), &mut images);
    let mut fates = vec![Fate::Past; base];
    fates.extend(changes[base..].iter().map(|change| state.take(rules, change, &mut images, arithmetic)));
    let version = changes.last().map(|change| change.version.clone());
    (Folded { row: state.row(), last: state.last, version, fates }, images)
}

/// The base that takes the place of the first `past` changes, of which nobody has still to hear. None while one of the others
/// was made on a row that they show on the way: whether it had seen an insertion can be told by that only.
pub fn base(rules: &Rules, changes: &[Recorded], past: usize, arithmetic: &dyn Arithmetic) -> Option<Recorded> {
    let (folded, images) = fold_with_images(rules, &changes[..past], arithmetic);
    let on_the_way = |row: &Columns| Some(row) != folded.last.as_ref() && images.shows(row);
    if changes[past..].iter().any(|change| change.before.as_ref().is_some_and(on_the_way)) {
        return None;
    }
    let (version, ordinal) = (folded.version?, changes[past - 1].ordinal);
    Some(Recorded { version, ordinal, deed: Deed::Base, before: folded.last, after: folded.row })
}
