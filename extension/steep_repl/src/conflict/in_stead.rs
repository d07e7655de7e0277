//! A change that we apply in the stead of the server's apply worker: of a transaction from which something was set aside.
//!
//! By statements, whose triggers decide as they do for the worker. What they do not find is settled as what the worker does not
//! find.

use crate::conflict::changed::Changed;
use crate::conflict::missing;
use crate::conflict::session::{self, Arriving};
use crate::error;
use crate::pg::acting_as::ActingAs;
use crate::pg::apply_trigger;
use crate::pg::plan::{self, Argument};
use crate::pg::row::Row;
use crate::pg::table::{self, Table, quote};
use conflict::Change;
use pgoutput::{Message, Value};
use pgrx::PgSqlErrorCode;
use std::collections::HashSet;

pub fn apply(arriving: &Arriving) {
    let Some(root) = missing::managed(arriving) else { return };
    let table = table::by_oid(root.into());
    refuse_missing_columns(arriving, &table);
    let Some(changed) = Changed::read(arriving, &table) else { return };
    let done = match (&changed.after, changed.change) {
        (Some(after), Change::Insert) if table.key_index.is_none() => {
            let _owner = ActingAs::table_owner(table.owner);
            missing::insert_columns(&table, after, changed.known(&table));
            true
        }
        (None, _) if table.key_index.is_none() => delete_equal(&table, &changed),
        // Between partitions a row goes by a deletion and an insertion, as in the worker.
        (Some(after), Change::Update) => update(arriving, &table, &changed, after),
        (Some(after), Change::Move) if !partitioned(&table) => update(arriving, &table, &changed, after),
        _ => false,
    };
    if !done && !session::decided() {
        missing::settle_change(arriving);
    }
}

/// As the worker does (logicalrep_report_missing_or_gen_attrs in src/backend/replication/logical/relation.c).
fn refuse_missing_columns(arriving: &Arriving, table: &Table) {
    let here = |name: &String| table.place_of(name).is_some_and(|place| table.columns[place].sent);
    let missing: Vec<&str> = arriving.relation.columns.iter().filter(|name| !here(name)).map(String::as_str).collect();
    if !missing.is_empty() {
        error::raise(
            PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
            format!("table {}.{} has no column {}", table.schema, table.name, missing.join(", ")),
            None,
            "Add the columns as they are on the peer.",
        );
    }
}

fn partitioned(table: &Table) -> bool {
    let kind = plan::rows("SELECT relkind FROM pg_catalog.pg_class WHERE oid = $1", &[Argument::oid(table.root)]);
    kind.first().and_then(|row| row[0].as_deref()) == Some("p")
}

/// Whether a row was found.
fn update(arriving: &Arriving, table: &Table, changed: &Changed, after: &Row) -> bool {
    let unsent = unsent(arriving);
    let always = always(table);
    let places: Vec<usize> = changed
        .known(table)
        .filter(|place| !unsent.contains(table.columns[*place].name.as_str()))
        // The key that finds the row need not be written, and what is generated always cannot be.
        .filter(|place| changed.change == Change::Move || !table.key.contains(place) || table.key_index.is_none())
        .filter(|place| !always.contains(&table.columns[*place].name))
        .collect();
    let (condition, mut arguments) = match table.key_index {
        Some(_) => (
            missing::key_condition(table),
            missing::values(table, changed.key_before.as_ref().unwrap_or(after), &table.key),
        ),
        None => by_values(table, changed),
    };
    if places.is_empty() {
        return false;
    }
    let sets: Vec<String> = places
        .iter()
        .enumerate()
        .map(|(number, place)| format!("{} = ${}", quote(&table.columns[*place].name), arguments.len() + number + 1))
        .collect();
    arguments.extend(missing::values(table, after, &places));
    let _owner = ActingAs::table_owner(table.owner);
    let _ours = apply_trigger::ours();
    plan::run(&format!("UPDATE {} SET {} WHERE {condition}", table.qualified(), sets.join(", ")), &arguments).1 > 0
}

fn delete_equal(table: &Table, changed: &Changed) -> bool {
    let (condition, arguments) = by_values(table, changed);
    let _owner = ActingAs::table_owner(table.owner);
    let _ours = apply_trigger::ours();
    plan::run(&format!("DELETE FROM {} WHERE {condition}", table.qualified()), &arguments).1 > 0
}

/// One of the rows that equal the one before; several may. Its values are the first parameters.
fn by_values(table: &Table, changed: &Changed) -> (String, Vec<Argument>) {
    let Some(row) = &changed.before else { return (String::from("false"), Vec::new()) };
    let places: Vec<usize> = changed.known(table).collect();
    let equal: Vec<String> = places
        .iter()
        .enumerate()
        .map(|(number, place)| format!("{} IS NOT DISTINCT FROM ${}", quote(&table.columns[*place].name), number + 1))
        .collect();
    let condition = format!(
        "(tableoid, ctid) = (SELECT tableoid, ctid FROM {} WHERE {} LIMIT 1)",
        table.qualified(),
        equal.join(" AND ")
    );
    (condition, missing::values(table, row, &places))
}

/// The columns whose large values the update left as they were, and did not send.
fn unsent(arriving: &Arriving) -> HashSet<String> {
    let message = session::message();
    let Some(Message::Update { old, new, .. }) = pgoutput::parse(&message) else { return HashSet::new() };
    let old = old.filter(|old| !old.key_only);
    let known = |place: usize| {
        old.as_ref().and_then(|old| old.values.get(place)).is_some_and(|v| !matches!(v, Value::Unchanged))
    };
    let values = arriving.relation.columns.iter().zip(&new.values).enumerate();
    values
        .filter(|(place, (_, value))| matches!(value, Value::Unchanged) && !known(*place))
        .map(|(_, (name, _))| name.clone())
        .collect()
}

/// The columns that are GENERATED ALWAYS AS IDENTITY: no update of a user changes them.
fn always(table: &Table) -> HashSet<String> {
    let query = "SELECT attname FROM pg_catalog.pg_attribute WHERE attrelid = $1 AND attidentity = 'a'";
    plan::rows(query, &[Argument::oid(table.root)]).into_iter().flatten().flatten().collect()
}
