//! A client of another server, inside this one: the functions that the server's own WAL receiver uses
//! (src/include/replication/walreceiver.h, implemented by src/backend/replication/libpqwalreceiver).
//!
//! These are C functions behind pointers, which raise errors by jumping: each call is guarded, so that the jump becomes an
//! unwinding and a worker can catch it.
//!
//! Connection strings mean what they mean in CREATE SUBSCRIPTION: password files, services, TLS, timeouts.

use super::time_limit;
use pgrx::pg_sys;
use pgrx::pg_sys::submodules::ffi::pg_guard_ffi_boundary;
use pgrx::{PgSqlErrorCode, PgTryBuilder};
use std::ffi::{CStr, CString};

/// Seconds that connecting may take when the string does not say.
const CONNECT_LIMIT: u32 = 5;

/// A row as text, NULL as None.
pub type Row = Vec<Option<String>>;

/// An open connection; closed when dropped, also when an error unwinds.
pub struct Connection {
    raw: *mut pg_sys::WalReceiverConn,
    /// A COPY has begun and its end has not been read.
    copying: bool,
}

/// What went wrong on the other side, in libpq's words, which never hold a password.
pub struct Failure(pub String);

/// A refusal has the server's SQLSTATE. What libpq itself says, of a connection that broke, has none (libpqrcv_exec); a server
/// that goes says so with one of class 57P.
fn refusal(sqlstate: i32, words: String) -> Failure {
    let gone = [
        PgSqlErrorCode::ERRCODE_ADMIN_SHUTDOWN,
        PgSqlErrorCode::ERRCODE_CRASH_SHUTDOWN,
        PgSqlErrorCode::ERRCODE_CANNOT_CONNECT_NOW,
    ];
    if sqlstate == 0 || gone.iter().any(|code| *code as i32 == sqlstate) {
        return Failure(format!("the connection to the peer was lost: {words}"));
    }
    Failure(words)
}

fn functions() -> &'static pg_sys::WalReceiverFunctionsType {
    // SAFETY: loading the library sets WalReceiverFunctions for the rest of the process's life.
    unsafe {
        if pg_sys::WalReceiverFunctions.is_null() {
            pg_sys::load_file(c"libpqwalreceiver".as_ptr(), false);
        }
        &*pg_sys::WalReceiverFunctions
    }
}

/// What libpq says of a string that it cannot read repeats parts of it, which may be of a password.
fn check(conninfo: &CStr) -> Result<(), Failure> {
    PgTryBuilder::new(|| {
        // SAFETY: the string outlives the call, which raises an error or does nothing.
        unsafe {
            let check = functions().walrcv_check_conninfo.expect("walrcv_check_conninfo");
            pg_guard_ffi_boundary(|| check(conninfo.as_ptr(), false));
        }
        Ok(())
    })
    .catch_when(PgSqlErrorCode::ERRCODE_SYNTAX_ERROR, |_| {
        Err(Failure(String::from("the connection string has a syntax error")))
    })
    .execute()
}

fn c_string(text: &str) -> CString {
    CString::new(text.replace('\0', "")).unwrap_or_default()
}

impl Connection {
    /// Connects, within the string's connect_timeout or 5 s; with `replication` as a logical walsender, which also answers SQL.
    pub fn open(conninfo: &str, replication: bool) -> Result<Self, Failure> {
        Self::connect(conninfo, replication, false)
    }

    /// Connects on behalf of somebody who is not a superuser: an error is raised unless the string has a password and the
    /// other side asks for it.
    pub fn open_with_password(conninfo: &str) -> Result<Self, Failure> {
        Self::connect(conninfo, false, true)
    }

    fn connect(conninfo: &str, replication: bool, password: bool) -> Result<Self, Failure> {
        let mut error = std::ptr::null_mut();
        let limit = conninfo::connect_timeout(conninfo).map_or(CONNECT_LIMIT, |seconds| seconds.max(0).cast_unsigned());
        let conninfo = c_string(conninfo);
        check(&conninfo)?;
        // SAFETY: all strings outlive the call; an error text is palloc'd in the current context.
        unsafe {
            let connect = functions().walrcv_connect.expect("walrcv_connect");
            // The connection's own memory must outlive the transaction that opens it.
            let before = pg_sys::MemoryContextSwitchTo(pg_sys::TopMemoryContext);
            let raw = time_limit::within(limit, || {
                pg_guard_ffi_boundary(|| {
                    connect(conninfo.as_ptr(), replication, true, password, c"steep_repl".as_ptr(), &mut error)
                })
            });
            pg_sys::MemoryContextSwitchTo(before);
            let raw = raw.map_err(|time_limit::Passed| Failure(format!("no answer within {limit} s")))?;
            if raw.is_null() {
                return Err(Failure(text(error)));
            }
            Ok(Self { raw, copying: false })
        }
    }

    /// A connection that somebody else opened and will close: do not let it drop.
    ///
    /// # Safety
    /// `raw` is open.
    pub unsafe fn borrow(raw: *mut pg_sys::WalReceiverConn) -> Self {
        Self { raw, copying: false }
    }

    /// Runs one command; its rows as text. The command must be of text columns only, `columns` many.
    pub fn rows(&mut self, sql: &str, columns: usize) -> Result<Vec<Row>, Failure> {
        let sql = c_string(sql);
        let types = vec![pg_sys::TEXTOID; columns];
        // SAFETY: the result is read before it is cleared.
        unsafe {
            let exec = functions().walrcv_exec.expect("walrcv_exec");
            let raw = self.raw;
            let result = pg_guard_ffi_boundary(|| exec(raw, sql.as_ptr(), columns as i32, types.as_ptr()));
            let outcome = match (*result).status {
                pg_sys::WalRcvExecStatus::WALRCV_ERROR => Err(refusal((*result).sqlstate, text((*result).err))),
                pg_sys::WalRcvExecStatus::WALRCV_OK_TUPLES => Ok(read_rows(&*result, columns)),
                _ => Ok(Vec::new()),
            };
            if !(*result).tuplestore.is_null() {
                pg_sys::tuplestore_end((*result).tuplestore);
            }
            outcome
        }
    }

    /// Starts a COPY … TO STDOUT, whose bytes `receive` then returns.
    pub fn start_copy(&mut self, sql: &str) -> Result<(), Failure> {
        self.rows(sql, 0)?;
        self.copying = true;
        Ok(())
    }

    /// The next piece of a running COPY, None at its end. The bytes are valid until the next call.
    pub fn receive(&mut self) -> Option<&[u8]> {
        let mut buffer = std::ptr::null_mut();
        let mut socket: pg_sys::pgsocket = -1;
        loop {
            // SAFETY: the buffer belongs to the connection until the next call (libpqrcv_receive).
            let length = unsafe {
                let receive = functions().walrcv_receive.expect("walrcv_receive");
                let raw = self.raw;
                pg_guard_ffi_boundary(|| receive(raw, &mut buffer, &mut socket))
            };
            match length {
                1.. => {
                    // SAFETY: the receiver said that many bytes are there.
                    return Some(unsafe { std::slice::from_raw_parts(buffer as *const u8, length as usize) });
                }
                0 => wait_readable(socket),
                _ => {
                    self.copying = false;
                    return None;
                }
            }
        }
    }

    /// Reads what is left of a COPY that was given up, so that the connection can be asked again.
    pub fn finish_copy(&mut self) {
        while self.copying {
            self.receive();
        }
    }

    /// Creates a temporary logical slot whose starting point is the snapshot of the transaction that this
    /// connection has open, and returns that point. It waits for every transaction open over there.
    pub fn create_temporary_slot(&mut self, name: &str) -> u64 {
        let mut lsn = 0;
        let name = c_string(name);
        // SAFETY: raises an error when the other side refuses.
        unsafe {
            let create = functions().walrcv_create_slot.expect("walrcv_create_slot");
            let snapshot = pg_sys::CRSSnapshotAction::CRS_USE_SNAPSHOT;
            let raw = self.raw;
            pg_guard_ffi_boundary(|| create(raw, name.as_ptr(), true, false, false, snapshot, &mut lsn));
        }
        lsn
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // SAFETY: opened by us, closed once.
        unsafe { (functions().walrcv_disconnect.expect("walrcv_disconnect"))(self.raw) }
    }
}

fn wait_readable(socket: pg_sys::pgsocket) {
    let events = pg_sys::WL_LATCH_SET | pg_sys::WL_SOCKET_READABLE | pg_sys::WL_TIMEOUT | pg_sys::WL_EXIT_ON_PM_DEATH;
    // SAFETY: our own latch and the connection's socket.
    unsafe {
        pg_sys::WaitLatchOrSocket(pg_sys::MyLatch, events as i32, socket, 1000, pg_sys::PG_WAIT_EXTENSION);
        pg_sys::ResetLatch(pg_sys::MyLatch);
    }
    pgrx::check_for_interrupts!();
}

/// # Safety
/// `raw` is null or a C string.
unsafe fn text(raw: *const std::ffi::c_char) -> String {
    if raw.is_null() {
        return String::from("no reason given");
    }
    // SAFETY: by the caller.
    unsafe { CStr::from_ptr(raw) }.to_string_lossy().trim_end().to_owned()
}

/// # Safety
/// `result` holds tuples of `columns` text columns.
unsafe fn read_rows(result: &pg_sys::WalRcvExecResult, columns: usize) -> Vec<Row> {
    let mut rows = Vec::new();
    // SAFETY: the slot lives while the tuplestore is read.
    unsafe {
        let slot = pg_sys::MakeSingleTupleTableSlot(result.tupledesc, &pg_sys::TTSOpsMinimalTuple);
        while pg_sys::tuplestore_gettupleslot(result.tuplestore, true, false, slot) {
            pg_sys::slot_getsomeattrs_int(slot, columns as i32);
            rows.push((0..columns).map(|column| value(slot, column)).collect());
        }
        pg_sys::ExecDropSingleTupleTableSlot(slot);
    }
    rows
}

/// # Safety
/// The slot's column holds text.
unsafe fn value(slot: *mut pg_sys::TupleTableSlot, column: usize) -> Option<String> {
    // SAFETY: slot_getsomeattrs_int filled the arrays up to this column.
    unsafe {
        if *(*slot).tts_isnull.add(column) {
            return None;
        }
        let datum = *(*slot).tts_values.add(column);
        Some(text(pg_sys::text_to_cstring(datum.cast_mut_ptr())))
    }
}
