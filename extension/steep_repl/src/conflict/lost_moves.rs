//! The rows that the arriving transaction has moved, as far as these moves are undone: where it moves them on, that is undone too.
//!
//! Kept for one transaction, in memory: when it rolls back, it arrives again from its beginning.

use crate::conflict::session::{self, Arriving};
use crate::pg::key_id::{self, KeyId};
use crate::pg::row::Row;
use crate::pg::table::Table;
use conflict::{LostMoves, Verdict};
use std::cell::RefCell;

/// A key of a table.
type Place = (u32, KeyId);

thread_local! {
    /// Of the transaction that ends at this position of the peer's WAL.
    static LOST: RefCell<(u64, LostMoves<Place>)> = RefCell::default();
}

fn with<R>(arriving: &Arriving, body: impl FnOnce(&mut LostMoves<Place>) -> R) -> R {
    LOST.with_borrow_mut(|(transaction, lost)| {
        if *transaction != arriving.transaction.final_lsn {
            (*transaction, *lost) = (arriving.transaction.final_lsn, LostMoves::default());
        }
        body(lost)
    })
}

fn place(table: &Table, row: &Row) -> Place {
    (table.root.to_u32(), key_id::of(table, row))
}

/// Whether an arriving key change is undone, which got this verdict under the old key; `ours_won`: it lost there to a write of
/// this node that for certain had not seen it.
pub fn moves(arriving: &Arriving, table: &Table, old: &Row, new: &Row, verdict: Verdict, ours_won: bool) -> bool {
    with(arriving, |lost| {
        (ours_won || !lost.is_empty()) && lost.moves(&place(table, old), place(table, new), verdict, ours_won)
    })
}

/// A row is about to be inserted or deleted: when the transaction does just that, what it moves from this key later is another
/// row. It may also be an update of a row that is not here, or one half of a key change.
pub fn comes_or_goes(arriving: &Arriving, table: &Table, row: &Row) {
    with(arriving, |lost| {
        if !lost.is_empty() && matches!(session::message().first(), Some(b'I' | b'D')) {
            lost.ends(&place(table, row));
        }
    });
}
