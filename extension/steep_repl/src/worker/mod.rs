//! The workers: a launcher for the server, one worker for each database that has the extension, and one
//! short-lived worker for each initialisation.

mod database;
mod launcher;
mod state;

use crate::pg::{databases, extension, latch, transaction, worker_process};
use crate::{job, shared, sql};
use pgrx::prelude::*;
use std::ffi::CStr;
use std::time::Duration;

pub use crate::pg::worker_process::register_launcher;
pub use state::missing;

/// How long a statement that needs a database for itself may keep our worker away, in microseconds.
const WAY_MADE_FOR: i64 = 600_000_000;

/// Sends the workers of a database away and keeps them away until the returned guard is dropped.
pub fn make_way(database: &CStr) -> Option<KeepAway> {
    if !shared::available() || !transaction::is_open() {
        return None;
    }
    let oid = databases::by_name(database);
    let pids = shared::write(|s| {
        s.database(oid).map(|d| {
            d.not_before = worker_process::now() + WAY_MADE_FOR;
            (d.worker, d.job)
        })
    })?;
    let guard = KeepAway(oid);
    worker_process::terminate(pids.0);
    worker_process::terminate(pids.1);
    for _ in 0..100 {
        let jobs_left = !job::send_away(oid);
        if !jobs_left && shared::write(|s| s.database(oid).is_none_or(|d| d.worker == 0 && d.job == 0)) {
            break;
        }
        latch::wait(Duration::from_millis(50));
    }
    Some(guard)
}

/// Whether a statement needs the database for itself now: a process that was started before must not move in.
pub fn is_kept_free(place: &shared::Database) -> bool {
    place.not_before > worker_process::now() + WAY_MADE_FOR / 2
}

/// How much is to be done before DROP EXTENSION: nothing where it is not there, or somebody else's; first, raise an error while
/// there are links, whose slots would stay behind; second, take away what is outside of the extension, unless its objects are
/// of a version that cannot do that. Whoever may drop it has it for himself from here on.
pub fn steps_before_drop() -> usize {
    let owner = "SELECT pg_catalog.pg_has_role(extowner, 'USAGE')::text FROM pg_catalog.pg_extension WHERE extname = 'steep_repl'";
    let there = "SELECT pg_catalog.to_regprocedure('steep_repl._take_everything_away()')::text";
    if sql::text(owner, &[]).as_deref() != Some("true") {
        return 0;
    }
    extension::claim();
    1 + usize::from(sql::text(there, &[]).is_some())
}

/// While it lives, no worker is started for the database.
pub struct KeepAway(u32);

impl Drop for KeepAway {
    fn drop(&mut self) {
        let launcher = shared::write(|s| {
            if let Some(d) = s.database(self.0) {
                d.not_before = 0;
            }
            s.launcher
        });
        launcher.wake();
    }
}

/// Asks for a worker for this database once the transaction has committed, or wakes the one it has.
#[pg_extern(sql = false)]
fn wake_worker() {
    if shared::available() {
        pgrx::register_xact_callback(pgrx::PgXactCallbackEvent::Commit, || wake(worker_process::my_database()));
    }
}

fn wake(oid: u32) {
    let (worker, launcher) = shared::write(|s| {
        let launcher = s.launcher;
        let worker = s.database_or_new(oid).map(|d| {
            d.wanted = true;
            d.asked = d.asked.wrapping_add(1);
            // Not because of an earlier look at a database that did not have the extension yet.
            if !is_kept_free(d) {
                d.not_before = 0;
            }
            d.latch
        });
        (worker.unwrap_or_default(), launcher)
    });
    worker.wake();
    launcher.wake();
}

/// Whether all that this server has gone through since its start is the recovery of a backup.
#[pg_extern(sql = false)]
fn from_backup() -> bool {
    shared::available() && shared::read(|s| s.from_backup)
}
