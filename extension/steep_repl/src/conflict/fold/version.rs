//! Versions of rows that are folds: a row is written by the change that came last, and is as late as the latest of its changes.

use crate::conflict::{session, state};
use crate::pg::commit_time::Writer;
use crate::pg::key_id::{self, KeyId};
use crate::pg::plan::{self, Argument};
use crate::pg::stored_row::StoredRow;
use crate::pg::table::Table;
use crate::pg::transaction;
use conflict::Version;

/// The version of a row that is here: that of its latest change.
pub fn of(table: &Table, key: &KeyId, stored: &StoredRow) -> Option<Version> {
    let own_session = matches!(stored.writer, Writer::Committed { origin: 0, .. });
    let noted = if own_session { None } else { noted(table, key, stored.xid) };
    noted.or_else(|| state::version_of(stored.writer, table.root.to_u32(), &|| *key).map(|known| known.version))
}

fn noted(table: &Table, key: &KeyId, xid: u32) -> Option<Version> {
    let row = plan::rows(
        "SELECT steep_repl._micros(v.version_time)::text, v.version_node FROM steep_repl.row_versions v
          WHERE v.relation = $1 AND v.key_id = $2::uuid AND v.row_xid = $3::text::xid LIMIT 1",
        &[Argument::oid(table.root), Argument::text(&key_id::text(key)), Argument::of(Some(i64::from(xid)))],
    );
    let [time, node] = <[Option<String>; 2]>::try_from(row.into_iter().next()?).ok()?;
    Some(Version { time: time?.parse().ok()?, node: node?.into() })
}

/// The version of what is kept beside the rows: that of its writer, also in a process that applies nothing.
pub fn of_writer(table: &Table, writer: Writer, xid: u32) -> Option<Version> {
    if session::active() {
        return state::version_of(writer, table.root.to_u32(), &|| key_id::ALL_KEYS).map(|known| known.version);
    }
    let row = plan::rows(
        "SELECT micros::text, node FROM steep_repl._row_version($1, $2::uuid, $3::text::xid)",
        &[
            Argument::oid(table.root),
            Argument::text(&key_id::text(&key_id::ALL_KEYS)),
            Argument::of(Some(i64::from(xid))),
        ],
    );
    let [time, node] = <[Option<String>; 2]>::try_from(row.into_iter().next()?).ok()?;
    Some(Version { time: time?.parse().ok()?, node: node?.into() })
}

/// Notes the version of the row that this transaction writes, where the transaction does not tell it.
pub fn note(table: &Table, key: &KeyId, version: &Version) {
    plan::rows(
        "WITH before AS (DELETE FROM steep_repl.row_versions v WHERE v.relation = $1 AND v.key_id = $2::uuid)
         INSERT INTO steep_repl.row_versions (relation, key_id, row_xid, version_time, version_node)
         VALUES ($1, $2::uuid, $3::text::xid, steep_repl._at($4), $5)",
        &[
            Argument::oid(table.root),
            Argument::text(&key_id::text(key)),
            Argument::of(Some(i64::from(transaction::current_xid()))),
            Argument::of(Some(version.time)),
            Argument::text(&version.node),
        ],
    );
}
