//! What triggers are not told of the statement that fires them.
//!
//! A trigger cannot tell one TRUNCATE from the next: neither the transaction nor statement_timestamp() changes between those of one
//! function. Nor is it told that a sequence is set back: TRUNCATE … RESTART IDENTITY does it after the triggers BEFORE and before those
//! AFTER, and has locked the sequences before both (`ExecuteTruncateGuts` in src/backend/commands/tablecmds.c); ALTER TABLE has it
//! done by an ALTER SEQUENCE of its own.

use pgrx::pg_sys;
use pgrx::prelude::*;
use std::cell::Cell;
use std::ffi::CStr;

#[derive(Clone, Copy)]
pub struct Running {
    /// Of the TRUNCATE that runs.
    truncation: i64,
    restarts: bool,
    /// A client sent it: it is no part of a function.
    direct: bool,
    /// The table that it makes a partition.
    attaches: u32,
}

thread_local! {
    static TRUNCATIONS: Cell<i64> = const { Cell::new(0) };
    static RUNNING: Cell<Running> = const { Cell::new(Running { truncation: 0, restarts: false, direct: false, attaches: 0 }) };
}

/// A statement begins; what ran until now. One that fails never ends, which does no harm: the next one begins anew.
///
/// # Safety
/// `node` is null or a parse tree.
pub unsafe fn begin(node: *mut pg_sys::Node, context: pg_sys::ProcessUtilityContext::Type, direct: bool) -> Running {
    let before = RUNNING.get();
    if node.is_null() {
        return before;
    }
    let subcommand = is_subcommand(context);
    let now = Running { truncation: before.truncation, restarts: false, direct, attaches: 0 };
    // SAFETY: the tag says which struct it is.
    unsafe {
        match (*node).type_ {
            pg_sys::NodeTag::T_TruncateStmt => {
                TRUNCATIONS.set(TRUNCATIONS.get() + 1);
                let restarts = (*node.cast::<pg_sys::TruncateStmt>()).restart_seqs;
                RUNNING.set(Running { truncation: TRUNCATIONS.get(), restarts, ..now });
            }
            pg_sys::NodeTag::T_AlterSeqStmt if restarts((*node.cast::<pg_sys::AlterSeqStmt>()).options) => {
                RUNNING.set(Running { restarts: true, ..if subcommand { before } else { now } });
            }
            pg_sys::NodeTag::T_AlterTableStmt if !subcommand => {
                let attaches = attaches((*node.cast::<pg_sys::AlterTableStmt>()).cmds);
                RUNNING.set(Running { attaches, ..now });
            }
            _ if !subcommand => RUNNING.set(now),
            _ => {}
        }
    }
    before
}

/// It has ended, and what ran before goes on. What a part of a statement did is known until the whole ends.
pub fn end(before: Running, context: pg_sys::ProcessUtilityContext::Type) {
    if !is_subcommand(context) {
        RUNNING.set(before);
    }
}

fn is_subcommand(context: pg_sys::ProcessUtilityContext::Type) -> bool {
    context == pg_sys::ProcessUtilityContext::PROCESS_UTILITY_SUBCOMMAND
}

/// # Safety
/// `options` is null or a list of DefElem.
unsafe fn restarts(options: *mut pg_sys::List) -> bool {
    // SAFETY: by the caller.
    unsafe {
        !options.is_null()
            && (0..(*options).length).any(|place| {
                let option = (*(*options).elements.add(place as usize)).ptr_value.cast::<pg_sys::DefElem>();
                CStr::from_ptr((*option).defname) == c"restart"
            })
    }
}

/// The table of an ATTACH PARTITION; 0 for none, or one that is not there.
///
/// # Safety
/// `commands` is null or a list of AlterTableCmd.
unsafe fn attaches(commands: *mut pg_sys::List) -> u32 {
    // SAFETY: by the caller; the subtype says what the definition is.
    unsafe {
        if commands.is_null() {
            return 0;
        }
        let all = (0..(*commands).length)
            .map(|place| &*(*(*commands).elements.add(place as usize)).ptr_value.cast::<pg_sys::AlterTableCmd>());
        all.filter(|command| command.subtype == pg_sys::AlterTableType::AT_AttachPartition && !command.def.is_null())
            .map(|command| relation_of((*command.def.cast::<pg_sys::PartitionCmd>()).name).to_u32())
            .next()
            .unwrap_or(0)
    }
}

/// Without a lock: the statement takes one, and whoever looks afterwards has it.
#[pgrx::pg_guard]
unsafe extern "C-unwind" fn relation_of(name: *mut pg_sys::RangeVar) -> pg_sys::Oid {
    // SAFETY: a name as the parser made it.
    unsafe {
        pg_sys::RangeVarGetRelidExtended(
            name,
            pg_sys::NoLock as i32,
            pg_sys::RVROption::RVR_MISSING_OK,
            None,
            std::ptr::null_mut(),
        )
    }
}

/// A number that only the TRUNCATE has which is being carried out.
#[pg_extern(sql = false)]
fn truncation_number() -> i64 {
    RUNNING.get().truncation
}

/// Whether the statement that is being carried out sets a sequence back.
#[pg_extern(sql = false)]
fn statement_restarts() -> bool {
    RUNNING.get().restarts
}

/// Whether a client has sent the statement that is being carried out, rather than a function, ours for example.
#[pg_extern(sql = false)]
fn statement_is_direct() -> bool {
    RUNNING.get().direct
}

/// The table that the statement which is being carried out makes a partition; 0 for none.
#[pg_extern(sql = false)]
fn statement_attaches() -> pg_sys::Oid {
    RUNNING.get().attaches.into()
}
