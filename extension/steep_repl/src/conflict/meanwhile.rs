//! Two processes that write the same key at the same moment, one a row where no tombstone is, one a tombstone where no row
//! is: neither sees what the other has not committed. So each looks again once it has written, which at least one of them
//! does after the other's write, and then has its transaction applied again.
//!
//! Apply workers of different peers meet like that on a third node, and an apply worker and the worker's repairs.

use crate::conflict::state::{self, Gone};
use crate::error;
use crate::pg::key_id::KeyId;
use crate::pg::plan::{self, Argument};
use crate::pg::row::Row;
use crate::pg::stored_row;
use crate::pg::table::{self, Table};
use crate::pg::tombstone;
use crate::pg::tombstone_watch::{self, Stir};
use crate::pg::transaction;
use conflict::{State, Version};
use pgrx::prelude::*;
use std::cell::RefCell;

/// A row that goes in where none was.
struct Insertion {
    root: pg_sys::Oid,
    key: KeyId,
    version: Version,
    /// What was known of the key, and of other writers, before.
    held: State,
    stones: usize,
    stir: Stir,
}

thread_local! {
    /// Those of the current change.
    static INSERTIONS: RefCell<Vec<Insertion>> = const { RefCell::new(Vec::new()) };
}

/// Notes that a row goes in under a key that has none.
pub fn note_insertion(root: pg_sys::Oid, key: KeyId, version: Version, gone: &Gone, stir: Stir) {
    let (held, stones) = (gone.state.clone(), gone.by_others);
    INSERTIONS.with_borrow_mut(|list| list.push(Insertion { root, key, version, held, stones, stir }));
}

/// Looks whether somebody has written a tombstone of a key at which a row went in. To be called once it is there.
pub fn check_insertions() {
    let mut list = INSERTIONS.take();
    list.retain(|insertion| tombstone_watch::stirred(insertion.root, insertion.stir));
    if list.is_empty() {
        return;
    }
    transaction::within_apply(|| {
        for insertion in list {
            tombstone::await_writers(insertion.root, &insertion.key);
            let now = state::gone(&table::by_oid(insertion.root), &insertion.key, &insertion.version);
            // A tombstone of our own says that the row gave way after all: it is not there. Also one that is not the latest may
            // say that the row must not come back.
            if (now.state != insertion.held || now.by_others > insertion.stones) && !now.just_now {
                again("deleted");
            }
        }
    });
}

/// Waits until nobody is inserting a row under a key any more; whether there is one.
pub fn row_came(table: &Table, key: &Row) -> bool {
    stored_row::with_open(table.oid, |open| {
        if open.has_rows() {
            return open.find_by_key(key).is_some();
        }
        let query = "SELECT p.relid::oid FROM pg_partition_tree($1) p WHERE p.isleaf";
        let leaves = plan::rows(query, &[Argument::oid(table.oid)]).into_iter().flatten().flatten();
        leaves.filter_map(|oid| oid.parse::<u32>().ok()).any(|leaf| {
            stored_row::with_open(leaf.into(), |leaf| leaf.find_by_key(&key.laid_out(table, &leaf.table)).is_some())
        })
    })
}

/// To be called after a tombstone of a key without a row: no row may have come meanwhile.
pub fn refuse_newcomer(table: &Table, key: &Row) {
    if row_came(table, key) {
        again("inserted");
    }
}

fn again(what: &str) -> ! {
    error::raise(
        PgSqlErrorCode::ERRCODE_T_R_SERIALIZATION_FAILURE,
        format!("another process {what} the same key at the same moment"),
        None,
        "Nothing to do: the transaction is tried again by itself.",
    )
}
