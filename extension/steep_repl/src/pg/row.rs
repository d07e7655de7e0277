//! A row's values in memory: from a table, or from a message of the stream.

use super::acting_as::ActingAs;
use super::table::{Column, JsonForm, Table};
use pgoutput::{Tuple, Value};
use pgrx::pg_sys;
use pgrx::pg_sys::submodules::ffi::pg_guard_ffi_boundary;
use std::ffi::{CStr, CString};

unsafe extern "C-unwind" {
    // src/include/utils/datum.h
    fn datum_image_eq(one: pg_sys::Datum, other: pg_sys::Datum, by_value: bool, length: i32) -> bool;
}

/// The values of a row, one a column of its table, dropped ones included. They lie in the memory of the current message
/// or statement.
#[derive(Clone)]
pub struct Row {
    pub values: Vec<Option<pg_sys::Datum>>,
}

impl Row {
    /// The values of a tuple.
    ///
    /// # Safety
    /// `tuple` has the columns of `descriptor` and outlives the row.
    pub unsafe fn of_tuple(tuple: pg_sys::HeapTuple, descriptor: pg_sys::TupleDesc) -> Self {
        // SAFETY: by the caller.
        unsafe {
            let count = (*descriptor).natts as usize;
            let mut values = vec![pg_sys::Datum::from(0); count];
            let mut nulls = vec![true; count];
            pg_sys::heap_deform_tuple(tuple, descriptor, values.as_mut_ptr(), nulls.as_mut_ptr());
            Self { values: values.into_iter().zip(nulls).map(|(v, null)| (!null).then_some(v)).collect() }
        }
    }

    /// The values of a row in a message whose columns have these names; `fallback` gives what was not sent because it had
    /// not changed. Also says whether all values of the table's sent columns are there.
    pub fn of_message(
        table: &Table,
        names: &[String],
        tuple: &Tuple<'_>,
        fallback: Option<&Tuple<'_>>,
    ) -> (Self, bool) {
        let mut values = vec![None; table.columns.len()];
        let mut whole = !tuple.key_only;
        for (name, value) in names.iter().zip(&tuple.values) {
            let Some(place) = table.place_of(name) else { continue };
            let value = match value {
                Value::Unchanged => {
                    let position = names.iter().position(|n| n == name);
                    let before = fallback.filter(|f| !f.key_only).and_then(|f| f.values.get(position?));
                    match before {
                        Some(Value::Unchanged) | None => {
                            whole = false;
                            continue;
                        }
                        Some(value) => *value,
                    }
                }
                value => *value,
            };
            if let Value::Text(text) = value {
                values[place] = Some(read(&table.columns[place], text));
            }
        }
        (Self { values }, whole)
    }

    /// The row as it lies in another table of the same partition tree, whose columns may have other places.
    pub fn laid_out(&self, here: &Table, there: &Table) -> Self {
        let value = |column: &Column| here.place_of(&column.name).and_then(|place| self.values[place]);
        Self { values: there.columns.iter().map(|column| if column.dropped { None } else { value(column) }).collect() }
    }

    /// Whether two rows have the same values in these columns, byte by byte: 1.0 and 1.00 differ.
    pub fn same(&self, other: &Self, table: &Table, places: impl IntoIterator<Item = usize>) -> bool {
        places.into_iter().all(|place| match (self.values[place], other.values[place]) {
            (None, None) => true,
            (Some(one), Some(two)) => same_image(&table.columns[place], one, two),
            _ => false,
        })
    }

    /// The row as a JSON object; the caller holds a `Canonical`.
    pub fn json(&self, table: &Table) -> String {
        self.json_of(table, (0..table.columns.len()).filter(|place| !table.columns[*place].dropped))
    }

    /// Some columns as a JSON object; the caller holds a `Canonical`.
    pub fn json_of(&self, table: &Table, places: impl IntoIterator<Item = usize>) -> String {
        let mut json = String::from("{");
        for place in places {
            let column = &table.columns[place];
            if json.len() > 1 {
                json.push_str(", ");
            }
            json.push_str(&column.label);
            match self.values[place] {
                None => json.push_str("null"),
                Some(value) => put_json(&mut json, column, value),
            }
        }
        json.push('}');
        json
    }
}

/// Whether two values of a column are the same, byte by byte.
pub fn same_image(column: &Column, one: pg_sys::Datum, two: pg_sys::Datum) -> bool {
    if column.by_value {
        return one.value() == two.value();
    }
    // SAFETY: values of the column's type.
    unsafe { pg_guard_ffi_boundary(|| datum_image_eq(one, two, column.by_value, i32::from(column.length))) }
}

/// A value from its text, as the apply worker reads it: checks of a domain run as the table's owner.
pub fn read(column: &Column, text: &str) -> pg_sys::Datum {
    let text = CString::new(text).unwrap_or_default();
    let _owner = column.checked_as.map(ActingAs::table_owner);
    // SAFETY: the input function of the column's type; it raises errors itself.
    unsafe {
        let (mut function, mut parameter) = (pg_sys::InvalidOid, pg_sys::InvalidOid);
        pg_sys::getTypeInputInfo(column.type_oid, &mut function, &mut parameter);
        pg_sys::OidInputFunctionCall(function, text.as_ptr().cast_mut(), parameter, column.modifier)
    }
}

/// The text of a value.
pub fn write(column: &Column, value: pg_sys::Datum) -> String {
    // SAFETY: the output function of the column's type. A copy of what was looked up is called, so that what the function
    // remembers goes with the memory of this change.
    unsafe {
        let mut function = *column.output.get_or_init(|| {
            let (mut function, mut variable) = (pg_sys::InvalidOid, false);
            pg_sys::getTypeOutputInfo(column.type_oid, &mut function, &mut variable);
            let mut info = pg_sys::FmgrInfo::default();
            pg_sys::fmgr_info_cxt(function, &mut info, pg_sys::TopMemoryContext);
            info
        });
        function.fn_mcxt = pg_sys::CurrentMemoryContext;
        CStr::from_ptr(pg_sys::OutputFunctionCall(&mut function, value)).to_string_lossy().into_owned()
    }
}

fn put_json(json: &mut String, column: &Column, value: pg_sys::Datum) {
    if column.json == JsonForm::Integer {
        let digits = match column.length {
            2 => i64::from(value.value() as i16),
            4 => i64::from(value.value() as i32),
            _ => value.value() as i64,
        };
        json.push_str(&digits.to_string());
        return;
    }
    let text = write(column, value);
    match column.json {
        JsonForm::Raw => json.push_str(&text),
        JsonForm::Boolean => json.push_str(if text == "t" { "true" } else { "false" }),
        // Not infinities and NaN, which JSON lacks, nor minus zero, which it loses.
        JsonForm::Number if text != "-0" && text.bytes().all(|b| b.is_ascii_digit() || b"+-.e".contains(&b)) => {
            json.push_str(&text);
        }
        // Nothing to escape.
        _ if text.bytes().all(|b| b >= b' ' && b != b'"' && b != b'\\') => {
            json.push('"');
            json.push_str(&text);
            json.push('"');
        }
        _ => json.push_str(&serde_json::Value::from(text).to_string()),
    }
}
