//! What becomes of an arriving write: the time decides, or, in a conflict, the strategy of the table.

use crate::conflict::lineage::{self, Meeting};
use crate::conflict::{resolved, session, state};
use crate::pg::plan::{self, Argument};
use crate::pg::{key_id, tombstone};
use conflict::{Change, Evidence, Finding, Strategy, Verdict};

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
    /// What loses did so to a write of this node, which for certain had not seen it.
    pub ours_won: bool,
}

impl Judgement {
    /// One that no strategy was asked about.
    fn without_strategy(verdict: Verdict, finding: Option<Finding>, ours_won: bool) -> Self {
        Self { verdict, finding, strategy: LAST, pending: false, apart: false, ours_won }
    }
}

/// Judges what arrives against what is held; the verdict of their times may not be the last word.
pub fn judge(meeting: &Meeting, change: Change, evidence: Evidence) -> Judgement {
    let (table, by_time) = (&meeting.open.table, meeting.verdict);
    if resolved::applies(table, meeting.key, meeting.held) {
        return Judgement::without_strategy(Verdict::Applies, None, false);
    }
    let (finding, ours_won) = lineage::weigh(meeting, change, evidence);
    let Some(finding) = finding else { return Judgement::without_strategy(by_time, None, ours_won) };
    if resolved::stands(table, meeting.key, meeting.held, meeting.arriving) {
        return Judgement::without_strategy(Verdict::Loses, None, ours_won);
    }
    // Looked up only now: most changes are no conflicts.
    let strategy = table.strategy();
    if !strategy.decides(finding)
        || may_have_overtaken(finding)
        || truncated_since(meeting)
        || strategy.earlier_may_stay() && ended_since(meeting)
    {
        return Judgement::without_strategy(by_time, Some(finding), ours_won);
    }
    let mut verdict = strategy.choose(meeting.held, meeting.arriving, by_time, evidence.written_here);
    if verdict.applies()
        && *strategy == Strategy::FirstWriteWins
        && (ended_before(meeting) || goes_on_from_a_loser(meeting))
    {
        verdict = Verdict::Loses;
    }
    Judgement {
        verdict,
        finding: Some(finding),
        strategy: strategy.name(),
        pending: *strategy == Strategy::Manual,
        apart: strategy.keeps_apart(),
        ours_won: if by_time.applies() { evidence.written_here } else { ours_won },
    }
}

/// The strategy of entries that no table's strategy is asked about.
pub const LAST: &str = "last_write_wins";

/// On three and more nodes what arrives may have seen a write that is still on its way here, and which had seen what is here.
fn may_have_overtaken(finding: Finding) -> bool {
    finding.possible && session::others()
}

/// What was written before a truncation has lost against that, by time: no strategy sets it against what came after.
fn truncated_since(meeting: &Meeting) -> bool {
    let table = &meeting.open.table;
    state::truncated_since(table, &key_id::of(table, meeting.key), meeting.arriving)
}

/// Whether this node had deleted or moved the very row that the arriving write replaces, before that: what stands here now
/// came after. That deletion came first; on the other node it wins.
fn ended_before(meeting: &Meeting) -> bool {
    let (table, Some(stream)) = (&meeting.open.table, session::stream()) else { return false };
    if meeting.changed.before.is_none() {
        return false;
    }
    let key = key_id::of(table, meeting.key);
    tombstone::find(table.root, &key).iter().any(|found| {
        found.tombstone.row_gone.as_deref().is_some_and(|row| meeting.changed.replaced(table, row))
            && !found.tombstone.displaced
            && state::version_of_stone(found, table.root.to_u32(), &key)
                .is_some_and(|known| known.version.node == stream.me && known.version < *meeting.arriving)
    })
}

/// Whether the row that the arriving write replaces had lost here: what comes of it loses to what comes of
/// the winner, whichever is the earlier of these.
fn goes_on_from_a_loser(meeting: &Meeting) -> bool {
    let table = &meeting.open.table;
    let Some(row) = meeting.changed.before_json(table) else { return false };
    let lost = plan::rows(
        "SELECT 1 FROM steep_repl.conflict_log c
          WHERE c.key_id = $1::uuid AND c.table_schema = $2::name AND c.table_name = $3::name AND c.remote_tuple = $4::jsonb
            AND c.remote_origin = $5 AND c.winner = 'local' LIMIT 1",
        &[
            Argument::text(&key_id::text(&key_id::of(table, meeting.key))),
            Argument::text(&table.schema),
            Argument::text(&table.name),
            Argument::text(&row),
            Argument::text(&meeting.arriving.node),
        ],
    );
    !lost.is_empty()
}

/// Whether a third node has deleted the row since: it may have seen what arrives, or what became of that. What came of its
/// deletion is known here, or was judged against something later here; the arriving write does not come back over it. The
/// proof brings this node to what the two writers' nodes decided.
fn ended_since(meeting: &Meeting) -> bool {
    let Some(stream) = session::stream().filter(|_| session::others()) else { return false };
    let (table, arriving) = (&meeting.open.table, meeting.arriving);
    let key = key_id::of(table, meeting.key);
    tombstone::find(table.root, &key).iter().filter(|found| !found.all_keys && !found.tombstone.displaced).any(
        |found| {
            state::version_of_stone(found, table.root.to_u32(), &key).is_some_and(|known| {
                known.version > *arriving && known.version.node != arriving.node && known.version.node != stream.me
            })
        },
    )
}
