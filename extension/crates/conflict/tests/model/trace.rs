//! A history that fails, to be read.

use std::fmt::Write;

use crate::check::check;
use crate::explore::Failure;
use crate::fact::Held;
use crate::network::{Action, World};
use crate::rules::Rules;

/// What failed and how to get there, with all left out that does not matter.
pub fn report(rules: &Rules, failure: &Failure) -> String {
    let short = shorten(rules, failure);
    format!("{}\n{}", short.what, trace(rules, &short.actions))
}

/// The history without the actions that it fails without, as far as leaving out one at a time leads.
fn shorten(rules: &Rules, failure: &Failure) -> Failure {
    let mut short = Failure { what: failure.what.clone(), actions: failure.actions.clone() };
    let mut gap = 0;
    while gap < short.actions.len() {
        let mut fewer = short.actions.clone();
        fewer.remove(gap);
        match run(rules, &fewer) {
            Some(failure) if failure.actions.len() < short.actions.len() => (short, gap) = (failure, 0),
            _ => gap += 1,
        }
    }
    short
}

/// Runs those of the actions that are possible, then lets all arrive. How it fails, if it does.
fn run(rules: &Rules, actions: &[Action]) -> Option<Failure> {
    let mut world = World::new(rules);
    let mut done = Vec::new();
    let mut wanted = actions.iter();
    loop {
        let next = match wanted.next() {
            Some(action) if !world.choices(rules).contains(action) => continue,
            Some(action) => Some(*action),
            None => world.work().next(),
        };
        let Some(action) = next else { break };
        done.push(action);
        if let Err(what) = world.step(action, rules) {
            return Some(Failure { what, actions: done });
        }
    }
    check(&world, rules).err().map(|what| Failure { what, actions: done })
}

fn trace(rules: &Rules, actions: &[Action]) -> String {
    let mut text = String::new();
    let mut world = World::new(rules);
    for action in actions {
        let before = world.ops.len();
        let result = world.step(*action, rules);
        let _ = writeln!(text, "{action:?}");
        for op in &world.ops[before..] {
            let _ = writeln!(
                text,
                "    write {}@{}: {:?} key {} instead of {}",
                op.id,
                op.stamp.time,
                op.deed,
                op.key,
                op.before.map_or("nothing".into(), |row| format!("{}'s row", row.op))
            );
        }
        for node in &world.nodes {
            let held: Vec<String> = node.held.iter().map(show).collect();
            let _ = writeln!(text, "    node {}: {}", node.id, held.join(", "));
        }
        if let Err(what) = result {
            let _ = writeln!(text, "    {what}");
        }
    }
    text
}

fn show(held: &Held) -> String {
    match held {
        Held::Absent => "-".into(),
        Held::Row { row, stamp, adopted, .. } => format!(
            "{}'s row (u={} v={})@{}/{}{}",
            row.op,
            row.u,
            row.v,
            stamp.time,
            stamp.node,
            if *adopted { " adopted" } else { "" }
        ),
        Held::Gone { op, stamp, displaced, .. } => {
            format!("{} by {op}@{}/{}", if *displaced { "displaced" } else { "gone" }, stamp.time, stamp.node)
        }
    }
}
