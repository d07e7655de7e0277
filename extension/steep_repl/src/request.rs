//! Requests of sessions to the worker: small jobs that must commit by themselves, whatever becomes of the asker's
//! transaction. The asker waits for the answer.

use crate::pg::latch::{self, LatchRef};
use crate::pg::{transaction, worker_process};
use crate::shared::{self, Request, Stage};
use crate::{error, guc, sql, worker};
use pgrx::PgSqlErrorCode;
use pgrx::prelude::*;
use std::time::{Duration, Instant};

const SERVE: &str = "SELECT steep_repl._serve($1, $2)";

/// Asks the worker to run `kind` with `argument`; its answer, or an error with its words.
#[pg_extern(sql = false)]
fn ask_worker(kind: &str, argument: &str) -> String {
    let place = ask(kind, argument);
    let _free = Release(place);
    let patience = Duration::from_millis(u64::try_from(guc::WORKER_TIMEOUT.get()).unwrap_or(60_000));
    let start = Instant::now();
    loop {
        let answered = shared::read(|s| {
            let request = &s.requests[place];
            (request.stage == Stage::Answered).then(|| (request.succeeded, request.answer.get()))
        });
        match answered {
            Some((true, answer)) => return answer,
            Some((false, message)) => error::raise(
                PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                message,
                None,
                "See steep_repl.health() for the state of links and worker.",
            ),
            None if start.elapsed() > patience => error::raise(
                PgSqlErrorCode::ERRCODE_LOCK_NOT_AVAILABLE,
                format!("the steep_repl worker did not answer within {} ms", patience.as_millis()),
                None,
                "It may still carry the request out. Look at steep_repl.health(); steep_repl.worker_timeout is the limit.",
            ),
            None => latch::wait(Duration::from_millis(200)),
        }
    }
}

fn ask(kind: &str, argument: &str) -> usize {
    if let Some(why) = worker::missing() {
        error::raise(
            PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
            format!("no steep_repl worker serves this database: {why}"),
            None,
            "See steep_repl.health() and steep_repl.check_settings(). steep_repl must stand in shared_preload_libraries when the server starts.",
        )
    }
    let database = worker_process::my_database();
    let placed = shared::write(|s| {
        let worker = s.database(database).map_or_else(LatchRef::default, |d| d.latch);
        let place = s.requests.iter().position(|r| r.stage == Stage::Free)?;
        let mut request = Request { stage: Stage::Asked, database, asker: LatchRef::mine(), ..Default::default() };
        request.kind.set(kind);
        request.argument.set(argument);
        s.requests[place] = request;
        Some((place, worker))
    });
    let Some((place, worker)) = placed else {
        error::raise(
            PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
            format!("{} sessions wait for steep_repl workers already", shared::REQUESTS),
            None,
            "Nothing was done. Try again when some of them have ended.",
        )
    };
    worker.wake();
    place
}

/// Gives the place back when the asker is done, or was cancelled while it waited.
struct Release(usize);

impl Drop for Release {
    fn drop(&mut self) {
        shared::write(|s| {
            let request = &mut s.requests[self.0];
            match request.stage {
                Stage::Running => request.abandoned = true,
                _ => *request = Request::default(),
            }
        });
    }
}

/// Serves the first waiting request of a database; false when there is none.
pub fn serve_one(database: u32) -> bool {
    let taken = shared::write(|s| {
        let place = s.requests.iter().position(|r| r.stage == Stage::Asked && r.database == database)?;
        s.requests[place].stage = Stage::Running;
        Some((place, s.requests[place].kind.get(), s.requests[place].argument.get()))
    });
    let Some((place, kind, argument)) = taken else { return false };
    let outcome = transaction::in_transaction(&format!("serving {kind}"), || {
        sql::text(SERVE, &[kind.as_str().into(), argument.as_str().into()])
    });
    let (succeeded, answer) = match outcome {
        Ok(answer) => (true, answer.unwrap_or_default()),
        Err(error) => (false, error),
    };
    shared::write(|s| answer_one(&mut s.requests[place], succeeded, &answer)).wake();
    true
}

/// The worker serves nobody now: whoever waits is told why.
pub fn refuse(database: u32, why: &str) {
    for place in 0..shared::REQUESTS {
        let asker = shared::write(|s| {
            let request = &mut s.requests[place];
            let waits = request.database == database && matches!(request.stage, Stage::Asked | Stage::Running);
            if waits { answer_one(request, false, why) } else { LatchRef::default() }
        });
        asker.wake();
    }
}

/// Answers a request, and says whom to wake.
fn answer_one(request: &mut Request, succeeded: bool, answer: &str) -> LatchRef {
    if request.abandoned {
        *request = Request::default();
        return LatchRef::default();
    }
    request.stage = Stage::Answered;
    request.succeeded = succeeded;
    request.answer.set(answer);
    request.asker
}
