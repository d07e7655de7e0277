//! The settings that the server needs, for SQL.

use crate::sql;
use pgrx::prelude::*;
use postgres_settings::{Problem, check};

/// What is missing or harmful in this server's settings for a node with `peers` peers.
#[pg_extern(sql = false)]
fn check_settings(
    peers: i32,
) -> TableIterator<'static, (name!(name, String), name!(current, String), name!(wanted, String), name!(problem, String))>
{
    let read =
        |name: &str| sql::text("SELECT pg_catalog.current_setting($1, true)", &[name.into()]).unwrap_or_default();
    let problems = check(u32::try_from(peers).unwrap_or(1), read);
    TableIterator::new(
        problems
            .into_iter()
            .map(|Problem { name, current, wanted, problem }| (name.to_owned(), current, wanted, problem)),
    )
}
