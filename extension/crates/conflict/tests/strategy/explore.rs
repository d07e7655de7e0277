//! All histories.

use crate::world::{Action, Rules, World};
use std::collections::HashSet;

/// Goes through all of them; the number of worlds, or the first history that breaks a rule.
pub fn all(rules: &Rules) -> Result<usize, String> {
    let mut known = HashSet::new();
    let mut way = Vec::new();
    visit(World::new(rules), rules, &mut known, &mut way)?;
    Ok(known.len())
}

fn visit(world: World, rules: &Rules, known: &mut HashSet<u64>, way: &mut Vec<Action>) -> Result<(), String> {
    if !known.insert(world.key()) {
        return Ok(());
    }
    let actions = world.actions(rules);
    if !actions.iter().any(|action| matches!(action, Action::Deliver { .. })) {
        let mut end = world.clone();
        end.settle(rules, true).map_err(|broken| {
            format!("{broken}, under {:?}, then {:?}:\n{}", rules.strategy, rules.then, trace(way))
        })?;
    }
    for action in actions {
        let mut next = world.clone();
        next.step(action, rules);
        way.push(action);
        visit(next, rules, known, way)?;
        way.pop();
    }
    Ok(())
}

pub fn trace(way: &[Action]) -> String {
    way.iter().map(|action| format!("  {action:?}\n")).collect()
}
