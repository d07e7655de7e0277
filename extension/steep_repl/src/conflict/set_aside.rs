//! Changes that cannot be applied and that no retry changes: a constraint, a type, a missing column. They are taken out of
//! their transaction and stand in the conflict log; the rest of it is applied.

use crate::conflict::changed::Changed;
use crate::conflict::session::{self, Arriving};
use crate::conflict::{missing, put};
use crate::pg::key_id;
use crate::pg::plan::{self, Argument};
use crate::pg::table;
use crate::pg::transaction::Failed;
use pgoutput::{Message, Tuple, Value};
use std::cell::RefCell;
use std::collections::HashSet;

thread_local! {
    /// The end of a transaction, and the ids of the keys of which changes of it were set aside.
    static LOGGED: RefCell<(u64, HashSet<String>)> = RefCell::default();
}

/// Writes the current change into the conflict log, with the error that it has just failed with; without one, with the error
/// that is remembered of it. The table may not be here, so its values stay text.
pub fn log(arriving: &Arriving, failure: Option<&Failed>) {
    let Some(stream) = session::stream() else { return };
    let message = session::message();
    let names = &arriving.relation.columns;
    let (old, new) = match pgoutput::parse(&message) {
        Some(Message::Insert { new, .. }) => (None, Some(new)),
        Some(Message::Update { old, new, .. }) => (old, Some(new)),
        Some(Message::Delete { old, .. }) => (Some(old), None),
        _ => (None, None),
    };
    let keys = plan::rows(
        "SELECT steep_repl._log_apply_error($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)::text",
        &[
            Argument::text(&stream.subscription),
            Argument::text(&stream.peer),
            Argument::text(&arriving.relation.schema),
            Argument::text(&arriving.relation.name),
            Argument::of(new.as_ref().map(|tuple| json(names, tuple, old.as_ref()))),
            Argument::of(old.as_ref().map(|tuple| json(names, tuple, None))),
            Argument::of(Some(arriving.transaction.commit_time)),
            Argument::of(Some(i64::from(arriving.transaction.xid))),
            Argument::of(Some(arriving.transaction.final_lsn.cast_signed())),
            Argument::of(Some(i64::from(arriving.transaction.change))),
            Argument::of(failure.map(|f| f.sqlstate.as_str())),
            Argument::of(failure.map(|f| f.text.as_str())),
        ],
    );
    LOGGED.with_borrow_mut(|(transaction, logged)| {
        if *transaction != arriving.transaction.final_lsn {
            *transaction = arriving.transaction.final_lsn;
            logged.clear();
        }
        logged.extend(keys.into_iter().flatten().flatten().map(|id| id.replace('-', "")));
    });
}

/// After a change of a transaction of which others were set aside: what these had to do to the same keys is over.
pub fn overtake(arriving: &Arriving) {
    let transaction = &arriving.transaction;
    if LOGGED.with_borrow(|logged| logged.0 != transaction.final_lsn || logged.1.is_empty()) {
        return;
    }
    let Some(stream) = session::stream() else { return };
    let Some(root) = missing::managed(arriving) else { return };
    let table = table::by_oid(root.into());
    let Some(changed) = Changed::read(arriving, &table) else { return };
    let touched = changed.key_before.iter().chain(&changed.after).filter(|row| {
        let id = key_id::text(&key_id::of(&table, row));
        LOGGED.with_borrow(|logged| logged.1.contains(&id))
    });
    let keys: Vec<String> = touched.map(|row| put::key_json(row, &table)).collect();
    if keys.is_empty() {
        return;
    }
    plan::rows(
        "SELECT steep_repl._overtake($1, $2, $3, $4, $5, $6::jsonb[])::text",
        &[
            Argument::text(&stream.peer),
            Argument::of(Some(transaction.final_lsn.cast_signed())),
            Argument::of(Some(i64::from(transaction.change))),
            Argument::text(&arriving.relation.schema),
            Argument::text(&arriving.relation.name),
            Argument::of(Some(keys)),
        ],
    );
}

/// A value of a row before; of one of which only the key was sent nothing else is known.
fn known<'a>(tuple: &Tuple<'a>, place: usize) -> Option<Value<'a>> {
    tuple.values.get(place).copied().filter(|value| !tuple.key_only || !matches!(value, Value::Null))
}

fn json(names: &[String], tuple: &Tuple<'_>, before: Option<&Tuple<'_>>) -> String {
    let mut object = serde_json::Map::new();
    for (place, (name, value)) in names.iter().zip(&tuple.values).enumerate() {
        let value = match value {
            Value::Unchanged => before.and_then(|b| known(b, place)).unwrap_or(Value::Unchanged),
            value => *value,
        };
        let value = match value {
            Value::Null if tuple.key_only => continue,
            Value::Null => serde_json::Value::Null,
            Value::Unchanged => continue,
            Value::Text(text) => text.into(),
        };
        object.insert(name.clone(), value);
    }
    serde_json::Value::Object(object).to_string()
}
