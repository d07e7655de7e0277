//! A value of a sequence that lies in a range of this node: who finds the range used up moves the sequence into the next
//! one, and nobody waits for another node.

use super::own::Own;
use crate::error;
use crate::pg::sequence;
use pgrx::PgSqlErrorCode;
use pgrx::pg_sys;
use ranges::Range;

/// How often the ranges may be used up by others before this session gets a value.
const TRIES: u32 = 1000;

/// A fresh id for a table, and the range that it lies in.
pub fn draw(root: pg_sys::Oid, mut own: Own) -> (i64, Own, Range) {
    for _ in 0..TRIES {
        let (current, cache) = sequence::held(own.sequence, || {
            own = Own::of(root).unwrap_or_else(|| gone(root));
            current(&mut own)
        });
        // The values that this process had put aside may be of the range before.
        for _ in 0..=cache {
            let id = sequence::next_value(own.sequence);
            if current.holds(id) {
                return (id, own, current);
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

/// The range in which the sequence is, or is now; and how many values processes put aside. The caller holds the sequence.
fn current(own: &mut Own) -> (Range, i64) {
    let Some(position) = sequence::position(own.sequence) else { return (nothing_left(own), 0) };
    if let Some(range) = own.current().filter(|range| range.holds(position.next)) {
        return (range, position.cache);
    }
    let Some((number, range)) = own.next() else { return (nothing_left(own), 0) };
    // In this order: after a crash between the two the range is passed over, and not begun twice.
    sequence::move_to(own.counter, number);
    sequence::move_to(own.sequence, own.start_of(range));
    own.moved(number, range);
    (range, position.cache)
}

fn nothing_left(own: &Own) -> Range {
    error::raise(
        PgSqlErrorCode::ERRCODE_SEQUENCE_GENERATOR_LIMIT_EXCEEDED,
        format!("this node has no range of ids left for table {}", own.table),
        Some(format!("Its ranges of column {}: {}.", own.column, own.text())),
        "SELECT * FROM steep_repl.range_status() says why: no peer that could give ids has been reached yet, or the type has no more.",
    )
}

fn gone(root: pg_sys::Oid) -> Own {
    error::raise(
        PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
        format!("the ranges of table {} have just been taken away", root.to_u32()),
        None,
        "Try again.",
    )
}
