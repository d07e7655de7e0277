//! Background worker processes: registration and the frame of their main functions.

use pgrx::bgworkers::{BackgroundWorkerBuilder, BgWorkerStartTime};
use pgrx::{IntoDatum, pg_sys};
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
        .is_ok()
}

/// Sets the signal handlers of ordinary backends, so that termination and cancel act at the next safe place
/// (CHECK_FOR_INTERRUPTS), also in the middle of a query, and connects without a database (0: shared catalogues
/// only) or to one.
pub fn begin(database: u32) {
    // SAFETY: the start of a background worker's main function (postmaster/bgworker.c).
    unsafe {
        pg_sys::pqsignal_be(pg_sys::SIGTERM as i32, Some(die));
        pg_sys::pqsignal_be(pg_sys::SIGHUP as i32, Some(SignalHandlerForConfigReload));
        pg_sys::BackgroundWorkerUnblockSignals();
        if database == 0 {
            pg_sys::BackgroundWorkerInitializeConnection(std::ptr::null(), std::ptr::null(), 0);
        } else {
            pg_sys::BackgroundWorkerInitializeConnectionByOid(pg_sys::Oid::from(database), pg_sys::InvalidOid, 0);
        }
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

/// Now, in microseconds as TimestampTz.
pub fn now() -> i64 {
    // SAFETY: reads the clock.
    unsafe { pg_sys::GetCurrentTimestamp() }
}

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
}
