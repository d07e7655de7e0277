//! A fold that is taken up where it was left gives what a whole one gives.

use crate::chance::{Chance, with_seeds};
use crate::world::{Numbers, World};
use conflict::fold::{Deed, History, Recorded, fold, sort};

/// Changes come in any order, some of them for a look only; bases take the place of the oldest.
fn history(seed: u64) {
    let mut chance = Chance(seed);
    let mut world = World::by_chance(&mut chance, 160);
    world.drain();
    let arithmetic = Numbers { limit: world.limit };
    let mut coming: Vec<Recorded> = world.nodes[0].has.iter().map(|id| world.written[*id].1.clone()).collect();
    for _ in 0..chance.below(80) {
        // Mostly in the order of versions, as streams that keep up.
        let (one, other) = (chance.below(coming.len().max(1)), chance.below(4));
        if one + other < coming.len() {
            coming.swap(one, one + other);
        }
    }
    let mut kept: Vec<Recorded> = vec![];
    let mut resumed = History::default();
    while !coming.is_empty() {
        let mut more: Vec<Recorded> = coming.iter().take(chance.below(4)).cloned().collect();
        sort(&mut more);
        let mut all = kept.clone();
        all.extend(more.clone());
        sort(&mut all);
        let whole = fold(&world.rules, &all, &arithmetic);
        let again = resumed.fold(&world.rules, &more, more.first(), &arithmetic);
        assert_eq!((&again.row, &again.version), (&whole.row, &whole.version));
        let asked = more.first().map_or(0, |first| all.iter().filter(|c| c.version >= first.version).count());
        assert_eq!(again.fates, whole.fates[all.len() - asked..], "what became of the last ones");
        if let Some(first) = more.first() {
            let later = kept.iter().any(|c| c.version >= first.version && *c.version.node == *"n0");
            assert_eq!(resumed.any_since(first, "n0"), later);
        }
        let change = coming.remove(0);
        assert!(!resumed.contains(&change));
        resumed.add(change.clone());
        assert!(resumed.contains(&change));
        kept.push(change);
        sort(&mut kept);
        if kept.len() > 3 && chance.below(12) == 0 && coming.iter().all(|c| c.version > kept[2].version) {
            let past: Vec<Recorded> = kept.drain(..3).collect();
            let folded = fold(&world.rules, &past, &arithmetic);
            let version = folded.version.expect("a change");
            let base =
                Recorded { version, ordinal: i64::MAX, deed: Deed::Base, before: folded.last, after: folded.row };
            resumed.add(base.clone());
            kept.insert(0, base);
        }
        assert_eq!(resumed.len(), kept.len());
    }
}

#[test]
fn a_fold_that_is_resumed_gives_what_a_whole_one_gives() {
    with_seeds(300, history);
}
