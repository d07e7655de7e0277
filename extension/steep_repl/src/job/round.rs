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
    /// Jobs that are due and had to wait when this was last looked at.
    static WAITING: RefCell<Vec<i64>> = const { RefCell::new(Vec::new()) };
}

/// One look at the queue.
pub fn round(database: u32) -> Result<(), String> {
    let ended: Vec<String> = STARTED.with_borrow_mut(|started| {
        let (ended, running) = std::mem::take(started).into_iter().partition(|(.., process)| process.ended());
        *started = running;
        let ended: Vec<(i64, i64, Process)> = ended;
        ended.iter().map(|(id, attempts, _)| format!("{id} {attempts}")).collect()
    });
    let mut live = started();
    place::give_back(database, &live);
    live.extend(place::of_database(database).iter().map(|place| place.id));
    live.sort_unstable();
    live.dedup();
    let rows = in_transaction("looking at the queue", || {
        let arguments = [Argument::of(Some(live)), Argument::of(Some(ended))];
        plan::rows("SELECT * FROM steep_repl._work_round($1, $2)", &arguments)
    })?;
    let mut waiting = Vec::new();
    for row in rows.into_iter().flatten().flatten() {
        let work: Value = serde_json::from_str(&row).map_err(|error| error.to_string())?;
        if let Some(id) = work["start"].as_i64() {
            if let Some(lacks) = start(database, id, &work) {
                waiting.push((id, lacks));
            }
        } else if let Some(id) = work["cancel"].as_i64() {
            cancel(database, id);
        } else if work["kind"] == "snapshot" {
            snapshot::generate::clean(&work["parameters"])?;
        }
    }
    WAITING.with_borrow_mut(|before| {
        for (id, lacks) in waiting.iter().filter(|(id, _)| !before.contains(id)) {
            pgrx::log!("steep_repl: work {id} waits for {lacks}");
        }
        *before = waiting.iter().map(|(id, _)| *id).collect();
    });
    Ok(())
}

/// The jobs whose leaders this process has started.
fn started() -> Vec<i64> {
    STARTED.with_borrow(|started| started.iter().map(|(id, ..)| *id).collect())
}

/// What there is none of for a leader, if anything.
fn start(database: u32, id: i64, work: &Value) -> Option<&'static str> {
    if !place::keep(database, id) {
        return Some("one of the jobs that run in all databases of the server to end");
    }
    let extra = format!("{id} {}", work["role"]);
    let Some(process) = worker_process::start_watched("job", super::MAIN, database, &extra) else {
        place::give_back(database, &started());
        return Some("a free background worker; raise max_worker_processes");
    };
    let attempts = work["attempts"].as_i64().unwrap_or(0);
    STARTED.with_borrow_mut(|started| started.push((id, attempts, process)));
    None
}

/// Somebody wants it to end: it may be in the midst of a statement.
fn cancel(database: u32, id: i64) {
    let Some(index) = place::find(database, id) else { return };
    place::interrupt(index, database, id, |place| !std::mem::replace(&mut place.cancelled, true));
}
