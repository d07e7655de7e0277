//! Indexes of the tables that a job loads: built when the rows are there, which takes less time than to enter each row as it
//! comes. Until then nobody else writes to the table: nothing would keep values unique.
//!
//! What PostgreSQL knows of an index that was not built to its end (pg_index.indisvalid and indisready, as after CREATE INDEX
//! CONCURRENTLY that failed) is said of these too: no query uses them, and REINDEX would build them.

use crate::error;
use crate::job::{Lead, Outcome, Task, first};
use crate::pg::plan::{self, Argument};
use crate::pg::transaction::{Failed, attempt};
use crate::pg::{index, table_lock};
use pgrx::PgSqlErrorCode;
use std::collections::HashSet;

/// Bytes of rows from which on it is worth it.
const WORTH: u64 = 4 << 20;
/// Bytes of rows that are loaded in the time in which one of an index is built, about.
pub const BUILDING: u64 = 4;

/// Defers the indexes of a table, unless others use it: how many. What is to be loaded takes so many bytes, in so many pieces.
pub fn defer(lead: &Lead, relation: u32, bytes: u64, pieces: usize) -> u64 {
    if bytes < WORTH && pieces < 2 {
        return 0;
    }
    let deferred = attempt("deferring indexes", || {
        let query = "SELECT steep_repl._indexes_defer($1, $2)";
        let count = first(plan::rows(query, &[Argument::of(Some(lead.id)), Argument::oid(relation.into())]));
        let count = count.and_then(|count| count.parse().ok()).unwrap_or(0);
        if count > 0 {
            table_lock::keep_from_writers(relation);
        }
        count
    });
    deferred.unwrap_or_else(|failed| {
        pgrx::log!("steep_repl work {}: indexes are kept up to date while it loads: {}", lead.id, failed.text);
        0
    })
}

/// What is left to build, a task each with the step `build`; those of the largest tables first.
pub fn tasks(lead: &Lead, step: u8) -> Result<Vec<Task>, Failed> {
    let rows = attempt("looking for deferred indexes", || {
        let query = "SELECT d.index, d.bytes FROM steep_repl._indexes_deferred($1) d";
        plan::rows(query, &[Argument::of(Some(lead.id))])
    })?;
    let number = |row: &plan::Row, place: usize| row[place].as_deref().and_then(|text| text.parse::<u64>().ok());
    let task = |row: &plan::Row| {
        let (relation, bytes) = (number(row, 0)?.try_into().ok()?, number(row, 1)?);
        Some(Task { step, relation, units: (bytes / BUILDING).max(1), ..Default::default() })
    };
    Ok(rows.iter().filter_map(task).collect())
}

/// Builds the index of a task, in the transaction that is open, which must be able to show its name to `show`.
pub fn build(task: &Task, show: impl FnOnce(&str)) -> Outcome {
    let name = first(plan::rows("SELECT steep_repl._index_name($1)", &[Argument::oid(task.relation.into())]));
    let Some(name) = name else { return forget(task) };
    show(&name);
    if index::build(task.relation) {
        return forget(task);
    }
    let gone = format!("index {name} was dropped while it was built");
    error::raise(PgSqlErrorCode::ERRCODE_UNDEFINED_OBJECT, gone, None, "retry_work() goes on without it.")
}

fn forget(task: &Task) -> Outcome {
    plan::rows("SELECT steep_repl._index_built($1)", &[Argument::oid(task.relation.into())]);
    Outcome::default()
}

/// Builds all that is left, as the leader: one that cannot be built does not keep the others from it. The first error.
pub fn build_all(lead: &mut Lead, tasks: &[Task]) -> Result<(), Failed> {
    let mut outcome = Ok(());
    for task in tasks {
        let built = attempt("building an index", || build(task, |_| ())).map(|_| ());
        lead.write(|place| place.units_done += task.units);
        outcome = outcome.and(built);
    }
    outcome
}

/// Those of these tables at which streams, or the triggers that fire, could meet in a way that members of one lock group must not:
/// see sql/functions/deferred_index.sql.
pub fn meeting(tables: &[u32]) -> Result<HashSet<u32>, Failed> {
    let tables: Vec<i64> = tables.iter().copied().map(i64::from).collect();
    let rows = attempt("looking how tables are loaded", || {
        let query = "SELECT t FROM pg_catalog.unnest($1::bigint[]) t WHERE steep_repl._streams_meet(t::oid)";
        plan::rows(query, &[Argument::of(Some(tables))])
    })?;
    Ok(rows.iter().flatten().flatten().filter_map(|table| table.parse().ok()).collect())
}

/// Has all indexes of a job that ends before its time used again.
pub fn restore(lead: &mut Lead) -> Result<(), Failed> {
    let tasks = tasks(lead, 0)?;
    if !tasks.is_empty() {
        lead.enter("building indexes");
    }
    build_all(lead, &tasks)
}
