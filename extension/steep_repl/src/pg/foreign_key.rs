//! Foreign keys of a table and to it, with other replicated tables.

use super::plan::{self, Argument};
use pgrx::pg_sys;

/// A unique index of the table that foreign keys refer to.
pub struct Referred {
    pub index: pg_sys::Oid,
    pub columns: Vec<String>,
}

/// A foreign key of the table.
pub struct Referring {
    pub constraint: pg_sys::Oid,
    pub columns: Vec<String>,
    /// The replicated table that it refers to.
    pub parent: pg_sys::Oid,
    /// It refers to the primary key: a parent that is gone has a tombstone.
    pub to_key: bool,
    /// Takes the values of the columns, returns a row when the parent is there.
    pub parent_query: String,
}

#[derive(Default)]
pub struct ForeignKeys {
    pub referred: Vec<Referred>,
    pub referring: Vec<Referring>,
}

/// Whether a table has foreign keys, or is referred to: the server's own triggers tell.
///
/// # Safety
/// `relation` is open.
pub unsafe fn any(relation: pg_sys::Relation) -> bool {
    // SAFETY: the triggers of an open relation.
    unsafe {
        let triggers = (*relation).trigdesc;
        !triggers.is_null()
            && (0..(*triggers).numtriggers).any(|place| {
                let trigger = &*(*triggers).triggers.add(place as usize);
                pg_sys::RI_FKey_trigger_type(trigger.tgfoid) != pg_sys::RI_TRIGGER_NONE as i32
            })
    }
}

/// Those of a table or leaf partition.
pub fn of(oid: pg_sys::Oid) -> ForeignKeys {
    let mut found = ForeignKeys::default();
    let rows = plan::rows(
        "SELECT index_id, constraint_id, columns, parent, to_key, parent_query FROM steep_repl._foreign_keys_of($1)",
        &[Argument::oid(oid)],
    );
    for row in rows {
        let [index, constraint, columns, parent, to_key, query] =
            <[Option<String>; 6]>::try_from(row).unwrap_or_default();
        let columns: Vec<String> = columns.and_then(|c| serde_json::from_str(&c).ok()).unwrap_or_default();
        let oid = |text: Option<String>| text.and_then(|t| t.parse::<u32>().ok()).map(pg_sys::Oid::from);
        match (oid(index), oid(constraint), oid(parent), query) {
            (Some(index), None, ..) => found.referred.push(Referred { index, columns }),
            (_, Some(constraint), Some(parent), Some(parent_query)) => found.referring.push(Referring {
                constraint,
                columns,
                parent,
                to_key: to_key.as_deref() == Some("t"),
                parent_query,
            }),
            _ => {}
        }
    }
    found
}
