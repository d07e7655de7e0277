//! Rows that claim a unique value which others hold.

use crate::conflict::log::{Entry, Winner};
use crate::conflict::meanwhile;
use crate::conflict::put::{json, key_json};
use crate::conflict::session::{self, Arriving};
use crate::conflict::state;
use crate::pg::acting_as::ActingAs;
use crate::pg::key_id;
use crate::pg::plan::{self, Argument};
use crate::pg::row::{self, Row};
use crate::pg::stored_row::{OpenTable, StoredRow, with_open};
use crate::pg::table::Table;
use crate::pg::tombstone::{self, Tombstone};
use crate::pg::transaction;
use crate::pg::unique_index::Unique;
use conflict::{Clash, Version, clash};
use std::cell::RefCell;

/// A row by its leaf and the text of its key.
type Touched = (u32, Vec<Option<String>>);

thread_local! {
    /// Rows with deferrable unique values that the open transaction has written.
    static DEFERRED: RefCell<Vec<Touched>> = const { RefCell::new(Vec::new()) };
}

/// Whether an update changes a column of a unique index.
pub fn claims_anew(table: &Table, old: &Row, new: &Row) -> bool {
    table.uniques().iter().any(|index| !old.same(new, table, index.columns.iter().copied()))
}

/// Settles the clashes of an arriving row. True when it gives way: then it is displaced, and so is the older row
/// under its key. Otherwise those that hold its values are displaced and gone.
pub fn gives_way(open: &OpenTable, arriving: &Arriving, new: &Row, own: Option<&StoredRow>) -> bool {
    gives_way_at(open, arriving, &arriving.version(), new, own)
}

/// The same for a row that is as late as `version`.
pub fn gives_way_at(
    open: &OpenTable,
    arriving: &Arriving,
    version: &Version,
    new: &Row,
    own: Option<&StoredRow>,
) -> bool {
    let table = &open.table;
    if table.uniques().iter().any(|index| index.deferrable) {
        let key =
            table.key.iter().map(|place| new.values[*place].map(|v| row::write(&table.columns[*place], v))).collect();
        DEFERRED.with_borrow_mut(|list| list.push((table.oid.to_u32(), key)));
    }
    let holders = holders(open, new, false);
    settle(open, arriving, version, new, own, &holders)
}

/// At the end of a remote transaction: deferrable unique indexes, which apply workers do not enforce and which a
/// transaction may break in its midst.
pub fn check_deferred() {
    let list = DEFERRED.take();
    if list.is_empty() {
        return;
    }
    transaction::within_apply(|| {
        for (oid, key) in list {
            with_open(oid.into(), |open| check_row(open, &key));
        }
    });
}

fn check_row(open: &OpenTable, key: &[Option<String>]) {
    let table = &open.table;
    let Some(arriving) = session::transaction_of(&table.schema, &table.name) else { return };
    let mut like = Row { values: vec![None; table.columns.len()] };
    for (place, text) in table.key.iter().zip(key) {
        like.values[*place] = text.as_ref().map(|text| row::read(&table.columns[*place], text));
    }
    if let Some(stored) = open.find_by_key(&like) {
        let holders = holders(open, &stored.row, true);
        let known = state::known(&state::of_row(table, &stored)).cloned();
        settle(open, &arriving, &known.unwrap_or_else(|| arriving.version()), &stored.row, Some(&stored), &holders);
    }
}

fn settle(
    open: &OpenTable,
    arriving: &Arriving,
    version: &Version,
    new: &Row,
    own: Option<&StoredRow>,
    holders: &[(String, StoredRow)],
) -> bool {
    let table = &open.table;
    if holders.is_empty() {
        return false;
    }
    let versions: Vec<Option<Version>> =
        holders.iter().map(|(_, row)| state::known(&state::of_row(table, row)).cloned()).collect();
    let decision = clash(version, versions.iter().map(Option::as_ref));
    for ((index, holder), held) in holders.iter().zip(&versions) {
        let loses = match decision {
            Clash::HoldersGiveWay => true,
            Clash::ArrivingGivesWay => held.as_ref().is_some_and(|held| held > version),
        };
        if !loses {
            continue;
        }
        let reason = format!("both claim the same value in {index}");
        let entry = Entry {
            kind: "UNIQUE",
            possible: may_be_given_up(held.as_ref(), decision),
            winner: if decision == Clash::HoldersGiveWay { Winner::Remote } else { Winner::Local },
            local: Some(json(&holder.row, open)),
            remote: Some(json(new, open)),
            base: None,
            local_version: held.as_ref(),
            reason: Some(&reason),
            ..Entry::default()
        };
        match decision {
            Clash::HoldersGiveWay => {
                entry.write(arriving, table, &holder.row);
                open.remove(holder);
                displace(open, &holder.row, held.as_ref(), "unique");
            }
            Clash::ArrivingGivesWay => entry.write(arriving, table, new),
        }
    }
    if decision == Clash::ArrivingGivesWay {
        if let Some(row) = own {
            open.remove(row);
        }
        displace(open, new, Some(version), "unique");
        meanwhile::refuse_newcomer(table, new);
    }
    decision == Clash::ArrivingGivesWay
}

/// Whether the arriving row may come after its value was given up, and only the news of that is on its way here: by its
/// writer, or by a third node that changed the row.
fn may_be_given_up(held: Option<&Version>, decision: Clash) -> bool {
    let Some((held, stream)) = held.zip(session::stream()) else { return true };
    held.node != stream.me || session::others() && decision == Clash::HoldersGiveWay
}

/// The places of the rows that hold a value of a row in one of the unique indexes, each once, with the index; locked.
/// Expressions of the indexes are code of the table's owner.
pub fn clashes(open: &OpenTable, row: &Row, which: impl Fn(&Unique) -> bool) -> Vec<(String, String)> {
    let _owner = ActingAs::table_owner(open.table.owner);
    let mut places: Vec<(String, String)> = Vec::new();
    for index in open.table.uniques().iter().filter(|index| which(index)) {
        for place in plan::run(&index.clash_query, &[open.composite(row)]).0.into_iter().flatten().flatten() {
            if places.iter().all(|(_, known)| *known != place) {
                places.push((index.name.clone(), place));
            }
        }
    }
    places
}

/// The rows that hold a unique value of the new one, other than the row under its own key; each once, locked.
fn holders(open: &OpenTable, new: &Row, deferrable: bool) -> Vec<(String, StoredRow)> {
    let table = &open.table;
    let own = key_id::of(table, new);
    clashes(open, new, |index| index.deferrable == deferrable)
        .into_iter()
        .filter_map(|(index, place)| Some((index, open.at(&place)?)))
        .filter(|(_, row)| key_id::of(table, &row.row) != own)
        .collect()
}

/// Remembers a displaced row here, and has the worker tell all other nodes.
pub fn displace(open: &OpenTable, row: &Row, version: Option<&Version>, reason: &str) {
    let table = &open.table;
    // A row of which nobody knows the version is older than everything, and so is what is left of it: not a write of the
    // transaction that displaces it. What gave the value up, on another node, is still on its way and brings the row back.
    let version_of_row = version.map_or((0, String::new()), |v| (v.time, v.node.to_string()));
    let stone =
        Tombstone { row_gone: Some(json(row, open)), moved_to: None, displaced: true, version: Some(version_of_row) };
    tombstone::write(table.root, &key_id::of(table, row), &stone);
    tell_displaced(open, row, version, reason);
}

/// Has the worker tell all other nodes that a version of a row is displaced.
pub fn tell_displaced(open: &OpenTable, row: &Row, version: Option<&Version>, reason: &str) {
    let table = &open.table;
    plan::rows(
        "SELECT steep_repl._queue_displaced($1, $2, $3, $4, $5, $6)::text",
        &[
            Argument::text(&table.schema),
            Argument::text(&table.name),
            Argument::text(&key_json(row, table)),
            Argument::of(version.map(|v| v.time)),
            Argument::of(version.map(|v| v.node.to_string())),
            Argument::text(reason),
        ],
    );
}

/// Whether a displaced version of a row, or of one of the same transaction under its key, was displaced because the move
/// that made it lost.
pub fn moved(table: &Table, row: &Row, version: &Version) -> bool {
    let found = plan::rows(
        "SELECT 1 FROM (SELECT q.table_schema, q.table_name, q.key, q.version_time, q.version_node, q.reason FROM steep_repl.displaced_queue q
                        UNION ALL SELECT d.table_schema, d.table_name, d.key, d.version_time, d.version_node, d.reason FROM steep_repl.displaced d) d
          WHERE d.table_schema = $1 AND d.table_name = $2 AND d.key = $3::jsonb
            AND d.version_time = steep_repl._at($4) AND d.version_node = $5 AND d.reason = 'moved' LIMIT 1",
        &[
            Argument::text(&table.schema),
            Argument::text(&table.name),
            Argument::text(&key_json(row, table)),
            Argument::of(Some(version.time)),
            Argument::text(&version.node),
        ],
    );
    !found.is_empty()
}
