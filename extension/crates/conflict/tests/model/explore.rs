//! All histories, or one by chance.

use std::collections::HashSet;
use std::hash::BuildHasherDefault;

use crate::check::check;
use crate::hash::{AsIs, Chance};
use crate::network::{Action, World};
use crate::rules::Rules;

pub struct Failure {
    pub what: String,
    pub actions: Vec<Action>,
}

/// Every history that the rules allow, in every order of delivery. Returns the number of distinct worlds.
pub fn all(rules: &Rules) -> Result<usize, Failure> {
    let mut search = Search { rules, known: HashSet::default(), path: Vec::new() };
    match search.visit(&World::new(rules), Turn::Anybody) {
        Ok(()) => Ok(search.known.len()),
        Err(what) => Err(Failure { what, actions: search.path }),
    }
}

/// Who acts next. A write that arrives changes nothing for other nodes until its node sends something: so it may as well
/// arrive just before that, or at the very end, one node after the other. That is every history there is, only once.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    Anybody,
    /// A node receives what it needs for what it sends next.
    Only(u8),
    /// Nobody sends any more.
    Last(u8),
}

impl Turn {
    fn number(self) -> u128 {
        match self {
            Self::Anybody => 0,
            Self::Only(node) => 1 + u128::from(node),
            Self::Last(node) => 17 + u128::from(node),
        }
    }

    fn allows(self, action: Action) -> bool {
        match (self, action) {
            (Self::Anybody, _) => true,
            (Self::Only(node) | Self::Last(node), Action::Deliver { to, .. }) => node == to,
            (Self::Only(turn), action) => action.node() == turn,
            (Self::Last(_), _) => false,
        }
    }
}

struct Search<'a> {
    rules: &'a Rules,
    known: HashSet<u128, BuildHasherDefault<AsIs>>,
    path: Vec<Action>,
}

impl Search<'_> {
    /// On failure the path stays as it led there.
    fn visit(&mut self, world: &World, turn: Turn) -> Result<(), String> {
        if !self.known.insert(world.digest().wrapping_add(turn.number() << 64)) {
            return Ok(());
        }
        if world.quiet() {
            check(world, self.rules)?;
        }
        if turn == Turn::Anybody && world.local(self.rules) {
            self.visit(world, Turn::Last(0))?;
        }
        if let Turn::Last(node) = turn
            && (0..world.nodes.len() as u8).all(|from| from == node || !world.pending(from, node))
        {
            return if usize::from(node) + 1 < world.nodes.len() {
                self.visit(world, Turn::Last(node + 1))
            } else {
                Ok(())
            };
        }
        for action in world.choices(self.rules) {
            let silent = matches!(action, Action::Deliver { .. });
            if !turn.allows(action) {
                continue;
            }
            self.path.push(action);
            let mut next = world.clone();
            next.step(action, self.rules)?;
            let silent = silent && next.sent == world.sent;
            match (turn, action) {
                (Turn::Last(_), _) if !silent => {}
                (Turn::Last(_), _) => self.visit(&next, turn)?,
                (_, Action::Deliver { to, .. }) if silent && world.local(self.rules) && next.local(self.rules) => {
                    self.visit(&next, Turn::Only(to))?
                }
                _ => self.visit(&next, Turn::Anybody)?,
            }
            self.path.pop();
        }
        Ok(())
    }
}

/// One history by chance: writes and deliveries in bursts, so that streams run far apart and together again.
pub fn by_chance(rules: &Rules, chance: &mut Chance) -> Result<(), Failure> {
    let mut world = World::new(rules);
    let mut actions = Vec::new();
    let mut eagerness = 50;
    loop {
        if chance.below(8) == 0 {
            eagerness = [15, 50, 80][chance.below(3)];
        }
        let work: Vec<Action> = world.work().collect();
        let wanted =
            if chance.below(100) < eagerness && !work.is_empty() { work } else { others(&world, rules, chance) };
        let choices = if wanted.is_empty() { world.work().collect() } else { wanted };
        let failed = |what, actions: &[Action]| Err(Failure { what, actions: actions.to_vec() });
        if world.quiet()
            && let Err(what) = check(&world, rules)
        {
            return failed(what, &actions);
        }
        if choices.is_empty() {
            return Ok(());
        }
        let action = choices[chance.below(choices.len())];
        actions.push(action);
        if let Err(what) = world.step(action, rules) {
            return failed(what, &actions);
        }
    }
}

fn others(world: &World, rules: &Rules, chance: &mut Chance) -> Vec<Action> {
    let (writes, events): (Vec<Action>, Vec<Action>) = world
        .choices(rules)
        .into_iter()
        .filter(|action| !matches!(action, Action::Deliver { .. } | Action::Publish { .. }))
        .partition(|action| matches!(action, Action::Write { .. }));
    let full = world.ops.len() + 4 > 60;
    match (writes.is_empty() || full, events.is_empty()) {
        (true, _) => {
            if full {
                Vec::new()
            } else {
                events
            }
        }
        (false, true) => writes,
        (false, false) => {
            if chance.below(10) == 0 {
                events
            } else {
                writes
            }
        }
    }
}
