//! A change that was set aside takes its place among those of its key after all.

use crate::conflict::fold::arithmetic::OfTable;
use crate::conflict::fold::{columns, history, record};
use crate::pg::key_id;
use crate::pg::stored_row::with_open;
use crate::pg::table::Table;
use conflict::Version;
use conflict::fold::{Arithmetic, Columns, Deed, Fate, Recorded, sort};
use pgrx::prelude::*;
use serde_json::{Value, json};

/// Keeps a change under its own version and folds all that are kept of its key. The caller has locked the row that is here, at
/// `place`, and knows its version, or that of its deletion. Gives the row that is to stand there, and what became of the change.
#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments, reason = "called from SQL")]
fn fold_late(
    relation: pg_sys::Oid,
    place: Option<&str>,
    here_micros: Option<i64>,
    here_node: Option<&str>,
    row_gone: Option<&str>,
    deed: &str,
    number: i64,
    before: Option<&str>,
    after: Option<&str>,
    micros: i64,
    node: &str,
) -> Option<pgrx::JsonB> {
    let here_version = here_micros.zip(here_node).map(|(time, node)| Version::new(time, node));
    with_open(relation, |open| {
        let table = &open.table;
        let folds = table.folds()?;
        let deed = match deed {
            "D" => Deed::Delete,
            "I" => Deed::Insert,
            _ => Deed::Update,
        };
        let given = |text: Option<&str>, counts: bool| text.filter(|_| counts).and_then(|text| as_kept(table, text));
        let change = Recorded {
            version: Version::new(micros, node),
            ordinal: record::ordinal(deed, number),
            deed,
            before: given(before, deed != Deed::Insert),
            after: given(after, deed != Deed::Delete),
        };
        let key_row = columns::row(table, change.after.as_ref().or(change.before.as_ref())?);
        let key = key_id::of(table, &key_row);
        let here = place.and_then(|place| open.at(place)).map(|stored| columns::of(table, &stored.row));
        let mut kept = history::of(table, &key, &key_row);
        let mut new = std::mem::take(&mut kept.open);
        if new.is_empty()
            && kept.history.is_empty()
            && let Some(row) = record::from_before(table, here.as_ref(), row_gone, here_version.as_ref())
        {
            record::counted(table, &key, &row);
            new.push(row);
        }
        record::counted(table, &key, &change);
        new.push(change.clone());
        sort(&mut new);
        let of = OfTable::new(open, folds);
        let folded = kept.history.fold(&folds.rules, &new, Some(&change), &of);
        let trouble = of.trouble.take();
        // Where its own row still cannot stand here, a row that the others can merge is clipped here only. Where it can, they
        // have clipped it too.
        if folded.fates.contains(&Fate::Clipped)
            && let Some(after) = &change.after
            && !of.holds(after)
            && let Some(trouble) = trouble
        {
            return Some(json!({"trouble": trouble.text, "sqlstate": trouble.sqlstate}));
        }
        let version = folded.version.unwrap_or_else(|| change.version.clone());
        let winner = if folded.row == here {
            Some("local")
        } else if folded.row == change.after {
            Some("remote")
        } else {
            None
        };
        Some(json!({
            "row": folded.row.as_ref().map_or(Value::Null, |row| json!(row)),
            "micros": version.time,
            "node": &*version.node,
            "unchanged": folded.row == here && here_version.as_ref() == Some(&version),
            "winner": winner,
        }))
    })
    .map(pgrx::JsonB)
}

/// A row as it was sent, in the form in which changes keep it.
fn as_kept(table: &Table, text: &str) -> Option<Columns> {
    let sent = columns::read(text)?;
    if let Some(stranger) = sent.keys().find(|name| table.place_of(name).is_none()) {
        pgrx::ereport!(
            ERROR,
            pgrx::PgSqlErrorCode::ERRCODE_UNDEFINED_COLUMN,
            format!("the table has no column {stranger}, which the change has")
        );
    }
    Some(columns::of(table, &columns::row(table, &sent)))
}
