//! Filling a node from a snapshot: its rows are loaded by a job, in parallel; then each table joins, with the versions of its
//! rows. The steps are in sql/functions/snapshot_node.sql.

use super::initialise::{call, leave_out, sql};
use crate::pg::latch;
use crate::pg::transaction::{self, Failed, attempt};
use crate::pg::worker_process;
use crate::snapshot::versions::Versions;
use std::path::Path;
use std::time::Duration;

/// Steps 1 to 4: the source, and its positions, are those of when the snapshot was taken.
pub fn run(id: i64) -> Result<(), Failed> {
    let listed = call("_init_positions", id, vec![])?.ok_or_else(|| String::from("the source lists no tables"))?;
    call("_init_tables", id, vec![listed.as_str().into()])?;
    call("_init_origin", id, vec![])?;
    // No limit: it shows how far it is, and ends by itself.
    while let Some(waits) = call("_init_load", id, vec![worker_process::my_pid().into()])? {
        call("_init_phase", id, vec![waits.as_str().into()])?;
        latch::wait(Duration::from_millis(100));
    }
    let folder = call("_init_snapshot_path", id, vec![])?.unwrap_or_default();
    let versions = Versions::of(Path::new(&folder))?;
    while let Some(table) = call("_init_next_table", id, vec![])? {
        if let Err(error) = join(id, &table, &versions) {
            leave_out(id, &table, &error)?;
        }
    }
    Ok(())
}

/// One table in one transaction, together with its entries in all subscriptions and in the publication.
fn join(id: i64, table: &str, versions: &Versions) -> Result<(), Failed> {
    attempt(&format!("joining {table}"), || {
        let loaded = sql("_init_loaded_begin", id, vec![table.into()]).unwrap_or_default();
        let loaded: serde_json::Value = serde_json::from_str(&loaded).unwrap_or_default();
        let (relation, rows) = (loaded["relation"].as_i64().unwrap_or(0), loaded["rows"].as_i64().unwrap_or(0));
        transaction::show(&format!("versions of {table}, {rows} rows"));
        let name = |key: &str| loaded[key].as_str().unwrap_or_default();
        versions.read(name("schema"), name("table"), |some| {
            sql("_init_take_versions", id, vec![relation.into(), some.into(), true.into()]);
        });
        sql("_init_table_done", id, vec![table.into(), rows.into(), 0_i64.into()]);
    })
}
