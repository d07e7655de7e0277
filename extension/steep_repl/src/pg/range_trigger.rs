//! The trigger that puts ids into ranges, and the constraint that keeps others out. Plain C functions, because they run
//! for every row.

use super::id_probe::{self, IdProbe};
use super::sequence;
use super::table;
use crate::range::own::Own;
use crate::range::{check, draw};
use pgrx::pg_sys;
use ranges::Range;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

static VERSION_ONE: pg_sys::Pg_finfo_record = pg_sys::Pg_finfo_record { api_version: 1 };

#[unsafe(no_mangle)]
pub extern "C" fn pg_finfo_steep_repl_range() -> &'static pg_sys::Pg_finfo_record {
    &VERSION_ONE
}

#[unsafe(no_mangle)]
pub extern "C" fn pg_finfo_steep_repl_check_id() -> &'static pg_sys::Pg_finfo_record {
    &VERSION_ONE
}

#[unsafe(no_mangle)]
pub extern "C" fn pg_finfo_steep_repl_check_id_4() -> &'static pg_sys::Pg_finfo_record {
    &VERSION_ONE
}

#[unsafe(no_mangle)]
pub extern "C" fn pg_finfo_steep_repl_check_id_2() -> &'static pg_sys::Pg_finfo_record {
    &VERSION_ONE
}

/// What a session remembers of a table or partition.
struct Known {
    /// The table that was added.
    root: pg_sys::Oid,
    /// Ids that need no look at anything else.
    sure: Range,
    own: Option<Own>,
    probe: Rc<Probe>,
}

/// The column with the ids in a table or partition.
#[derive(Default)]
struct Probe {
    /// Its number, and how many bytes its values have.
    column: Option<(i32, i16)>,
    index: Option<IdProbe>,
}

/// No id at all.
const EMPTY: Range = Range { start: 1, end: 0 };

thread_local! {
    static KNOWN: RefCell<HashMap<u32, Rc<Known>>> = RefCell::new(HashMap::new());
    /// What does not change when ranges do: the column of a table or partition, and its index.
    static PROBES: RefCell<HashMap<u32, Rc<Probe>>> = RefCell::new(HashMap::new());
    /// The ids that need no look of the table of which the constraint was asked last: most rows cost this comparison.
    static LATEST: Cell<(u32, Range)> = const { Cell::new((0, EMPTY)) };
    /// The table whose invalidation says that ranges have changed; set when the callback is.
    static MARKER: Cell<u32> = const { Cell::new(0) };
}

/// BEFORE INSERT … FOR EACH ROW: an id that the session has just drawn, from a sequence that has left its range, is
/// replaced by a fresh one.
///
/// # Safety
/// Called by the server.
#[unsafe(no_mangle)]
#[pgrx::pg_guard]
pub unsafe extern "C-unwind" fn steep_repl_range(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: the context of a row trigger (src/include/commands/trigger.h).
    unsafe {
        let data = (*call).context.cast::<pg_sys::TriggerData>();
        if data.is_null() || (*data).type_ != pg_sys::NodeTag::T_TriggerData {
            pgrx::error!("this is a trigger function of steep_repl; add_table() makes its triggers");
        }
        let (relation, row) = ((*data).tg_relation, (*data).tg_trigtuple);
        let unchanged = pg_sys::Datum::from(row);
        let known = remembered((*relation).rd_id);
        let Some(own) = &known.own else { return unchanged };
        let Some((place, bytes)) = known.probe.column else { return unchanged };
        let mut null = false;
        let value = pg_sys::htup::heap_getattr(row, place, (*relation).rd_att, &mut null);
        if null {
            return unchanged;
        }
        let id = integer(value, bytes);
        if known.sure.holds(id) || check::writes_for_others() {
            return unchanged;
        }
        if sequence::current_value(own.sequence) != Some(id) {
            // Somebody has chosen it: the constraint says whether that goes.
            return unchanged;
        }
        let Some(fresh) = Own::of(known.root) else { return unchanged };
        // Drawn in time from a range that the sequence has left since: as long as that is where it belongs now, it was not
        // set back.
        if fresh.holds(id) && draw::in_place(&fresh) {
            keep(known.root, (*relation).rd_id, Some(fresh));
            return unchanged;
        }
        // Not let through by a bypass: that is for ids that somebody has chosen.
        if check::drawn_earlier(known.root, &fresh, id) {
            return unchanged;
        }
        let (drawn, own) = draw::draw(known.root, fresh, id);
        keep(known.root, (*relation).rd_id, Some(own));
        if drawn == id {
            return unchanged;
        }
        let mut places = [place];
        let mut values = [id_probe::datum(drawn, bytes)];
        let mut nulls = [false];
        let descriptor = (*relation).rd_att;
        pg_sys::Datum::from(pg_sys::heap_modify_tuple_by_cols(
            row,
            descriptor,
            1,
            places.as_mut_ptr(),
            values.as_mut_ptr(),
            nulls.as_mut_ptr(),
        ))
    }
}

/// check_id_range(relation oid, id bigint): true, or an error that says why not.
///
/// # Safety
/// Called by the server with two arguments that are not NULL, the second one of 8 bytes.
#[unsafe(no_mangle)]
#[pgrx::pg_guard]
pub unsafe extern "C-unwind" fn steep_repl_check_id(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: by the caller.
    unsafe { check_id(call, 8) }
}

/// The same with an integer, so that the constraint has no cast: it is made ready for each statement.
///
/// # Safety
/// As above, of 4 bytes.
#[unsafe(no_mangle)]
#[pgrx::pg_guard]
pub unsafe extern "C-unwind" fn steep_repl_check_id_4(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: by the caller.
    unsafe { check_id(call, 4) }
}

/// The same with a smallint.
///
/// # Safety
/// As above, of 2 bytes.
#[unsafe(no_mangle)]
#[pgrx::pg_guard]
pub unsafe extern "C-unwind" fn steep_repl_check_id_2(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: by the caller.
    unsafe { check_id(call, 2) }
}

unsafe fn check_id(call: pg_sys::FunctionCallInfo, bytes: i16) -> pg_sys::Datum {
    // SAFETY: by the caller: an OID and an integer.
    let (relation, id) = unsafe {
        let arguments = (*call).args.as_ptr();
        (pg_sys::Oid::from((*arguments).value.value() as u32), integer((*arguments.add(1)).value, bytes))
    };
    let (of, sure) = LATEST.get();
    let known = of == relation.to_u32() && sure.holds(id);
    if !known && !check::writes_for_others() {
        look(relation, id);
    }
    pg_sys::Datum::from(true)
}

/// Whether a row may have an id, for one that is not among the latest; an error when it may not.
fn look(relation: pg_sys::Oid, id: i64) {
    let known = remembered(relation);
    let (root, Some(own)) = (known.root, &known.own) else { return };
    if known.sure.holds(id) {
        LATEST.set((relation.to_u32(), known.sure));
        return;
    }
    // Most of what is not ours is an update of a row that came from a peer.
    if !own.is_early() && own.holds(id) || known.probe.index.as_ref().is_some_and(|index| index.present(relation, id)) {
        return;
    }
    let drawn = || own.is_early() && sequence::current_value(own.sequence) == Some(id);
    if check::bypassed(root, own) && !drawn() {
        return;
    }
    let Some(fresh) = Own::of(root) else { return };
    if fresh.is_early() && fresh.reaches(id) {
        keep(root, relation, Some(draw::settle(root, fresh)));
    } else if drawn() && draw::put_right(root, &fresh).1 {
        check::refuse_overrun(&fresh, id);
    } else if !fresh.holds(id) && !check::bypassed(root, &fresh) && !check::known(root, &fresh, id) {
        // The worker, or another session, may have put the sequence right since this one drew from it.
        if drawn() {
            check::refuse_overrun(&fresh, id);
        }
        check::refuse(root, &fresh, id);
    }
}

/// What is remembered of a table or partition.
fn remembered(relation: pg_sys::Oid) -> Rc<Known> {
    // Again when nothing is remembered: the extension may have been dropped and made anew.
    if MARKER.get() == 0 || KNOWN.with_borrow(HashMap::is_empty) {
        watch();
    }
    if let Some(known) = KNOWN.with_borrow(|all| all.get(&relation.to_u32()).cloned()) {
        return known;
    }
    let root = table::root_by_oid(relation);
    keep(root, relation, Own::of(root))
}

fn keep(root: pg_sys::Oid, relation: pg_sys::Oid, own: Option<Own>) -> Rc<Known> {
    let sure = own.as_ref().and_then(Own::sure).unwrap_or(EMPTY);
    let probe = own.as_ref().map(|own| probed(relation, own)).unwrap_or_default();
    let known = Rc::new(Known { root, sure, own, probe });
    KNOWN.with_borrow_mut(|all| all.insert(relation.to_u32(), known.clone()));
    LATEST.set((0, EMPTY));
    known
}

fn probed(relation: pg_sys::Oid, own: &Own) -> Rc<Probe> {
    if let Some(probe) = PROBES.with_borrow(|all| all.get(&relation.to_u32()).cloned()) {
        return probe;
    }
    let column = id_probe::column(relation, &own.column);
    let index = column.and_then(|column| IdProbe::of(relation, own.index_of(relation)?, column));
    let probe = Rc::new(Probe { column, index });
    PROBES.with_borrow_mut(|all| all.insert(relation.to_u32(), probe.clone()));
    probe
}

/// Has the server tell when ranges have changed: whoever changes them invalidates their table
/// (steep_repl._describe_anew).
fn watch() {
    // SAFETY: looks a name up; the callback only forgets.
    unsafe {
        let schema = pg_sys::get_namespace_oid(c"steep_repl".as_ptr(), true);
        let marker = pg_sys::get_relname_relid(c"range_changes".as_ptr(), schema);
        if MARKER.get() == 0 {
            pg_sys::CacheRegisterRelcacheCallback(Some(changed), pg_sys::Datum::from(0));
        }
        MARKER.set(marker.to_u32().max(1));
    }
}

#[pgrx::pg_guard]
unsafe extern "C-unwind" fn changed(_argument: pg_sys::Datum, relation: pg_sys::Oid) {
    let relation = relation.to_u32();
    // 0: all of them. One of the tables may have been dropped, or become a partition.
    if relation == 0 || relation == MARKER.get() || KNOWN.with_borrow(|all| all.contains_key(&relation)) {
        if relation != MARKER.get() {
            PROBES.with_borrow_mut(HashMap::clear);
        }
        KNOWN.with_borrow_mut(HashMap::clear);
        LATEST.set((0, EMPTY));
    }
}

fn integer(value: pg_sys::Datum, bytes: i16) -> i64 {
    match bytes {
        2 => i64::from(value.value() as i16),
        4 => i64::from(value.value() as i32),
        _ => value.value() as i64,
    }
}
