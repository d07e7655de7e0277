//! Rows as the rules of folding see them: text by column, the same on all nodes.

use crate::pg::canonical::Canonical;
use crate::pg::row::{self, Row};
use crate::pg::table::Table;
use conflict::fold::Columns;

/// The columns of a row that are in the stream.
pub fn of(table: &Table, row: &Row) -> Columns {
    let _canonical = Canonical::begin();
    let sent = table.columns.iter().zip(&row.values).filter(|(column, _)| column.sent);
    sent.map(|(column, value)| (column.name.clone(), value.map(|v| row::write(column, v)))).collect()
}

/// The row that they are; a column that is missing, because it was added since, is null.
pub fn row(table: &Table, columns: &Columns) -> Row {
    let _canonical = Canonical::begin();
    let value = |name: &str| columns.get(name).and_then(Option::as_deref);
    Row {
        values: table
            .columns
            .iter()
            .map(|column| if column.sent { value(&column.name).map(|text| row::read(column, text)) } else { None })
            .collect(),
    }
}

/// As they are kept: a JSON object of texts.
pub fn text(columns: &Columns) -> String {
    let value = |value: &Option<String>| value.as_deref().map_or(serde_json::Value::Null, Into::into);
    let object = columns.iter().map(|(name, text)| (name.clone(), value(text)));
    serde_json::Value::Object(object.collect()).to_string()
}

/// The same read back.
pub fn read(text: &str) -> Option<Columns> {
    let serde_json::Value::Object(object) = serde_json::from_str(text).ok()? else { return None };
    let value = |value: serde_json::Value| match value {
        serde_json::Value::String(text) => Some(text),
        _ => None,
    };
    Some(object.into_iter().map(|(name, v)| (name, value(v))).collect())
}
