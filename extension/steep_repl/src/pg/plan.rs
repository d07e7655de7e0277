//! Statements of ours that run often: planned once a process, run as a role that may touch the extension's tables, with
//! results as text.
//!
//! Not through pgrx's Spi: see src/sql.rs, and plans are looked up by their text here.

use super::acting_as::ActingAs;
use super::worker_process;
use pgrx::IntoDatum;
use pgrx::pg_sys;
use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::{CStr, CString};

/// A value for a statement, with its type.
pub struct Argument {
    pub type_oid: pg_sys::Oid,
    pub value: Option<pg_sys::Datum>,
}

impl Argument {
    pub fn of<T: IntoDatum>(value: Option<T>) -> Self {
        Self { type_oid: T::type_oid(), value: value.and_then(IntoDatum::into_datum) }
    }

    pub fn text(value: &str) -> Self {
        Self::of(Some(value))
    }

    pub fn oid(value: pg_sys::Oid) -> Self {
        Self::of(Some(value))
    }

    /// A value that the server gave us.
    pub fn raw(type_oid: pg_sys::Oid, value: Option<pg_sys::Datum>) -> Self {
        Self { type_oid, value }
    }
}

pub type Row = Vec<Option<String>>;

thread_local! {
    static PLANS: RefCell<HashMap<String, pg_sys::SPIPlanPtr>> = RefCell::new(HashMap::new());
}

/// Runs a fixed statement of the extension with the extension's rights; its rows as text.
pub fn rows(query: &str, arguments: &[Argument]) -> Vec<Row> {
    let _as = ActingAs::extension();
    run(query, arguments).0
}

/// The same for a query that must see what has been committed by now, also where a transaction keeps its snapshot.
pub fn latest(query: &str, arguments: &[Argument]) -> Vec<Row> {
    let _as = ActingAs::extension();
    // SAFETY: pushed and popped here; the server pops it when an error is raised. Read-only statements use it.
    unsafe {
        pg_sys::PushActiveSnapshot(pg_sys::GetLatestSnapshot());
        let rows = execute(query, arguments, true).0;
        pg_sys::PopActiveSnapshot();
        rows
    }
}

/// The same in the snapshot of the statement that is running.
pub fn as_of_statement(query: &str, arguments: &[Argument]) -> Vec<Row> {
    let _as = ActingAs::extension();
    execute(query, arguments, true).0
}

/// Runs a statement with the rights that the process has now; its rows as text, and how many were processed.
pub fn run(query: &str, arguments: &[Argument]) -> (Vec<Row>, u64) {
    execute(query, arguments, false)
}

fn execute(query: &str, arguments: &[Argument], read_only: bool) -> (Vec<Row>, u64) {
    // SAFETY: the frame of SPI; the server ends it when an error is raised. Results are copied before it ends.
    unsafe {
        // In a session names would be looked up where its user says, and types first in its temporary schema: with the
        // rights of the extension. Apply workers and ours have no such users, but for those that work as somebody.
        let users = pg_sys::MyBackendType == pg_sys::BackendType::B_BACKEND || worker_process::works_as_user();
        let level = users.then(|| {
            let level = pg_sys::NewGUCNestLevel();
            pg_sys::RestrictSearchPath();
            level
        });
        pg_sys::SPI_connect();
        let plan = planned(query, arguments);
        let mut values: Vec<pg_sys::Datum> =
            arguments.iter().map(|a| a.value.unwrap_or(pg_sys::Datum::from(0))).collect();
        let nulls: Vec<std::ffi::c_char> =
            arguments.iter().map(|a| if a.value.is_some() { b' ' } else { b'n' } as std::ffi::c_char).collect();
        let code = pg_sys::SPI_execute_plan(plan, values.as_mut_ptr(), nulls.as_ptr(), read_only, 0);
        if code < 0 {
            pgrx::error!("steep_repl: {query}: SPI error {code}");
        }
        let processed = pg_sys::SPI_processed;
        let rows = results();
        pg_sys::SPI_finish();
        if let Some(level) = level {
            pg_sys::AtEOXact_GUC(false, level);
        }
        (rows, processed)
    }
}

/// Runs a statement that is made for this once; how many rows it processed.
pub fn once(statement: &str) -> u64 {
    let text = CString::new(statement).unwrap_or_default();
    // SAFETY: as above.
    unsafe {
        pg_sys::SPI_connect();
        let code = pg_sys::SPI_execute(text.as_ptr(), false, 0);
        if code < 0 {
            pgrx::error!("steep_repl: {statement}: SPI error {code}");
        }
        let processed = pg_sys::SPI_processed;
        pg_sys::SPI_finish();
        processed
    }
}

unsafe fn planned(query: &str, arguments: &[Argument]) -> pg_sys::SPIPlanPtr {
    if let Some(plan) = PLANS.with_borrow(|plans| plans.get(query).copied()) {
        return plan;
    }
    let text = CString::new(query).unwrap_or_default();
    let mut types: Vec<pg_sys::Oid> = arguments.iter().map(|a| a.type_oid).collect();
    // SAFETY: inside of SPI; a kept plan lives as long as the process and replans itself when tables change.
    let plan = unsafe {
        let plan = pg_sys::SPI_prepare(text.as_ptr(), types.len() as i32, types.as_mut_ptr());
        if plan.is_null() {
            pgrx::error!("steep_repl: cannot plan {query}");
        }
        pg_sys::SPI_keepplan(plan);
        plan
    };
    PLANS.with_borrow_mut(|plans| plans.insert(query.to_owned(), plan));
    plan
}

unsafe fn results() -> Vec<Row> {
    // SAFETY: set by the statement that has just run.
    unsafe {
        let table = pg_sys::SPI_tuptable;
        if table.is_null() {
            return Vec::new();
        }
        let descriptor = (*table).tupdesc;
        (0..(*table).numvals as usize)
            .map(|row| {
                let tuple = *(*table).vals.add(row);
                (1..=(*descriptor).natts)
                    .map(|column| {
                        let value = pg_sys::SPI_getvalue(tuple, descriptor, column);
                        (!value.is_null()).then(|| CStr::from_ptr(value).to_string_lossy().into_owned())
                    })
                    .collect()
            })
            .collect()
    }
}
