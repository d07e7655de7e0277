//! The two triggers on a replicated table: one decides about rows in an apply worker, one remembers rows that are gone.
//!
//! Written as plain C functions, because they run for every row.

use super::commit_time;
use super::row::{self, Row};
use super::row_change;
use super::stored_row::{OpenTable, StoredRow};
use super::table::{self, Table};
use super::tombstone_watch;
use crate::conflict::fold::{arrive, record};
use crate::conflict::put::{self, Outcome};
use crate::conflict::{orphan, remember, session, take};
use pgrx::pg_sys;
use std::cell::Cell;

const OPERATION: u32 = pg_sys::TRIGGER_EVENT_OPMASK;

/// What PostgreSQL asks of a C function before it calls it ("C-Language Functions", version 1 calling conventions).
static VERSION_ONE: pg_sys::Pg_finfo_record = pg_sys::Pg_finfo_record { api_version: 1 };

#[unsafe(no_mangle)]
pub extern "C" fn pg_finfo_steep_repl_decide() -> &'static pg_sys::Pg_finfo_record {
    &VERSION_ONE
}

#[unsafe(no_mangle)]
pub extern "C" fn pg_finfo_steep_repl_remember() -> &'static pg_sys::Pg_finfo_record {
    &VERSION_ONE
}

#[unsafe(no_mangle)]
pub extern "C" fn pg_finfo_steep_repl_tombstone_written() -> &'static pg_sys::Pg_finfo_record {
    &VERSION_ONE
}

#[unsafe(no_mangle)]
pub extern "C" fn pg_finfo_steep_repl_record() -> &'static pg_sys::Pg_finfo_record {
    &VERSION_ONE
}

thread_local! {
    /// How deep the trigger stands that decides about what arrives: the worker's own writes fire it at the top, our statements
    /// below the trigger that makes them.
    static DECIDING: Cell<i32> = const { Cell::new(1) };
}

/// While it lives, what is written is ours, in the stead of the worker.
pub struct Ours(i32);

pub fn ours() -> Ours {
    Ours(DECIDING.replace(depth() + 1))
}

impl Drop for Ours {
    fn drop(&mut self) {
        DECIDING.set(self.0);
    }
}

/// Whether the trigger that runs was fired by the write of a user's trigger.
pub fn nested() -> bool {
    depth() > DECIDING.get()
}

fn depth() -> i32 {
    // SAFETY: it looks at nothing of the call (pg_trigger_depth() in src/backend/commands/trigger.c).
    unsafe { pg_sys::pg_trigger_depth(std::ptr::null_mut()) }.value() as i32
}

/// BEFORE INSERT OR UPDATE OR DELETE … FOR EACH ROW, ENABLE REPLICA: decides what the stream brings. Everybody else's
/// writes pass.
///
/// # Safety
/// Called by the server.
#[unsafe(no_mangle)]
#[pgrx::pg_guard]
pub unsafe extern "C-unwind" fn steep_repl_decide(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: the context of a row trigger (src/include/commands/trigger.h).
    unsafe {
        let data = trigger_data(call);
        let operation = (*data).tg_event & OPERATION;
        let old = (*data).tg_trigtuple;
        let new = if operation == pg_sys::TRIGGER_EVENT_UPDATE { (*data).tg_newtuple } else { old };
        let relation = (*data).tg_relation;
        if !session::active() {
            if operation == pg_sys::TRIGGER_EVENT_UPDATE {
                // A session with session_replication_role = replica, where the other trigger does not fire.
                remember_move(relation, old, new);
            }
            return pg_sys::Datum::from(new);
        }
        if arrive::writing() {
            return pg_sys::Datum::from(new);
        }
        if operation != pg_sys::TRIGGER_EVENT_INSERT
            && put::in_stream_order(commit_time::of((*old).t_data), session::commit_time())
        {
            let table = table::of(relation);
            // Nothing to decide, nor to look at: the row came through this stream, and what others may claim or refer to
            // stays.
            let plain = table.folds().is_none()
                && (operation == pg_sys::TRIGGER_EVENT_DELETE
                    || !(table.large && session::leaves_out())
                        && same(&table, table.watched(), old, new, (*relation).rd_att));
            if plain && session::decide_by_order(&table) {
                return pg_sys::Datum::from(new);
            }
        }
        let open = OpenTable::of(relation);
        let row = |tuple| Row::of_tuple(tuple, (*relation).rd_att);
        let outcome = match operation {
            pg_sys::TRIGGER_EVENT_INSERT => {
                let new = row(new);
                let outcome = put::insert(&open, &new);
                match &outcome {
                    Outcome::Pass => orphan::arrived(&open.table, None, &new),
                    Outcome::Replace(row) => orphan::arrived(&open.table, None, row),
                    Outcome::Skip => {}
                }
                outcome
            }
            pg_sys::TRIGGER_EVENT_UPDATE => {
                let (old, new) = (StoredRow::of_tuple(relation, old), row(new));
                let outcome = put::update(&open, &old, &new);
                match &outcome {
                    Outcome::Pass => orphan::arrived(&open.table, Some(&old.row), &new),
                    Outcome::Replace(row) => orphan::arrived(&open.table, Some(&old.row), row),
                    Outcome::Skip => {}
                }
                outcome
            }
            _ => take::delete(&open, &StoredRow::of_tuple(relation, old)),
        };
        match outcome {
            Outcome::Pass => pg_sys::Datum::from(new),
            Outcome::Skip => pg_sys::Datum::from(0),
            Outcome::Replace(row) => {
                let values: Vec<_> = row.values.iter().map(|v| v.unwrap_or(pg_sys::Datum::from(0))).collect();
                let nulls: Vec<_> = row.values.iter().map(Option::is_none).collect();
                pg_sys::Datum::from(pg_sys::heap_form_tuple((*relation).rd_att, values.as_ptr(), nulls.as_ptr()))
            }
        }
    }
}

/// AFTER DELETE OR UPDATE (of the key) … FOR EACH ROW, ENABLE ALWAYS: writes the tombstone.
///
/// # Safety
/// Called by the server.
#[unsafe(no_mangle)]
#[pgrx::pg_guard]
pub unsafe extern "C-unwind" fn steep_repl_remember(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: as above.
    unsafe {
        let data = trigger_data(call);
        let relation = (*data).tg_relation;
        let open = OpenTable::of(relation);
        let old = Row::of_tuple((*data).tg_trigtuple, (*relation).rd_att);
        let updated = (*data).tg_event & OPERATION == pg_sys::TRIGGER_EVENT_UPDATE;
        let new = updated.then(|| Row::of_tuple((*data).tg_newtuple, (*relation).rd_att));
        remember::gone(&open, &old, new.as_ref());
        pg_sys::Datum::from(0)
    }
}

/// BEFORE INSERT ON steep_repl.tombstones FOR EACH ROW: announces those that SQL writes.
///
/// # Safety
/// Called by the server.
#[unsafe(no_mangle)]
#[pgrx::pg_guard]
pub unsafe extern "C-unwind" fn steep_repl_tombstone_written(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: as above; the first column is the table.
    unsafe {
        let data = trigger_data(call);
        let new = (*data).tg_trigtuple;
        let mut null = false;
        let root = pg_sys::htup::heap_getattr(new, 1, (*(*data).tg_relation).rd_att, &mut null);
        tombstone_watch::announce((root.value() as u32).into(), true);
        pg_sys::Datum::from(new)
    }
}

/// AFTER INSERT OR UPDATE OR DELETE … FOR EACH ROW, ENABLE ALWAYS, on tables whose rows are folds: keeps the change of a session.
///
/// # Safety
/// Called by the server.
#[unsafe(no_mangle)]
#[pgrx::pg_guard]
pub unsafe extern "C-unwind" fn steep_repl_record(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: as above; the row versions are those that this transaction has written, as they lie in the table.
    unsafe {
        let data = trigger_data(call);
        // Apply workers, copies and repairs write what came from elsewhere.
        if session::active() || commit_time::session_origin() != 0 {
            return pg_sys::Datum::from(0);
        }
        let relation = (*data).tg_relation;
        let table = table::of(relation);
        if table.key_index.is_none() {
            return pg_sys::Datum::from(0);
        }
        let row = |tuple| Row::of_tuple(tuple, (*relation).rd_att);
        let first = (*data).tg_trigtuple;
        match (*data).tg_event & OPERATION {
            pg_sys::TRIGGER_EVENT_INSERT => {
                record::own(&table, row_change::written_at(first), None, Some(&row(first)));
            }
            pg_sys::TRIGGER_EVENT_UPDATE => {
                let new = (*data).tg_newtuple;
                record::own(&table, row_change::written_at(new), Some(&row(first)), Some(&row(new)));
            }
            _ => record::own(&table, row_change::deleted_at(first), Some(&row(first)), None),
        }
        pg_sys::Datum::from(0)
    }
}

unsafe fn remember_move(relation: pg_sys::Relation, old: pg_sys::HeapTuple, new: pg_sys::HeapTuple) {
    // SAFETY: by the caller: an open relation and two rows of it.
    unsafe {
        let table = table::of(relation);
        let descriptor = (*relation).rd_att;
        if table.key_index.is_some() && !same(&table, &table.key, old, new, descriptor) {
            let open = OpenTable::of(relation);
            remember::gone(&open, &Row::of_tuple(old, descriptor), Some(&Row::of_tuple(new, descriptor)));
        }
    }
}

/// Whether two rows have the same values in these columns, byte by byte, without taking the whole rows apart.
unsafe fn same(
    table: &Table,
    places: &[usize],
    old: pg_sys::HeapTuple,
    new: pg_sys::HeapTuple,
    descriptor: pg_sys::TupleDesc,
) -> bool {
    // SAFETY: by the caller: rows with that descriptor.
    unsafe {
        places.iter().all(|place| {
            let column = &table.columns[*place];
            let (mut no_old, mut no_new) = (false, false);
            let old = pg_sys::htup::heap_getattr(old, *place as i32 + 1, descriptor, &mut no_old);
            let new = pg_sys::htup::heap_getattr(new, *place as i32 + 1, descriptor, &mut no_new);
            no_old == no_new && (no_old || row::same_image(column, old, new))
        })
    }
}

unsafe fn trigger_data(call: pg_sys::FunctionCallInfo) -> *mut pg_sys::TriggerData {
    // SAFETY: by the caller.
    unsafe {
        let context = (*call).context;
        if context.is_null() || (*context).type_ != pg_sys::NodeTag::T_TriggerData {
            pgrx::error!("this is a trigger function of steep_repl; add_table() makes its triggers");
        }
        context.cast()
    }
}
