//! Forgetting changes: the oldest of a key become its base, once nothing older can arrive any more.

use crate::conflict::fold::arithmetic::OfTable;
use crate::conflict::fold::{columns, record};
use crate::pg::composite;
use crate::pg::key_id::KeyId;
use crate::pg::row_change::{self, Found, RowChange};
use crate::pg::stored_row::with_open;
use conflict::fold::{Recorded, base};
use pgrx::prelude::*;

/// Folds the changes of a key that come first, in the order of versions, and were written by transactions older than
/// `before`, into one. The others stay; all do while one of them needs those before it.
#[pg_extern(sql = false)]
fn fold_past(relation: pg_sys::Oid, key: pgrx::Uuid, before: &str) {
    let key: KeyId = *key.as_bytes();
    let Ok(before) = before.parse::<u32>() else { return };
    with_open(relation, |open| {
        let table = &open.table;
        let Some(folds) = table.folds() else { return };
        let mut kept: Vec<(Recorded, Found)> = row_change::find(table.root, &key)
            .into_iter()
            .map(|found| (record::recorded(table, &found), found))
            .collect();
        kept.sort_by(|(one, _), (other, _)| (&one.version, one.ordinal).cmp(&(&other.version, other.ordinal)));
        let past = kept.iter().take_while(|(_, found)| row_change::older(found.xid, before)).count();
        if past < 2 || past == kept.len() {
            return;
        }
        let (mut changes, mut found): (Vec<Recorded>, Vec<Found>) = kept.into_iter().unzip();
        if let Some(like) = changes.iter().find_map(|change| change.after.as_ref().or(change.before.as_ref())) {
            let like = columns::row(table, like);
            record::mark_resolved(table, &like, &mut changes);
        }
        let Some(base) = base(&folds.rules, &changes, past, &OfTable::new(open, folds)) else { return };
        found.truncate(past);
        row_change::remove(&found);
        let text = |row: &Option<_>| row.as_ref().map(columns::text);
        row_change::write(
            table.root,
            &key,
            &RowChange {
                kind: b'B',
                ordinal: base.ordinal,
                before: text(&base.before),
                after: text(&base.after),
                version: Some((base.version.time, base.version.node.to_string())),
            },
        );
    });
}

/// A row of a table as changes keep it: a JSON object of texts.
#[pg_extern(sql = false)]
fn columns_json(value: pgrx::AnyElement) -> String {
    let (table, row) = composite::row_of(&value);
    columns::text(&columns::of(&table, &row))
}
