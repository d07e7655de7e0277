//! Telling whoever listens how far a take-over is. A process of its own does it: the one that takes tables over is in one
//! transaction for as long as a table lasts, and what it notified would come at the end of that. Changes of phase that it commits
//! are told at once, by a trigger (sql/functions/progress.sql).

use crate::pg::latch;
use crate::pg::transaction::in_transaction;
use crate::pg::worker_process;
use crate::{shared, sql};
use pgrx::bgworkers::BackgroundWorker;
use pgrx::prelude::*;
use std::time::Duration;

/// Between two looks, and so between two notifications about the same phase.
const LOOK: Duration = Duration::from_millis(250);

/// Starts it for an initialisation that this process carries out. It ends with that; without a free process nobody is told but
/// of what commits.
pub fn start(database: u32, id: i64) {
    let extra = format!("{id} {}", worker_process::my_pid());
    if !worker_process::start("progress", "steep_repl_tell_main", database, &extra) {
        pgrx::log!(
            "steep_repl initialisation {id}: no free background worker to tell how far it is; raise max_worker_processes"
        );
    }
}

#[pg_guard]
#[unsafe(no_mangle)]
pub extern "C-unwind" fn steep_repl_tell_main(argument: pg_sys::Datum) {
    let database = argument.value() as u32;
    let numbers: Vec<i64> = BackgroundWorker::get_extra().split(' ').filter_map(|n| n.parse().ok()).collect();
    let [id, owner] = numbers.as_slice() else { return };
    worker_process::begin(database);
    let mut told = None;
    let mut failing = None;
    while shared::read(|s| s.databases.iter().any(|d| d.oid == database && i64::from(d.job) == *owner)) {
        let now = in_transaction("telling how far a take-over is", || {
            sql::text("SELECT steep_repl._init_tell($1, $2)", &[(*id).into(), told.clone().into()])
        });
        match now {
            Ok(now) => (told, failing) = (now, None),
            // The same one comes with every look until its cause is gone.
            Err(error) if failing.as_ref() != Some(&error) => {
                pgrx::log!("steep_repl initialisation {id}: {error}");
                failing = Some(error);
            }
            Err(_) => {}
        }
        latch::wait(LOOK);
    }
}
