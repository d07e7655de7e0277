//! Jobs: long work that no session waits for. A row of work_queue says what is wanted; a process of its own leads each job,
//! with the rights of whoever asked, and starts streams that share the work.
//!
//! Only fixed statements about the queue run with the extension's rights (`Lead::step`, `plan::rows`).

mod interface;
mod lead;
pub mod place;
mod progress;
mod round;
mod stream;

pub use lead::{Lead, first};
pub use place::{Outcome, Task};
pub use round::round;
pub use stream::Stream;

use crate::pg::latch::LatchRef;
use crate::pg::plan::{self, Argument};
use crate::pg::transaction::{Failed, attempt};
use crate::pg::{table_lock, worker_process};
use crate::{shared, snapshot};
use pgrx::bgworkers::BackgroundWorker;
use pgrx::prelude::*;
use place::Place;
use serde_json::Value;

/// The main function of leaders and streams.
pub const MAIN: &str = "steep_repl_job_main";

#[pg_guard]
#[unsafe(no_mangle)]
pub extern "C-unwind" fn steep_repl_job_main(argument: pg_sys::Datum) {
    let database = argument.value() as u32;
    let numbers: Vec<i64> = BackgroundWorker::get_extra().split(' ').filter_map(|n| n.parse().ok()).collect();
    let [id, role, rest @ ..] = numbers.as_slice() else { return };
    let Ok(role) = u32::try_from(*role) else { return };
    worker_process::begin_as(database, role);
    match rest.first().map(|number| usize::try_from(*number)) {
        Some(Ok(number)) => stream(database, *id, number),
        _ => lead(database, *id, role),
    }
}

fn lead(database: u32, id: i64, role: u32) {
    let mine = Place { id, database, pid: worker_process::my_pid(), latch: LatchRef::mine(), ..Default::default() };
    let Some(place) = place::take(mine) else {
        pgrx::log!("steep_repl work {id}: another process leads it, or there is no place for it");
        return;
    };
    worker_process::at_exit(leave);
    let mut lead = Lead::new(id, database, role, place);
    let ended = claim(&lead).and_then(|claimed| match claimed {
        Some(Claimed { kind, parameters, interrupted }) => {
            lead.write(|place| place.kind.set(&kind));
            let outcome = match kind.as_str() {
                _ if lead.read(|place| place.cancelled) => Err(String::from("cancelled").into()),
                _ if interrupted.is_some() => {
                    Err(Failed { text: interrupted.unwrap_or_default(), sqlstate: String::from("57P02") })
                }
                "snapshot" => snapshot::generate::lead(&mut lead, &parameters),
                "apply" => snapshot::apply::lead(&mut lead, &parameters),
                other => Err(format!("this version knows no work of kind {other}").into()),
            };
            // Who cancels sets a flag and then sends a signal; the flag may have been seen first. A line of the log looks
            // for signals, too (errfinish() in src/backend/utils/error/elog.c).
            worker_process::ignore_cancel();
            if let Err(failed) = &outcome {
                pgrx::log!("steep_repl work {id}: {}", failed.text);
            }
            lead.end(outcome)
        }
        None => Ok(()),
    });
    if let Err(failed) = ended {
        pgrx::log!("steep_repl work {id}: {}", failed.text);
    }
}

/// What a leader is to do.
struct Claimed {
    kind: String,
    parameters: Value,
    /// Nothing but to end it properly: the server or its process ended meanwhile.
    interrupted: Option<String>,
}

/// Takes the job; None when it was cancelled meanwhile.
fn claim(lead: &Lead) -> Result<Option<Claimed>, Failed> {
    let claimed = lead.step("SELECT steep_repl._work_claim($1)", || [Argument::of(Some(lead.id))])?;
    let Some(claimed) = claimed else { return Ok(None) };
    let value: Value = serde_json::from_str(&claimed).map_err(|error| error.to_string())?;
    if value["cancelled"] == true {
        lead.write(|place| place.cancelled = true);
    }
    Ok(Some(Claimed {
        kind: value["kind"].as_str().unwrap_or_default().to_owned(),
        parameters: value["parameters"].clone(),
        interrupted: value["interrupted"].as_str().map(str::to_owned),
    }))
}

fn stream(database: u32, id: i64, number: usize) {
    let Some(stream) = Stream::enter(database, id, number) else { return };
    worker_process::at_exit(leave);
    let looked = attempt("looking at the work", || {
        let query = "SELECT q.kind, q.parameters FROM steep_repl.work_queue q WHERE q.id = $1";
        plan::rows(query, &[Argument::of(Some(id))])
    });
    let worked = looked.and_then(|rows| {
        let text = |column: usize| rows.first().and_then(|row| row[column].clone()).unwrap_or_default();
        let parameters = serde_json::from_str(&text(1)).map_err(|error| error.to_string())?;
        match text(0).as_str() {
            "snapshot" => snapshot::generate::stream(&stream, &parameters),
            "apply" => snapshot::apply::stream(&stream, &parameters),
            other => Err(format!("this version knows no work of kind {other}").into()),
        }
    });
    if let Err(failed) = worked {
        stream.fail(&failed);
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn leave(_code: i32, _argument: pg_sys::Datum) {
    table_lock::give_back();
    let (database, pid) = (worker_process::my_database(), worker_process::my_pid());
    for place in 0..place::JOBS {
        if place::read(place, |p| p.pids().any(|other| other == pid)) {
            place::leave(place, pid).into_iter().for_each(worker_process::terminate);
        }
    }
    // The worker looks whether more is to be done.
    shared::write(|s| s.database(database).map(|d| d.latch)).unwrap_or_default().wake();
}

/// Ends all jobs of a database that somebody needs for himself; true when none is left.
pub fn send_away(database: u32) -> bool {
    let pids: Vec<i32> = place::of_database(database).iter().flat_map(|p| p.pids().collect::<Vec<_>>()).collect();
    pids.iter().copied().for_each(worker_process::terminate);
    pids.is_empty()
}
