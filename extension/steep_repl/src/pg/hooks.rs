//! Hooks of the server. Each is a chain and one call.

use crate::worker;
use pgrx::pg_sys;

unsafe extern "C-unwind" {
    // src/include/tcop/utility.h; declared here as the function itself, not a wrapper, so that it can stand in a chain.
    fn standard_ProcessUtility(
        statement: *mut pg_sys::PlannedStmt,
        text: *const std::ffi::c_char,
        read_only_tree: bool,
        context: pg_sys::ProcessUtilityContext::Type,
        parameters: pg_sys::ParamListInfo,
        environment: *mut pg_sys::QueryEnvironment,
        destination: *mut pg_sys::DestReceiver,
        completion: *mut pg_sys::QueryCompletion,
    );
}

static mut PREVIOUS_UTILITY: pg_sys::ProcessUtility_hook_type = None;

pub fn install() {
    // SAFETY: _PG_init runs once in the postmaster, before other processes exist.
    unsafe {
        PREVIOUS_UTILITY = pg_sys::ProcessUtility_hook;
        pg_sys::ProcessUtility_hook = Some(utility);
    }
}

#[pgrx::pg_guard]
#[allow(clippy::too_many_arguments, reason = "the server's signature")]
unsafe extern "C-unwind" fn utility(
    statement: *mut pg_sys::PlannedStmt,
    text: *const std::ffi::c_char,
    read_only_tree: bool,
    context: pg_sys::ProcessUtilityContext::Type,
    parameters: pg_sys::ParamListInfo,
    environment: *mut pg_sys::QueryEnvironment,
    destination: *mut pg_sys::DestReceiver,
    completion: *mut pg_sys::QueryCompletion,
) {
    // SAFETY: the server passes a valid statement.
    let name = unsafe { database_that_must_be_empty((*statement).utilityStmt) };
    let _unblock = name.map(worker::make_way);
    // SAFETY: as above.
    if unsafe { drops_extension((*statement).utilityStmt) } {
        worker::before_drop();
    }
    // SAFETY: the previous hook or the standard function, with the arguments as they came.
    unsafe {
        pg_sys::submodules::ffi::pg_guard_ffi_boundary(|| {
            let run = PREVIOUS_UTILITY.unwrap_or(standard_ProcessUtility);
            run(statement, text, read_only_tree, context, parameters, environment, destination, completion);
        });
    }
}

/// The database that a statement needs free of sessions, our worker's included: DROP, RENAME, SET TABLESPACE, and
/// CREATE … TEMPLATE (a worker in the template would make it fail).
///
/// # Safety
/// `node` is null or a parse tree.
unsafe fn database_that_must_be_empty<'a>(node: *mut pg_sys::Node) -> Option<&'a std::ffi::CStr> {
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
    (!name.is_null()).then(|| unsafe { std::ffi::CStr::from_ptr(name) })
}

/// # Safety
/// `options` is a list of DefElem.
unsafe fn template_of(options: *mut pg_sys::List) -> *mut std::ffi::c_char {
    if options.is_null() {
        return std::ptr::null_mut();
    }
    // SAFETY: by the caller.
    unsafe {
        for place in 0..(*options).length {
            let option = (*(*options).elements.add(place as usize)).ptr_value.cast::<pg_sys::DefElem>();
            if std::ffi::CStr::from_ptr((*option).defname) == c"template" && !(*option).arg.is_null() {
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
            std::ffi::CStr::from_ptr((*name).sval) == c"steep_repl"
        })
    }
}
