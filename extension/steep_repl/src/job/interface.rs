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

/// Has a job fail for a reason; what it has done stays.
#[pg_extern(sql = false)]
fn stop_work(id: i64, why: &str) {
    let database = worker_process::my_database();
    let Some(index) = shared::available().then(|| place::find(database, id)).flatten() else { return };
    place::interrupt(index, database, id, |place| {
        let first = place.error.get().is_empty();
        if first {
            place.error.set(why);
            place.sqlstate.set("57014");
        }
        first
    });
}

/// The role that the session acts as, also within functions that run as their owner.
#[pg_extern(sql = false)]
fn outer_role() -> pg_sys::Oid {
    worker_process::outer_role()
}
