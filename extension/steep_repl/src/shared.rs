//! What all processes of the server share: which databases have a worker, requests to it, failures to be audited.

use crate::pg::latch::LatchRef;
use crate::pg::{backup_label, preload};
use pgrx::prelude::*;
use pgrx::{PGRXSharedMemory, PgLwLock, pg_shmem_init};
use std::sync::atomic::{AtomicBool, Ordering};

pub const DATABASES: usize = 64;
pub const REQUESTS: usize = 32;
pub const FAILURES: usize = 128;

/// Text of at most N bytes in shared memory; longer text is cut at a character.
#[derive(Copy, Clone)]
pub struct Text<const N: usize> {
    length: usize,
    bytes: [u8; N],
}

impl<const N: usize> Text<N> {
    pub fn set(&mut self, text: &str) {
        let length = text.floor_char_boundary(N.min(text.len()));
        self.bytes[..length].copy_from_slice(&text.as_bytes()[..length]);
        self.length = length;
    }

    pub fn get(&self) -> String {
        String::from_utf8_lossy(&self.bytes[..self.length]).into_owned()
    }
}

impl<const N: usize> Default for Text<N> {
    fn default() -> Self {
        Self { length: 0, bytes: [0; N] }
    }
}

/// One database that has, or may have, the extension.
#[derive(Copy, Clone, Default)]
pub struct Database {
    /// Its OID; 0 marks a free place.
    pub oid: u32,
    /// A worker is wanted: unknown yet whether the extension is there, or it is.
    pub wanted: bool,
    /// How often somebody has asked for a worker.
    pub asked: u32,
    /// Process id of the running worker and of the running initialisation, 0 without one.
    pub worker: i32,
    pub job: i32,
    /// Which initialisation that process works on.
    pub job_id: i64,
    pub latch: LatchRef,
    /// No worker is started before this time (microseconds, as TimestampTz).
    pub not_before: i64,
    pub restarts: u32,
    pub last_error: Text<512>,
}

/// Where a request to the worker stands.
#[derive(Copy, Clone, Default, PartialEq, Eq)]
pub enum Stage {
    #[default]
    Free,
    Asked,
    Running,
    Answered,
}

/// A question of a session that the worker answers in a transaction of its own.
#[derive(Copy, Clone, Default)]
pub struct Request {
    pub stage: Stage,
    /// The asker went away: whoever finishes with the slot frees it.
    pub abandoned: bool,
    pub database: u32,
    pub asker: LatchRef,
    pub kind: Text<32>,
    pub argument: Text<2048>,
    pub succeeded: bool,
    pub answer: Text<2048>,
}

/// A failed action whose own transaction is rolled back; the worker writes it into the audit log.
#[derive(Copy, Clone, Default)]
pub struct Failure {
    pub database: u32,
    pub at: i64,
    pub action: Text<64>,
    pub actor: Text<192>,
    pub target_type: Text<64>,
    pub target_id: Text<256>,
    pub client: Text<64>,
    pub message: Text<1024>,
}

pub struct Shared {
    pub launcher: LatchRef,
    pub databases: [Database; DATABASES],
    pub requests: [Request; REQUESTS],
    pub failures: [Failure; FAILURES],
    /// Failures that found no room or no worker since the server started.
    pub failures_lost: u64,
    /// The recovery that this memory began with was that of a backup, and no other one since.
    pub from_backup: bool,
}

impl Default for Shared {
    fn default() -> Self {
        Self {
            launcher: LatchRef::default(),
            databases: [Database::default(); DATABASES],
            requests: [Request::default(); REQUESTS],
            failures: [Failure::default(); FAILURES],
            failures_lost: 0,
            from_backup: false,
        }
    }
}

// SAFETY: plain data without pointers into a process; latches lie in shared memory, at one address everywhere.
unsafe impl PGRXSharedMemory for Shared {}

static REQUESTED: AtomicBool = AtomicBool::new(false);
// SAFETY: the name is ours alone.
static SHARED: PgLwLock<Shared> = unsafe { PgLwLock::new(c"steep_repl") };

/// Asks the postmaster for the memory; only from _PG_init in shared_preload_libraries.
pub fn request() {
    debug_assert!(preload::in_progress());
    REQUESTED.store(true, Ordering::Relaxed);
    pg_shmem_init!(SHARED = Shared { from_backup: backup_label::begins_recovery(), ..Shared::default() });
}

/// Whether the server loaded the library at its start, so that shared memory and workers exist.
pub fn available() -> bool {
    REQUESTED.load(Ordering::Relaxed)
}

/// Reads under a shared lock. Nothing in `look` may raise an error or wait.
pub fn read<R>(look: impl FnOnce(&Shared) -> R) -> R {
    look(&SHARED.share())
}

/// Changes under the exclusive lock. Nothing in `change` may raise an error or wait.
pub fn write<R>(change: impl FnOnce(&mut Shared) -> R) -> R {
    change(&mut SHARED.exclusive())
}

impl Shared {
    pub fn database(&mut self, oid: u32) -> Option<&mut Database> {
        self.databases.iter_mut().find(|d| d.oid == oid)
    }

    /// The place of a database, a new one if it has none and there is room.
    pub fn database_or_new(&mut self, oid: u32) -> Option<&mut Database> {
        let place = self
            .databases
            .iter()
            .position(|d| d.oid == oid)
            .or_else(|| self.databases.iter().position(|d| d.oid == 0))?;
        let database = &mut self.databases[place];
        if database.oid == 0 {
            *database = Database { oid, ..Default::default() };
        }
        Some(database)
    }
}
