//! COPY into a table of this database from bytes that a callback delivers, as the table synchronisation of the
//! server does it (copy_table in src/backend/replication/logical/tablesync.c).

use super::acting_as::ActingAs;
use super::peer_connection::Connection;
use pgrx::pg_sys;
use std::cell::RefCell;

struct Source {
    connection: *mut Connection,
    rest: Vec<u8>,
    bytes: u64,
}

thread_local! {
    // The server's callback has no argument for it.
    static SOURCE: RefCell<Option<Source>> = const { RefCell::new(None) };
}

/// Copies the running COPY … TO STDOUT of `connection` into `columns` of `relation`; rows and bytes copied.
///
/// Triggers and foreign keys do not fire when the caller set session_replication_role = replica.
pub fn copy_into(relation: pg_sys::Oid, columns: &[String], connection: &mut Connection) -> (u64, u64) {
    SOURCE.with_borrow_mut(|source| {
        *source = Some(Source { connection: std::ptr::from_mut(connection), rest: Vec::new(), bytes: 0 });
    });
    let _clear = ClearSource;
    // SAFETY: the sequence of copy_table(); the relation stays locked until the end of the transaction.
    let rows = unsafe {
        let rel = pg_sys::table_open(relation, pg_sys::RowExclusiveLock as i32);
        // As the table's owner, restricted: its triggers, checks and index expressions are the owner's code, not ours.
        let _as_owner = ActingAs::table_owner((*(*rel).rd_rel).relowner);
        let pstate = pg_sys::make_parsestate(std::ptr::null_mut());
        pg_sys::addRangeTableEntryForRelation(
            pstate,
            rel,
            pg_sys::RowExclusiveLock as i32,
            std::ptr::null_mut(),
            false,
            false,
        );
        let mut names = std::ptr::null_mut();
        for column in columns {
            let name = std::ffi::CString::new(column.as_str()).unwrap_or_default();
            let copy = pg_sys::pstrdup(name.as_ptr());
            names = pg_sys::lappend(names, pg_sys::makeString(copy).cast());
        }
        let state = pg_sys::BeginCopyFrom(
            pstate,
            rel,
            std::ptr::null_mut(),
            std::ptr::null(),
            false,
            Some(deliver),
            names,
            std::ptr::null_mut(),
        );
        let rows = pg_sys::CopyFrom(state);
        pg_sys::EndCopyFrom(state);
        pg_sys::table_close(rel, pg_sys::NoLock as i32);
        rows
    };
    let bytes = SOURCE.with_borrow(|source| source.as_ref().map_or(0, |s| s.bytes));
    (rows, bytes)
}

struct ClearSource;

impl Drop for ClearSource {
    fn drop(&mut self) {
        SOURCE.with_borrow_mut(|source| *source = None);
    }
}

#[pgrx::pg_guard]
unsafe extern "C-unwind" fn deliver(buffer: *mut std::ffi::c_void, minimum: i32, maximum: i32) -> i32 {
    SOURCE.with_borrow_mut(|source| {
        let Some(source) = source.as_mut() else { return 0 };
        while source.rest.len() < minimum as usize {
            // SAFETY: the connection outlives the copy (a borrow of copy_into's caller).
            match unsafe { &mut *source.connection }.receive() {
                Some(piece) => {
                    source.bytes += piece.len() as u64;
                    source.rest.extend_from_slice(piece);
                }
                None => break,
            }
        }
        let length = source.rest.len().min(maximum as usize);
        // SAFETY: the server's buffer holds `maximum` bytes.
        unsafe { std::ptr::copy_nonoverlapping(source.rest.as_ptr(), buffer.cast::<u8>(), length) };
        source.rest.drain(..length);
        length as i32
    })
}
