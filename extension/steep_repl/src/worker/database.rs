//! The worker of one database: serves requests, writes failures into the audit log, moves links along.

use super::is_kept_free;
use crate::pg::latch::{self, LatchRef};
use crate::pg::{transaction, worker_process};
use crate::schema::{self, Installed};
use crate::{audit, guc, request, shared, work};
use pgrx::prelude::*;
use std::time::{Duration, Instant};

/// How often a worker that must not call the SQL objects looks again; an update also wakes it.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

#[pg_guard]
#[unsafe(no_mangle)]
pub extern "C-unwind" fn steep_repl_worker_main(argument: pg_sys::Datum) {
    let oid = argument.value() as u32;
    worker_process::begin(oid);
    if !move_in(oid) {
        return;
    }
    worker_process::at_exit(move_out);
    let mut next_round = Instant::now();
    let mut waits_for_update = false;
    loop {
        worker_process::reload_settings_if_asked();
        let asked = asked(oid);
        match transaction::in_transaction("looking for the extension", schema::installed) {
            Ok(Installed::Ours) => {
                if waits_for_update {
                    waits_for_update = false;
                    set_error(oid, "");
                }
            }
            Ok(Installed::Nothing) => {
                stay_away(oid, asked);
                return;
            }
            Ok(Installed::Other(remedy)) => {
                if !waits_for_update {
                    waits_for_update = true;
                    note_error(oid, &remedy);
                }
                // Failures for the audit log wait, too.
                request::refuse(oid, &remedy);
                latch::wait(LOOK_AGAIN);
                continue;
            }
            Err(error) => note_error(oid, &error),
        }
        audit::write_failures(oid);
        let served = request::serve_one(oid);
        if !served && Instant::now() >= next_round {
            let round = work::round(oid);
            match &round {
                Ok(_) => set_error(oid, ""),
                Err(error) => note_error(oid, error),
            }
            let busy = round.unwrap_or(false);
            let interval = u64::try_from(guc::WORKER_INTERVAL.get()).unwrap_or(1000);
            next_round = Instant::now() + Duration::from_millis(if busy { 0 } else { interval });
        }
        if !served {
            let now = Instant::now();
            if next_round > now {
                latch::wait(next_round - now);
                // Whoever woke us has something to do.
                next_round = next_round.min(Instant::now() + Duration::from_millis(10));
            }
        }
    }
}

/// Takes the database's place; false when another worker of the same database is already there, or none may be.
fn move_in(oid: u32) -> bool {
    shared::write(|s| {
        let Some(place) = s.database_or_new(oid) else { return false };
        if place.worker != 0 || is_kept_free(place) {
            return false;
        }
        place.worker = worker_process::my_pid();
        place.latch = LatchRef::mine();
        true
    })
}

#[pg_guard]
unsafe extern "C-unwind" fn move_out(_code: i32, _argument: pg_sys::Datum) {
    let oid = worker_process::my_database();
    shared::write(|s| {
        if let Some(place) = s.database(oid)
            && place.worker == worker_process::my_pid()
        {
            place.worker = 0;
            place.latch = LatchRef::default();
            place.restarts += 1;
        }
    });
    request::refuse(oid, "the steep_repl worker was stopped");
}

/// How often a worker has been asked for.
fn asked(oid: u32) -> u32 {
    shared::read(|s| s.databases.iter().find(|place| place.oid == oid).map_or(0, |place| place.asked))
}

/// The extension is not (or no longer) here: no worker until CREATE EXTENSION asks for one, which it may have done since this
/// one looked.
fn stay_away(oid: u32, asked: u32) {
    shared::write(|s| {
        if let Some(place) = s.database(oid)
            && place.asked == asked
        {
            place.wanted = false;
        }
    });
}

fn note_error(oid: u32, error: &str) {
    pgrx::log!("steep_repl worker: {error}");
    set_error(oid, error);
}

fn set_error(oid: u32, error: &str) {
    shared::write(|s| {
        if let Some(place) = s.database(oid) {
            place.last_error.set(error);
        }
    });
}
