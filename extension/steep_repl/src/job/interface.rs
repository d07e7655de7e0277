//! What SQL asks about jobs.

use super::{place, progress};
use crate::pg::worker_process;
use crate::shared;
use pgrx::prelude::*;

/// What shared memory knows of the jobs that run in this database.
#[pg_extern(sql = false)]
fn live_work() -> SetOfIterator<'static, pgrx::JsonB> {
    let places = if shared::available() { place::of_database(worker_process::my_database()) } else { Vec::new() };
    SetOfIterator::new(places.into_iter().map(|place| pgrx::JsonB(progress::shape(&place, "running"))))
}

/// Has a job end; false when it does not run.
#[pg_extern(sql = false)]
fn interrupt_work(id: i64) -> bool {
    let database = worker_process::my_database();
    let Some(index) = shared::available().then(|| place::find(database, id)).flatten() else { return false };
    let pids = place::write(index, |place| {
        if place.id != id || place.database != database {
            return Vec::new();
        }
        place.cancelled = true;
        place.latch.wake();
        place.pids().collect::<Vec<_>>()
    });
    pids.iter().copied().for_each(worker_process::cancel);
    !pids.is_empty()
}

/// The role that the session acts as, also within functions that run as their owner.
#[pg_extern(sql = false)]
fn outer_role() -> pg_sys::Oid {
    worker_process::outer_role()
}
