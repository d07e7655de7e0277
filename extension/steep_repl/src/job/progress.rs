//! How far a job is, in the one shape that all kinds have.

use super::place::{Place, Stage};
use crate::pg::worker_process;
use serde_json::{Value, json};

/// The progress of a job as work_progress() and NOTIFY steep_repl_progress give it; rates a second, of this phase.
pub fn shape(place: &Place, state: &str) -> Value {
    let working = || place.streams.iter().filter(|stream| stream.stage == Stage::Assigned);
    let rows = place.rows_done + working().map(|stream| stream.rows).sum::<u64>();
    let bytes = place.bytes_done + working().map(|stream| stream.bytes).sum::<u64>();
    let units = place.units_done + working().map(|s| part(s.task.units, s.rows, s.task.rows)).sum::<u64>();
    let seconds = (worker_process::now() - place.phase_since).max(1) as f64 / 1e6;
    let rate = bytes.saturating_sub(place.bytes_before) as f64 / seconds;
    let share = if place.units_total == 0 { 0.0 } else { units as f64 / place.units_total as f64 };
    let percent = if state == "complete" { 100.0 } else { (share * 100.0).min(99.9) };
    let begun = units.saturating_sub(place.units_before);
    let known_speed = begun > 0 && begun as f64 > place.units_total.saturating_sub(place.units_before) as f64 * 0.02;
    let left = (state == "running" && known_speed)
        .then(|| (seconds / begun as f64 * place.units_total.saturating_sub(units) as f64).round() as u64);
    // In their own order: what shows them has a line for each.
    let streams: Vec<_> = working().filter(|stream| stream.pid != 0).collect();
    let busiest = streams.iter().max_by_key(|stream| stream.bytes);
    let known = |value: u64| (value > 0).then_some(value);
    json!({
        "id": place.id,
        "kind": place.kind.get(),
        "state": state,
        "phase": if state == "complete" { String::from("complete") } else { place.phase.get() },
        "percent": (percent * 10.0).round() / 10.0,
        "current_table": busiest.map(|stream| stream.table.get()),
        "tables_done": place.tables_done,
        "tables_total": place.tables_total,
        "rows_done": rows,
        "rows_total": known(place.rows_total),
        "bytes_done": bytes,
        "bytes_total": known(place.bytes_total),
        "bytes_per_second": (state == "running").then(|| rate.round() as u64),
        "seconds_left": left,
        "streams": streams.iter()
            .map(|stream| json!({"table": stream.table.get(), "rows": stream.rows, "bytes": stream.bytes}))
            .collect::<Vec<_>>(),
    })
}

/// How much of a task is done: its rows are an estimate, so it is never whole before it ends.
fn part(units: u64, rows: u64, expected: u64) -> u64 {
    let share = if expected == 0 { 0.0 } else { (rows as f64 / expected as f64).min(0.98) };
    (units as f64 * share) as u64
}
