//! What a table does with a conflict: two writes of one key of which neither had seen the other.

use crate::{Finding, Kind, Known, State, Verdict, Version};
use std::sync::Arc;

/// How a table decides its conflicts. Writes that had seen what they replace are not asked: they apply.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Strategy {
    /// The later write stays.
    #[default]
    LastWriteWins,
    /// The earlier write stays.
    FirstWriteWins,
    /// The write of the node that stands first in the list stays; nodes that are not in it come last, together. Among
    /// equals the later write stays.
    NodePriority(Vec<Arc<str>>),
    /// Each node keeps what was written on it: the nodes will differ.
    KeepLocal,
    /// Each node takes what was written on the other: the nodes will differ.
    ApplyRemote,
    /// Each node keeps what it has until a person decides.
    Manual,
}

impl Strategy {
    /// The strategy of that name; None when there is none.
    pub fn named(name: &str, priority: Vec<Arc<str>>) -> Option<Self> {
        Some(match name {
            "last_write_wins" => Self::LastWriteWins,
            "first_write_wins" => Self::FirstWriteWins,
            "node_priority" => Self::NodePriority(priority),
            "keep_local" => Self::KeepLocal,
            "apply_remote" => Self::ApplyRemote,
            "manual" => Self::Manual,
            _ => return None,
        })
    }

    /// As in steep_repl.conflict_log.strategy.
    pub fn name(&self) -> &'static str {
        match self {
            Self::LastWriteWins => "last_write_wins",
            Self::FirstWriteWins => "first_write_wins",
            Self::NodePriority(_) => "node_priority",
            Self::KeepLocal => "keep_local",
            Self::ApplyRemote => "apply_remote",
            Self::Manual => "manual",
        }
    }

    /// Whether it decides this conflict, and not the time. A truncation is not one row's write; a row that both sides
    /// deleted and one inserted again is a new one, which only one of them knows of. A clock that was wrong is no conflict
    /// of two who had not seen each other.
    pub fn decides(&self, finding: Finding) -> bool {
        *self != Self::LastWriteWins
            && !matches!(finding.kind, Kind::TruncateWrite | Kind::DeleteInsert)
            && !finding.clock
    }

    /// Whether all nodes come to one row that need not be the latest: what they decide is provisional until it is proven.
    pub fn earlier_may_stay(&self) -> bool {
        matches!(self, Self::FirstWriteWins | Self::NodePriority(_))
    }

    /// Whether it lets the nodes differ, for good or until a person decides.
    pub fn keeps_apart(&self) -> bool {
        matches!(self, Self::KeepLocal | Self::ApplyRemote | Self::Manual)
    }

    /// What becomes of an arriving write that conflicts with what is here. `by_time` is the verdict of their times.
    ///
    /// Only where what is here was written on this node: a third node cannot tell a lost write from one that overtook
    /// another, and the later of those had seen the earlier. It goes by the time, and the proof brings it to what the
    /// two writers' nodes decided.
    pub fn choose(&self, held: &State, arriving: &Version, by_time: Verdict, written_here: bool) -> Verdict {
        let Some(here) = version_of(held) else { return by_time };
        if !written_here {
            return by_time;
        }
        let applies = match self {
            Self::LastWriteWins => return by_time,
            Self::FirstWriteWins => arriving < here,
            Self::NodePriority(list) => match rank(list, arriving).cmp(&rank(list, here)) {
                std::cmp::Ordering::Less => true,
                std::cmp::Ordering::Equal => return by_time,
                std::cmp::Ordering::Greater => false,
            },
            Self::KeepLocal | Self::Manual => false,
            Self::ApplyRemote => true,
        };
        if applies { Verdict::Applies } else { Verdict::Loses }
    }
}

fn version_of(held: &State) -> Option<&Version> {
    match held {
        State::Row(Some(Known { version, .. })) | State::Gone { version: Some(Known { version, .. }), .. } => {
            Some(version)
        }
        _ => None,
    }
}

/// The place of a version's node in the list.
fn rank(list: &[Arc<str>], version: &Version) -> usize {
    list.iter().position(|node| *node == version.node).unwrap_or(list.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide;

    const EARLY: i64 = 1;
    const LATE: i64 = 2;

    /// What node `here` does, holding a row it wrote at `held`, with one of node `there` of time `arriving`.
    fn on(strategy: &Strategy, here: &str, held: i64, there: &str, arriving: i64) -> bool {
        let state = State::Row(Some(Version::new(held, here).known()));
        let arriving = Version::new(arriving, there);
        strategy.choose(&state, &arriving, decide(&state, &arriving), true).applies()
    }

    /// Who stays on both nodes, a having written early and b late; None when they end up different.
    fn winner(strategy: &Strategy) -> Option<&'static str> {
        let on_a = if on(strategy, "a", EARLY, "b", LATE) { "b" } else { "a" };
        let on_b = if on(strategy, "b", LATE, "a", EARLY) { "a" } else { "b" };
        (on_a == on_b).then_some(on_a)
    }

    fn priority(list: &[&str]) -> Strategy {
        Strategy::NodePriority(list.iter().map(|node| Arc::from(*node)).collect())
    }

    #[test]
    fn both_writers_come_to_the_same() {
        assert_eq!(winner(&Strategy::LastWriteWins), Some("b"));
        assert_eq!(winner(&Strategy::FirstWriteWins), Some("a"));
        assert_eq!(winner(&priority(&["a", "b"])), Some("a"));
        assert_eq!(winner(&priority(&["b", "a"])), Some("b"));
        assert_eq!(winner(&priority(&["a"])), Some("a"));
        // Neither is in the list: the later one.
        assert_eq!(winner(&priority(&["c"])), Some("b"));
    }

    #[test]
    fn at_equal_times_they_do_too() {
        for strategy in [Strategy::LastWriteWins, Strategy::FirstWriteWins, priority(&["c"])] {
            assert_ne!(on(&strategy, "a", LATE, "b", LATE), on(&strategy, "b", LATE, "a", LATE), "{strategy:?}");
        }
    }

    #[test]
    fn what_is_local_by_its_meaning_differs() {
        for strategy in [Strategy::KeepLocal, Strategy::ApplyRemote, Strategy::Manual] {
            assert_eq!(winner(&strategy), None, "{strategy:?}");
            assert!(strategy.keeps_apart());
        }
    }

    #[test]
    fn between_two_others_the_time_decides() {
        let held = State::Row(Some(Version::new(EARLY, "a").known()));
        let arriving = Version::new(LATE, "b");
        let by_time = decide(&held, &arriving);
        for strategy in [Strategy::FirstWriteWins, Strategy::KeepLocal, Strategy::Manual, priority(&["a"])] {
            assert_eq!(strategy.choose(&held, &arriving, by_time, false), by_time);
        }
    }

    #[test]
    fn a_deletion_is_a_write_like_any_other() {
        let gone = State::Gone { version: Some(Version::new(LATE, "b").known()), displaced: false };
        let early = Version::new(EARLY, "a");
        assert!(Strategy::FirstWriteWins.choose(&gone, &early, Verdict::Loses, true).applies());
        assert!(!Strategy::KeepLocal.choose(&gone, &early, Verdict::Loses, true).applies());
    }

    #[test]
    fn neither_truncations_nor_wrong_clocks_are_asked() {
        let finding = |kind, clock| Finding { kind, possible: false, clock };
        assert!(Strategy::Manual.decides(finding(Kind::UpdateUpdate, false)));
        assert!(!Strategy::Manual.decides(finding(Kind::TruncateWrite, false)));
        assert!(!Strategy::Manual.decides(finding(Kind::DeleteInsert, false)));
        assert!(!Strategy::Manual.decides(finding(Kind::UpdateUpdate, true)));
        assert!(!Strategy::LastWriteWins.decides(finding(Kind::UpdateUpdate, false)));
    }

    #[test]
    fn names_are_found_again() {
        for name in ["last_write_wins", "first_write_wins", "node_priority", "keep_local", "apply_remote", "manual"] {
            assert_eq!(Strategy::named(name, Vec::new()).map(|s| s.name()), Some(name));
        }
        assert_eq!(Strategy::named("magic", Vec::new()), None);
    }
}
