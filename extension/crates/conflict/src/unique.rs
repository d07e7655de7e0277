//! Rows that claim one unique value.
//!
//! A row that loses is displaced everywhere: its key and version join a set that only grows and that all nodes get.
//! Removing it on one node only would diverge, because another may see a third row first.

use crate::Version;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clash {
    /// The arriving row gives way; who holds the values stays.
    ArrivingGivesWay,
    /// Those who hold the values give way.
    HoldersGiveWay,
}

/// Decides an arriving row against the rows that hold one of its unique values (their versions, None when unknown):
/// the latest stays.
pub fn clash<'a>(arriving: &Version, holders: impl IntoIterator<Item = Option<&'a Version>>) -> Clash {
    let latest = holders.into_iter().flatten().max();
    if latest.is_some_and(|held| held > arriving) { Clash::ArrivingGivesWay } else { Clash::HoldersGiveWay }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_stays() {
        let (early, middle, late) = (Version::new(1, "a"), Version::new(2, "b"), Version::new(3, "c"));
        assert_eq!(clash(&middle, [Some(&early)]), Clash::HoldersGiveWay);
        assert_eq!(clash(&middle, [Some(&early), Some(&late)]), Clash::ArrivingGivesWay);
        assert_eq!(clash(&middle, [None]), Clash::HoldersGiveWay);
    }
}
