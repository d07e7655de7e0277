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

/// What a session remembers of a table: the range in which the sequence was, and all of them.
struct Known {
    root: pg_sys::Oid,
    current: Range,
    own: Option<Own>,
    probe: Option<IdProbe>,
}

/// No id at all.
const EMPTY: Range = Range { start: 1, end: 0 };

thread_local! {
    static KNOWN: RefCell<HashMap<u32, Rc<Known>>> = RefCell::new(HashMap::new());
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
        let known = remembered((*relation).rd_id, |oid| table::root_of(relation, oid));
        let Some(own) = &known.own else { return unchanged };
        let Some((place, bytes)) = id_probe::column(relation, &own.column) else { return unchanged };
        let mut null = false;
        let value = pg_sys::htup::heap_getattr(row, place, (*relation).rd_att, &mut null);
        if null {
            return unchanged;
        }
        let id = integer(value, bytes);
        if known.current.holds(id) || check::writes_for_others() {
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
            remember(known.root, (*relation).rd_id, fresh);
            return unchanged;
        }
        // Not let through by a bypass: that is for ids that somebody has chosen.
        if check::drawn_earlier(known.root, &fresh, id) {
            return unchanged;
        }
        let (drawn, own) = draw::draw(known.root, fresh, id);
        remember(known.root, (*relation).rd_id, own);
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

/// check_id_range(table regclass, id bigint): true, or an error that says why not.
///
/// # Safety
/// Called by the server with two arguments that are not NULL.
#[unsafe(no_mangle)]
#[pgrx::pg_guard]
pub unsafe extern "C-unwind" fn steep_repl_check_id(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: by the declaration of the function: STRICT, an OID and an int8.
    unsafe {
        let arguments = (*call).args.as_ptr();
        let root = pg_sys::Oid::from((*arguments).value.value() as u32);
        let id = (*arguments.add(1)).value.value() as i64;
        let yes = pg_sys::Datum::from(true);
        let known = remembered(root, |oid| oid);
        let Some(own) = &known.own else { return yes };
        if known.current.holds(id)
            || own.holds(id)
            || check::writes_for_others()
            // Most of what is not ours is an update of a row that came from a peer.
            || known.probe.as_ref().is_some_and(|probe| probe.present(root, id))
            || check::bypassed(root, own)
        {
            return yes;
        }
        let Some(fresh) = Own::of(root) else { return yes };
        if !fresh.holds(id) && !check::bypassed(root, &fresh) && !check::known(root, &fresh, id) {
            check::refuse(root, &fresh, id);
        }
        yes
    }
}

/// What is remembered of a table; `root` finds the one that was added, for a partition of it.
fn remembered(relation: pg_sys::Oid, root: impl FnOnce(pg_sys::Oid) -> pg_sys::Oid) -> Rc<Known> {
    // Again when nothing is remembered: the extension may have been dropped and made anew.
    if MARKER.get() == 0 || KNOWN.with_borrow(HashMap::is_empty) {
        watch();
    }
    if let Some(known) = KNOWN.with_borrow(|all| all.get(&relation.to_u32()).cloned()) {
        return known;
    }
    let root = root(relation);
    let own = Own::of(root);
    keep(root, relation, own)
}

fn remember(root: pg_sys::Oid, relation: pg_sys::Oid, own: Own) {
    keep(root, relation, Some(own));
}

fn keep(root: pg_sys::Oid, relation: pg_sys::Oid, own: Option<Own>) -> Rc<Known> {
    let current = own.as_ref().and_then(Own::current).unwrap_or(EMPTY);
    let probe = own.as_ref().and_then(|own| IdProbe::of(root, own.index?, &own.column));
    let known = Rc::new(Known { root, current, own, probe });
    KNOWN.with_borrow_mut(|all| {
        // The constraint asks by the table that was added.
        all.insert(relation.to_u32(), known.clone());
        all.insert(root.to_u32(), known.clone());
    });
    known
}

/// Has the server tell when ranges have changed: whoever changes them invalidates their table
/// (steep_repl._describe_anew).
fn watch() {
    // SAFETY: looks a name up; the callback only forgets.
    unsafe {
        let schema = pg_sys::get_namespace_oid(c"steep_repl".as_ptr(), true);
        let marker = pg_sys::get_relname_relid(c"range_sequences".as_ptr(), schema);
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
        KNOWN.with_borrow_mut(HashMap::clear);
    }
}

fn integer(value: pg_sys::Datum, bytes: i16) -> i64 {
    match bytes {
        2 => i64::from(value.value() as i16),
        4 => i64::from(value.value() as i32),
        _ => value.value() as i64,
    }
}
