//! What becomes of an arriving write: the time decides, or, in a conflict, the strategy of the table.

use crate::pg::table::Table;
use conflict::{Change, Evidence, Finding, State, Strategy, Verdict, Version, find};

/// A verdict, and the conflict that it ended, if it was one.
pub struct Judgement {
    pub verdict: Verdict,
    pub finding: Option<Finding>,
    /// The strategy that decided.
    pub strategy: &'static str,
    /// A person is to decide.
    pub pending: bool,
    /// The strategy lets the nodes differ: what does not apply here leaves nothing here, nor elsewhere.
    pub apart: bool,
}

/// Judges a write of version `arriving` against what is held. `by_time` is the verdict of their times.
pub fn judge(
    table: &Table,
    held: &State,
    change: Change,
    arriving: &Version,
    by_time: Verdict,
    evidence: Evidence,
) -> Judgement {
    let by_time_alone = |finding| Judgement { verdict: by_time, finding, strategy: LAST, pending: false, apart: false };
    let Some(finding) = find(held, change, arriving, by_time, evidence) else { return by_time_alone(None) };
    // Looked up only now: most changes are no conflicts.
    let strategy = table.strategy();
    if !strategy.decides(finding) {
        return by_time_alone(Some(finding));
    }
    Judgement {
        verdict: strategy.choose(held, arriving, by_time, evidence.written_here),
        finding: Some(finding),
        strategy: strategy.name(),
        pending: *strategy == Strategy::Manual,
        apart: strategy.keeps_apart(),
    }
}

/// The strategy of entries that no table's strategy is asked about.
pub const LAST: &str = "last_write_wins";
