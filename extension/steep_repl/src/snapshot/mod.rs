//! Snapshots: taking them, loading them, looking at them. The files are crates/snapshot's.

pub mod apply;
pub mod deferred;
pub mod generate;
mod interface;
pub mod loaded;
mod piece_file;
mod replication;
pub mod versions;

use crate::pg::sqlstate;
use crate::pg::transaction::Failed;
use crate::{error, guc};
use pgrx::PgSqlErrorCode as Code;
use serde::Deserialize;
use snapshot_files::Trouble;
use std::path::PathBuf;

/// What start_snapshot() and start_apply() write into the queue.
#[derive(Deserialize)]
struct Parameters {
    path: PathBuf,
    parallel: usize,
    snapshot_uid: String,
    #[serde(default)]
    compression: String,
    tables: Option<Vec<String>>,
    slot: Option<String>,
    /// The snapshot is for nodes that were prepared under this.
    preparation: Option<String>,
    /// It is loaded for a node that joins.
    joins: Option<Joins>,
    #[serde(default)]
    verify: bool,
    #[serde(default)]
    strict: bool,
}

/// What a load for a node that joins differs in.
#[derive(Deserialize)]
struct Joins {
    /// The numbers of the tables that it takes.
    tables: Vec<i32>,
    /// The origin that marks its rows as copied, and the process that holds it.
    origin: String,
    owner: i32,
}

impl Parameters {
    fn read(value: &serde_json::Value) -> Result<Self, Failed> {
        Self::deserialize(value).map_err(|error| Failed::from(format!("the parameters cannot be read: {error}")))
    }

    fn loads(&self, table: usize) -> bool {
        self.joins.as_ref().is_none_or(|joins| joins.tables.contains(&(table as i32)))
    }

    /// Keeps what is being written apart from what others write.
    fn label(&self) -> &str {
        &self.snapshot_uid
    }
}

fn code(trouble: &Trouble) -> Code {
    match trouble {
        Trouble::Missing(_) => Code::ERRCODE_UNDEFINED_FILE,
        Trouble::Damaged(_) => Code::ERRCODE_DATA_CORRUPTED,
        Trouble::Newer(_) => Code::ERRCODE_FEATURE_NOT_SUPPORTED,
        Trouble::System(_) => Code::ERRCODE_IO_ERROR,
    }
}

fn hint(trouble: &Trouble) -> &'static str {
    match trouble {
        Trouble::Missing(_) => "Name the folder that start_snapshot() made, as the server sees it.",
        Trouble::Damaged(_) => "verify_snapshot() looks at every file. Take the snapshot anew, or copy it again.",
        Trouble::Newer(_) => "Update steep_repl on this server.",
        Trouble::System(_) => "Make room, or give the server's system user the right; then retry_work().",
    }
}

/// Raises it as an error of SQL.
fn raise(trouble: Trouble) -> ! {
    error::raise(code(&trouble), trouble.to_string(), None, hint(&trouble))
}

fn failed(trouble: Trouble) -> Failed {
    Failed { text: trouble.to_string(), sqlstate: sqlstate::unpacked(code(&trouble) as i32) }
}

/// Below which folders snapshots may lie; none: anywhere.
fn folders() -> Vec<String> {
    let setting = guc::SNAPSHOT_DIRECTORIES.get().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    setting.split(',').map(str::trim).filter(|folder| !folder.is_empty()).map(str::to_owned).collect()
}
