//! What SQL asks about snapshots: where they may lie, what is in them, whether they are whole.

use super::{folders, raise};
use crate::error;
use crate::pg::{databases, latch};
use pgrx::PgSqlErrorCode;
use pgrx::prelude::*;
use snapshot_files::{Checked, State, check, read_manifest, remove, resolve, state};
use std::path::Path;

/// The path with links and dots resolved. Raises 22023 where no snapshot may lie.
#[pg_extern(sql = false)]
fn snapshot_path(path: &str) -> String {
    match resolve(path, &folders(), &databases::data_folder()) {
        Ok(found) => found.display().to_string(),
        Err(why) => error::raise(
            PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE,
            why,
            None,
            "Name a folder by its absolute path on the server; steep_repl.snapshot_directories says below which it must be, outside of the data folder.",
        ),
    }
}

/// The manifest of a snapshot. Raises 58P01, XX001, 0A000.
#[pg_extern(sql = false)]
fn snapshot_manifest(path: &str) -> pgrx::JsonB {
    let manifest = read_manifest(Path::new(path)).unwrap_or_else(|trouble| raise(trouble));
    pgrx::JsonB(serde_json::to_value(manifest).unwrap_or_default())
}

/// Compares all files with their checksums, the manifest first.
#[pg_extern(sql = false)]
fn check_snapshot(
    path: &str,
) -> TableIterator<'static, (name!(file, String), name!(bytes, i64), name!(problem, Option<String>))> {
    let folder = Path::new(path);
    let manifest = read_manifest(folder).unwrap_or_else(|trouble| raise(trouble));
    let checked = check(folder, &manifest, latch::pause);
    let row = |Checked { file, bytes, problem }: Checked| (file, bytes.cast_signed(), problem);
    let whole = (String::from("manifest.json"), 0, None);
    TableIterator::new(std::iter::once(whole).chain(checked.into_iter().map(row)))
}

/// complete, damaged or missing, by its manifest.
#[pg_extern(sql = false)]
fn snapshot_state(path: &str, snapshot_uid: pgrx::Uuid) -> &'static str {
    match state(Path::new(path), &snapshot_uid.to_string()) {
        State::Complete => "complete",
        State::Missing => "missing",
        State::Damaged => "damaged",
    }
}

/// Removes the files of that snapshot; false when they are gone already.
#[pg_extern(sql = false)]
fn remove_snapshot(path: &str, snapshot_uid: pgrx::Uuid) -> bool {
    remove(Path::new(path), &snapshot_uid.to_string()).unwrap_or_else(|trouble| raise(trouble))
}
