//! Facts about this build that SQL asks for.

use pgrx::prelude::*;

/// The version of the library, which must be that of the installed SQL objects.
#[pg_extern(sql = false)]
fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}
