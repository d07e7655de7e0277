//! Before an apply worker goes on with a stream: does it go on where it stopped? See sql/functions/beat.sql.

use crate::pg::peer_connection::Connection;
use crate::pg::transaction;
use crate::schema::{self, Installed};
use crate::{error, sql};
use pgrx::PgSqlErrorCode;

/// Raises an error when the stream from `slot`, to be started at `start_at`, would go on over a gap. Whatever cannot
/// be asked (a peer that is no longer a node) is no reason to stop. SQL objects of another version are one: what this
/// library does while rows arrive needs its own.
pub fn check(connection: &mut Connection, slot: &str, start_at: u64) {
    let installed = transaction::around(schema::installed);
    if let Installed::Other(remedy) = installed {
        error::raise(
            PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
            remedy,
            None,
            "The stream goes on by itself then.",
        );
    }
    if matches!(installed, Installed::Nothing) {
        return;
    }
    // Its slots are those of the node that it is a copy of.
    if let Some(copied) = transaction::around(|| sql::text("SELECT steep_repl._copied()", &[])) {
        error::raise(
            PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
            copied,
            Some(format!("The stream of slot {slot} is not this server's to receive.")),
            "steep_repl.complete_node() makes the copy a node of its own.",
        );
    }
    let problem = transaction::around(|| {
        let beat = sql::text("SELECT steep_repl._received_beat($1::name)", &[slot.into()]);
        let question = format!("SELECT steep_repl._stream_facts('{}')::text", slot.replace('\'', "''"));
        let facts = connection.rows(&question, 1).ok()?.pop()?.pop()??;
        let start = format!("{:X}/{:X}", start_at >> 32, start_at & 0xffff_ffff);
        sql::text(
            "SELECT steep_repl._stream_problem($1::jsonb, $2::pg_lsn, $3::bigint)",
            &[facts.as_str().into(), start.as_str().into(), beat.as_deref().into()],
        )
    });
    if let Some(problem) = problem {
        error::raise(
            PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
            problem,
            Some(format!("The stream of slot {slot} would go on over a gap.")),
            "See steep_repl.health(); the guide says how a node is initialised anew.",
        );
    }
}
