//! What a key holds after so many of its changes.

use super::images::Images;
use super::{Arithmetic, Columns, Deed, Fate, Merge, Recorded, Rules};
use crate::Version;

#[derive(Clone)]
pub(super) struct State {
    pub last: Option<Columns>,
    alive: bool,
    version: Option<Version>,
}

impl State {
    /// Before the first change: what that replaced.
    pub fn before(first: Option<&Recorded>, images: &mut Images) -> Self {
        let last = first.filter(|change| change.deed != Deed::Base).and_then(|change| change.before.clone());
        images.forget();
        images.show(last.as_ref());
        Self { alive: last.is_some(), last, version: None }
    }

    pub fn row(&self) -> Option<Columns> {
        self.last.clone().filter(|_| self.alive)
    }

    pub fn take(&mut self, rules: &Rules, change: &Recorded, images: &mut Images, arithmetic: &dyn Arithmetic) -> Fate {
        let fate = match (change.deed, &change.after) {
            (Deed::Base, after) => {
                self.alive = after.is_some();
                self.last = after.clone().or_else(|| change.before.clone());
                images.forget();
                images.show(self.last.as_ref());
                Fate::Seen
            }
            (Deed::Set, after) => {
                self.alive = after.is_some();
                self.last = after.clone().or_else(|| self.last.take());
                images.begin_anew();
                images.show(self.last.as_ref());
                Fate::Seen
            }
            (Deed::Delete, _) | (_, None) => {
                let seen = !self.alive || change.before == self.last;
                self.alive = false;
                self.last = self.last.take().or_else(|| change.before.clone());
                if seen { Fate::Seen } else { Fate::Overrode }
            }
            (Deed::Insert, Some(after)) => self.insert(rules, change, after, images, arithmetic),
            (Deed::Update, Some(after)) => self.update(rules, change, after, images, arithmetic),
        };
        self.version = Some(change.version.clone());
        fate
    }

    fn insert(
        &mut self,
        rules: &Rules,
        change: &Recorded,
        after: &Columns,
        images: &mut Images,
        arithmetic: &dyn Arithmetic,
    ) -> Fate {
        let met = self.last.take().filter(|_| self.alive);
        self.alive = true;
        let (row, fate) = match met {
            None => (after.clone(), Fate::Seen),
            Some(here) if rules.merge == Merge::Function => self.resolved(&here, change, after, arithmetic),
            Some(_) => (after.clone(), Fate::Overrode),
        };
        images.begin_anew();
        images.show(Some(after));
        images.show(Some(&row));
        self.last = Some(row);
        fate
    }

    fn update(
        &mut self,
        rules: &Rules,
        change: &Recorded,
        after: &Columns,
        images: &mut Images,
        arithmetic: &dyn Arithmetic,
    ) -> Fate {
        let Some(here) = self.last.take() else {
            self.last = Some(after.clone());
            self.alive = true;
            images.show(Some(after));
            return Fate::Seen;
        };
        let was_alive = std::mem::replace(&mut self.alive, true);
        let stale = change.before.as_ref().is_some_and(|before| images.only_before(before));
        if stale {
            images.show_before(after)
        } else {
            images.show(Some(after))
        }
        let (row, fate) = if change.before.as_ref() == Some(&here) {
            (after.clone(), if was_alive { Fate::Seen } else { Fate::Overrode })
        } else if rules.merge == Merge::Function {
            self.resolved(&here, change, after, arithmetic)
        } else {
            match merged(rules, here, change.before.as_ref(), after, stale, arithmetic) {
                Some(row) if row == *after || arithmetic.holds(&row) => {
                    (row, if stale { Fate::Stale } else { Fate::Merged })
                }
                _ => (after.clone(), Fate::Clipped),
            }
        };
        images.show(Some(&row));
        self.last = Some(row);
        fate
    }

    fn resolved(
        &self,
        here: &Columns,
        change: &Recorded,
        after: &Columns,
        arithmetic: &dyn Arithmetic,
    ) -> (Columns, Fate) {
        match arithmetic.resolve(here, change, self.version.as_ref()) {
            Some(row) => (row, Fate::Merged),
            None => (after.clone(), Fate::Clipped),
        }
    }
}

/// One row of the row so far and an update that had not seen it. `stale`: the update was made on a row that has been deleted
/// and inserted anew since, so that its deltas do not count.
fn merged(
    rules: &Rules,
    mut here: Columns,
    before: Option<&Columns>,
    after: &Columns,
    stale: bool,
    arithmetic: &dyn Arithmetic,
) -> Option<Columns> {
    if !here.keys().eq(after.keys()) {
        return reshaped(rules, &here, before, after, stale, arithmetic);
    }
    for ((column, is), value) in here.iter_mut().zip(after.values()) {
        let was = before.map(|row| row.get(column).unwrap_or(&None));
        if rules.deltas.contains(column) {
            match (&*is, value, was) {
                _ if stale || was == Some(value) => {}
                (Some(here), Some(value), Some(Some(was))) => *is = Some(arithmetic.add(column, here, value, was)?),
                _ => is.clone_from(value),
            }
        } else if rules.merge != Merge::Columns || was != Some(value) {
            is.clone_from(value);
        }
    }
    Some(here)
}

/// The same when columns have been added or removed between the two: those that the row so far lacks are the update's.
fn reshaped(
    rules: &Rules,
    here: &Columns,
    before: Option<&Columns>,
    after: &Columns,
    stale: bool,
    arithmetic: &dyn Arithmetic,
) -> Option<Columns> {
    let (known, new): (Columns, Columns) = after.clone().into_iter().partition(|(column, _)| here.contains_key(column));
    let here = here.clone().into_iter().filter(|(column, _)| known.contains_key(column)).collect();
    let mut row = merged(rules, here, before, &known, stale, arithmetic)?;
    row.extend(new);
    Some(row)
}
