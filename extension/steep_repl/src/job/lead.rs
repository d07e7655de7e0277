//! The process that leads a job: gives tasks to its streams, tells how far it is, and sees that all of it ends.

use super::place::{self, Outcome, Place, Stage, Task};
use super::progress;
use crate::pg::latch;
use crate::pg::plan::{self, Argument};
use crate::pg::transaction::{self, Failed, attempt};
use crate::pg::worker_process::{self, Process};
use crate::snapshot;
use pgrx::JsonB;
use std::time::{Duration, Instant};

/// Between two notifications about the same phase.
const TELL: Duration = Duration::from_millis(250);
/// How long streams may take to notice that they are to end.
const GRACE: Duration = Duration::from_secs(5);

pub struct Lead {
    pub id: i64,
    pub role: u32,
    database: u32,
    place: usize,
    streams: Vec<Process>,
    told: Option<(Instant, String)>,
}

impl Lead {
    pub fn new(id: i64, database: u32, role: u32, place: usize) -> Self {
        Self { id, role, database, place, streams: Vec::new(), told: None }
    }

    /// What the job does from here on.
    pub fn phase(&mut self, name: &str) -> Result<(), Failed> {
        self.enter(name);
        self.look()
    }

    /// The same, of which nobody is told by itself.
    pub fn enter(&self, name: &str) {
        self.write(|place| {
            place.phase.set(name);
            place.phase_since = worker_process::now();
            (place.bytes_before, place.units_before) = (place.bytes_done, place.units_done);
        });
    }

    pub fn read<R>(&self, look: impl FnOnce(&Place) -> R) -> R {
        place::read(self.place, look)
    }

    pub fn write<R>(&self, change: impl FnOnce(&mut Place) -> R) -> R {
        place::write(self.place, change)
    }

    /// Runs a function of the extension, with the extension's rights, in a transaction of its own; its text. The arguments
    /// live in that transaction's memory.
    pub fn step<const N: usize>(
        &self,
        query: &str,
        arguments: impl FnOnce() -> [Argument; N],
    ) -> Result<Option<String>, Failed> {
        attempt(query, || first(plan::rows(query, &arguments())))
    }

    /// Starts streams, fewer where the server has no more processes to give.
    pub fn start_streams(&mut self, wanted: usize) -> Result<(), Failed> {
        let wanted = wanted.clamp(1, place::STREAMS);
        for number in 0..wanted {
            let extra = format!("{} {} {number}", self.id, self.role);
            let Some(process) = worker_process::start_watched("stream", super::MAIN, self.database, &extra) else {
                break;
            };
            self.streams.push(process);
        }
        if self.streams.is_empty() {
            return Err(Failed {
                text: String::from("no process is free for it: raise max_worker_processes and restart the server"),
                sqlstate: String::from("53000"),
            });
        }
        if self.streams.len() < wanted {
            pgrx::log!(
                "steep_repl work {}: {} of {wanted} streams, max_worker_processes is used up",
                self.id,
                self.streams.len()
            );
        }
        Ok(())
    }

    /// How many there are.
    pub fn streams(&self) -> usize {
        self.streams.len()
    }

    /// Waits until `look` finds what it is after, telling meanwhile how far the job is.
    pub fn wait<R>(&mut self, mut look: impl FnMut(&mut Place) -> Option<R>) -> Result<R, Failed> {
        loop {
            if let Some(found) = self.write(&mut look) {
                return Ok(found);
            }
            self.look()?;
            latch::wait_between(Duration::from_millis(100));
            worker_process::reload_settings_if_asked();
        }
    }

    /// Has the streams carry out tasks in this order, but no two at once that are to be alone; `done` is told of each.
    pub fn share_out(
        &mut self,
        tasks: &[Task],
        mut done: impl FnMut(&mut Place, &Task, Outcome),
    ) -> Result<(), Failed> {
        let streams = self.streams.len();
        let mut left: Vec<Task> = tasks.iter().rev().copied().collect();
        let mut ended = 0;
        self.wait(|place| {
            for number in 0..streams {
                if place.streams[number].stage == Stage::Done {
                    let (task, outcome) = (place.streams[number].task, place.streams[number].outcome);
                    place.streams[number].stage = Stage::Idle;
                    place.rows_done += outcome.rows;
                    place.bytes_done += outcome.bytes;
                    place.units_done += task.units;
                    done(place, &task, outcome);
                    ended += 1;
                }
                let occupied = place.streams.iter().any(|other| other.stage != Stage::Idle && other.task.alone);
                let stream = &mut place.streams[number];
                if stream.stage == Stage::Idle
                    && let Some(next) = left.iter().rposition(|task| !(task.alone && occupied))
                {
                    stream.task = left.remove(next);
                    (stream.rows, stream.bytes) = (0, 0);
                    stream.stage = Stage::Assigned;
                    stream.latch.wake();
                }
            }
            (ended == tasks.len()).then_some(())
        })
    }

    /// An error when the job is to end, or one of its streams has failed.
    pub fn look(&mut self) -> Result<(), Failed> {
        let (cancelled, error, sqlstate) =
            self.read(|place| (place.cancelled, place.error.get(), place.sqlstate.get()));
        if transaction::lost_locks() {
            let text = "the locks that kept others from writing were lost: the server log says why";
            return Err(Failed { text: text.to_owned(), sqlstate: String::from("55000") });
        } else if cancelled {
            return Err(Failed { text: String::from("cancelled"), sqlstate: String::from("57014") });
        } else if !error.is_empty() {
            return Err(Failed { text: error, sqlstate });
        } else if self.streams.iter().any(Process::ended) {
            // Its own words may have come meanwhile.
            let error = self.read(|place| place.error.get());
            let unknown = "a process of it ended: the server log says why";
            return Err(Failed {
                text: if error.is_empty() { unknown.to_owned() } else { error },
                sqlstate: String::from("57P01"),
            });
        }
        self.tell()
    }

    fn tell(&mut self) -> Result<(), Failed> {
        let (now, phase) = (Instant::now(), self.read(|place| place.phase.get()));
        if self.told.as_ref().is_some_and(|(at, of)| *of == phase && now - *at < TELL) {
            return Ok(());
        }
        let text = self.progress("running").to_string();
        self.told = Some((now, phase));
        let id = self.id;
        let cancelled =
            self.step("SELECT steep_repl._work_tell($1, $2)", || [Argument::of(Some(id)), Argument::text(&text)])?;
        if cancelled.as_deref() == Some("t") {
            self.write(|place| place.cancelled = true);
        }
        Ok(())
    }

    fn progress(&self, state: &str) -> serde_json::Value {
        self.read(|place| progress::shape(place, state))
    }

    /// Ends the streams, and returns when they have ended.
    pub fn dismiss(&mut self) {
        let pids = self.write(|place| {
            place.dismissed = true;
            place.streams.iter().for_each(|stream| stream.latch.wake());
            place.streams.iter().filter(|stream| stream.stage == Stage::Assigned).map(|s| s.pid).collect::<Vec<_>>()
        });
        pids.into_iter().for_each(worker_process::cancel);
        let start = Instant::now();
        let mut warned = false;
        while !self.streams.iter().all(Process::ended) {
            latch::wait_between(Duration::from_millis(20));
            if !warned && start.elapsed() > GRACE {
                warned = true;
                self.read(|place| place.streams.iter().for_each(|stream| worker_process::terminate(stream.pid)));
            }
        }
        self.streams.clear();
    }

    fn take_back(&mut self) -> Result<(), Failed> {
        let tables = snapshot::loaded::tables(self.id)?;
        if !tables.is_empty() {
            self.enter("taking back what was loaded");
            self.tell()?;
        }
        snapshot::loaded::empty_all(self.id, &tables);
        // Rows can be deleted from a table that is published only while its key is valid; where a key cannot be built because of
        // rows of others, it can without ours.
        if let Err(failed) = snapshot::deferred::restore(self) {
            pgrx::log!("steep_repl work {}: {}", self.id, failed.text);
        }
        snapshot::loaded::delete(self.id)
    }

    /// What is done when it ends before its time: nothing stays half-made that users could meet.
    fn leave(&mut self, failed: Option<Failed>) -> Result<(), Failed> {
        let id = self.id;
        let left = match failed {
            Some(failed) => Err(failed),
            None => self.take_back().map_err(|failed| Failed {
                text: format!(
                    "what was loaded could not be taken back: {}. Mend that, then cancel_work({id}) again; or retry_work({id}) loads the rest",
                    failed.text
                ),
                ..failed
            }),
        };
        let Err(unbuilt) = snapshot::deferred::restore(self) else { return left };
        let text = left.err().map(|failed| failed.text + ". ").unwrap_or_default();
        Err(Failed {
            text: format!(
                "{text}Indexes could not be built, and are not used until they are: {}. Mend that, then retry_work({id}), cancel_work({id}) or REINDEX",
                unbuilt.text
            ),
            ..unbuilt
        })
    }

    /// Writes down how it ended.
    pub fn end(&mut self, outcome: Result<serde_json::Value, Failed>) -> Result<(), Failed> {
        self.dismiss();
        let knew = outcome.is_err() && self.read(|place| place.cancelled);
        let (state, error, sqlstate, result) = match outcome {
            Ok(result) => ("complete", None, None, Some(JsonB(result))),
            Err(failed) => match self.leave((!knew).then_some(failed)) {
                Ok(()) => ("cancelled", None, None, None),
                Err(failed) => ("failed", Some(failed.text), Some(failed.sqlstate), None),
            },
        };
        let progress = JsonB(self.progress(state));
        self.step("SELECT steep_repl._work_end($1, $2, $3, $4, $5, $6, $7)", || {
            [
                Argument::of(Some(self.id)),
                Argument::text(state),
                Argument::of(error),
                Argument::of(sqlstate),
                Argument::of(Some(progress)),
                Argument::of(result),
                Argument::of(Some(knew)),
            ]
        })
        .map(|_| ())
    }
}

pub fn first(rows: Vec<plan::Row>) -> Option<String> {
    rows.into_iter().next().and_then(|row| row.into_iter().next().flatten())
}
