//! The SQL objects of this database, and whether they are those that this library was built with: after an update of the
//! files, ALTER EXTENSION … UPDATE has yet to be run in each database.

use crate::sql;
use pgrx::prelude::*;
use std::cmp::Ordering;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The version of the library, which must be that of the installed SQL objects.
#[pg_extern(sql = false)]
fn version() -> &'static str {
    VERSION
}

/// What this database has of the extension.
pub enum Installed {
    Nothing,
    /// The SQL objects that this library calls.
    Ours,
    /// Others, which must not be called; the text says what to do.
    Other(String),
}

/// Looks into the catalogue; in a transaction.
pub fn installed() -> Installed {
    match sql::text("SELECT extversion FROM pg_catalog.pg_extension WHERE extname = 'steep_repl'", &[]) {
        None => Installed::Nothing,
        Some(found) if found == VERSION => Installed::Ours,
        Some(found) => Installed::Other(remedy(&found)),
    }
}

fn remedy(found: &str) -> String {
    let todo = match numbers(found).cmp(&numbers(VERSION)) {
        Ordering::Greater => format!("install the library of {found} and restart the server"),
        _ => String::from("run ALTER EXTENSION steep_repl UPDATE"),
    };
    format!("the extension in this database is {found}, the library {VERSION}: {todo}")
}

/// Numbers compare as versions do: 0.10 comes after 0.9.
fn numbers(version: &str) -> Vec<u32> {
    version.split('.').map(|part| part.parse().unwrap_or(0)).collect()
}
