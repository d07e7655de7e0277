//! A value of a sequence that lies in a range of this node: who finds the range used up moves the sequence into the next
//! one, and nobody waits for another node.

use super::own::Own;
use crate::error;
use crate::pg::sequence;
use pgrx::PgSqlErrorCode;
use pgrx::pg_sys;
use ranges::{Entry, Range};

/// How often the ranges may be used up by others before this session gets a value.
const TRIES: u32 = 1000;

/// An id for a table, for a session that has drawn one behind the range it knows: that one, when it lies in the next range, else
/// a fresh one.
pub fn draw(root: pg_sys::Oid, mut own: Own, drawn: i64) -> (i64, Own) {
    for _ in 0..TRIES {
        let (current, cache) = sequence::held(own.sequence, || {
            own = Own::of(root).unwrap_or_else(|| gone(root));
            current(&mut own)
        });
        if current.holds(drawn) {
            // The sequence never gives it again (Grid::enter).
            return (drawn, own);
        }
        // The values that this process had put aside may be of the range before.
        for _ in 0..=cache {
            let id = sequence::next_value(own.sequence);
            if current.holds(id) {
                return (id, own);
            }
        }
    }
    error::raise(
        PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
        format!("no id of table {} could be had: its ranges are used up faster than they are opened", own.table),
        None,
        "Larger ranges help: SELECT steep_repl.set_ranges(table, range_size => …). They must be larger than the cache of the sequence.",
    )
}

/// Has the sequence of a table stand where it may go on: out of a range that is used up, and where no trigger replaces ids
/// also away from the end of the ids that lie together.
pub fn settle(root: pg_sys::Oid, own: Own) -> Own {
    match sequence::position(own.sequence) {
        Some(position) if own.stays_in(&position).is_some() => own,
        _ => put_right(root, &own).0,
    }
}

/// The same, and whether it had got to where it could not be by handing out ids of this node.
pub fn put_right(root: pg_sys::Oid, own: &Own) -> (Own, bool) {
    sequence::held(own.sequence, || {
        let mut own = Own::of(root).unwrap_or_else(|| gone(root));
        let stood = sequence::position(own.sequence).and_then(|position| position.next);
        let astray = !stood.is_some_and(|next| own.reaches(next));
        current(&mut own);
        (own, astray)
    })
}

/// Whether the sequence stands in the range that was opened last.
pub fn in_place(own: &Own) -> bool {
    sequence::position(own.sequence).is_some_and(|position| own.stands_in(&position).is_some())
}

/// The range in which the sequence is, or is now; and how many values processes put aside. The caller holds the sequence.
fn current(own: &mut Own) -> (Range, i64) {
    let Some(position) = sequence::position(own.sequence) else { nothing_left(own) };
    if let Some(range) = own.stays_in(&position) {
        return (range, position.cache);
    }
    if own.is_early()
        && let Some((number, range)) = position.next.and_then(|next| own.range_of(next))
    {
        // It has got there by itself.
        sequence::move_to(own.counter, number);
        own.moved(number, range);
        if own.stays_in(&position).is_some() || own.beyond().is_none() {
            return (range, position.cache);
        }
    }
    let left = own.opened();
    loop {
        let next = if own.is_early() { own.beyond() } else { own.next() };
        let Some((number, range)) = next else { nothing_left(own) };
        let entry = own.enter(left, range, &position);
        // In this order: after a crash between the two the range is passed over, and not begun twice.
        sequence::move_to(own.counter, number);
        if let Entry::At(id) = entry {
            sequence::move_to(own.sequence, id);
        }
        own.moved(number, range);
        if entry != Entry::Passed {
            return (range, position.cache);
        }
    }
}

fn nothing_left(own: &Own) -> ! {
    error::raise(
        PgSqlErrorCode::ERRCODE_SEQUENCE_GENERATOR_LIMIT_EXCEEDED,
        format!("this node has no range of ids left for table {}", own.table),
        Some(own.missing.as_ref().map_or_else(
            || {
                format!(
                    "Its ranges of column {}: {}. Its type or sequence allows no more ids that are this node's.",
                    own.column,
                    own.text()
                )
            },
            |why| format!("This node has no share of the ids: {why}."),
        )),
        "SELECT * FROM steep_repl.range_status() says how it stands. Ids come as soon as a peer that has a share is reached; where the type ends: bigint, on all nodes.",
    )
}

fn gone(root: pg_sys::Oid) -> ! {
    error::raise(
        PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
        format!("the ranges of table {} have just been taken away", root.to_u32()),
        None,
        "Try again.",
    )
}
