//! Taking tables over from a source: the frame of one initialisation. The steps are in sql/functions/initialise.sql and initialise_table.sql,
//! which also says why they are safe; here are the parts that SQL cannot do: one snapshot of the source held over
//! many transactions of ours, and COPY from it.

use super::{load, tell};
use crate::error;
use crate::peer;
use crate::pg::copy_from;
use crate::pg::latch;
use crate::pg::peer_connection::{Connection, Row};
use crate::pg::transaction::{self, Failed, attempt};
use crate::pg::worker_process;
use crate::{shared, worker};
use pgrx::bgworkers::BackgroundWorker;
use pgrx::prelude::*;
use std::time::{Duration, Instant};

const VERSIONS_AT_A_TIME: &str = "FETCH 2000 FROM versions";

/// How long a step may wait for the other side before the initialisation gives up (it can be asked for again).
const PATIENCE: Duration = Duration::from_secs(300);

#[pg_guard]
#[unsafe(no_mangle)]
pub extern "C-unwind" fn steep_repl_initialise_main(argument: pg_sys::Datum) {
    let database = argument.value() as u32;
    let Ok(id) = BackgroundWorker::get_extra().parse::<i64>() else { return };
    worker_process::begin(database);
    if !move_in(database, id) {
        return;
    }
    worker_process::at_exit(move_out);
    tell::start(database, id);
    if let Err(error) = run(id) {
        pgrx::log!("steep_repl initialisation {id}: {}", error.text);
        if let Err(second) = call("_init_failed", id, vec![error.text.as_str().into(), error.sqlstate.as_str().into()])
        {
            pgrx::log!("steep_repl initialisation {id}: {}", second.text);
        }
    }
}

fn run(id: i64) -> Result<(), Failed> {
    let method = call("_init_method", id, vec![])?;
    if method.as_deref() == Some("copy") {
        // It holds all rows, and has made its own links.
        call("_init_invite", id, vec![])?;
        call("_init_ask", id, vec![])?;
        wait_for("_init_missed", id)?;
        wait_for("_init_links_ready", id)?;
        call("_init_finish", id, vec![])?;
        return Ok(());
    }
    call("_init_keep", id, vec![])?;
    call("_init_prepare", id, vec![])?;
    call("_init_ask", id, vec![])?;
    wait_for("_init_links_ready", id)?;
    call("_init_pause", id, vec![])?;
    match method.as_deref() {
        Some("snapshot") => load::run(id)?,
        _ => copy_all(id)?,
    }
    call("_init_finish", id, vec![])?;
    Ok(())
}

/// Steps 2 to 4 from the source itself.
fn copy_all(id: i64) -> Result<(), Failed> {
    wait_for("_init_hold", id)?;
    let source = call("_init_source", id, vec![])?.ok_or_else(|| String::from("the source is not known"))?;
    let mut connection = attempt("connecting to the source", || peer::open(&source, true))?;
    ask(&mut connection, "BEGIN READ ONLY ISOLATION LEVEL REPEATABLE READ", 0)?;
    let slot = format!("steep_repl_copy_{}", worker_process::my_pid());
    let lsn = attempt("taking a snapshot of the source", || connection.create_temporary_slot(&slot))?;
    call("_init_snapshot_taken", id, vec![lsn.cast_signed().into()])?;
    let tables =
        ask(&mut connection, &call("_init_tables_query", id, vec![])?.ok_or_else(|| String::from("no query"))?, 6)?;
    let listed = serde_json::to_string(&tables).map_err(|e| e.to_string())?;
    call("_init_tables", id, vec![listed.as_str().into()])?;
    call("_init_origin", id, vec![])?;
    while let Some(table) = call("_init_next_table", id, vec![])? {
        if let Err(error) = copy(id, &table, &mut connection) {
            // With the source still there, the reason lies in this table: the others go on. What is left of its COPY has
            // to be read before the connection can be asked anything.
            attempt("reading the rest of a copy", || connection.finish_copy())?;
            if ask(&mut connection, "CLOSE ALL", 0).is_err() {
                return Err(error);
            }
            leave_out(id, &table, &error)?;
        }
    }
    Ok(())
}

/// Notes why a table could not be taken over.
pub(super) fn leave_out(id: i64, table: &str, error: &Failed) -> Result<(), Failed> {
    pgrx::log!("steep_repl initialisation {id}: {table}: {}", error.text);
    let arguments = vec![table.into(), error.text.as_str().into(), error.sqlstate.as_str().into()];
    call("_init_table_failed", id, arguments).map(|_| ())
}

/// Copies one table in one transaction, together with its entries in all subscriptions and in the publication.
fn copy(id: i64, table: &str, connection: &mut Connection) -> Result<(), Failed> {
    attempt(&format!("copying {table}"), || {
        let plan = Plan::read(&sql("_init_table_begin", id, vec![table.into()]).unwrap_or_default());
        if let (Some(proof), Some(here)) = (&plan.proof, &plan.hash) {
            let there = connection.rows(proof, 1).unwrap_or_else(|failure| peer::refused(failure));
            if there.first().and_then(|row| row.first().cloned().flatten()).as_ref() != Some(here) {
                error::raise(
                    PgSqlErrorCode::ERRCODE_DATA_EXCEPTION,
                    format!("the rows of {table} here and on the source are not identical"),
                    None,
                    "Make them equal while nobody writes, or empty the table here; then remove it and add it again.",
                );
            }
        }
        connection.start_copy(&plan.query).unwrap_or_else(|failure| peer::refused(failure));
        let (rows, bytes) = copy_from::copy_into(pg_sys::Oid::from(plan.relation), &plan.columns, connection);
        if let Some(query) = &plan.versions {
            // After the copy, while this transaction is open, nothing else shows how far it is (_copying()).
            transaction::show(&format!("versions of {table}, {rows} rows, {bytes} bytes"));
            take_versions(id, i64::from(plan.relation), query, connection);
        }
        sql("_init_table_done", id, vec![table.into(), rows.cast_signed().into(), bytes.cast_signed().into()]);
    })
}

/// Some at a time: they may be as many as the rows.
fn take_versions(id: i64, relation: i64, query: &str, connection: &mut Connection) {
    let mut ask = |sql: &str, columns| connection.rows(sql, columns).unwrap_or_else(|failure| peer::refused(failure));
    ask(&format!("DECLARE versions NO SCROLL CURSOR FOR {query}"), 0);
    loop {
        let versions: Vec<String> = ask(VERSIONS_AT_A_TIME, 1).into_iter().flatten().flatten().collect();
        if versions.is_empty() {
            break;
        }
        sql("_init_take_versions", id, vec![relation.into(), versions.into(), false.into()]);
    }
    ask("CLOSE versions", 0);
}

/// What _init_table_begin says: what to copy, or how to prove that nothing has to be.
#[derive(serde::Deserialize, Default)]
struct Plan {
    relation: u32,
    columns: Vec<String>,
    query: String,
    proof: Option<String>,
    hash: Option<String>,
    versions: Option<String>,
}

impl Plan {
    fn read(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_else(|error| pgrx::error!("no plan for the copy: {error}"))
    }
}

fn ask(connection: &mut Connection, query: &str, columns: usize) -> Result<Vec<Row>, Failed> {
    attempt("asking the source", || connection.rows(query, columns).unwrap_or_else(|failure| peer::refused(failure)))
}

/// Calls a step until it returns NULL; what it returns else is what it waits for, shown as the phase.
fn wait_for(step: &str, id: i64) -> Result<(), Failed> {
    let start = Instant::now();
    while let Some(reason) = call(step, id, vec![])? {
        if start.elapsed() > PATIENCE {
            return Err(format!("gave up after {} s: {reason}", PATIENCE.as_secs()).into());
        }
        latch::wait(Duration::from_millis(100));
    }
    Ok(())
}

/// One step in a transaction of its own.
pub(super) fn call(step: &str, id: i64, more: Vec<pgrx::datum::DatumWithOid>) -> Result<Option<String>, Failed> {
    attempt(step, || sql(step, id, more))
}

pub(super) fn sql(step: &str, id: i64, more: Vec<pgrx::datum::DatumWithOid>) -> Option<String> {
    let placeholders: String = (2..2 + more.len()).map(|n| format!(", ${n}")).collect();
    let arguments: Vec<_> = std::iter::once(id.into()).chain(more).collect();
    crate::sql::text(&format!("SELECT steep_repl.{step}($1{placeholders})::text"), &arguments)
}

fn move_in(database: u32, id: i64) -> bool {
    shared::write(|s| match s.database_or_new(database) {
        Some(place) if place.job == 0 && !worker::is_kept_free(place) => {
            place.job = worker_process::my_pid();
            place.job_id = id;
            true
        }
        _ => false,
    })
}

#[pg_guard]
unsafe extern "C-unwind" fn move_out(_code: i32, _argument: pg_sys::Datum) {
    shared::write(|s| {
        if let Some(place) = s.database(worker_process::my_database())
            && place.job == worker_process::my_pid()
        {
            place.job = 0;
        }
    });
}
