//! The rows that a load has brought, in the tables: counted, and taken back. What to do is said by sql/functions/loaded.sql.

use crate::error;
use crate::job::Lead;
use crate::pg::acting_as::ActingAs;
use crate::pg::plan::{self, Argument};
use crate::pg::replica_role;
use crate::pg::transaction::{Failed, attempt};
use pgrx::PgSqlErrorCode;
use snapshot_files::Table;

/// Has pieces loaded again whose rows are not all there any more, in these tables.
pub fn mend(lead: &mut Lead, tables: &[u32], joins: bool) -> Result<(), Failed> {
    for table in tables {
        attempt("counting what is loaded", || {
            replica_role::for_this_transaction();
            let query = "SELECT m.owner, m.statement FROM steep_repl._loaded_mend($1, $2, $3) m";
            let (id, table) = (Argument::of(Some(lead.id)), Argument::oid((*table).into()));
            as_owners(plan::rows(query, &[id, table, Argument::of(Some(joins))]));
        })?;
        lead.look()?;
    }
    Ok(())
}

/// An error unless all these tables, each with its share of the progress, hold the rows of the snapshot and no others.
pub fn count<'a>(lead: &mut Lead, tables: impl Iterator<Item = (&'a Table, u32, u64)>) -> Result<(), Failed> {
    let mut problems = Vec::new();
    for (table, relation, units) in tables {
        let name = format!("{}.{}", table.schema, table.table);
        problems.extend(lead.step("SELECT steep_repl._loaded_problem($1, $2, $3, $4)", || {
            let (id, rows) = (Argument::of(Some(lead.id)), Argument::of(Some(table.rows.cast_signed())));
            [id, Argument::oid(relation.into()), Argument::text(&name), rows]
        })?);
        lead.write(|place| place.units_done += units);
        lead.look()?;
    }
    let id = lead.id;
    lead.step("SELECT steep_repl._loaded_refuse($1, $2)", || [Argument::of(Some(id)), Argument::of(Some(problems))])
        .map(|_| ())
}

/// The tables that hold what a job has loaded.
pub fn tables(id: i64) -> Result<Vec<u32>, Failed> {
    attempt("looking what is loaded", || {
        let query = "SELECT DISTINCT p.relation FROM steep_repl.loaded_pieces p WHERE p.work_id = $1";
        plan::rows(query, &[Argument::of(Some(id))])
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|t| t.parse().ok())
            .collect()
    })
}

/// Empties those of these tables that hold nothing but what a job has loaded.
pub fn empty_all(id: i64, tables: &[u32]) {
    for table in tables {
        // Also where it cannot be had alone for a moment: rows can be deleted while others use it.
        if let Err(failed) = empty(id, *table) {
            pgrx::log!("steep_repl work {id}: rows are deleted one by one: {}", failed.text);
        }
    }
}

fn empty(id: i64, table: u32) -> Result<(), Failed> {
    attempt("emptying what was loaded", || {
        replica_role::for_this_transaction();
        let query = "SELECT t.owner, t.statement FROM steep_repl._loaded_truncation($1, $2) t";
        as_owners(plan::rows(query, &[Argument::of(Some(id)), Argument::oid(table.into())]));
    })
}

/// Takes away what a job has loaded, and nothing else.
pub fn delete(id: i64) -> Result<(), Failed> {
    attempt("deleting what was loaded", || {
        replica_role::for_this_transaction();
        let work = || [Argument::of(Some(id))];
        as_owners(plan::rows("SELECT d.owner, d.statement FROM steep_repl._loaded_deletions($1) d", &work()));
        // Foreign keys have not been looked at.
        for row in
            plan::rows("SELECT r.owner, r.statement, r.problem FROM steep_repl._loaded_references($1) r", &work())
        {
            let problem = row[2].clone().unwrap_or_default();
            if as_owners(vec![row]) > 0 {
                error::raise(PgSqlErrorCode::ERRCODE_FOREIGN_KEY_VIOLATION, problem, None, "Remove these rows.");
            }
        }
        plan::rows("SELECT steep_repl._loaded_forget($1)", &work());
    })
}

/// Runs statements as the owners of the tables, restricted: triggers that fire always are the owners' code. How many rows they
/// processed.
fn as_owners(rows: Vec<plan::Row>) -> u64 {
    rows.iter()
        .map(|row| match row.as_slice() {
            [Some(owner), Some(statement), ..] => {
                let _as_owner = ActingAs::table_owner(owner.parse::<u32>().unwrap_or(0).into());
                plan::once(statement)
            }
            _ => 0,
        })
        .sum()
}
