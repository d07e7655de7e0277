//! Rows that may have lost the row that their foreign key refers to: apply workers do not enforce foreign keys.
//!
//! Here is only noted what has to be looked at once the transaction has committed (sql/functions/orphan.sql does): within
//! it, and while other streams lag behind, a parent may come after its children.

use crate::pg::canonical::Canonical;
use crate::pg::orphan_check::{self, Check};
use crate::pg::plan::{self, Argument};
use crate::pg::row::{self, Row};
use crate::pg::table::Table;
use crate::pg::tombstone;
use crate::pg::transaction;

/// A row is gone, or has another key now: by whomever. Sessions' deletions too: they do not see the children that an apply
/// worker is writing at that moment.
pub fn parent_gone(table: &Table, old: &Row) {
    for referred in &table.foreign_keys().referred {
        note(&Check::ParentGone(referred.index), table, &referred.columns, old);
    }
}

/// A row of the stream is about to be written. Old: the row that it changes.
pub fn arrived(table: &Table, old: Option<&Row>, new: &Row) {
    let keys = table.foreign_keys();
    for referring in &keys.referring {
        let places = places(table, &referring.columns);
        if old.is_some_and(|old| old.same(new, table, places.iter().copied()))
            || places.iter().any(|place| new.values[*place].is_none())
            // Until a parent has been deleted, one that is not here is only late.
            || referring.to_key && !tombstone::any(referring.parent)
        {
            continue;
        }
        // The insertion takes a number anyway. Without one before this look, the worker could not tell that a transaction which
        // may miss a deletion is still open (orphan_suspects.seen_before).
        transaction::number();
        let values: Vec<Argument> =
            places.iter().map(|place| Argument::raw(table.columns[*place].type_oid, new.values[*place])).collect();
        if plan::rows(&referring.parent_query, &values).is_empty() {
            note(&Check::NoParent(referring.constraint), table, &referring.columns, new);
        }
    }
    let Some(old) = old else { return };
    for referred in &keys.referred {
        if !old.same(new, table, places(table, &referred.columns)) {
            note(&Check::ParentGone(referred.index), table, &referred.columns, old);
        }
    }
}

fn places(table: &Table, columns: &[String]) -> Vec<usize> {
    columns.iter().filter_map(|name| table.place_of(name)).collect()
}

/// Nothing refers by a null.
fn note(check: &Check, table: &Table, columns: &[String], row: &Row) {
    let _canonical = Canonical::begin();
    let mut values = serde_json::Map::new();
    for place in places(table, columns) {
        let Some(value) = row.values[place] else { return };
        let column = &table.columns[place];
        values.insert(column.name.clone(), row::write(column, value).into());
    }
    orphan_check::write(check, &serde_json::Value::Object(values).to_string());
}
