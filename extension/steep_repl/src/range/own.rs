//! The ranges of this node, as a session sees them.

use crate::pg::plan::{self, Argument};
use crate::pg::sequence::Position;
use pgrx::pg_sys;
use ranges::{Entry, Grid, Range, Share};

/// A range, its number, and whether it may be used.
type Numbered = (i64, Range, bool);

/// The ranges of this node for the ids of one table.
pub struct Own {
    pub table: String,
    pub column: String,
    pub sequence: pg_sys::Oid,
    pub counter: pg_sys::Oid,
    grid: Grid,
    share: Option<Share>,
    size: i64,
    /// The number of the range in which the sequence is.
    opened: i64,
    /// Numbered, in order: from the one in which the sequence is on. False for those that were released.
    ranges: Vec<Numbered>,
    /// Until when any id goes (TimestampTz).
    pub bypass_until: i64,
    /// How many values sessions may draw at once.
    slack: i64,
    /// How far the sequence counts at a time.
    step: i64,
    /// No trigger replaces an id behind the end: the sequence moves on before it gets there.
    early: bool,
    /// Why this node has no share of the ids; None when it has one.
    pub missing: Option<String>,
}

impl Own {
    /// Of a table; None when its ids are not in ranges here. What has been committed by now counts.
    pub fn of(root: pg_sys::Oid) -> Option<Self> {
        let rows = plan::latest(
            "SELECT table_name, column_name, sequence, counter, base, block, last_id, descending, step, share_offset,
                    first_block, range_size, opened, bypass_until, slack, increment, early, number, range_start, range_end, usable, missing
               FROM steep_repl._own_ranges($1)",
            &[Argument::oid(root)],
        );
        let first = rows.first()?;
        let text = |place: usize| first[place].clone().unwrap_or_default();
        let number = |place: usize| first[place].as_deref().and_then(|value| value.parse::<i64>().ok());
        let oid = |place: usize| number(place).and_then(|value| u32::try_from(value).ok()).map(pg_sys::Oid::from);
        let mut own = Self {
            table: text(0),
            column: text(1),
            sequence: oid(2)?,
            counter: oid(3)?,
            grid: Grid { base: number(4)?, block: number(5)?, limit: number(6)?, descending: text(7) == "t" },
            share: number(8).zip(number(9)).zip(number(10)).map(|((step, offset), first)| Share {
                step,
                offset,
                first,
            }),
            size: number(11)?,
            opened: number(12)?,
            bypass_until: number(13).unwrap_or(i64::MIN),
            slack: number(14)?,
            step: number(15)?,
            early: text(16) == "t",
            ranges: rows.iter().filter_map(|row| numbered(&row[17..21])).collect(),
            missing: first[21].clone(),
        };
        // Sessions that were faster than the worker have gone on: every one would have cut the same ranges.
        while own.ranges.last().map_or(0, |last| last.0) < own.opened
            && let Some(next) = own.ranges.last().and_then(|last| own.after(*last))
        {
            own.ranges.push(next);
        }
        Some(own)
    }

    /// The range after one, as everybody would cut it.
    fn after(&self, (number, range, _): Numbered) -> Option<Numbered> {
        Some((number + 1, self.grid.next(self.share?, Some(range), self.size)?, true))
    }

    /// The ranges behind the one in which the sequence is: those that are cut, then those that will be. Without one on this
    /// timeline the worker writes the first one down, so that its number is known.
    fn onwards(&self) -> impl Iterator<Item = Numbered> {
        let made = std::iter::successors(self.ranges.last().copied(), |last| self.after(*last)).skip(1);
        self.ranges.iter().copied().chain(made).filter(|range| range.0 > self.opened)
    }

    /// The range in which the sequence is, if it may be used. Number 0 is what was handed out before there were ranges.
    pub fn current(&self) -> Option<Range> {
        self.ranges.iter().find(|r| r.0 == self.opened && r.0 > 0 && r.2).map(|r| r.1)
    }

    /// The next range to move to, with its number.
    pub fn next(&self) -> Option<(i64, Range)> {
        self.onwards().find(|range| range.2).map(|(number, range, _)| (number, range))
    }

    /// The next range in another block. Where no trigger replaces ids, sessions go through a block without telling anybody,
    /// so that only there nothing has been handed out.
    pub fn beyond(&self) -> Option<(i64, Range)> {
        let block = self.block();
        self.onwards()
            .find(|range| range.2 && block.is_none_or(|ids| !ids.holds(self.grid.start_of(range.1))))
            .map(|(number, range, _)| (number, range))
    }

    /// The block in which the sequence has been, as far as is known.
    fn block(&self) -> Option<Range> {
        self.opened().and_then(|range| self.grid.block_around(self.grid.end_of(range)))
    }

    /// The range, of those that lie together with the one in which the sequence has been, that holds an id.
    pub fn range_of(&self, id: i64) -> Option<(i64, Range)> {
        if !self.reaches(id) {
            return None;
        }
        let current = self.current().map(|range| (self.opened, range, true));
        let found = current.into_iter().chain(self.onwards()).find(|range| range.1.holds(id));
        found.map(|(number, range, _)| (number, range))
    }

    /// The ids of this node among which the sequence is: it gets from one to the other without a gap.
    fn together(&self) -> Option<Range> {
        let later = self.ranges.iter().filter(|range| range.0 > self.opened).map(|range| (range.1, range.2));
        self.current().map(|range| self.grid.together(self.share, range, later))
    }

    /// The ids that a row may have without any further look.
    pub fn sure(&self) -> Option<Range> {
        if self.early { self.grid.sure(self.together()?, self.grid.margin(self.slack)) } else { self.current() }
    }

    /// Whether sessions see to it that the sequence moves on before the end.
    pub fn is_early(&self) -> bool {
        self.early
    }

    /// Whether an id is among those to which the sequence gets without a gap.
    pub fn reaches(&self, id: i64) -> bool {
        self.together().is_some_and(|ids| ids.holds(id))
    }

    /// Takes note that the sequence has moved.
    pub fn moved(&mut self, number: i64, range: Range) {
        self.opened = number;
        if self.ranges.last().is_none_or(|last| last.0 < number) {
            self.ranges.push((number, range, true));
        }
    }

    /// The range that was opened last, be it that it may not be used any more.
    pub fn opened(&self) -> Option<Range> {
        self.ranges.iter().find(|r| r.0 == self.opened).map(|r| r.1)
    }

    /// The range that was opened last, when the sequence is in it.
    pub fn stands_in(&self, position: &Position) -> Option<Range> {
        let next = position.next?;
        self.current().filter(|range| range.holds(next))
    }

    /// The ids in which it may stay for now.
    pub fn stays_in(&self, position: &Position) -> Option<Range> {
        let next = position.next?;
        self.sure().filter(|ids| ids.holds(next))
    }

    /// Whether a sequence is where handing out ids has brought it: in its range, or just behind.
    pub fn goes_on(&self, position: &Position) -> bool {
        let (Some(range), Some(next)) = (self.current(), position.next) else { return false };
        range.holds(next)
            || if self.grid.descending {
                next < range.start && next >= range.start.saturating_sub(self.slack)
            } else {
                next > range.end && next <= range.end.saturating_add(self.slack)
            }
    }

    /// How the sequence gets into another range, from the one that was `left`, or from the block.
    pub fn enter(&self, left: Option<Range>, range: Range, position: &Position) -> Entry {
        let left = if self.early { self.block() } else { left };
        self.grid.enter(left, range, position.next, self.slack, self.step)
    }

    /// Whether an id is in the range of the sequence, or in a later one of this node.
    pub fn holds(&self, id: i64) -> bool {
        self.ranges.iter().any(|r| r.2 && r.1.holds(id))
    }

    /// Whether an id is in a range that the sequence has left, be it that nobody has written that one down yet.
    pub fn left(&self, id: i64) -> bool {
        self.ranges.iter().any(|r| r.0 < self.opened && r.2 && r.1.holds(id))
    }

    /// An index that begins with the column, of the table or of a partition.
    pub fn index_of(&self, relation: pg_sys::Oid) -> Option<pg_sys::Oid> {
        let rows = plan::latest(
            "SELECT steep_repl._id_index($1, $2)::text",
            &[Argument::oid(relation), Argument::text(&self.column)],
        );
        rows.into_iter().flatten().flatten().next()?.parse::<u32>().ok().map(pg_sys::Oid::from)
    }

    /// The ranges, for people.
    pub fn text(&self) -> String {
        let usable: Vec<_> = self.ranges.iter().filter(|r| r.2).map(|r| format!("{}-{}", r.1.start, r.1.end)).collect();
        match (usable.is_empty(), self.opened > 1) {
            (true, _) => String::from("none"),
            (false, true) => format!("{}, and earlier ones", usable.join(", ")),
            (false, false) => usable.join(", "),
        }
    }
}

fn numbered(columns: &[Option<String>]) -> Option<Numbered> {
    let number = |place: usize| columns[place].as_deref().and_then(|value| value.parse::<i64>().ok());
    let range = Range { start: number(1)?, end: number(2)? };
    Some((number(0)?, range, columns[3].as_deref() == Some("t")))
}
