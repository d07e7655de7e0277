//! The changes of a key with what it held after some of them, so that a change which arrives late costs as much as there are
//! changes after it, and not as many as there are.

use super::images::{Images, Moment};
use super::state::State;
use super::{Arithmetic, Columns, Deed, Fate, Recorded, Rules};
use crate::Version;

/// So many changes lie between two states that are kept.
const STEP: usize = 16;

/// Changes in the order in which they are folded.
#[derive(Default)]
pub struct History {
    changes: Vec<Recorded>,
    images: Images,
    /// A change inserts the row anew, or decides it by hand.
    anew: bool,
    /// What the key held after so many changes.
    states: Vec<(usize, State, Moment)>,
}

/// The result of a fold that was taken up where it had been left.
pub struct Resumed {
    pub row: Option<Columns>,
    /// Of the latest change.
    pub version: Option<Version>,
    /// What became of the change that was asked about, and of those after it.
    pub fates: Vec<Fate>,
}

fn place(change: &Recorded) -> (&Version, i64) {
    (&change.version, change.ordinal)
}

/// Whether a change inserts the row anew, or decides it by hand.
pub(super) fn begins_anew(change: &Recorded) -> bool {
    matches!(change.deed, Deed::Insert | Deed::Set)
}

impl History {
    pub fn len(&self) -> usize {
        self.changes.len()
    }

    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    pub fn contains(&self, change: &Recorded) -> bool {
        let from = self.changes.partition_point(|other| place(other) < place(change));
        self.changes[from..].iter().take_while(|other| place(other) == place(change)).any(|other| other == change)
    }

    /// Whether a node made a change that is not earlier than this one.
    pub fn any_since(&self, change: &Recorded, node: &str) -> bool {
        self.changes.iter().rev().take_while(|c| place(c) >= place(change)).any(|c| *c.version.node == *node)
    }

    /// Adds a change in its place. A base takes the place of all before it.
    pub fn add(&mut self, change: Recorded) {
        let at = self.changes.partition_point(|other| place(other) <= place(&change));
        if change.deed == Deed::Base {
            self.changes.drain(..at);
            self.changes.insert(0, change);
            self.states.clear();
        } else if at > 0 || self.changes.first().is_none_or(|first| first.deed != Deed::Base) {
            let look = at == 0 || begins_anew(&change);
            self.changes.insert(at, change);
            self.states.retain(|(length, ..)| *length <= at && at > 0);
            if look {
                self.anew = self.changes[1..].iter().any(begins_anew);
            }
        }
    }

    /// Folds the history and `more`, which is in order and does not become part of it. `about`: the change whose fate is to be
    /// known.
    pub fn fold(
        &mut self,
        rules: &Rules,
        more: &[Recorded],
        about: Option<&Recorded>,
        arithmetic: &dyn Arithmetic,
    ) -> Resumed {
        // The first inserts nothing anew, unless something comes before it.
        let first =
            self.changes.first().filter(|first| more.first().is_some_and(|change| place(change) < place(first)));
        let idle = !self.anew && !first.is_some_and(begins_anew) && !more.iter().any(begins_anew);
        if std::mem::replace(&mut self.images.idle, idle) != idle {
            self.states.clear();
        }
        let from = more.first().map_or(self.len(), |first| self.changes.partition_point(|c| place(c) <= place(first)));
        let mut state = self.state_at(rules, from, more.first(), arithmetic);
        let (mut kept, mut more) = (self.changes[from..].iter().peekable(), more.iter().peekable());
        let mut fates = Vec::new();
        let mut latest = from.checked_sub(1).map(|place| &self.changes[place]);
        while let Some(change) = match (kept.peek(), more.peek()) {
            (Some(one), Some(other)) if place(one) > place(other) => more.next(),
            (Some(_), _) => kept.next(),
            (None, _) => more.next(),
        } {
            if change.deed == Deed::Base {
                // What is older is part of it.
                fates.fill(Fate::Past);
            }
            let fate = state.take(rules, change, &mut self.images, arithmetic);
            if about.is_some_and(|about| place(about) <= place(change)) {
                fates.push(fate);
            }
            latest = Some(change);
        }
        Resumed { row: state.row(), version: latest.map(|change| change.version.clone()), fates }
    }

    /// What the key holds after the first `end` changes; `next` comes then.
    fn state_at(&mut self, rules: &Rules, end: usize, next: Option<&Recorded>, arithmetic: &dyn Arithmetic) -> State {
        let known = self.states.partition_point(|(length, ..)| *length <= end);
        let (mut at, mut state) = match known.checked_sub(1).map(|place| &self.states[place]) {
            Some((length, state, moment)) => {
                self.images.back_to(*moment);
                (*length, state.clone())
            }
            None => {
                self.images.back_to(Moment::default());
                (0, State::before(self.changes.first().filter(|_| end > 0).or(next), &mut self.images))
            }
        };
        // The images that later states go on from are about to be written anew.
        self.states.truncate(known);
        while at < end {
            state.take(rules, &self.changes[at], &mut self.images, arithmetic);
            at += 1;
            if at.is_multiple_of(STEP) {
                self.states.push((at, state.clone(), self.images.moment()));
            }
        }
        state
    }
}
