//! steep_repl: bidirectional replication on a stock PostgreSQL 18 server.
//!
//! The SQL lives in `sql/`; this library holds what SQL cannot do: shared memory, background workers, a client of
//! the peer, copying rows from it, and entries in the catalogue of subscriptions.

mod apply_error;
mod audit;
mod conflict;
mod error;
mod guc;
mod job;
mod peer;
mod pg;
mod range;
mod request;
mod schema;
mod settings;
mod shared;
mod snapshot;
mod sql;
mod stream_guard;
mod subscription;
mod work;
mod worker;

use pgrx::prelude::*;

pgrx::pg_module_magic!(name, version);

/// Called once per process that loads the library; shared memory and workers exist only when the server
/// itself loads it (shared_preload_libraries).
#[pg_guard]
pub extern "C-unwind" fn _PG_init() {
    guc::define();
    if pg::preload::in_progress() {
        pg::backup_label::look();
        shared::request();
        apply_error::request();
        job::place::request();
        pg::tombstone_watch::request();
        worker::register_launcher();
        pg::hooks::install();
        pg::log_hook::install();
        pg::stream_start::install();
    }
}
