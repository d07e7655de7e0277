//! How a sequence gets into its next range.

use crate::{Grid, Range};

/// What to do with the sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// Nothing: it stands in the range already, because the range lies behind the one before.
    Here,
    /// Have it give this id next.
    At(i64),
    /// Nothing of the range can be handed out safely: take the one after it.
    Passed,
}

impl Grid {
    /// How a sequence that leaves `from` gets into `to`. `position` is what it gives next; None when that says nothing,
    /// because somebody has set it back or it is past its last value.
    ///
    /// While a sequence leaves its range, sessions draw values behind the end, at most `slack` of them. Where `to` lies
    /// there, these values are its ids, and whoever has drawn one may keep it: so the sequence never gives one of them
    /// again. `from` stays the range that was left when several are passed. When somebody has set the sequence elsewhere,
    /// nobody knows how many had been drawn. Of a sequence that counts in larger steps the ids of one step before its first
    /// value are left to it: some applications use those.
    pub fn enter(self, from: Option<Range>, to: Range, position: Option<i64>, slack: i64, step: i64) -> Entry {
        let (start, end) = (self.place(self.start_of(to)), self.place(self.end_of(to)));
        let position = position.map(|id| self.place(id));
        if position.is_some_and(|place| (start..=end).contains(&place)) {
            return Entry::Here;
        }
        let slack = i128::from(slack);
        let behind = from.map(|range| self.place(self.end_of(range)) + 1);
        let within = |range: Range| position.is_some_and(|place| self.id(place).is_some_and(|id| range.holds(id)));
        let drawn = behind.map(|behind| match position {
            _ if from.is_some_and(within) => behind..behind,
            Some(place) if (behind..=behind + slack).contains(&place) => behind..place,
            _ => behind..behind + slack,
        });
        let first = match drawn {
            Some(drawn) if start < drawn.end && end >= drawn.start => drawn.end.max(start),
            _ => start,
        };
        let first = end.min(first + i128::from(step - 1)).max(first);
        if first > end { Entry::Passed } else { self.id(first).map_or(Entry::Passed, Entry::At) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UP: Grid = Grid { base: 1, block: 100, limit: 100_000, descending: false };

    fn range(start: i64, end: i64) -> Range {
        Range { start, end }
    }

    fn enter(from: (i64, i64), to: (i64, i64), position: i64) -> Entry {
        let up = UP.enter(Some(range(from.0, from.1)), range(to.0, to.1), Some(position), 30, 1);
        // Downwards it must be the same.
        let down = Grid { base: -1, limit: -100_000, descending: true, ..UP };
        let mirrored = down.enter(Some(range(-from.1, -from.0)), range(-to.1, -to.0), Some(-position), 30, 1);
        let back = match mirrored {
            Entry::At(id) => Entry::At(-id),
            other => other,
        };
        assert_eq!(up, back);
        up
    }

    #[test]
    fn the_range_behind_is_entered_as_it_is() {
        assert_eq!(enter((1, 100), (101, 200), 101), Entry::Here);
        assert_eq!(enter((1, 100), (101, 200), 117), Entry::Here);
    }

    #[test]
    fn a_range_that_is_left_early_has_nothing_drawn_behind_it() {
        assert_eq!(enter((1, 100), (101, 200), 50), Entry::At(101));
    }

    #[test]
    fn a_range_that_was_run_over_is_passed() {
        assert_eq!(enter((1, 100), (101, 110), 117), Entry::Passed);
        assert_eq!(enter((1, 100), (101, 116), 117), Entry::Passed);
        assert_eq!(enter((1, 100), (101, 117), 117), Entry::Here);
    }

    #[test]
    fn a_range_elsewhere_is_entered_at_its_beginning() {
        assert_eq!(enter((1, 100), (301, 400), 107), Entry::At(301));
        assert_eq!(enter((301, 400), (1, 100), 407), Entry::At(1));
        assert_eq!(UP.enter(None, range(1, 100), Some(-5), 30, 1), Entry::At(1));
        assert_eq!(UP.enter(Some(range(1, 100)), range(301, 400), None, 30, 1), Entry::At(301));
    }

    #[test]
    fn a_step_before_the_first_value_lies_in_the_range_too() {
        assert_eq!(UP.enter(Some(range(1, 100)), range(301, 400), Some(107), 3000, 50), Entry::At(350));
        assert_eq!(UP.enter(Some(range(1, 100)), range(301, 340), Some(107), 3000, 50), Entry::At(340));
        assert_eq!(UP.enter(Some(range(1, 100)), range(101, 200), Some(107), 3000, 50), Entry::Here);
    }

    #[test]
    fn what_may_have_been_drawn_before_somebody_set_the_sequence_is_left_out() {
        assert_eq!(enter((1, 100), (101, 200), 5000), Entry::At(131));
        assert_eq!(enter((1, 100), (101, 120), 5000), Entry::Passed);
        assert_eq!(UP.enter(Some(range(1, 100)), range(101, 200), None, 30, 1), Entry::At(131));
        assert_eq!(enter((1, 100), (101, 200), 150), Entry::Here);
    }

    /// Sessions draw past the end of ranges, one of them moves on: no id twice.
    #[test]
    fn nobody_gets_an_id_twice_however_far_the_sequence_has_run() {
        for size in [1, 3, 10, 40] {
            for overrun in 0..25 {
                let ranges: Vec<_> = (0..60).map(|n| range(n * size + 1, (n + 1) * size)).collect();
                let mut position = 1;
                let mut drawn = std::collections::HashSet::new();
                let mut current = 0;
                for turn in 0..40 {
                    // The rest of the range, and some values behind it.
                    let last = ranges[current].end.max(position - 1) + (overrun + turn) % 25;
                    for id in position..=last {
                        assert!(drawn.insert(id), "{id} twice, size {size}, overrun {overrun}");
                    }
                    position = last + 1;
                    let from = ranges[current];
                    while current + 1 < ranges.len() {
                        current += 1;
                        match UP.enter(Some(from), ranges[current], Some(position), 30, 1) {
                            Entry::Here => break,
                            Entry::At(id) => {
                                position = id;
                                break;
                            }
                            Entry::Passed => {}
                        }
                    }
                    if ranges[current] == from {
                        break;
                    }
                }
            }
        }
    }
}
