//! Hooks of the server. Each is a chain and one call.

use super::own_objects;
use super::prepared_transaction;
use super::statement as running;
use super::unbuilt_index;
use crate::worker;
use pgrx::pg_sys;
use pgrx::pg_sys::submodules::ffi::pg_guard_ffi_boundary;
use std::ffi::{CStr, c_char, c_long};

unsafe extern "C-unwind" {
    // src/include/tcop/utility.h; declared here as the function itself, not a wrapper, so that it can stand in a chain.
    fn standard_ProcessUtility(
        statement: *mut pg_sys::PlannedStmt,
        text: *const c_char,
        read_only_tree: bool,
        context: pg_sys::ProcessUtilityContext::Type,
        parameters: pg_sys::ParamListInfo,
        environment: *mut pg_sys::QueryEnvironment,
        destination: *mut pg_sys::DestReceiver,
        completion: *mut pg_sys::QueryCompletion,
    );
    // src/include/executor/spi.h; the functions themselves, so that their errors jump as those of any statement.
    fn SPI_connect() -> i32;
    fn SPI_execute(command: *const c_char, read_only: bool, limit: c_long) -> i32;
    fn SPI_finish() -> i32;
}

static mut PREVIOUS_UTILITY: pg_sys::ProcessUtility_hook_type = None;
static mut PREVIOUS_CHECK: pg_sys::ExecutorCheckPerms_hook_type = None;

pub fn install() {
    // SAFETY: _PG_init runs once in the postmaster, before other processes exist.
    unsafe {
        PREVIOUS_UTILITY = pg_sys::ProcessUtility_hook;
        pg_sys::ProcessUtility_hook = Some(utility);
        PREVIOUS_CHECK = pg_sys::ExecutorCheckPerms_hook;
        pg_sys::ExecutorCheckPerms_hook = Some(check);
    }
}

/// Called once a statement's tables are locked and before it does anything (ExecCheckPermissions() in
/// src/backend/executor/execMain.c); COPY FROM calls it, too. Not guarded, as the next one.
unsafe extern "C-unwind" fn check(tables: *mut pg_sys::List, checks: *mut pg_sys::List, raise: bool) -> bool {
    // SAFETY: the server passes lists of the right kind, and the previous hook takes them as they came.
    unsafe {
        if PREVIOUS_CHECK.is_some_and(|previous| !previous(tables, checks, raise)) {
            return false;
        }
        unbuilt_index::refuse(checks);
    }
    true
}

/// Not guarded by pgrx: its guard would turn the SQLSTATEs that it does not know into XX000, also those of users'
/// own errors. An error of an ordinary statement therefore jumps over this frame, which holds nothing to be dropped.
#[allow(clippy::too_many_arguments, reason = "the server's signature")]
unsafe extern "C-unwind" fn utility(
    statement: *mut pg_sys::PlannedStmt,
    text: *const c_char,
    read_only_tree: bool,
    context: pg_sys::ProcessUtilityContext::Type,
    parameters: pg_sys::ParamListInfo,
    environment: *mut pg_sys::QueryEnvironment,
    destination: *mut pg_sys::DestReceiver,
    completion: *mut pg_sys::QueryCompletion,
) {
    // SAFETY: the server passes a valid statement, and the previous hook takes the arguments as they came.
    unsafe {
        let run = PREVIOUS_UTILITY.unwrap_or(standard_ProcessUtility);
        if drops_extension((*statement).utilityStmt) {
            for command in BEFORE_DROP.iter().take(steps_before_drop()) {
                SPI_connect();
                SPI_execute(command.as_ptr(), false, 0);
                SPI_finish();
            }
            run(statement, text, read_only_tree, context, parameters, environment, destination, completion);
        } else if concerns_us((*statement).utilityStmt) {
            prepared(statement, &mut || {
                run(statement, text, read_only_tree, context, parameters, environment, destination, completion);
            });
        } else {
            let direct = is_direct(context, destination);
            if direct {
                own_objects::refuse((*statement).utilityStmt);
            }
            prepared_transaction::refuse((*statement).utilityStmt);
            let before = running::begin((*statement).utilityStmt, context, direct);
            run(statement, text, read_only_tree, context, parameters, environment, destination, completion);
            running::end(before, context);
        }
    }
}

/// Whether a client has sent it, and no function. Of several in one message none is at the top level (exec_simple_query() in
/// src/backend/tcop/postgres.c), but all answer to the client.
unsafe fn is_direct(context: pg_sys::ProcessUtilityContext::Type, destination: *mut pg_sys::DestReceiver) -> bool {
    use pg_sys::ProcessUtilityContext::{PROCESS_UTILITY_QUERY, PROCESS_UTILITY_TOPLEVEL};
    context == PROCESS_UTILITY_TOPLEVEL
        || context == PROCESS_UTILITY_QUERY
            && !destination.is_null()
            // SAFETY: the server passes one that is valid while the statement runs.
            && unsafe { (*destination).mydest } == pg_sys::CommandDest::DestRemote
}

const BEFORE_DROP: [&CStr; 2] = [c"SELECT steep_repl._before_drop()", c"SELECT steep_repl._take_everything_away()"];

/// How many of these are to be run.
#[pgrx::pg_guard]
extern "C-unwind" fn steps_before_drop() -> usize {
    worker::steps_before_drop()
}

/// Runs a statement that needs our worker out of the way.
#[pgrx::pg_guard]
#[allow(improper_ctypes_definitions, reason = "called from Rust only; the guard asks for the C form")]
unsafe extern "C-unwind" fn prepared(statement: *mut pg_sys::PlannedStmt, run: &mut dyn FnMut()) {
    // SAFETY: by the caller.
    unsafe {
        let node = (*statement).utilityStmt;
        let _keep_away = database_that_must_be_empty(node).map(worker::make_way);
        pg_guard_ffi_boundary(run);
    }
}

/// # Safety
/// `node` is null or a parse tree.
unsafe fn concerns_us(node: *mut pg_sys::Node) -> bool {
    use pg_sys::NodeTag::{T_AlterDatabaseStmt, T_CreatedbStmt, T_DropdbStmt, T_RenameStmt};
    // SAFETY: by the caller.
    !node.is_null()
        && unsafe {
            matches!((*node).type_, T_DropdbStmt | T_AlterDatabaseStmt | T_CreatedbStmt)
                || (*node).type_ == T_RenameStmt
                    && (*node.cast::<pg_sys::RenameStmt>()).renameType == pg_sys::ObjectType::OBJECT_DATABASE
        }
}

/// The database that a statement needs free of sessions, our worker's included: DROP, RENAME, SET TABLESPACE, and
/// CREATE … TEMPLATE (a worker in the template would make it fail).
///
/// # Safety
/// `node` is null or a parse tree.
unsafe fn database_that_must_be_empty<'a>(node: *mut pg_sys::Node) -> Option<&'a CStr> {
    if node.is_null() {
        return None;
    }
    // SAFETY: the tag says which struct it is.
    let name = unsafe {
        match (*node).type_ {
            pg_sys::NodeTag::T_DropdbStmt => (*node.cast::<pg_sys::DropdbStmt>()).dbname,
            pg_sys::NodeTag::T_RenameStmt => {
                let rename = &*node.cast::<pg_sys::RenameStmt>();
                if rename.renameType != pg_sys::ObjectType::OBJECT_DATABASE {
                    return None;
                }
                rename.subname
            }
            pg_sys::NodeTag::T_AlterDatabaseStmt => (*node.cast::<pg_sys::AlterDatabaseStmt>()).dbname,
            pg_sys::NodeTag::T_CreatedbStmt => template_of((*node.cast::<pg_sys::CreatedbStmt>()).options),
            _ => return None,
        }
    };
    // SAFETY: a C string of the parse tree, which outlives the statement.
    (!name.is_null()).then(|| unsafe { CStr::from_ptr(name) })
}

/// # Safety
/// `options` is a list of DefElem.
unsafe fn template_of(options: *mut pg_sys::List) -> *mut c_char {
    if options.is_null() {
        return std::ptr::null_mut();
    }
    // SAFETY: by the caller.
    unsafe {
        for place in 0..(*options).length {
            let option = (*(*options).elements.add(place as usize)).ptr_value.cast::<pg_sys::DefElem>();
            if CStr::from_ptr((*option).defname) == c"template" && !(*option).arg.is_null() {
                return pg_sys::defGetString(option);
            }
        }
    }
    std::ptr::null_mut()
}

/// Whether a statement is DROP EXTENSION steep_repl.
///
/// # Safety
/// `node` is null or a parse tree.
unsafe fn drops_extension(node: *mut pg_sys::Node) -> bool {
    // SAFETY: the tag says which struct it is; the objects of DROP EXTENSION are a list of String nodes (gram.y).
    unsafe {
        if node.is_null() || (*node).type_ != pg_sys::NodeTag::T_DropStmt {
            return false;
        }
        let drop = &*node.cast::<pg_sys::DropStmt>();
        if drop.removeType != pg_sys::ObjectType::OBJECT_EXTENSION || drop.objects.is_null() {
            return false;
        }
        (0..(*drop.objects).length).any(|place| {
            let name = (*(*drop.objects).elements.add(place as usize)).ptr_value.cast::<pg_sys::String>();
            CStr::from_ptr((*name).sval) == c"steep_repl"
        })
    }
}
