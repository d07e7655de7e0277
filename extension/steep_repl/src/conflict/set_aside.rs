//! Changes that cannot be applied and that no retry changes: a constraint, a type, a missing column. They are taken out of
//! their transaction and stand in the conflict log; the rest of it is applied.

use crate::conflict::session::{self, Arriving};
use crate::pg::plan::{self, Argument};
use crate::pg::transaction::Failed;
use pgoutput::{Message, Tuple, Value};

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
    plan::rows(
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
}

fn json(names: &[String], tuple: &Tuple<'_>, before: Option<&Tuple<'_>>) -> String {
    let mut object = serde_json::Map::new();
    for (place, (name, value)) in names.iter().zip(&tuple.values).enumerate() {
        let value = match value {
            Value::Unchanged => before.and_then(|b| b.values.get(place)).copied().unwrap_or(Value::Unchanged),
            value => *value,
        };
        let value = match value {
            Value::Null => serde_json::Value::Null,
            Value::Unchanged => continue,
            Value::Text(text) => text.into(),
        };
        object.insert(name.clone(), value);
    }
    serde_json::Value::Object(object).to_string()
}
