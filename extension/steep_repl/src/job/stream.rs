//! A process that carries out tasks of a job.

use super::place::{self, Outcome, Stage, Task};
use crate::pg::latch::{self, LatchRef};
use crate::pg::transaction::Failed;
use crate::pg::worker_process;
use std::time::Duration;

pub struct Stream {
    pub id: i64,
    pub number: usize,
    place: usize,
}

impl Stream {
    /// Enters the place of its job; None when that has ended meanwhile.
    pub fn enter(database: u32, id: i64, number: usize) -> Option<Self> {
        let place = place::find(database, id)?;
        place::write(place, |p| {
            if p.id != id || p.dismissed || number >= place::STREAMS {
                return None;
            }
            p.streams[number].pid = worker_process::my_pid();
            p.streams[number].latch = LatchRef::mine();
            Some(Self { id, number, place })
        })
    }

    /// The next task, once there is one; None when there will be no more.
    pub fn next(&self) -> Option<Task> {
        loop {
            let (dismissed, task) = place::read(self.place, |place| {
                let stream = &place.streams[self.number];
                (place.dismissed, (stream.stage == Stage::Assigned).then_some(stream.task))
            });
            if dismissed || task.is_some() {
                return task.filter(|_| !dismissed);
            }
            latch::wait(Duration::from_secs(1));
        }
    }

    /// Shows what it works on and how far it is.
    pub fn show(&self, table: Option<&str>, rows: u64, bytes: u64) {
        place::write(self.place, |place| {
            let stream = &mut place.streams[self.number];
            (stream.rows, stream.bytes) = (rows, bytes);
            if let Some(table) = table {
                stream.table.set(table);
            }
        });
    }

    pub fn done(&self, outcome: Outcome) {
        place::write(self.place, |place| {
            let stream = &mut place.streams[self.number];
            stream.outcome = outcome;
            stream.stage = Stage::Done;
            place.latch
        })
        .wake();
    }

    /// Tells the leader why it cannot go on, unless it is because it was told to end.
    pub fn fail(&self, failed: &Failed) {
        place::write(self.place, |place| {
            if !place.dismissed && !place.cancelled && place.error.get().is_empty() {
                place.error.set(&failed.text);
                place.sqlstate.set(&failed.sqlstate);
            }
            place.latch
        })
        .wake();
    }

    /// The moment that all streams are to see; None when the job has ended. The first stream gives it.
    pub fn moment(&self) -> Option<String> {
        loop {
            let (dismissed, moment) = place::read(self.place, |place| (place.dismissed, place.moment.get()));
            if dismissed || !moment.is_empty() {
                return Some(moment).filter(|_| !dismissed);
            }
            latch::wait_between(Duration::from_millis(20));
        }
    }

    /// The process of the first stream.
    pub fn first(&self) -> i32 {
        place::read(self.place, |place| place.streams[0].pid)
    }

    /// The process that leads the job.
    pub fn leader(&self) -> i32 {
        place::read(self.place, |place| place.pid)
    }

    /// Whether the slot made with the moment is to stay.
    pub fn keeps_slot(&self) -> bool {
        place::read(self.place, |place| place.id == self.id && place.keeps_slot)
    }

    pub fn give_moment(&self, moment: &str, lsn: &str) {
        place::write(self.place, |place| {
            place.moment.set(moment);
            place.lsn.set(lsn);
            place.streams.iter().for_each(|stream| stream.latch.wake());
            place.latch
        })
        .wake();
    }
}
