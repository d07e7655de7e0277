//! What all processes of the server see of jobs that run: a place each, with one for every stream of it.
//!
//! Under a lock of its own, because streams write here every few milliseconds.

use crate::pg::latch::LatchRef;
use crate::pg::worker_process;
use crate::shared::Text;
use pgrx::prelude::*;
use pgrx::{PGRXSharedMemory, PgLwLock, pg_shmem_init};

/// Jobs at once in all databases of the server, and streams of each.
pub const JOBS: usize = 16;
pub const STREAMS: usize = 16;

/// Where a stream stands with its task.
#[derive(Copy, Clone, Default, PartialEq, Eq)]
pub enum Stage {
    #[default]
    Idle,
    Assigned,
    Done,
}

/// A piece of work for one stream. What its numbers mean is the job kind's.
#[derive(Copy, Clone, Default, Debug, PartialEq, Eq)]
pub struct Task {
    pub step: u8,
    pub number: u32,
    pub relation: u32,
    pub from: u32,
    pub to: Option<u32>,
    /// No other such task is carried out at the same time.
    pub alone: bool,
    /// Its share of the whole, in units that the job kind chooses.
    pub units: u64,
    /// Rows that it is thought to have.
    pub rows: u64,
}

/// What came of a task.
#[derive(Copy, Clone, Default)]
pub struct Outcome {
    pub rows: u64,
    pub bytes: u64,
    pub stored_bytes: u64,
    pub sha256: Text<64>,
}

#[derive(Copy, Clone, Default)]
pub struct Stream {
    pub pid: i32,
    pub latch: LatchRef,
    pub stage: Stage,
    pub task: Task,
    pub outcome: Outcome,
    /// What it works on, and how much of that is done.
    pub table: Text<128>,
    pub rows: u64,
    pub bytes: u64,
}

/// One job that runs.
#[derive(Copy, Clone, Default)]
pub struct Place {
    /// The id in work_queue; 0 marks a free place.
    pub id: i64,
    pub database: u32,
    pub pid: i32,
    pub latch: LatchRef,
    pub kind: Text<16>,
    /// Somebody wants it to end.
    pub cancelled: bool,
    /// The streams have nothing more to do.
    pub dismissed: bool,
    pub phase: Text<64>,
    /// When this phase began (TimestampTz), and what was done before.
    pub phase_since: i64,
    pub tables_done: u64,
    pub tables_total: u64,
    pub rows_done: u64,
    pub rows_total: u64,
    pub bytes_done: u64,
    /// 0 when that is not known beforehand.
    pub bytes_total: u64,
    pub units_done: u64,
    pub units_total: u64,
    /// What was done already when this phase began: it says nothing of its speed.
    pub bytes_before: u64,
    pub units_before: u64,
    /// The moment that the first stream holds for the others, and the LSN there.
    pub moment: Text<64>,
    pub lsn: Text<32>,
    /// The slot that was made there is to stay.
    pub keeps_slot: bool,
    pub streams: [Stream; STREAMS],
    /// Why a stream failed, the first of them.
    pub error: Text<2048>,
    pub sqlstate: Text<5>,
}

#[derive(Copy, Clone)]
struct Places([Place; JOBS]);

impl Default for Places {
    fn default() -> Self {
        Self([Place::default(); JOBS])
    }
}

// SAFETY: plain data; latches lie in shared memory, at one address everywhere.
unsafe impl PGRXSharedMemory for Places {}

// SAFETY: the name is ours alone.
static PLACES: PgLwLock<Places> = unsafe { PgLwLock::new(c"steep_repl_jobs") };

/// Asks the postmaster for the memory; only from _PG_init in shared_preload_libraries.
pub fn request() {
    pg_shmem_init!(PLACES);
}

/// The places of a database that are in use.
pub fn of_database(database: u32) -> Vec<Place> {
    PLACES.share().0.iter().filter(|place| place.id != 0 && place.database == database).copied().collect()
}

/// Keeps a place for the leader of a job; false when all are taken, or processes of the job have one.
pub fn keep(database: u32, id: i64) -> bool {
    take(Place { id, database, ..Default::default() }).is_some()
}

/// Gives back places that were kept for leaders which have ended before they took them: those of a database but for these jobs.
pub fn give_back(database: u32, but: &[i64]) {
    for place in &mut PLACES.exclusive().0 {
        if place.database == database && place.pids().next().is_none() && !but.contains(&place.id) {
            *place = Place::default();
        }
    }
}

/// Takes the place that was kept for a job, or else a free one; None when all are taken, or processes of the job have one.
pub fn take(place: Place) -> Option<usize> {
    let mut places = PLACES.exclusive();
    let own = places.0.iter().position(|other| other.id == place.id && other.database == place.database);
    if own.is_some_and(|index| places.0[index].pids().next().is_some()) {
        return None;
    }
    let index = own.or_else(|| places.0.iter().position(|other| other.id == 0))?;
    places.0[index] = place;
    Some(index)
}

/// The place of a job.
pub fn find(database: u32, id: i64) -> Option<usize> {
    PLACES.share().0.iter().position(|place| place.id == id && place.database == database)
}

/// Reads under a shared lock. Nothing in `look` may raise an error or wait.
pub fn read<R>(index: usize, look: impl FnOnce(&Place) -> R) -> R {
    look(&PLACES.share().0[index])
}

/// Changes under the exclusive lock. Nothing in `change` may raise an error or wait.
pub fn write<R>(index: usize, change: impl FnOnce(&mut Place) -> R) -> R {
    change(&mut PLACES.exclusive().0[index])
}

/// Changes the place of a job, which then looks at it, also from the midst of a statement, unless `change` says that it has
/// been told before.
pub fn interrupt(index: usize, database: u32, id: i64, change: impl FnOnce(&mut Place) -> bool) {
    let pids = write(index, |place| {
        if place.id != id || place.database != database || !change(place) {
            return Vec::new();
        }
        place.latch.wake();
        place.pids().collect::<Vec<_>>()
    });
    pids.into_iter().for_each(worker_process::cancel);
}

/// A process of a job has gone: the last one leaves the place to others. Those that are left, for whoever ends them.
pub fn leave(index: usize, pid: i32) -> Vec<i32> {
    write(index, |place| {
        let leads = place.pid == pid;
        if leads {
            place.pid = 0;
            place.dismissed = true;
        }
        for stream in place.streams.iter_mut().filter(|stream| stream.pid == pid) {
            stream.pid = 0;
        }
        let left: Vec<i32> = place.pids().collect();
        if left.is_empty() {
            *place = Place::default();
        } else {
            place.latch.wake();
        }
        if leads { left } else { Vec::new() }
    })
}

impl Place {
    /// All its processes.
    pub fn pids(&self) -> impl Iterator<Item = i32> {
        std::iter::once(self.pid).chain(self.streams.iter().map(|stream| stream.pid)).filter(|pid| *pid != 0)
    }
}
