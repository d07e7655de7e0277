//! Rows as the rules of folding see them: text by column, the same on all nodes.

use crate::pg::canonical::Canonical;
use crate::pg::row::{self, Row};
use crate::pg::table::{JsonForm, Table};
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

/// Those of a row that stands as JSON in the log or came from a user's function; or why they are none.
pub fn of_json(table: &Table, text: &str) -> Result<Columns, String> {
    let serde_json::Value::Object(given) = serde_json::from_str(text).map_err(|e| e.to_string())? else {
        return Err("no row".into());
    };
    let _canonical = Canonical::begin();
    let mut columns = Columns::new();
    for column in table.columns.iter().filter(|column| column.sent) {
        let value = given.get(&column.name).ok_or_else(|| format!("no column {}", column.name))?;
        let text = match value {
            serde_json::Value::Null => None,
            serde_json::Value::String(text) if column.json != JsonForm::Raw => Some(text.clone()),
            other => Some(other.to_string()),
        };
        columns.insert(column.name.clone(), text.map(|text| row::write(column, row::read(column, &text))));
    }
    match given.keys().find(|name| !columns.contains_key(*name)) {
        Some(stranger) => Err(format!("{stranger}, which is no column of the table")),
        None => Ok(columns),
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
