//! Changes whose row is not here: no trigger fires for them (postgresql.org/docs/18, "Logical Replication: Conflicts").
//!
//! Settled before the next message is received, in the transaction that is being applied: an update becomes an insert of
//! the whole row, a deletion leaves a tombstone. Both go through ordinary statements first, whose triggers decide: a scan
//! may miss a row that is being updated at that moment.

use crate::conflict::changed::Changed;
use crate::conflict::fold::arrive;
use crate::conflict::judge;
use crate::conflict::lineage::Meeting;
use crate::conflict::log::{Entry, Winner};
use crate::conflict::session::{self, Arriving, How};
use crate::conflict::state;
use crate::conflict::{in_stead, lost_moves, meanwhile, orphan, put, set_aside, undone, unique};
use crate::pg::acting_as::ActingAs;
use crate::pg::apply_trigger;
use crate::pg::canonical::Canonical;
use crate::pg::commit_time::Writer;
use crate::pg::key_id;
use crate::pg::plan::{self, Argument};
use crate::pg::row::Row;
use crate::pg::table::{self, Table, quote};
use crate::pg::{stored_row, tombstone, transaction};
use conflict::{Change, Verdict, decide};

/// Settles the change before, if its row was not here.
pub fn settle() {
    if session::undecided().is_some() {
        settle_undecided();
    }
    meanwhile::check_insertions();
}

fn settle_undecided() {
    transaction::within_apply(|| {
        if let Some(arriving) = session::undecided() {
            match arriving.how {
                How::Worker => settle_change(&arriving),
                How::ByHand => by_hand(&arriving),
                How::SetAside => set_aside::log(&arriving, None),
            }
        }
        session::settled();
    });
}

/// Applies a change that the worker was not shown. An error that no retry changes sets it aside.
fn by_hand(arriving: &Arriving) {
    match transaction::in_subtransaction(|| in_stead::apply(arriving)) {
        Ok(()) => set_aside::overtake(arriving),
        Err(failure) => set_aside::log(arriving, Some(&failure)),
    }
}

/// Settles a change whose row is not here.
pub fn settle_change(arriving: &Arriving) {
    let Some(root) = managed(arriving) else { return };
    let table = table::by_oid(root.into());
    let Some(changed) = Changed::read(arriving, &table) else { return };
    if table.key_index.is_none() {
        return without_key(arriving, &table, &changed);
    }
    match changed.change {
        Change::Delete => {
            if let Some(key) = &changed.key_before {
                delete(arriving, &table, key, &changed);
                lost_moves::comes_or_goes(arriving, &table, key);
            }
        }
        Change::Insert | Change::Update | Change::Move => {
            let Some(after) = &changed.after else { return };
            let moved_from = changed.key_before.as_ref().filter(|_| changed.change == Change::Move);
            let then = moved_from.map(|key| delete(arriving, &table, key, &changed));
            if then == Some(Then::Leave) {
                return;
            }
            if changed.whole {
                let _owner = ActingAs::table_owner(table.owner);
                insert_columns(&table, after, changed.known(&table));
            } else {
                not_whole(arriving, &table, &changed, after);
            }
            if let (Some(key), Some(Then::Put(verdict, unseen))) = (moved_from, then)
                && lost_moves::moves(arriving, &table, key, after, verdict, unseen)
            {
                undo_move(arriving, &table, after);
            }
        }
    }
}

/// The table that a relation of the stream is here, when its changes are applied now.
pub fn managed(arriving: &Arriving) -> Option<u32> {
    let stream = session::stream()?;
    let row = plan::rows(
        "SELECT relation FROM steep_repl.tables WHERE table_schema = $1 AND table_name = $2",
        &[Argument::text(&arriving.relation.schema), Argument::text(&arriving.relation.name)],
    );
    let root: u32 = row.first()?.first()?.as_deref()?.parse().ok()?;
    let applies = crate::pg::subscription_rel::applies(
        stream.subscription_oid.into(),
        root.into(),
        arriving.transaction.final_lsn,
    );
    applies.then_some(root)
}

/// What becomes of a row whose old key has been settled.
#[derive(PartialEq, Eq)]
enum Then {
    /// It stands under its new key. With the verdict under the old one, and whether it lost that so that its move is undone.
    Put(Verdict, bool),
    /// Its move lost here only.
    Leave,
}

/// Deletes the row with a key, if it is here after all; else decides against what is known of it, and remembers.
fn delete(arriving: &Arriving, table: &Table, key: &Row, changed: &Changed) -> Then {
    let arguments = values(table, key, &table.key);
    // Whoever is inserting it: the statement sees what has committed only.
    meanwhile::row_came(table, key);
    let deleted = {
        let _owner = ActingAs::table_owner(table.owner);
        let _ours = apply_trigger::ours();
        plan::run(&format!("DELETE FROM {} WHERE {}", table.qualified(), key_condition(table)), &arguments).1
    };
    if deleted > 0 {
        return Then::Put(Verdict::Applies, false);
    }
    if session::decided() {
        return Then::Put(Verdict::Loses, false);
    }
    let version = arriving.version();
    let id = key_id::of(table, key);
    arrive::keep_missing(table, arriving, changed, key);
    let gone = state::gone(table, &id, &version);
    let verdict = decide(&gone.state, &version);
    let mut evidence = state::evidence(table, &gone.state, changed.change);
    gone.testify(&mut evidence);
    let judgement = stored_row::with_open(table.oid, |open| {
        let meeting = Meeting {
            open,
            key,
            held: &gone.state,
            writer: gone.writer,
            row_gone: gone.row_gone.as_deref(),
            changed,
            arriving: &version,
            verdict,
        };
        let judgement = judge::judge(&meeting, changed.change, evidence);
        undone::settle(arriving, &meeting, &judgement, None);
        judgement
    });
    let verdict = judgement.verdict;
    if judgement.apart
        && verdict.applies()
        && let Some(moved_to) = gone.moved_to.as_deref()
    {
        take_back_move(table, moved_to);
    }
    if let Some(mut entry) = Entry::judged(&judgement, state::known(&gone.state)) {
        entry.remote = changed.after_json(table);
        entry.base = changed.before_json(table).or_else(|| gone.row_gone.clone());
        entry.write(arriving, table, key);
    }
    if verdict.applies() {
        let moved_to = changed.after.as_ref().map(|row| put::key_json(row, table));
        let stone =
            tombstone::Tombstone { row_gone: changed.before_json(table), moved_to, displaced: false, version: None };
        tombstone::write(table.root, &id, &stone);
        meanwhile::refuse_newcomer(table, key);
        orphan::parent_gone(table, changed.before.as_ref().unwrap_or(key));
    } else if table.strategy().earlier_may_stay() {
        // It loses to a later deletion, but the row that it had seen may arrive only now and must not come back.
        let version = Some((version.time, version.node.to_string()));
        let stone =
            tombstone::Tombstone { row_gone: changed.before_json(table), moved_to: None, displaced: false, version };
        tombstone::write(table.root, &id, &stone);
        meanwhile::refuse_newcomer(table, key);
    }
    // Within one transaction a row may be moved on: where its first move is undone, the next is too.
    let moved_on = gone.displaced_with(&version);
    if moved_on
        && !verdict.applies()
        && let Some(after) = &changed.after
    {
        let entry = Entry {
            kind: "KEY-UPDATE",
            possible: !gone.just_now,
            remote: changed.after_json(table),
            base: changed.before_json(table),
            reason: Some("an earlier move of the same transaction lost, and this one with it"),
            ..Entry::default()
        };
        entry.write(arriving, table, after);
    }
    if !verdict.applies() && judgement.apart { Then::Leave } else { Then::Put(verdict, moved_on || judgement.ours_won) }
}

/// A row that was moved here, and that its other side keeps under its old key, as this node now does too.
pub fn take_back_move(table: &Table, moved_to: &str) {
    plan::rows(
        "SELECT steep_repl._take_back_move($1, $2::jsonb)::text",
        &[Argument::oid(table.root), Argument::text(moved_to)],
    );
}

/// A move whose old key had been written on this node, later, must not leave the row under its new key as well: it is
/// displaced there, on all nodes, by its version. The winner's own node decides that, because it knows that
/// the winner had not seen the move. Not by a deletion: a fresh write of ours would beat a user's.
pub fn undo_move(arriving: &Arriving, table: &Table, new: &Row) {
    let arguments = values(table, new, &table.key);
    let query = format!("SELECT tableoid FROM {} WHERE {}", table.qualified(), key_condition(table));
    let leaf = {
        let _as = ActingAs::extension();
        plan::run(&query, &arguments).0.into_iter().flatten().flatten().next()
    };
    let Some(leaf) = leaf.and_then(|oid| oid.parse::<u32>().ok()) else { return };
    stored_row::with_open(leaf.into(), |open| {
        let Some(row) = open.find_by_key(&new.laid_out(table, &open.table)) else { return };
        if row.writer == Writer::Ours {
            open.remove(&row);
            unique::displace(open, &row.row, Some(&arriving.version()), "moved");
        } else {
            // Somebody has changed it since: the node that moved it leaves it to a person.
            unique::tell_displaced(open, &row.row, Some(&arriving.version()), "moved");
        }
    });
}

/// Some values of a row, as parameters.
pub fn values(table: &Table, row: &Row, places: &[usize]) -> Vec<Argument> {
    places.iter().map(|place| Argument::raw(table.columns[*place].type_oid, row.values[*place])).collect()
}

/// How the row with a key is found, whose values are the first parameters.
pub fn key_condition(table: &Table) -> String {
    plan::rows("SELECT steep_repl._key_condition($1)", &[Argument::oid(table.root)])
        .into_iter()
        .flatten()
        .flatten()
        .collect()
}

/// Inserts a whole row with the rights that the process has now; the trigger on the table decides about it.
pub fn insert_row(table: &Table, row: &Row) {
    insert_columns(table, row, (0..table.columns.len()).filter(|place| table.columns[*place].sent));
}

/// The same where some columns are not known, which get their defaults.
pub fn insert_columns(table: &Table, row: &Row, places: impl Iterator<Item = usize>) {
    let places: Vec<usize> = places.collect();
    let names: Vec<String> = places.iter().map(|place| quote(&table.columns[*place].name)).collect();
    let marks: Vec<String> = (1..=places.len()).map(|n| format!("${n}")).collect();
    let arguments = values(table, row, &places);
    let statement = format!(
        "INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE VALUES ({})",
        table.qualified(),
        names.join(", "),
        marks.join(", ")
    );
    let _ours = apply_trigger::ours();
    plan::run(&statement, &arguments);
}

/// The row cannot be built: a large value was not sent and nobody here has it. The proof fetches it from a peer.
fn not_whole(arriving: &Arriving, table: &Table, changed: &Changed, after: &Row) {
    let gone = state::gone(table, &key_id::of(table, after), &arriving.version());
    let applies = decide(&gone.state, &arriving.version()).applies();
    let entry = Entry {
        kind: "UPDATE-DELETE",
        possible: true,
        winner: if applies { Winner::Remote } else { Winner::Local },
        local: None,
        remote: changed.after_json(table),
        base: gone.row_gone,
        local_version: state::known(&gone.state),
        reason: Some("the update did not send a large value, and the row is not here; it is fetched from a peer"),
        ..Entry::default()
    };
    entry.write(arriving, table, after);
}

/// Without a key a row that is not here cannot be told from one that was changed here.
fn without_key(arriving: &Arriving, table: &Table, changed: &Changed) {
    let Some(before) = &changed.before else { return };
    let _canonical = Canonical::begin();
    let entry = Entry {
        kind: if changed.change == Change::Delete { "UPDATE-DELETE" } else { "UPDATE-UPDATE" },
        possible: true,
        winner: Winner::Local,
        local: None,
        remote: changed.after_json(table),
        base: Some(before.json(table)),
        local_version: None,
        reason: Some("no row here equals the one before the change, and the table has no primary key to find it by"),
        ..Entry::default()
    };
    entry.write(arriving, table, before);
}
