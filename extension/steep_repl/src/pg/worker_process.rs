//! Background worker processes: registration and the frame of their main functions.

use pgrx::bgworkers::{BackgroundWorkerBuilder, BackgroundWorkerStatus, BgWorkerStartTime, DynamicBackgroundWorker};
use pgrx::{IntoDatum, pg_sys};
use std::cell::Cell;
use std::time::Duration;

/// The static worker that starts all others; restarted by the postmaster when it dies.
pub fn register_launcher() {
    BackgroundWorkerBuilder::new("steep_repl launcher")
        .set_type("steep_repl launcher")
        .set_library("steep_repl")
        .set_function("steep_repl_launcher_main")
        .enable_spi_access()
        .set_start_time(BgWorkerStartTime::RecoveryFinished)
        .set_restart_time(Some(Duration::from_secs(2)))
        .load();
}

/// Starts a worker of `kind` for a database; false when max_worker_processes is used up.
pub fn start(kind: &str, function: &str, database: u32, extra: &str) -> bool {
    start_watched(kind, function, database, extra).is_some()
}

/// A worker that this process has started.
pub struct Process(DynamicBackgroundWorker);

impl Process {
    /// Whether it has gone, also when it never came to its first step.
    pub fn ended(&self) -> bool {
        matches!(self.0.pid(), Err(BackgroundWorkerStatus::Stopped | BackgroundWorkerStatus::PostmasterDied))
    }
}

/// The same; None when max_worker_processes is used up.
pub fn start_watched(kind: &str, function: &str, database: u32, extra: &str) -> Option<Process> {
    BackgroundWorkerBuilder::new(&format!("steep_repl {kind} {database}"))
        .set_type(&format!("steep_repl {kind}"))
        .set_library("steep_repl")
        .set_function(function)
        .enable_spi_access()
        .set_start_time(BgWorkerStartTime::RecoveryFinished)
        .set_restart_time(None)
        .set_argument(pg_sys::Oid::from(database).into_datum())
        .set_extra(extra)
        // SAFETY: the process id of whoever starts it, which is then woken when it starts and ends.
        .set_notify_pid(unsafe { pg_sys::MyProcPid })
        .load_dynamic()
        .ok()
        .map(Process)
}

/// Sets the signal handlers of ordinary backends, so that termination and cancel act at the next safe place
/// (CHECK_FOR_INTERRUPTS), also in the middle of a query, and connects without a database (0: shared catalogues
/// only) or to one.
pub fn begin(database: u32) {
    // SAFETY: the start of a background worker's main function (postmaster/bgworker.c).
    unsafe {
        handle_signals();
        if database == 0 {
            pg_sys::BackgroundWorkerInitializeConnection(std::ptr::null(), std::ptr::null(), 0);
        } else {
            pg_sys::BackgroundWorkerInitializeConnectionByOid(pg_sys::Oid::from(database), pg_sys::InvalidOid, 0);
        }
    }
}

/// The same as a role that need not be one that may log in; names that ours runs are looked up in pg_catalog alone, whatever
/// the role has set for itself. SIGINT cancels what it runs.
pub fn begin_as(database: u32, role: u32) {
    // SAFETY: as above; settings of the session, which are known and valid.
    unsafe {
        pg_sys::pqsignal_be(pg_sys::SIGINT as i32, Some(StatementCancelHandler));
        handle_signals();
        pg_sys::BackgroundWorkerInitializeConnectionByOid(
            pg_sys::Oid::from(database),
            pg_sys::Oid::from(role),
            pg_sys::BGWORKER_BYPASS_ROLELOGINCHECK,
        );
        WORKS_AS_USER.set(true);
        for (name, value) in SETTINGS {
            let (context, source) = (pg_sys::GucContext::PGC_SUSET, pg_sys::GucSource::PGC_S_SESSION);
            pg_sys::SetConfigOption(name.as_ptr(), value.as_ptr(), context, source);
        }
    }
}

/// As pg_dump sets them (src/bin/pg_dump/pg_dump.c, setup_connection), so that rows as text mean the same everywhere.
const SETTINGS: [(&std::ffi::CStr, &std::ffi::CStr); 11] = [
    (c"search_path", c"pg_catalog, pg_temp"),
    (c"default_transaction_read_only", c"off"),
    (c"default_transaction_isolation", c"read committed"),
    (c"DateStyle", c"ISO"),
    (c"IntervalStyle", c"postgres"),
    (c"extra_float_digits", c"3"),
    (c"bytea_output", c"hex"),
    (c"row_security", c"off"),
    (c"synchronize_seqscans", c"off"),
    (c"lock_timeout", c"0"),
    (c"transaction_timeout", c"0"),
];

thread_local! {
    static WORKS_AS_USER: Cell<bool> = const { Cell::new(false) };
}

/// Whether this process of ours works with the rights of a user.
pub fn works_as_user() -> bool {
    WORKS_AS_USER.get()
}

unsafe fn handle_signals() {
    // SAFETY: before the signals are let in.
    unsafe {
        pg_sys::pqsignal_be(pg_sys::SIGTERM as i32, Some(die));
        pg_sys::pqsignal_be(pg_sys::SIGHUP as i32, Some(SignalHandlerForConfigReload));
        pg_sys::BackgroundWorkerUnblockSignals();
    }
}

/// Rereads postgresql.conf when SIGHUP came.
pub fn reload_settings_if_asked() {
    // SAFETY: the flag is set by SignalHandlerForConfigReload (postmaster/interrupt.h).
    unsafe {
        if pg_sys::ConfigReloadPending != 0 {
            pg_sys::ConfigReloadPending = 0;
            pg_sys::ProcessConfigFile(pg_sys::GucContext::PGC_SIGHUP);
        }
    }
}

/// Runs `done` when this process ends, however it ends short of a crash.
pub fn at_exit(done: unsafe extern "C-unwind" fn(i32, pg_sys::Datum)) {
    // SAFETY: `done` touches shared memory only, which is still attached in before_shmem_exit.
    unsafe { pg_sys::before_shmem_exit(Some(done), pg_sys::Datum::from(0)) }
}

pub fn my_pid() -> i32 {
    // SAFETY: a plain global.
    unsafe { pg_sys::MyProcPid }
}

pub fn my_database() -> u32 {
    // SAFETY: a plain global.
    unsafe { pg_sys::MyDatabaseId }.to_u32()
}

/// The role that SET ROLE gave, or else that of the session: what functions run as does not matter.
pub fn outer_role() -> pg_sys::Oid {
    // SAFETY: plain state of the process (utils/init/miscinit.c).
    unsafe { pg_sys::GetOuterUserId() }
}

/// Now, in microseconds as TimestampTz.
pub fn now() -> i64 {
    // SAFETY: reads the clock.
    unsafe { pg_sys::GetCurrentTimestamp() }
}

/// Cancels what one of our worker processes runs.
pub fn cancel(pid: i32) {
    if pid > 0 {
        // SAFETY: as below.
        unsafe { libc_kill(pid, pg_sys::SIGINT as i32) };
    }
}

/// From here on this process is not to be interrupted by `cancel`: what it does now is how it ends.
pub fn ignore_cancel() {
    // SAFETY: a handler of this process that does nothing; a request that has come is
    // taken back before anything looks at it.
    unsafe {
        pg_sys::pqsignal_be(pg_sys::SIGINT as i32, Some(nothing));
        pg_sys::QueryCancelPending = 0;
    }
}

unsafe extern "C-unwind" fn nothing(_signal: i32) {}

/// Sends SIGTERM to one of our worker processes.
pub fn terminate(pid: i32) {
    if pid > 0 {
        // SAFETY: a signal to a process that shared memory names as ours.
        unsafe { libc_kill(pid, pg_sys::SIGTERM as i32) };
    }
}

unsafe extern "C" {
    #[link_name = "kill"]
    fn libc_kill(pid: i32, signal: i32) -> i32;
}

unsafe extern "C-unwind" {
    // The server's own signal handlers (tcop/tcopprot.h, postmaster/interrupt.h), themselves and not wrappers.
    fn die(signal: i32);
    fn SignalHandlerForConfigReload(signal: i32);
    fn StatementCancelHandler(signal: i32);
}
