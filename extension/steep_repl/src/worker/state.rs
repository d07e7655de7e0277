//! What sessions learn of the worker of their database.

use crate::pg::{latch, worker_process};
use crate::{guc, shared};
use pgrx::prelude::*;
use std::time::{Duration, Instant};

/// How long a worker that is on its way is waited for: after a start of the server, after CREATE EXTENSION, after its end.
const ON_ITS_WAY: Duration = Duration::from_secs(5);

/// Why no worker serves this database, once one that is on its way would be there; None when one does.
pub fn missing() -> Option<String> {
    if !shared::available() {
        return Some("steep_repl is not in shared_preload_libraries: no worker runs".into());
    }
    let begun = Instant::now();
    loop {
        let (place, left_out) = here();
        if place.worker != 0 {
            return None;
        }
        // Also where it is left out: after a start workers take the places that only look whether the extension is there.
        if begun.elapsed() > ON_ITS_WAY {
            return Some(left_out.unwrap_or_else(|| "the steep_repl worker of this database does not run".into()));
        }
        latch::wait(Duration::from_millis(100));
    }
}

#[pg_extern(sql = false)]
fn worker_missing() -> Option<String> {
    missing()
}

/// The place of this database, and why it gets no worker where it gets none.
fn here() -> (shared::Database, Option<String>) {
    let oid = worker_process::my_database();
    let limit = usize::try_from(guc::MAX_DATABASES.get()).unwrap_or(0);
    let (place, full, running) = shared::read(|s| {
        let running = s.databases.iter().filter(|d| d.worker != 0).count();
        let full = s.databases.iter().all(|d| d.oid != 0);
        (s.databases.iter().find(|d| d.oid == oid).copied(), full, running)
    });
    let left_out = match place {
        None if full => {
            Some(format!("this server has more than {} databases, and this one gets no worker", shared::DATABASES))
        }
        Some(place) if place.worker == 0 && running >= limit => {
            Some(format!("{running} workers run in other databases, as many as steep_repl.max_databases allows"))
        }
        _ => None,
    };
    (place.unwrap_or_default(), left_out)
}

#[pg_extern(sql = false)]
fn worker_state() -> pgrx::JsonB {
    if !shared::available() {
        return pgrx::JsonB(serde_json::json!({"preloaded": false, "running": false}));
    }
    let (place, left_out) = here();
    let error = place.last_error.get();
    pgrx::JsonB(serde_json::json!({
        "preloaded": true,
        "running": place.worker != 0,
        "pid": (place.worker != 0).then_some(place.worker),
        "initialisation_pid": (place.job != 0).then_some(place.job),
        "initialisation": (place.job != 0).then_some(place.job_id),
        "left_out": left_out,
        "restarts": place.restarts,
        "last_error": (!error.is_empty()).then_some(error),
        "audit_entries_lost": shared::read(|s| s.failures_lost),
    }))
}
