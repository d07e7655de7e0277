//! Entries of the conflict log about rows that are folds: the result may be neither side's.

use crate::conflict::fold::arithmetic::OfTable;
use crate::conflict::fold::columns;
use crate::conflict::put::key_json;
use crate::conflict::session::{self, Arriving};
use crate::pg::canonical::Canonical;
use crate::pg::key_id;
use crate::pg::plan::{self, Argument};
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
    pub result: Option<&'a Columns>,
    /// What became of the change and of those after it.
    pub fates: &'a [Fate],
}

impl Entry<'_> {
    /// Writes it, in the transaction that is being applied.
    pub fn write(&self, arriving: &Arriving, of: &OfTable, key_row: &Row) {
        let Some(stream) = session::stream() else { return };
        let table = &of.open.table;
        let resolution = if self.result == self.here {
            "KEPT_LOCAL"
        } else if self.result == self.change.after.as_ref() {
            "APPLIED_REMOTE"
        } else {
            "MERGED"
        };
        let clipped = self.fates.contains(&Fate::Clipped);
        let trouble = of.trouble.take().filter(|_| clipped);
        let (sqlstate, error) = trouble.map(|t| (t.sqlstate, t.text)).unzip();
        let reason = if clipped {
            Some("the two could not be merged: the whole row of the later stays")
        } else if self.fates.contains(&Fate::Stale) {
            Some("sums that were made on a row which has been inserted anew since do not count")
        } else {
            None
        };
        let json = |row: Option<&Columns>| row.map(|row| json(table, row));
        plan::rows(
            "SELECT steep_repl._log_fold($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)::text",
            &[
                Argument::text(&stream.subscription),
                Argument::text(&stream.peer),
                Argument::text(&table.schema),
                Argument::text(&table.name),
                Argument::text(self.kind),
                Argument::of(json(self.here)),
                Argument::of(json(self.change.after.as_ref())),
                Argument::of(json(self.change.before.as_ref())),
                Argument::of(json(self.result)),
                Argument::of(self.here_version.map(|v| v.node.to_string())),
                Argument::of(self.here_version.map(|v| v.time)),
                Argument::of(Some(arriving.transaction.commit_time)),
                Argument::of(Some(i64::from(arriving.transaction.xid))),
                Argument::of(Some(arriving.transaction.final_lsn.cast_signed())),
                Argument::text(&key_json(key_row, table)),
                Argument::text(&key_id::text(&key_id::of(table, key_row))),
                Argument::text(resolution),
                Argument::of(Some(self.possible)),
                Argument::of(reason),
                Argument::of(sqlstate),
                Argument::of(error),
            ],
        );
    }
}

fn json(table: &Table, row: &Columns) -> String {
    let row = columns::row(table, row);
    let _canonical = Canonical::begin();
    row.json(table)
}
