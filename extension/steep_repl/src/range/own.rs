//! The ranges of this node, as a session sees them.

use crate::pg::plan::{self, Argument};
use crate::pg::sequence::Position;
use pgrx::pg_sys;
use ranges::{Entry, Grid, Range, Share};

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
    ranges: Vec<(i64, Range, bool)>,
    /// Until when any id goes (TimestampTz).
    pub bypass_until: i64,
    /// A B-tree that begins with the column; none of a partitioned table.
    pub index: Option<pg_sys::Oid>,
    /// Why this node has no share of the ids; None when it has one.
    pub missing: Option<String>,
}

impl Own {
    /// Of a table; None when its ids are not in ranges here. What has been committed by now counts.
    pub fn of(root: pg_sys::Oid) -> Option<Self> {
        let rows = plan::latest(
            "SELECT table_name, column_name, sequence, counter, base, block, last_id, descending, step, share_offset,
                    first_block, range_size, opened, bypass_until, index, number, range_start, range_end, usable, missing
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
            ranges: rows.iter().filter_map(|row| numbered(&row[15..19])).collect(),
            index: oid(14),
            missing: first[19].clone(),
        };
        // Sessions that were faster than the worker have gone on: every one would have cut the same ranges.
        while own.ranges.last().map_or(0, |last| last.0) < own.opened
            && let Some(next) = own.after_last()
        {
            own.ranges.push(next);
        }
        Some(own)
    }

    /// The range after the last one, as everybody would cut it.
    fn after_last(&self) -> Option<(i64, Range, bool)> {
        let last = self.ranges.last().copied();
        // Without a range on this timeline the worker writes the first one down, so that its number is known.
        let (number, range, _) = last?;
        Some((number + 1, self.grid.next(self.share?, Some(range), self.size)?, true))
    }

    /// The range in which the sequence is, if it may be used. Number 0 is what was handed out before there were ranges.
    pub fn current(&self) -> Option<Range> {
        self.ranges.iter().find(|r| r.0 == self.opened && r.0 > 0 && r.2).map(|r| r.1)
    }

    /// The next range to move to, with its number.
    pub fn next(&self) -> Option<(i64, Range)> {
        let written = self.ranges.iter().find(|r| r.0 > self.opened && r.2).copied();
        let made = || self.after_last().filter(|r| r.0 > self.opened);
        written.or_else(made).map(|(number, range, _)| (number, range))
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

    /// Whether a sequence is where handing out ids has brought it: in its range, or just behind.
    pub fn goes_on(&self, position: &Position) -> bool {
        let (Some(range), Some(next)) = (self.current(), position.next) else { return false };
        range.holds(next)
            || if self.grid.descending {
                next < range.start && next >= range.start.saturating_sub(position.slack())
            } else {
                next > range.end && next <= range.end.saturating_add(position.slack())
            }
    }

    /// How the sequence gets from one range into another.
    pub fn enter(&self, left: Option<Range>, range: Range, position: &Position) -> Entry {
        self.grid.enter(left, range, position.next, position.slack())
    }

    /// Whether an id is in the range of the sequence, or in a later one of this node.
    pub fn holds(&self, id: i64) -> bool {
        self.ranges.iter().any(|r| r.2 && r.1.holds(id))
    }

    /// Whether an id is in a range that the sequence has left, be it that nobody has written that one down yet.
    pub fn left(&self, id: i64) -> bool {
        self.ranges.iter().any(|r| r.0 < self.opened && r.2 && r.1.holds(id))
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

fn numbered(columns: &[Option<String>]) -> Option<(i64, Range, bool)> {
    let number = |place: usize| columns[place].as_deref().and_then(|value| value.parse::<i64>().ok());
    let range = Range { start: number(1)?, end: number(2)? };
    Some((number(0)?, range, columns[3].as_deref() == Some("t")))
}
