//! Ids that lie together, and when a sequence must leave them.

use crate::{Grid, Range, Share};

/// A table without a trigger loses at most this part of a block at its end.
const PART: i64 = 16;

/// More sessions than a server has: so many may draw once each before one of them moves the sequence.
const SESSIONS: i64 = 1000;

/// How far sessions may draw: `cache` values at a time, of a sequence that counts in steps of `increment`.
pub fn slack(cache: i64, increment: i64) -> i64 {
    cache.saturating_mul(increment.saturating_abs()).saturating_mul(SESSIONS).min(1_000_000_000)
}

impl Grid {
    /// How many ids at the end of those that lie together are left unused: sessions that have drawn one there move the
    /// sequence on, and as many may draw meanwhile. `slack` is how many values sessions may draw at once.
    pub fn margin(self, slack: i64) -> i64 {
        slack.min(self.block / PART)
    }

    /// Whether the end of a block can be left unused, so that no row needs a trigger that replaces its id.
    pub fn leaves_early(self, slack: i64) -> bool {
        self.margin(slack) == slack
    }

    /// The block of an id; None for ids before the base.
    pub fn block_around(self, id: i64) -> Option<Range> {
        let start = i128::from(self.block_of(id)?) * i128::from(self.block);
        self.range(start, start + i128::from(self.block) - 1)
    }

    /// The ids of the block of `from` that lie together with it, behind it: those of the ranges that are cut already, `later`,
    /// and whether each may be used, and then of those that will be.
    pub fn together(self, share: Option<Share>, from: Range, later: impl IntoIterator<Item = (Range, bool)>) -> Range {
        let start = self.place(self.start_of(from));
        let mut end = self.place(self.end_of(from));
        let mut last = from;
        let block = self.block_of(self.end_of(from));
        let joins = |range: Range, end: i128| {
            self.place(self.start_of(range)) == end + 1 && self.block_of(self.start_of(range)) == block
        };
        let whole = |end| self.range(start, end).unwrap_or(from);
        for (range, usable) in later {
            if !usable || !joins(range, end) {
                return whole(end);
            }
            end = self.place(self.end_of(range));
            last = range;
        }
        if let Some(next) = share.and_then(|share| self.next(share, Some(last), i64::MAX))
            && joins(next, end)
        {
            end = self.place(self.end_of(next));
        }
        whole(end)
    }

    /// The ids of `together` that are not within `margin` of its end. Also where the next block is this node's own, because
    /// that may be given away before a session hears of it.
    pub fn sure(self, together: Range, margin: i64) -> Option<Range> {
        let last = self.place(self.end_of(together)) - i128::from(margin);
        self.range(self.place(self.start_of(together)), last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UP: Grid = Grid { base: 1, block: 100, limit: 100_000, descending: false };
    const DOWN: Grid = Grid { base: -1, limit: -100_000, descending: true, ..UP };
    const HALF: Option<Share> = Some(Share { step: 2, offset: 0, first: 0 });

    fn range(start: i64, end: i64) -> Range {
        Range { start, end }
    }

    fn mirrored(range: Range) -> Range {
        Range { start: -range.end, end: -range.start }
    }

    fn together(share: Option<Share>, from: Range, later: &[(Range, bool)]) -> Range {
        let up = UP.together(share, from, later.iter().copied());
        let down = later.iter().map(|(range, usable)| (mirrored(*range), *usable));
        assert_eq!(up, mirrored(DOWN.together(share, mirrored(from), down)));
        up
    }

    #[test]
    fn what_is_left_of_the_block_lies_together() {
        assert_eq!(together(HALF, range(1, 20), &[]), range(1, 100));
        assert_eq!(together(HALF, range(1, 20), &[(range(21, 40), true)]), range(1, 100));
        assert_eq!(together(HALF, range(81, 100), &[(range(201, 220), true)]), range(81, 100));
        assert_eq!(together(None, range(1, 20), &[(range(21, 40), true)]), range(1, 40));
    }

    #[test]
    fn it_ends_where_a_range_was_released() {
        assert_eq!(together(HALF, range(1, 20), &[(range(21, 40), false)]), range(1, 20));
        assert_eq!(together(HALF, range(1, 20), &[(range(21, 40), false), (range(41, 60), true)]), range(1, 20));
    }

    #[test]
    fn it_ends_with_the_block() {
        assert_eq!(together(Some(Share::ALL), range(1, 20), &[]), range(1, 100));
        assert_eq!(together(Some(Share::ALL), range(81, 100), &[(range(101, 120), true)]), range(81, 100));
    }

    #[test]
    fn the_margin_is_a_small_part_of_a_block() {
        let large = Grid { block: 1_000_000, limit: i64::MAX, ..UP };
        assert!(large.leaves_early(1000) && large.leaves_early(50_000) && !large.leaves_early(100_000));
        assert_eq!((large.margin(1000), UP.margin(1000)), (1000, 6));
        assert!(!UP.leaves_early(1000));
    }

    #[test]
    fn nothing_in_the_margin_is_sure() {
        assert_eq!(UP.sure(range(1, 40), 6), Some(range(1, 34)));
        assert_eq!(UP.sure(range(96, 100), 6), None);
        assert_eq!(DOWN.sure(range(-100, -1), 6), Some(range(-94, -1)));
    }
}
