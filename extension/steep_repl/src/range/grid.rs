//! What SQL asks of the crate `ranges`.

use pgrx::prelude::*;
use ranges::{Entry, Grid, Range, Share};

/// The range after another one, as [start, end]; NULL when there is none.
#[pg_extern(sql = false)]
#[expect(clippy::too_many_arguments, reason = "a row of range_sequences, and a range")]
fn next_range(
    base: i64,
    block: i64,
    last_id: i64,
    descending: bool,
    step: i64,
    share_offset: i64,
    first_block: i64,
    last_start: Option<i64>,
    last_end: Option<i64>,
    size: i64,
) -> Option<Vec<i64>> {
    let grid = Grid { base, block, limit: last_id, descending };
    let share = Share { step, offset: share_offset, first: first_block };
    let last = last_start.zip(last_end).map(|(start, end)| Range { start, end });
    let next = grid.next(share, last, size)?;
    Some(vec![next.start, next.end])
}

/// How many ids are left after a range.
#[pg_extern(sql = false)]
#[expect(clippy::too_many_arguments, reason = "a row of range_sequences, and a range")]
fn ids_left(
    base: i64,
    block: i64,
    last_id: i64,
    descending: bool,
    step: i64,
    share_offset: i64,
    first_block: i64,
    last_start: Option<i64>,
    last_end: Option<i64>,
) -> i64 {
    let grid = Grid { base, block, limit: last_id, descending };
    let share = Share { step, offset: share_offset, first: first_block };
    grid.left(share, last_start.zip(last_end).map(|(start, end)| Range { start, end }))
}

/// The first block after one that holds an id; 0 for ids before the base.
#[pg_extern(sql = false)]
fn block_after(base: i64, block: i64, last_id: i64, descending: bool, id: i64) -> i64 {
    let grid = Grid { base, block, limit: last_id, descending };
    grid.block_of(id).map_or(0, |block| block.saturating_add(1))
}

/// The block of an id, as [start, end]; NULL for ids before the base.
#[pg_extern(sql = false)]
fn block_around(base: i64, block: i64, last_id: i64, descending: bool, id: i64) -> Option<Vec<i64>> {
    let grid = Grid { base, block, limit: last_id, descending };
    grid.block_around(id).map(|range| vec![range.start, range.end])
}

/// Halves a share: [step, first_block, the offset that stays, the offset that is given away]; NULL when it cannot be halved.
#[pg_extern(sql = false)]
fn halve_share(step: i64, share_offset: i64, first_block: i64, free: i64) -> Option<Vec<i64>> {
    let (mine, theirs) = Share { step, offset: share_offset, first: first_block }.halve(free)?;
    Some(vec![mine.step, mine.first, mine.offset, theirs.offset])
}

/// The timeline on which this server writes.
#[pg_extern(sql = false)]
fn timeline() -> i32 {
    crate::pg::sequence::timeline().cast_signed()
}

/// Keeps the sequence in its range until the end of the transaction: nobody moves it into the next one.
#[pg_extern(sql = false)]
fn hold_range(sequence: pg_sys::Oid) {
    crate::pg::sequence::lock(sequence);
}

/// How a sequence gets from one range into another: the id to set it to, NULL to leave it where it stands, and whether the
/// range must be passed over.
#[pg_extern(sql = false)]
#[expect(clippy::too_many_arguments, reason = "a row of range_sequences, two ranges and a position")]
fn enter_range(
    base: i64,
    block: i64,
    last_id: i64,
    descending: bool,
    from_start: Option<i64>,
    from_end: Option<i64>,
    to_start: i64,
    to_end: i64,
    position: Option<i64>,
    slack: i64,
    step: i64,
) -> TableIterator<'static, (name!(at, Option<i64>), name!(passed, bool))> {
    let grid = Grid { base, block, limit: last_id, descending };
    let from = from_start.zip(from_end).map(|(start, end)| Range { start, end });
    TableIterator::once(match grid.enter(from, Range { start: to_start, end: to_end }, position, slack, step) {
        Entry::Here => (None, false),
        Entry::At(id) => (Some(id), false),
        Entry::Passed => (None, true),
    })
}

/// How far sessions may draw from a sequence before one of them moves it.
#[pg_extern(sql = false)]
fn range_slack(cache: i64, increment: i64) -> i64 {
    ranges::slack(cache, increment)
}

/// Whether sessions see to it that a sequence leaves its ids before their end, so that no trigger need replace one.
#[pg_extern(sql = false)]
fn leaves_early(block: i64, slack: i64) -> bool {
    Grid { base: 0, block, limit: i64::MAX, descending: false }.leaves_early(slack)
}
