//! What SQL functions need of rows and keys outside of an apply worker: for proof, repair and displaced rows.

use crate::conflict::{meanwhile, session, unique};
use crate::pg::acting_as::ActingAs;
use crate::pg::canonical::Canonical;
use crate::pg::key_id;
use crate::pg::row::{self, Row};
use crate::pg::stored_row::with_open;
use crate::pg::table::{self, Column, JsonForm, Table};
use crate::pg::tombstone::{self, Tombstone};
use crate::pg::{composite, plan};
use pgrx::prelude::*;
use serde_json::value::RawValue;
use std::collections::{BTreeSet, HashMap};

/// The key of a row of a table, from any JSON that has its columns.
pub fn key_row(table: &Table, key: &pgrx::JsonB) -> Row {
    read_row(table, table.key.iter().copied(), |column| match &key.0[column.name.as_str()] {
        serde_json::Value::Null => None,
        serde_json::Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    })
}

/// Some columns of a row, as far as a JSON object has them. `sent`: the values are text, as they were sent; else a document
/// stands there as it is.
fn some_of_row(table: &Table, places: impl IntoIterator<Item = usize>, json: &str, sent: bool) -> Row {
    // Only the outermost object is looked into: documents may be nested more deeply than values of serde_json.
    let values: HashMap<String, &RawValue> =
        serde_json::from_str(json).unwrap_or_else(|error| pgrx::error!("this is no row: {error}"));
    read_row(table, places, |column| {
        let value = values.get(&column.name).map(|value| value.get()).filter(|value| *value != "null")?;
        let as_text = value.starts_with('"') && (sent || column.json != JsonForm::Raw);
        Some(if as_text { serde_json::from_str(value).unwrap_or_default() } else { value.to_owned() })
    })
}

/// A row of the columns at some places for which there is a text; the others are null.
fn read_row(table: &Table, places: impl IntoIterator<Item = usize>, text: impl Fn(&Column) -> Option<String>) -> Row {
    let mut row = Row { values: vec![None; table.columns.len()] };
    let _canonical = Canonical::begin();
    for place in places {
        let column = &table.columns[place];
        row.values[place] = text(column).map(|text| row::read(column, &text));
    }
    row
}

/// The id of a key, under which tombstones and versions are looked up.
#[pg_extern(sql = false)]
fn key_id_of(relation: pg_sys::Oid, key: pgrx::JsonB) -> pgrx::Uuid {
    let table = table::by_oid(relation);
    pgrx::Uuid::from_bytes(key_id::of(&table, &key_row(&table, &key)))
}

/// A key in the one form that the conflict log uses.
#[pg_extern(sql = false)]
fn canonical_key(relation: pg_sys::Oid, key: pgrx::JsonB) -> pgrx::JsonB {
    let table = table::by_oid(relation);
    let row = key_row(&table, &key);
    let _canonical = Canonical::begin();
    let json = row.json_of(&table, table.key.iter().copied());
    pgrx::JsonB(serde_json::from_str(&json).unwrap_or(serde_json::Value::Null))
}

/// A row as it was sent, every value as text, in the one form that the conflict log uses.
#[pg_extern(sql = false)]
fn canonical_text(relation: pg_sys::Oid, tuple: &str) -> String {
    let table = table::by_oid(relation);
    let places = (0..table.columns.len()).filter(|place| !table.columns[*place].dropped);
    let row = some_of_row(&table, places, tuple, true);
    let _canonical = Canonical::begin();
    row.json(&table)
}

/// The rows that hold a unique value of one that is not here, in the form that the conflict log uses; locked.
#[pg_extern(sql = false)]
fn clashes(leaf: pg_sys::Oid, whole: &str) -> SetOfIterator<'static, pgrx::JsonB> {
    let found = with_open(leaf, |open| {
        let places: BTreeSet<usize> = open.table.uniques().iter().flat_map(|index| index.columns.clone()).collect();
        unique::clashes(open, &some_of_row(&open.table, places, whole, false), |_| true)
    });
    SetOfIterator::new(
        found.into_iter().map(|(index, place)| pgrx::JsonB(serde_json::json!({"index": index, "place": place}))),
    )
}

/// A row of a table, whole, in the one form that the conflict log uses.
#[pg_extern(sql = false)]
fn row_json(value: pgrx::AnyElement) -> String {
    let (table, row) = composite::row_of(&value);
    let _canonical = Canonical::begin();
    row.json(&table)
}

/// The key of a row of a table, in the one form that the conflict log uses.
#[pg_extern(sql = false)]
fn key_json(value: pgrx::AnyElement) -> String {
    let (table, row) = composite::row_of(&value);
    let _canonical = Canonical::begin();
    row.json_of(&table, table.key.iter().copied())
}

/// Runs a statement as the owner of a table, restricted, as an apply worker does; how many rows it processed. Triggers and
/// expressions of the table are the owner's code.
#[pg_extern(sql = false)]
fn as_owner(relation: pg_sys::Oid, statement: &str) -> i64 {
    let table = table::by_oid(relation);
    let _owner = ActingAs::table_owner(table.owner);
    plan::once(statement).cast_signed()
}

/// The commit time of the transaction that this apply worker applies, in microseconds since 2000; NULL elsewhere.
#[pg_extern(sql = false)]
fn applied_commit_time() -> Option<i64> {
    session::open_version().map(|version| version.time)
}

/// The node whose stream this apply worker applies; NULL elsewhere.
#[pg_extern(sql = false)]
fn applied_peer() -> Option<String> {
    session::stream().map(|stream| stream.peer.to_string())
}

/// Removes a locked row without any trigger: its tombstone is written by the caller, under the version it has.
#[pg_extern(sql = false)]
fn remove_quietly(leaf: pg_sys::Oid, place: &str) {
    with_open(leaf, |open| {
        if let Some(row) = open.at(place) {
            open.remove(&row);
        }
    });
}

/// Writes a tombstone under a version of its own.
#[pg_extern(sql = false)]
fn put_tombstone(
    relation: pg_sys::Oid,
    key: pgrx::JsonB,
    row_gone: Option<String>,
    micros: i64,
    node: &str,
    displaced: bool,
) {
    let table = table::by_oid(relation);
    let id = key_id::of(&table, &key_row(&table, &key));
    let stone = Tombstone { row_gone, moved_to: None, displaced, version: Some((micros, node.to_owned())) };
    tombstone::write(table.root, &id, &stone);
}

/// Raises 40001 when somebody has inserted a row under a key of which this transaction has just written a tombstone.
#[pg_extern(sql = false)]
fn refuse_newcomer(relation: pg_sys::Oid, key: pgrx::JsonB) {
    let table = table::by_oid(relation);
    meanwhile::refuse_newcomer(&table, &key_row(&table, &key));
}

/// Waits for those who are writing tombstones of a key.
#[pg_extern(sql = false)]
fn await_tombstones(relation: pg_sys::Oid, key: pgrx::JsonB) {
    let table = table::by_oid(relation);
    tombstone::await_writers(table.root, &key_id::of(&table, &key_row(&table, &key)));
}
