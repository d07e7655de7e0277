//! The settings of the extension, `steep_repl.*`.

use pgrx::{GucContext, GucFlags, GucRegistry, GucSetting};
use std::ffi::CString;

/// How many databases of this server get a worker.
pub static MAX_DATABASES: GucSetting<i32> = GucSetting::<i32>::new(8);
/// Milliseconds that a call waits for the worker's answer.
pub static WORKER_TIMEOUT: GucSetting<i32> = GucSetting::<i32>::new(60_000);
/// Milliseconds between two looks of the worker at its links and peers.
pub static WORKER_INTERVAL: GucSetting<i32> = GucSetting::<i32>::new(1_000);
/// Milliseconds that joining a table waits for the lock that keeps writers out for a moment.
pub static LOCK_TIMEOUT: GucSetting<i32> = GucSetting::<i32>::new(5_000);
/// Milliseconds that a transaction from a peer whose clock is ahead waits at most.
pub static CLOCK_WAIT: GucSetting<i32> = GucSetting::<i32>::new(10_000);
/// Milliseconds that a function which resolves a conflict may take.
pub static RESOLVER_TIMEOUT: GucSetting<i32> = GucSetting::<i32>::new(1_000);
/// Milliseconds that these functions may take in one transaction of a peer, together.
pub static RESOLVER_BUDGET: GucSetting<i32> = GucSetting::<i32>::new(20_000);
/// Seconds after which a conflict leaves the log; 0: never.
pub static CONFLICT_LOG_MAX_AGE: GucSetting<i32> = GucSetting::<i32>::new(90 * 24 * 60 * 60);
/// How many conflicts the log holds; 0: any number.
pub static CONFLICT_LOG_MAX_ROWS: GucSetting<i32> = GucSetting::<i32>::new(1_000_000);
/// Conflicts a minute above which health() speaks of them; 0: never.
pub static CONFLICT_RATE_ALERT: GucSetting<i32> = GucSetting::<i32>::new(60);

/// Whether any id may be inserted, whoever's range it is in.
pub static BYPASS_RANGE_CHECK: GucSetting<bool> = GucSetting::<bool>::new(false);
/// How many ids a range has, of tables that do not say otherwise.
pub static RANGE_SIZE: GucSetting<i32> = GucSetting::<i32>::new(10_000);
/// Percent of a range after whose use the next one is allocated, of tables that do not say otherwise.
pub static RANGE_THRESHOLD: GucSetting<i32> = GucSetting::<i32>::new(80);
/// Whether tables that are added get ranges.
pub static IDENTITY_RANGES: GucSetting<bool> = GucSetting::<bool>::new(true);

/// How many jobs run at once in a database.
pub static MAX_JOBS: GucSetting<i32> = GucSetting::<i32>::new(2);
/// Below which folders snapshots may lie, separated by commas; empty: anywhere.
pub static SNAPSHOT_DIRECTORIES: GucSetting<Option<CString>> = GucSetting::<Option<CString>>::new(Some(c""));

/// Whether native "conflict detected" lines about replicated tables go to the server log.
pub static LOG_NATIVE_CONFLICTS: GucSetting<bool> = GucSetting::<bool>::new(false);

pub fn define() {
    GucRegistry::define_int_guc(
        c"steep_repl.max_databases",
        c"How many databases of this server get a steep_repl worker.",
        c"Each takes one of max_worker_processes.",
        &MAX_DATABASES,
        0,
        64,
        GucContext::Sighup,
        GucFlags::default(),
    );
    GucRegistry::define_int_guc(
        c"steep_repl.worker_timeout",
        c"How long a call waits for the answer of the steep_repl worker.",
        c"",
        &WORKER_TIMEOUT,
        100,
        3_600_000,
        GucContext::Userset,
        GucFlags::UNIT_MS,
    );
    GucRegistry::define_int_guc(
        c"steep_repl.worker_interval",
        c"Time between two looks of the steep_repl worker at its links and peers.",
        c"It is also woken when there is something to do.",
        &WORKER_INTERVAL,
        50,
        60_000,
        GucContext::Sighup,
        GucFlags::UNIT_MS,
    );
    GucRegistry::define_int_guc(
        c"steep_repl.lock_timeout",
        c"How long joining a table waits for the lock that keeps writers out for a moment.",
        c"The lock is SHARE ROW EXCLUSIVE, or ACCESS EXCLUSIVE when the replica identity changes.",
        &LOCK_TIMEOUT,
        10,
        3_600_000,
        GucContext::Userset,
        GucFlags::UNIT_MS,
    );
    GucRegistry::define_int_guc(
        c"steep_repl.clock_wait",
        c"How long a transaction from a peer whose clock is ahead waits until this server's clock has passed its commit time.",
        c"So that whoever sees its rows here also writes after them. 0 does not wait.",
        &CLOCK_WAIT,
        0,
        600_000,
        GucContext::Sighup,
        GucFlags::UNIT_MS,
    );
    GucRegistry::define_int_guc(
        c"steep_repl.resolver_timeout",
        c"How long the function of the strategy \"function\" may take for one conflict.",
        c"0 sets no limit. The apply worker waits for it, and so do all tables of its stream.",
        &RESOLVER_TIMEOUT,
        0,
        60_000,
        GucContext::Sighup,
        GucFlags::UNIT_MS,
    );
    GucRegistry::define_int_guc(
        c"steep_repl.resolver_budget",
        c"How long functions of the strategy \"function\" may take together for one transaction of a peer.",
        c"0 sets no limit. Keepalives are not answered meanwhile: it must stay below half of the peer's wal_sender_timeout.",
        &RESOLVER_BUDGET,
        0,
        3_600_000,
        GucContext::Sighup,
        GucFlags::UNIT_MS,
    );
    GucRegistry::define_bool_guc(
        c"steep_repl.log_native_conflicts",
        c"Whether PostgreSQL's own lines about conflicts in replicated tables go to the server log.",
        c"They hold whole rows.",
        &LOG_NATIVE_CONFLICTS,
        GucContext::Sighup,
        GucFlags::default(),
    );
    GucRegistry::define_int_guc(
        c"steep_repl.conflict_log_max_age",
        c"How long conflicts stay in conflict_log.",
        c"0 keeps them for ever. What is pending stays; what is not proven stays ten times as long.",
        &CONFLICT_LOG_MAX_AGE,
        0,
        i32::MAX,
        GucContext::Sighup,
        GucFlags::UNIT_S,
    );
    GucRegistry::define_int_guc(
        c"steep_repl.conflict_log_max_rows",
        c"How many conflicts conflict_log keeps.",
        c"0 sets no limit. What is pending or not proven stays.",
        &CONFLICT_LOG_MAX_ROWS,
        0,
        i32::MAX,
        GucContext::Sighup,
        GucFlags::default(),
    );
    GucRegistry::define_int_guc(
        c"steep_repl.conflict_rate_alert",
        c"Conflicts a minute, in the last five minutes, above which health() calls the node degraded.",
        c"0 never does.",
        &CONFLICT_RATE_ALERT,
        0,
        1_000_000,
        GucContext::Sighup,
        GucFlags::default(),
    );
    define_ranges();
    define_jobs();
}

fn define_jobs() {
    GucRegistry::define_int_guc(
        c"steep_repl.max_jobs",
        c"How many jobs, such as taking a snapshot, run at once in a database.",
        c"Each takes one of max_worker_processes, and one for each stream. 0 starts none.",
        &MAX_JOBS,
        0,
        16,
        GucContext::Sighup,
        GucFlags::default(),
    );
    GucRegistry::define_string_guc(
        c"steep_repl.snapshot_directories",
        c"Below which folders snapshots may lie, separated by commas.",
        c"Empty allows any, where COPY could write: for members of pg_write_server_files. Never the data folder.",
        &SNAPSHOT_DIRECTORIES,
        GucContext::Sighup,
        GucFlags::default(),
    );
}

fn define_ranges() {
    GucRegistry::define_bool_guc(
        c"steep_repl.bypass_range_check",
        c"Whether any id may be inserted into tables with ranges.",
        c"For loads of rows that have their ids. Noted in the audit log, once a transaction and table.",
        &BYPASS_RANGE_CHECK,
        GucContext::Suset,
        GucFlags::default(),
    );
    GucRegistry::define_bool_guc(
        c"steep_repl.identity_ranges",
        c"Whether tables that are added get ranges of ids, when add_table() does not say.",
        c"Without, two nodes that draw ids from sequences collide.",
        &IDENTITY_RANGES,
        GucContext::Userset,
        GucFlags::default(),
    );
    GucRegistry::define_int_guc(
        c"steep_repl.default_range_size",
        c"How many ids a range has, when a table gets its ranges.",
        c"set_ranges() changes it for a table.",
        &RANGE_SIZE,
        1,
        1_000_000_000,
        GucContext::Userset,
        GucFlags::default(),
    );
    GucRegistry::define_int_guc(
        c"steep_repl.range_threshold",
        c"Percent of a range after whose use the next one is allocated, when a table gets its ranges.",
        c"set_ranges() changes it for a table.",
        &RANGE_THRESHOLD,
        1,
        100,
        GucContext::Userset,
        GucFlags::default(),
    );
}
