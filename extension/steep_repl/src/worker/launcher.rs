//! The launcher: finds the databases of the server and keeps a worker running in each that has the extension.
//!
//! Whether a database has the extension cannot be seen from outside: a worker is started in each once, looks, and
//! leaves where there is none. CREATE EXTENSION asks for one itself.

use crate::pg::latch::{self, LatchRef};
use crate::pg::{databases, transaction, worker_process};
use crate::{guc, shared};
use pgrx::prelude::*;
use std::time::{Duration, Instant};

/// How often the list of databases is read again (a copy of a database with the extension asks for nothing).
const RESCAN: Duration = Duration::from_secs(60);
/// Microseconds before a worker that died is started again.
const RESTART_AFTER: i64 = 1_000_000;

#[pg_guard]
#[unsafe(no_mangle)]
pub extern "C-unwind" fn steep_repl_launcher_main(_argument: pg_sys::Datum) {
    worker_process::begin(0);
    shared::write(|s| s.launcher = LatchRef::mine());
    let mut scanned: Option<Instant> = None;
    let mut told = false;
    loop {
        worker_process::reload_settings_if_asked();
        if scanned.is_none_or(|at| at.elapsed() > RESCAN) {
            match transaction::in_transaction("looking for databases", databases::list) {
                Ok(found) => {
                    let left_out = remember(&found);
                    if left_out > 0 && !told {
                        pgrx::log!(
                            "steep_repl: this server has more than {} databases; {left_out} of them get no worker",
                            shared::DATABASES
                        );
                    }
                    told = left_out > 0;
                }
                Err(error) => pgrx::log!("steep_repl launcher: {error}"),
            }
            scanned = Some(Instant::now());
        }
        for oid in due() {
            if !worker_process::start("worker", "steep_repl_worker_main", oid, "") {
                pgrx::log!("steep_repl: no free background worker for database {oid}; raise max_worker_processes");
            }
        }
        latch::wait(Duration::from_secs(1));
    }
}

/// Makes a place for each new database, wanted until its worker has looked, and frees those of dropped ones. Returns for
/// how many there is no place.
fn remember(found: &[u32]) -> usize {
    shared::write(|s| {
        for place in s.databases.iter_mut() {
            if place.oid != 0 && place.worker == 0 && !found.contains(&place.oid) {
                *place = shared::Database::default();
            }
        }
        let mut left_out = 0;
        for oid in found {
            if !s.databases.iter().any(|d| d.oid == *oid) {
                match s.database_or_new(*oid) {
                    Some(place) => place.wanted = true,
                    None => left_out += 1,
                }
            }
        }
        left_out
    })
}

/// The databases whose worker should be started now, within the limit; marks them as started.
fn due() -> Vec<u32> {
    let now = worker_process::now();
    let limit = usize::try_from(guc::MAX_DATABASES.get()).unwrap_or(0);
    shared::write(|s| {
        let mut running = s.databases.iter().filter(|d| d.worker != 0).count();
        let mut due = Vec::new();
        for place in s.databases.iter_mut() {
            if place.oid != 0 && place.wanted && place.worker == 0 && place.not_before <= now && running < limit {
                place.not_before = now + RESTART_AFTER;
                due.push(place.oid);
                running += 1;
            }
        }
        due
    })
}
