//! The worker's part: starts what waits, and notices what has lost its processes.

use super::place;
use crate::pg::plan::{self, Argument};
use crate::pg::transaction::in_transaction;
use crate::pg::worker_process::{self, Process};
use crate::snapshot;
use serde_json::Value;
use std::cell::RefCell;

thread_local! {
    /// Leaders that this process has started: the job, how often it had been begun before, and the process.
    static STARTED: RefCell<Vec<(i64, i64, Process)>> = const { RefCell::new(Vec::new()) };
}

/// One look at the queue.
pub fn round(database: u32) -> Result<(), String> {
    let ended: Vec<String> = STARTED.with_borrow_mut(|started| {
        let (ended, running) = std::mem::take(started).into_iter().partition(|(.., process)| process.ended());
        *started = running;
        let ended: Vec<(i64, i64, Process)> = ended;
        ended.iter().map(|(id, attempts, _)| format!("{id} {attempts}")).collect()
    });
    let mut live: Vec<i64> = place::of_database(database).iter().map(|place| place.id).collect();
    STARTED.with_borrow(|started| live.extend(started.iter().map(|(id, ..)| *id)));
    live.sort_unstable();
    live.dedup();
    let rows = in_transaction("looking at the queue", || {
        let arguments = [Argument::of(Some(live)), Argument::of(Some(ended))];
        plan::rows("SELECT * FROM steep_repl._work_round($1, $2)", &arguments)
    })?;
    for row in rows.into_iter().flatten().flatten() {
        let work: Value = serde_json::from_str(&row).map_err(|error| error.to_string())?;
        match work["start"].as_i64() {
            Some(id) => start(database, id, &work),
            None if work["kind"] == "snapshot" => snapshot::generate::clean(&work["parameters"])?,
            None => (),
        }
    }
    Ok(())
}

fn start(database: u32, id: i64, work: &Value) {
    let extra = format!("{id} {}", work["role"]);
    match worker_process::start_watched("job", super::MAIN, database, &extra) {
        Some(process) => {
            let attempts = work["attempts"].as_i64().unwrap_or(0);
            STARTED.with_borrow_mut(|started| started.push((id, attempts, process)));
        }
        None => pgrx::log!("steep_repl: work {id} waits for a free background worker; raise max_worker_processes"),
    }
}
