//! May this row have this id? What the constraint asks.

use super::own::Own;
use crate::error;
use crate::guc;
use crate::pg::commit_time;
use crate::pg::plan::{self, Argument};
use crate::pg::sequence;
use crate::pg::table;
use crate::pg::transaction;
use pgrx::PgSqlErrorCode;
use pgrx::pg_sys;
use std::cell::RefCell;
use std::collections::HashSet;

thread_local! {
    /// A transaction, and the tables whose bypassing it has written down.
    static NOTED: RefCell<(u32, HashSet<u32>)> = RefCell::default();
}

/// Whether this process writes what came from elsewhere: an apply worker, a copy, a repair.
pub fn writes_for_others() -> bool {
    commit_time::session_origin() != 0
}

/// Whether any id goes here and now, by the setting or for a time; noted in the audit log, once a transaction.
pub fn bypassed(root: pg_sys::Oid, own: &Own) -> bool {
    let by_setting = guc::BYPASS_RANGE_CHECK.get();
    if !by_setting && own.bypass_until <= commit_time::now() {
        return false;
    }
    let now = transaction::number();
    let first = NOTED.with_borrow_mut(|noted| {
        if noted.0 != now {
            *noted = (now, HashSet::new());
        }
        noted.1.insert(root.to_u32())
    });
    if first {
        plan::rows(
            "SELECT steep_repl._range_bypassed($1, $2)::text",
            &[Argument::oid(root), Argument::of(Some(by_setting))],
        );
    }
    true
}

/// Whether an id goes all the same: in an earlier range of this node, in a row that is there and is being updated, or
/// within a resolution by hand.
pub fn known(root: pg_sys::Oid, own: &Own, id: i64) -> bool {
    if had(root, id) {
        return true;
    }
    // The snapshot of the statement, in which the row that it updates is to be seen, whatever its rights.
    let query = format!(
        "SELECT 1::text FROM {} WHERE {} = $1 UNION ALL SELECT 1::text FROM steep_repl.resolving LIMIT 1",
        table::by_oid(root).qualified(),
        table::quote(&own.column),
    );
    !plan::as_of_statement(&query, &[Argument::of(Some(id))]).is_empty()
}

/// Whether an id is in a range of this node that has been written down by now.
fn had(root: pg_sys::Oid, id: i64) -> bool {
    let query = "SELECT 1::text WHERE steep_repl._had_range($2, $1)";
    !plan::latest(query, &[Argument::of(Some(id)), Argument::oid(root)]).is_empty()
}

/// Whether the session had an id while the sequence was in an earlier range: an application that drew it by hand, and wrote
/// it down elsewhere, has it in its row. Not while the sequence stands where somebody may have set it back to.
pub fn drawn_earlier(root: pg_sys::Oid, own: &Own, id: i64) -> bool {
    sequence::position(own.sequence).is_some_and(|position| own.goes_on(&position)) && (own.left(id) || had(root, id))
}

/// The error that says whose ids may be inserted.
pub fn refuse(root: pg_sys::Oid, own: &Own, id: i64) -> ! {
    error::raise(
        PgSqlErrorCode::ERRCODE_CHECK_VIOLATION,
        format!("id {id} is in none of this node's ranges of table {}", table::by_oid(root).qualified()),
        Some(format!("Its ranges of column {}: {}.", own.column, own.text())),
        "Leave the column out, so that its sequence gives an id. For a load of foreign ids: SELECT steep_repl.enable_bypass(table, duration, reason).",
    )
}

/// The error of an id that the sequence gave while it stood in none of this node's ranges, and where nothing can give the row
/// another one. The sequence has been moved meanwhile.
pub fn refuse_overrun(own: &Own, id: i64) -> ! {
    error::raise(
        PgSqlErrorCode::ERRCODE_T_R_SERIALIZATION_FAILURE,
        format!("the sequence gave id {id} of table {}, which is in none of this node's ranges", own.table),
        Some(
            "It was set there, or many values were drawn that no row got. It stands in a range of this node again."
                .into(),
        ),
        "Try again: the next value is one of this node's.",
    )
}
