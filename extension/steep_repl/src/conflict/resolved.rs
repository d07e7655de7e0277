//! Resolutions by hand that arrive: their write goes over what the person had seen, whatever the table's strategy says.

use crate::conflict::{by_hand, put, session, state};
use crate::pg::key_id;
use crate::pg::plan::{self, Argument};
use crate::pg::row::Row;
use crate::pg::table::{self, Table};
use conflict::{State, Version};
use pgrx::prelude::*;

/// Notes that the open remote transaction resolves a key by hand. `replaces`: `[[microseconds since 2000, node], …]`.
#[pg_extern(sql = false)]
fn absolute(root: pg_sys::Oid, key: pgrx::JsonB, replaces: pgrx::JsonB) {
    let table = table::by_oid(root);
    let id = key_id::of(&table, &by_hand::key_row(&table, &key));
    let versions = replaces.0.as_array().into_iter().flatten();
    let versions = versions.filter_map(|v| Some(Version::new(v.get(0)?.as_i64()?, v.get(1)?.as_str()?)));
    session::resolve(root.to_u32(), id, versions.collect());
}

/// Whether what arrives for a key was decided by a person who had seen what is here: then it applies, and is no conflict.
pub fn applies(table: &Table, key: &Row, held: &State) -> bool {
    session::resolves(table.root.to_u32(), || key_id::of(table, key), held)
}

/// Whether what is here was decided by a person who had seen what arrives: then it stays, and is no conflict.
pub fn stands(table: &Table, key: &Row, held: &State, arriving: &Version) -> bool {
    let Some(here) = state::known(held) else { return false };
    let found = plan::rows(
        "SELECT 1 WHERE steep_repl._resolved_over($1, $2, $3::jsonb, $4, $5, $6, $7)",
        &[
            Argument::text(&table.schema),
            Argument::text(&table.name),
            Argument::text(&put::key_json(key, table)),
            Argument::of(Some(here.time)),
            Argument::text(&here.node),
            Argument::of(Some(arriving.time)),
            Argument::text(&arriving.node),
        ],
    );
    !found.is_empty()
}
