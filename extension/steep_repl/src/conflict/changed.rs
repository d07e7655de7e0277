//! The rows of the current message.

use crate::conflict::session::{self, Arriving};
use crate::pg::canonical::Canonical;
use crate::pg::row::Row;
use crate::pg::table::Table;
use conflict::Change;
use pgoutput::Message;

/// What the arriving change was on its own node.
pub struct Changed {
    /// The row before, whole, when the table sends before-images.
    pub before: Option<Row>,
    /// The columns of the key before, when they were sent.
    pub key_before: Option<Row>,
    /// The row after; None for a deletion.
    pub after: Option<Row>,
    /// All values of `after` were sent, or stand in the row before.
    pub whole: bool,
    pub change: Change,
    /// Places in the table's columns that the peer's table did not have: they were added here since, or are not there yet. The
    /// change says nothing about them.
    pub unknown: Vec<usize>,
}

impl Changed {
    /// Reads the current message into values of `table`.
    pub fn read(arriving: &Arriving, table: &Table) -> Option<Self> {
        let message = session::message();
        let names = &arriving.relation.columns;
        let sent = (0..table.columns.len()).filter(|place| table.columns[*place].sent);
        let unknown: Vec<usize> = sent.filter(|place| !names.contains(&table.columns[*place].name)).collect();
        let before = |old: &pgoutput::Tuple<'_>| {
            let (row, whole) = Row::of_message(table, names, old, None);
            (whole.then(|| row.clone()), Some(row))
        };
        Some(match pgoutput::parse(&message)? {
            Message::Insert { new, .. } => {
                let (after, whole) = Row::of_message(table, names, &new, None);
                Self { before: None, key_before: None, after: Some(after), whole, change: Change::Insert, unknown }
            }
            Message::Update { old, new, .. } => {
                let (after, whole) = Row::of_message(table, names, &new, old.as_ref());
                let (before, key_before) = old.as_ref().map_or((None, None), before);
                let moved = key_before.as_ref().is_some_and(|old| !old.same(&after, table, table.key.iter().copied()));
                let change = if moved && table.key_index.is_some() { Change::Move } else { Change::Update };
                Self { before, key_before, after: Some(after), whole, change, unknown }
            }
            Message::Delete { old, .. } => {
                let (before, key_before) = before(&old);
                Self { before, key_before, after: None, whole: true, change: Change::Delete, unknown }
            }
            _ => return None,
        })
    }

    /// Whether the row that the change replaced on its own node is the one here; None when that is not known.
    pub fn saw(&self, here: &Row, table: &Table) -> Option<bool> {
        let before = self.before.as_ref()?;
        Some(before.same(here, table, self.known(table)))
    }

    /// The places of the columns that the change says something about.
    pub fn known(&self, table: &Table) -> impl Iterator<Item = usize> {
        (0..table.columns.len()).filter(|place| table.columns[*place].sent && !self.unknown.contains(place))
    }

    /// The row before as JSON, for the log.
    pub fn before_json(&self, table: &Table) -> Option<String> {
        let _canonical = Canonical::begin();
        self.before.as_ref().map(|row| row.json(table))
    }

    /// Whether a row, as JSON, is the one that the change replaced, as far as the change says: nothing of columns that the
    /// peer's table did not have.
    pub fn replaced(&self, table: &Table, row: &str) -> bool {
        let Some(before) = self.before_json(table) else { return false };
        if self.unknown.is_empty() {
            return before == row;
        }
        let known = |json: &str| {
            let mut columns: serde_json::Map<String, serde_json::Value> = serde_json::from_str(json).ok()?;
            columns.retain(|name, _| self.unknown.iter().all(|place| table.columns[*place].name != *name));
            Some(columns)
        };
        known(&before) == known(row)
    }

    /// The row after as JSON, for the log.
    pub fn after_json(&self, table: &Table) -> Option<String> {
        let _canonical = Canonical::begin();
        self.after.as_ref().map(|row| row.json(table))
    }
}
