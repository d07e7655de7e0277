//! Entries of the conflict log about rows that are folds: the result may be neither side's.

use crate::conflict::fold::arithmetic::OfTable;
use crate::conflict::fold::columns;
use crate::conflict::log::{self, Winner};
use crate::conflict::session::Arriving;
use crate::pg::canonical::Canonical;
use crate::pg::row::Row;
use crate::pg::table::Table;
use conflict::Version;
use conflict::fold::{Columns, Fate, Recorded};

/// One conflict: what was here, what arrived, and what became of both.
pub struct Entry<'a> {
    pub kind: &'static str,
    pub possible: bool,
    pub here: Option<&'a Columns>,
    pub here_version: Option<&'a Version>,
    pub change: &'a Recorded,
    /// The row whose deletion it meets, as JSON.
    pub row_gone: Option<&'a str>,
    /// The row that it moved to another key, as JSON.
    pub moved: Option<String>,
    pub result: Option<&'a Columns>,
    /// What became of the change and of those after it.
    pub fates: &'a [Fate],
}

impl Entry<'_> {
    /// Writes it, in the transaction that is being applied.
    pub fn write(self, arriving: &Arriving, of: &OfTable, key_row: &Row) {
        let table = &of.open.table;
        let winner = if self.result == self.here {
            Winner::Local
        } else if self.result == self.change.after.as_ref() {
            Winner::Remote
        } else {
            Winner::Merged
        };
        let clipped = self.fates.contains(&Fate::Clipped);
        let reason = if clipped {
            Some("the two could not be merged: the whole row of the later stays")
        } else if self.fates.contains(&Fate::Stale) {
            Some("sums that were made on a row which has been inserted anew since do not count")
        } else {
            None
        };
        let json = |row: Option<&Columns>| row.map(|row| json(table, row));
        let entry = log::Entry {
            kind: self.kind,
            possible: self.possible,
            winner,
            local: json(self.here),
            remote: self.moved.or_else(|| json(self.change.after.as_ref())),
            base: json(self.change.before.as_ref()).or_else(|| self.row_gone.map(str::to_owned)),
            merged: if winner == Winner::Merged { json(self.result) } else { None },
            local_version: self.here_version,
            reason,
            strategy: of.folds.strategy(),
            trouble: of.trouble.take().filter(|_| clipped),
            ..log::Entry::default()
        };
        entry.write(arriving, table, key_row);
    }
}

fn json(table: &Table, row: &Columns) -> String {
    let row = columns::row(table, row);
    let _canonical = Canonical::begin();
    row.json(table)
}
