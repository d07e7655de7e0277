//! Questions to a peer.

use crate::error;
use crate::pg::peer_connection::{Connection, Failure};
use crate::pg::time_limit;
use pgrx::PgSqlErrorCode;
use pgrx::prelude::*;

/// Runs `query` on the peer and returns its rows; it must return one column of type text.
///
/// Cancelled after so many seconds; 0 is no limit. Takes a connection string as CREATE SUBSCRIPTION does. Raises 08001 when the peer cannot be reached and 38000
/// when it refuses the query, with the peer's words.
#[pg_extern(sql = false)]
fn peer_rows_within(conninfo: &str, query: &str, seconds: i32) -> SetOfIterator<'static, Option<String>> {
    let mut connection = open(conninfo, false);
    let limit = seconds.max(0).cast_unsigned();
    let rows = time_limit::within(limit, || connection.rows(query, 1))
        .unwrap_or_else(|time_limit::Passed| Err(Failure(format!("the peer did not answer within {limit} s"))));
    let rows = rows.unwrap_or_else(|failure| refused(failure));
    SetOfIterator::new(rows.into_iter().map(|mut row| row.pop().flatten()))
}

/// The same without a limit; named by the script of 0.1.0.
#[pg_extern(sql = false)]
fn peer_rows(conninfo: &str, query: &str) -> SetOfIterator<'static, Option<String>> {
    peer_rows_within(conninfo, query, 0)
}

/// Why only a superuser may give that connection string, NULL when anybody may.
#[pg_extern(sql = false)]
fn conninfo_problems(conninfo: &str) -> Option<String> {
    let problems = conninfo::problems(conninfo);
    (!problems.is_empty()).then(|| problems.join("\n"))
}

/// Raises 2F003 unless the peer asks for the password of the connection string, 08001 when it cannot be reached.
#[pg_extern(sql = false)]
fn check_password_used(conninfo: &str) {
    drop(Connection::open_with_password(conninfo).unwrap_or_else(|failure| unreachable_peer(failure)));
}

/// Opens a connection or raises 08001.
pub fn open(conninfo: &str, replication: bool) -> Connection {
    Connection::open(conninfo, replication).unwrap_or_else(|failure| unreachable_peer(failure))
}

fn unreachable_peer(Failure(reason): Failure) -> ! {
    error::raise(
        PgSqlErrorCode::ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION,
        format!("cannot connect to the peer: {reason}"),
        None,
        "Check host, port, pg_hba.conf and the password file of the server's operating system user.",
    )
}

/// Raises 38000 with the peer's words.
pub fn refused(Failure(reason): Failure) -> ! {
    error::raise(
        PgSqlErrorCode::ERRCODE_EXTERNAL_ROUTINE_EXCEPTION,
        reason,
        None,
        "The message comes from the peer; its server log has more.",
    )
}
