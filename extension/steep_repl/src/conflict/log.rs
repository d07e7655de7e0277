//! Entries of steep_repl.conflict_log, written in the apply transaction.

use crate::conflict::judge::{Judgement, LAST};
use crate::conflict::session::{self, Arriving};
use crate::pg::canonical::Canonical;
use crate::pg::key_id;
use crate::pg::plan::{self, Argument};
use crate::pg::row::Row;
use crate::pg::table::Table;
use crate::pg::transaction::Failed;
use conflict::Version;

/// Who stays.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Winner {
    Local,
    Remote,
    /// Neither: a row was made of both.
    Merged,
}

/// One conflict: what was here, what arrived, who stays. Rows are JSON; None is no row.
pub struct Entry<'a> {
    pub kind: &'a str,
    pub possible: bool,
    pub winner: Winner,
    pub local: Option<String>,
    pub remote: Option<String>,
    pub base: Option<String>,
    /// The row that was made of both.
    pub merged: Option<String>,
    pub local_version: Option<&'a Version>,
    pub reason: Option<&'a str>,
    /// The strategy that decided.
    pub strategy: &'static str,
    /// A person is to decide.
    pub pending: bool,
    /// Why the two could not be merged.
    pub trouble: Option<Failed>,
}

impl Default for Entry<'_> {
    fn default() -> Self {
        Self {
            kind: "",
            possible: false,
            winner: Winner::Local,
            local: None,
            remote: None,
            base: None,
            merged: None,
            local_version: None,
            reason: None,
            strategy: LAST,
            pending: false,
            trouble: None,
        }
    }
}

impl<'a> Entry<'a> {
    /// An entry for the conflict that was judged, if it was one; the rows are added by the caller.
    pub fn judged(judgement: &Judgement, local_version: Option<&'a Version>) -> Option<Self> {
        let clock =
            "the arriving write had seen the row that is here and yet carries an earlier time: a clock is wrong";
        judgement.finding.map(|finding| Self {
            kind: finding.kind.name(),
            possible: finding.possible,
            winner: if judgement.verdict.applies() { Winner::Remote } else { Winner::Local },
            local_version,
            reason: finding.clock.then_some(clock),
            strategy: judgement.strategy,
            pending: judgement.pending,
            ..Self::default()
        })
    }

    /// Writes it for the key of `key_row`.
    pub fn write(self, arriving: &Arriving, table: &Table, key_row: &Row) {
        let Some(stream) = session::stream() else { return };
        let key = {
            let _canonical = Canonical::begin();
            key_row.json_of(table, table.key.iter().copied())
        };
        let id = key_id::text(&key_id::of(table, key_row));
        let (local_time, local_node) = self.local_version.map_or((None, None), |v| (Some(v.time), Some(&*v.node)));
        let (sqlstate, error) = self.trouble.map(|trouble| (trouble.sqlstate, trouble.text)).unzip();
        let winner = match self.winner {
            Winner::Local => Some("local"),
            Winner::Remote => Some("remote"),
            Winner::Merged => None,
        };
        plan::rows(
            include_str!("log.sql"),
            &[
                Argument::text(&stream.subscription),
                Argument::text(&stream.peer),
                Argument::text(&table.schema),
                Argument::text(&table.name),
                Argument::text(self.kind),
                Argument::of(self.local),
                Argument::of(self.remote),
                Argument::of(self.base),
                Argument::of(self.merged),
                Argument::of(local_node),
                Argument::of(local_time),
                Argument::of(Some(arriving.transaction.commit_time)),
                Argument::of(Some(i64::from(arriving.transaction.xid))),
                Argument::of(Some(arriving.transaction.final_lsn.cast_signed())),
                Argument::text(&key),
                Argument::text(&id),
                Argument::of(winner),
                Argument::of(Some(self.possible)),
                Argument::of(self.reason),
                Argument::text(self.strategy),
                Argument::of(Some(self.pending)),
                Argument::of(sqlstate),
                Argument::of(error),
            ],
        );
    }
}
