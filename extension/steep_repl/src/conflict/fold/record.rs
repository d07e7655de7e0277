//! Keeping the changes of rows: those of sessions, and those that arrive.

use crate::conflict::fold::{columns, version};
use crate::conflict::put::key_json;
use crate::pg::commit_time::Writer;
use crate::pg::key_id::{self, KeyId};
use crate::pg::plan::{self, Argument};
use crate::pg::row::Row;
use crate::pg::row_change::{self, Found, RowChange};
use crate::pg::table::Table;
use crate::pg::{tombstone, transaction};
use conflict::Version;
use conflict::fold::{Columns, Deed, Recorded};

/// A session has changed a row. `command` is the number of its command in the transaction.
pub fn own(table: &Table, command: i64, before: Option<&Row>, after: Option<&Row>) {
    let key = |row: &Row| key_id::of(table, row);
    let text = |row: &Row| Some(columns::text(&columns::of(table, row)));
    match (before, after) {
        (Some(old), Some(new)) if key(old) == key(new) => {
            write(table, &key(old), Deed::Update, ordinal(Deed::Update, command), text(old), text(new));
        }
        _ => {
            // A change of the key is a deletion and an insertion.
            if let Some(old) = before {
                write(table, &key(old), Deed::Delete, ordinal(Deed::Delete, command), text(old), None);
            }
            if let Some(new) = after {
                write(table, &key(new), Deed::Insert, ordinal(Deed::Insert, command), None, text(new));
            }
        }
    }
}

/// A change has arrived: kept under the version of the transaction that is being applied.
pub fn arrived(table: &Table, key: &KeyId, change: &Recorded) {
    let text = |row: &Option<Columns>| row.as_ref().map(columns::text);
    write(table, key, change.deed, change.ordinal, text(&change.before), text(&change.after));
}

/// What is here from before its changes were kept, a row or the deletion of one, as a change. A row of which nobody knows the
/// version is older than everything that arrives.
pub fn from_before(
    table: &Table,
    here: Option<&Columns>,
    row_gone: Option<&str>,
    version: Option<&Version>,
) -> Option<Recorded> {
    let (deed, before) = match here {
        Some(_) => (Deed::Update, None),
        // The types may have been narrowed since: then its values are not known any more.
        None => (
            Deed::Delete,
            row_gone
                .and_then(|row| transaction::in_subtransaction(|| columns::of_json(table, row).ok()).ok().flatten()),
        ),
    };
    let version = version.cloned().or_else(|| here.map(|_| Version::new(0, "")))?;
    Some(Recorded { version, ordinal: -1, deed, before, after: here.cloned() })
}

/// It counts as one from now on, under its own version.
pub fn counted(table: &Table, key: &KeyId, change: &Recorded) {
    let version = Some((change.version.time, change.version.node.to_string()));
    let text = |row: &Option<Columns>| row.as_ref().map(columns::text);
    let (kind, ordinal, before, after) =
        (letter(change.deed), change.ordinal, text(&change.before), text(&change.after));
    row_change::write(table.root, key, &RowChange { kind, ordinal, before, after, version });
}

/// The order of a change in its transaction, by the number of its command or message: one command deletes a key before it
/// inserts it.
pub fn ordinal(deed: Deed, command: i64) -> i64 {
    let place = match deed {
        Deed::Delete => 0,
        Deed::Update => 1,
        Deed::Insert | Deed::Set => 2,
        Deed::Base => 3,
    };
    command.saturating_mul(4) + place
}

fn write(table: &Table, key: &KeyId, deed: Deed, ordinal: i64, before: Option<String>, after: Option<String>) {
    let kind = letter(deed);
    row_change::write(table.root, key, &RowChange { kind, ordinal, before, after, version: None });
}

fn letter(deed: Deed) -> u8 {
    match deed {
        Deed::Delete => b'D',
        Deed::Update => b'U',
        Deed::Insert | Deed::Set => b'I',
        Deed::Base => b'B',
    }
}

/// The truncations of a table, as changes of each key, and whether they have committed. Those whose version nobody knows any more
/// are older than all others.
pub fn truncations(table: &Table, key: &KeyId) -> Vec<(Recorded, bool)> {
    let of = |found: tombstone::Found| {
        let version = match found.tombstone.version {
            Some((time, node)) => Some(Version { time, node: node.into() }),
            None => version::of_writer(table, found.writer, found.xid),
        };
        let version = version.unwrap_or_else(unknown);
        (Recorded { version, ordinal: -1, deed: Deed::Delete, before: None, after: None }, found.writer != Writer::Ours)
    };
    tombstone::find(table.root, key).into_iter().filter(|found| found.all_keys).map(of).collect()
}

/// Marks the changes that a person made to resolve a conflict.
pub fn mark_resolved(table: &Table, key_row: &Row, changes: &mut [Recorded]) {
    let found = plan::rows(
        "SELECT v.micros::text, v.node FROM steep_repl.resolutions r
          CROSS JOIN LATERAL steep_repl._row_version($1, $2::uuid, r.xmin) v
          WHERE r.table_schema = $3::name AND r.table_name = $4::name AND md5(r.key::text) = md5($5::jsonb::text)",
        &[
            Argument::oid(table.root),
            Argument::text(&key_id::text(&key_id::ALL_KEYS)),
            Argument::text(&table.schema),
            Argument::text(&table.name),
            Argument::text(&key_json(key_row, table)),
        ],
    );
    for row in found {
        let [Some(time), Some(node)] = &row[..] else { continue };
        let Ok(time) = time.parse() else { continue };
        let version = Version::new(time, node);
        for change in changes.iter_mut().filter(|c| c.version == version && c.deed != Deed::Base) {
            change.deed = Deed::Set;
        }
    }
}

/// A change that was found, with its version.
pub fn recorded(table: &Table, found: &Found) -> Recorded {
    let change = &found.change;
    let version = match &change.version {
        Some((time, node)) => Version { time: *time, node: node.as_str().into() },
        // Not by the key: that would be the version of a row.
        None => version::of_writer(table, found.writer, found.xid).unwrap_or_else(unknown),
    };
    Recorded {
        version,
        ordinal: change.ordinal,
        deed: match change.kind {
            b'I' => Deed::Insert,
            b'U' => Deed::Update,
            b'D' => Deed::Delete,
            _ => Deed::Base,
        },
        before: change.before.as_deref().and_then(columns::read),
        after: change.after.as_deref().and_then(columns::read),
    }
}

fn unknown() -> Version {
    Version::new(i64::MIN, "")
}
