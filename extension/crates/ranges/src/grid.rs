//! Ids as blocks, and ranges within them.

use crate::Share;

/// Ids that belong together; `start <= end` also where they are handed out from the end on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Range {
    pub start: i64,
    pub end: i64,
}

impl Range {
    pub fn holds(self, id: i64) -> bool {
        (self.start..=self.end).contains(&id)
    }
}

/// How the ids of a column are cut into blocks, from `base` on, upwards or downwards, up to `limit` (both included), the
/// last id that its type and its sequence allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Grid {
    pub base: i64,
    pub block: i64,
    pub limit: i64,
    pub descending: bool,
}

impl Grid {
    /// How far an id lies behind the base.
    pub(crate) fn place(self, id: i64) -> i128 {
        let distance = i128::from(id) - i128::from(self.base);
        if self.descending { -distance } else { distance }
    }

    /// The id at a place; None beyond what a number can say.
    pub(crate) fn id(self, place: i128) -> Option<i64> {
        let distance = if self.descending { -place } else { place };
        i64::try_from(i128::from(self.base) + distance).ok()
    }

    /// The ids at some places, as far as there are such ids.
    pub(crate) fn range(self, from: i128, to: i128) -> Option<Range> {
        let to = to.min(self.place(self.limit));
        if from > to {
            return None;
        }
        let (first, last) = (self.id(from)?, self.id(to)?);
        Some(Range { start: first.min(last), end: first.max(last) })
    }

    /// The block of an id; None for ids before the base.
    pub fn block_of(self, id: i64) -> Option<i64> {
        let place = self.place(id);
        if place < 0 { None } else { i64::try_from(place / i128::from(self.block)).ok() }
    }

    /// The first block that is neither opened by these ranges nor before the share's first.
    pub fn free(self, share: Share, ranges: impl IntoIterator<Item = Range>) -> i64 {
        let opened = ranges.into_iter().filter_map(|r| self.block_of(self.end_of(r)));
        opened.map(|block| block.saturating_add(1)).fold(share.first, i64::max)
    }

    /// The id of a range that is handed out first.
    pub fn start_of(self, range: Range) -> i64 {
        if self.descending { range.end } else { range.start }
    }

    /// The id of a range that is handed out last.
    pub fn end_of(self, range: Range) -> i64 {
        if self.descending { range.start } else { range.end }
    }

    /// The range after `last`: what is left of its block, else of the next block of the share. At most `size` ids; None
    /// when there are no more.
    pub fn next(self, share: Share, last: Option<Range>, size: i64) -> Option<Range> {
        let (block, size) = (i128::from(self.block), i128::from(size));
        let mut from = share.first;
        if let Some(last) = last
            && let Some(number) = self.block_of(self.end_of(last))
        {
            let (place, end) = (self.place(self.end_of(last)) + 1, (i128::from(number) + 1) * block - 1);
            if place <= end {
                return self.range(place, end.min(place + size - 1));
            }
            from = number.checked_add(1)?;
        }
        let start = i128::from(share.from(from)?) * block;
        self.range(start, start + size.min(block) - 1)
    }

    /// How many ids are left after `last`, as far as a number can say.
    pub fn left(self, share: Share, last: Option<Range>) -> i64 {
        let block = i128::from(self.block);
        let end = last.map(|last| self.place(self.end_of(last)));
        let number = end.map_or(i128::from(share.first), |end| end.div_euclid(block) + 1);
        let rest = end.map_or(0, |end| (end.div_euclid(block) + 1) * block - 1 - end);
        let blocks = (self.place(self.limit) + 1) / block - number.max(i128::from(share.first));
        i64::try_from(rest + (blocks.max(0) / i128::from(share.step)) * block).unwrap_or(i64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UP: Grid = Grid { base: 1, block: 100, limit: 1000, descending: false };
    const DOWN: Grid = Grid { base: -1, block: 100, limit: -1000, descending: true };

    fn all(grid: Grid, share: Share, size: i64) -> Vec<Range> {
        std::iter::successors(grid.next(share, None, size), |last| grid.next(share, Some(*last), size)).collect()
    }

    #[test]
    fn ranges_fill_a_block_and_go_on_in_the_next_of_the_share() {
        let share = Share { step: 2, offset: 1, first: 0 };
        let found: Vec<_> = all(UP, share, 60).into_iter().map(|r| (r.start, r.end)).take(4).collect();
        assert_eq!(found, [(101, 160), (161, 200), (301, 360), (361, 400)]);
    }

    #[test]
    fn downwards_it_is_the_same_the_other_way_round() {
        let share = Share { step: 2, offset: 1, first: 0 };
        let up = all(UP, share, 60).into_iter().map(|r| (-r.end, -r.start));
        let down = all(DOWN, share, 60).into_iter().map(|r| (r.start, r.end));
        assert!(up.eq(down));
    }

    #[test]
    fn two_shares_hand_out_every_id_once() {
        for size in [1, 7, 60, 100, 1000] {
            for grid in [UP, DOWN] {
                let (mine, theirs) = Share::ALL.halve(0).unwrap();
                let mut ids: Vec<i64> = [mine, theirs]
                    .into_iter()
                    .flat_map(|share| all(grid, share, size))
                    .flat_map(|range| range.start..=range.end)
                    .map(i64::abs)
                    .collect();
                ids.sort_unstable();
                assert!(ids.into_iter().eq(1..=1000), "size {size} of {grid:?}");
            }
        }
    }

    #[test]
    fn the_last_range_ends_with_the_type() {
        let grid = Grid { base: i64::MAX - 149, block: 100, limit: i64::MAX, descending: false };
        let found = all(grid, Share::ALL, 100);
        assert_eq!(found.last(), Some(&Range { start: i64::MAX - 49, end: i64::MAX }));
        assert_eq!(found.len(), 2);
        let grid = Grid { base: i64::MIN + 149, block: 100, limit: i64::MIN, descending: true };
        assert_eq!(all(grid, Share::ALL, 100).last(), Some(&Range { start: i64::MIN, end: i64::MIN + 49 }));
    }

    #[test]
    fn free_is_after_all_that_is_opened() {
        assert_eq!(UP.free(Share::ALL, []), 0);
        assert_eq!(UP.free(Share::ALL, [Range { start: 101, end: 110 }, Range { start: 1, end: 10 }]), 2);
        assert_eq!(UP.free(Share { step: 2, offset: 0, first: 8 }, [Range { start: 101, end: 110 }]), 8);
    }

    #[test]
    fn what_is_left_is_counted() {
        assert_eq!(UP.left(Share::ALL, None), 1000);
        assert_eq!(UP.left(Share::ALL, Some(Range { start: 1, end: 10 })), 990);
        assert_eq!(UP.left(Share { step: 2, offset: 0, first: 0 }, Some(Range { start: 1, end: 10 })), 490);
        assert_eq!(UP.left(Share::ALL, Some(Range { start: 901, end: 1000 })), 0);
    }
}
