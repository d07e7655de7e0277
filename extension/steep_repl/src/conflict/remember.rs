//! Tombstones of rows that are deleted or moved by whomever: sessions and apply workers.

use crate::conflict::orphan;
use crate::conflict::put::{self, json};
use crate::pg::key_id;
use crate::pg::row::Row;
use crate::pg::stored_row::OpenTable;
use crate::pg::tombstone::{self, Tombstone};

/// Remembers that a row is gone, or has another key now.
pub fn gone(open: &OpenTable, old: &Row, new: Option<&Row>) {
    let table = &open.table;
    if table.key_index.is_none() {
        if new.is_none() {
            orphan::parent_gone(table, old);
        }
        return;
    }
    let key = key_id::of(table, old);
    if new.is_some_and(|row| key_id::of(table, row) == key) {
        return;
    }
    orphan::parent_gone(table, old);
    let moved_to = new.map(|row| put::key_json(row, table));
    let stone = Tombstone { row_gone: Some(json(old, open)), moved_to, displaced: false, version: None };
    tombstone::write(table.root, &key, &stone);
}
