//! What replication stands on and is no member of the extension: its publication, its subscriptions, and its triggers on users' tables.
//! Whoever drops one of these by hand, or alters it, has changes pass by, go round, or go undecided, without anything that fails.

use super::acting_as::ActingAs;
use super::extension;
use crate::{error, sql};
use pgrx::pg_sys;
use pgrx::prelude::*;
use std::ffi::{CStr, c_char};

/// Error 2BP01 for a statement of a client that would take one away, or change it, on a node. A dump that is restored makes them as it
/// makes all else, in a database that is none.
///
/// # Safety
/// `node` is null or a parse tree.
#[pgrx::pg_guard]
pub unsafe extern "C-unwind" fn refuse(node: *mut pg_sys::Node) {
    // SAFETY: by the caller.
    let Some(what) = (unsafe { touched(node) }) else { return };
    if extension::installed() && is_node() {
        error::raise(
            PgSqlErrorCode::ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST,
            format!("cannot change or drop {what}: replication stands on it"),
            Some(String::from("Without it changes would not reach other nodes, or conflicts would not be decided.")),
            "pause() and resume() are for a while; remove_table(), unsubscribe() and DROP EXTENSION take away what is not needed any more.",
        );
    }
}

fn is_node() -> bool {
    // Whoever alters things may not ask.
    let _owner = ActingAs::extension();
    sql::text("SELECT steep_repl.node_id()", &[]).is_some()
}

/// # Safety
/// As above.
unsafe fn touched(node: *mut pg_sys::Node) -> Option<String> {
    use pg_sys::AlterSubscriptionType::{
        ALTER_SUBSCRIPTION_ADD_PUBLICATION, ALTER_SUBSCRIPTION_DROP_PUBLICATION, ALTER_SUBSCRIPTION_OPTIONS,
        ALTER_SUBSCRIPTION_SET_PUBLICATION,
    };
    use pg_sys::NodeTag::{
        T_AlterPublicationStmt, T_AlterSubscriptionStmt, T_DropStmt, T_DropSubscriptionStmt, T_RenameStmt,
    };
    use pg_sys::ObjectType::{OBJECT_PUBLICATION, OBJECT_SUBSCRIPTION, OBJECT_TRIGGER};
    if node.is_null() {
        return None;
    }
    // SAFETY: the tag says which struct it is; names as gram.y puts them together.
    unsafe {
        match (*node).type_ {
            T_AlterPublicationStmt => publication((*node.cast::<pg_sys::AlterPublicationStmt>()).pubname),
            T_AlterSubscriptionStmt => {
                let alter = &*node.cast::<pg_sys::AlterSubscriptionStmt>();
                // The worker puts connection and ENABLE back as the link has them; SKIP is the last resort of an administrator.
                let silent = matches!(
                    alter.kind,
                    ALTER_SUBSCRIPTION_OPTIONS
                        | ALTER_SUBSCRIPTION_SET_PUBLICATION
                        | ALTER_SUBSCRIPTION_ADD_PUBLICATION
                        | ALTER_SUBSCRIPTION_DROP_PUBLICATION
                );
                silent.then(|| subscription(alter.subname)).flatten()
            }
            T_DropSubscriptionStmt => subscription((*node.cast::<pg_sys::DropSubscriptionStmt>()).subname),
            T_RenameStmt => {
                let rename = &*node.cast::<pg_sys::RenameStmt>();
                match rename.renameType {
                    OBJECT_PUBLICATION => publication((*rename.object.cast::<pg_sys::String>()).sval),
                    OBJECT_SUBSCRIPTION => subscription((*rename.object.cast::<pg_sys::String>()).sval),
                    OBJECT_TRIGGER => trigger(rename.subname),
                    _ => None,
                }
            }
            T_DropStmt => {
                let drop = &*node.cast::<pg_sys::DropStmt>();
                let objects = (0..drop.objects.as_ref()?.length)
                    .map(|place| (*(*drop.objects).elements.add(place as usize)).ptr_value);
                match drop.removeType {
                    OBJECT_PUBLICATION => {
                        objects.filter_map(|name| publication((*name.cast::<pg_sys::String>()).sval)).next()
                    }
                    // The table's name, then the trigger's.
                    OBJECT_TRIGGER => objects
                        .filter_map(|names| {
                            let names = &*names.cast::<pg_sys::List>();
                            let last = (*names.elements.add(names.length as usize - 1)).ptr_value;
                            trigger((*last.cast::<pg_sys::String>()).sval)
                        })
                        .next(),
                    _ => None,
                }
            }
            _ => None,
        }
    }
}

/// # Safety
/// `name` is null or a C string.
unsafe fn publication(name: *const c_char) -> Option<String> {
    // SAFETY: by the caller.
    let ours = !name.is_null() && unsafe { CStr::from_ptr(name) } == c"steep_repl";
    ours.then(|| String::from("publication steep_repl"))
}

/// # Safety
/// As above.
unsafe fn subscription(name: *const c_char) -> Option<String> {
    if name.is_null() {
        return None;
    }
    // SAFETY: by the caller.
    let name = unsafe { CStr::from_ptr(name) }.to_string_lossy();
    name.starts_with("steep_repl_").then(|| format!("subscription {name}"))
}

/// # Safety
/// As above.
unsafe fn trigger(name: *const c_char) -> Option<String> {
    if name.is_null() {
        return None;
    }
    // SAFETY: by the caller.
    let name = unsafe { CStr::from_ptr(name) }.to_string_lossy();
    let ours = name.starts_with("!steep_repl_") || name.starts_with("~steep_repl_");
    ours.then(|| format!("trigger {name}"))
}
