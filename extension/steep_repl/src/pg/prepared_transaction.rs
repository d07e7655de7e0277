//! Transactions that were prepared when a copy of their node was made. They are the node's: it ends them, and what they wrote comes to
//! the copy in its stream. Committed there too, they would have happened twice, at two times; and of all that is committed after
//! the end of a copy only they have ids from before it, so that nobody would see it (sql/functions/node_complete.sql).

use super::{extension, plan};
use crate::error;
use pgrx::PgSqlErrorCode;
use pgrx::pg_sys;
use std::ffi::CStr;

const KNOWN: &str = "SELECT pg_catalog.to_regprocedure('steep_repl._copied()')::text";

/// Error 55000 for COMMIT PREPARED in a database that is a copy of a node and waits for complete_node().
///
/// # Safety
/// `node` is null or a parse tree.
#[pgrx::pg_guard]
pub unsafe extern "C-unwind" fn refuse(node: *mut pg_sys::Node) {
    // SAFETY: by the caller; a standby refuses it by itself.
    let Some(gid) = (unsafe { committed(node).filter(|_| !pg_sys::RecoveryInProgress()) }) else { return };
    if !extension::installed() || first(KNOWN).is_none() {
        return;
    }
    if let Some(copied) = first("SELECT steep_repl._copied()") {
        error::raise(
            PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
            format!("{copied}: transaction {gid} is that node's to commit"),
            Some(String::from("When that node commits it, it comes through the stream.")),
            "ROLLBACK PREPARED it here, then complete_node(). A server that takes that node's place is told so: DELETE FROM steep_repl.preparations.",
        );
    }
}

fn first(query: &str) -> Option<String> {
    // No statement has a snapshot yet: COMMIT PREPARED needs none.
    plan::latest(query, &[]).into_iter().flatten().flatten().next()
}

/// # Safety
/// As above.
unsafe fn committed(node: *mut pg_sys::Node) -> Option<String> {
    // SAFETY: by the caller; the tag says which struct it is, and the name is a C string of the parse tree.
    unsafe {
        if node.is_null() || (*node).type_ != pg_sys::NodeTag::T_TransactionStmt {
            return None;
        }
        let statement = &*node.cast::<pg_sys::TransactionStmt>();
        (statement.kind == pg_sys::TransactionStmtKind::TRANS_STMT_COMMIT_PREPARED)
            .then(|| CStr::from_ptr(statement.gid).to_string_lossy().into_owned())
    }
}
