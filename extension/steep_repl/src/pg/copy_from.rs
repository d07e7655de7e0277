//! COPY into a table of this database from bytes that a callback delivers, as the table synchronisation of the
//! server does it (copy_table in src/backend/replication/logical/tablesync.c).

use super::acting_as::ActingAs;
use super::peer_connection::Connection;
use pgrx::pg_sys;
use std::cell::RefCell;

/// Delivers the bytes of a COPY in text format, piece by piece.
pub trait Rows {
    /// The next piece, None at the end. May raise an error.
    fn next(&mut self) -> Option<&[u8]>;
}

impl Rows for Connection {
    fn next(&mut self) -> Option<&[u8]> {
        self.receive()
    }
}

struct Source {
    rows: *mut dyn Rows,
    rest: Vec<u8>,
    bytes: u64,
}

thread_local! {
    // The server's callback has no argument for it.
    static SOURCE: RefCell<Option<Source>> = const { RefCell::new(None) };
}

/// Copies the running COPY … TO STDOUT of `connection` into `columns` of `relation`, acting as the table's owner; rows and
/// bytes copied.
///
/// Triggers and foreign keys do not fire when the caller set session_replication_role = replica.
pub fn copy_into(relation: pg_sys::Oid, columns: &[String], connection: &mut Connection) -> (u64, u64) {
    copy_rows(relation, columns, connection, None, |owner| Some(ActingAs::table_owner(owner)))
}

/// The same with the rights that the process has, which the caller has looked at: COPY itself would. `encoding` is that of
/// the rows.
pub fn copy_as_caller(relation: pg_sys::Oid, columns: &[String], rows: &mut dyn Rows, encoding: &str) -> (u64, u64) {
    copy_rows(relation, columns, rows, Some(encoding), |_| None)
}

fn copy_rows(
    relation: pg_sys::Oid,
    columns: &[String],
    rows: &mut dyn Rows,
    encoding: Option<&str>,
    act: impl FnOnce(pg_sys::Oid) -> Option<ActingAs>,
) -> (u64, u64) {
    // SAFETY: the borrow outlives the copy, and ClearSource takes the pointer away when it ends.
    let rows = unsafe { std::mem::transmute::<&mut dyn Rows, &'static mut dyn Rows>(rows) };
    SOURCE.set(Some(Source { rows: std::ptr::from_mut(rows), rest: Vec::new(), bytes: 0 }));
    let _clear = ClearSource;
    // SAFETY: the sequence of copy_table(); the relation stays locked until the end of the transaction.
    let rows = unsafe {
        let rel = pg_sys::table_open(relation, pg_sys::RowExclusiveLock as i32);
        // For a take-over: triggers, checks and index expressions are the owner's code, not ours.
        let _acting = act((*(*rel).rd_rel).relowner);
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
            names = pg_sys::lappend(names, string_node(column).cast());
        }
        let mut options = std::ptr::null_mut();
        if let Some(encoding) = encoding {
            let name = pg_sys::pstrdup(c"encoding".as_ptr());
            options = pg_sys::lappend(options, pg_sys::makeDefElem(name, string_node(encoding).cast(), -1).cast());
        }
        let state = pg_sys::BeginCopyFrom(
            pstate,
            rel,
            std::ptr::null_mut(),
            std::ptr::null(),
            false,
            Some(deliver),
            names,
            options,
        );
        let rows = pg_sys::CopyFrom(state);
        pg_sys::EndCopyFrom(state);
        pg_sys::table_close(rel, pg_sys::NoLock as i32);
        rows
    };
    let bytes = SOURCE.with_borrow(|source| source.as_ref().map_or(0, |s| s.bytes));
    (rows, bytes)
}

unsafe fn string_node(text: &str) -> *mut pg_sys::String {
    let text = std::ffi::CString::new(text).unwrap_or_default();
    // SAFETY: copied into the current memory context.
    unsafe { pg_sys::makeString(pg_sys::pstrdup(text.as_ptr())) }
}

struct ClearSource;

impl Drop for ClearSource {
    fn drop(&mut self) {
        SOURCE.set(None);
    }
}

#[pgrx::pg_guard]
unsafe extern "C-unwind" fn deliver(buffer: *mut std::ffi::c_void, minimum: i32, maximum: i32) -> i32 {
    SOURCE.with_borrow_mut(|source| {
        let Some(source) = source.as_mut() else { return 0 };
        while source.rest.len() < minimum as usize {
            // SAFETY: it outlives the copy (a borrow of copy_rows' caller).
            match unsafe { &mut *source.rows }.next() {
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
