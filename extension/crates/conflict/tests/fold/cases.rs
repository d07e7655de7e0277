//! Single cases, as a person would tell them.

use crate::world::{Numbers, row, rules};
use conflict::Version;
use conflict::fold::{Columns, Deed, Fate, Folded, Merge, Recorded, fold, sort};

fn change(time: i64, node: &str, deed: Deed, before: Option<Columns>, after: Option<Columns>) -> Recorded {
    Recorded { version: Version::new(time, node), ordinal: 0, deed, before, after }
}

fn update(time: i64, node: &str, before: Columns, after: Columns) -> Recorded {
    change(time, node, Deed::Update, Some(before), Some(after))
}

/// Folds in every order of arrival; all must give the same.
fn folded(merge: Merge, changes: &[Recorded]) -> Folded {
    let mut results: Vec<Folded> = Vec::new();
    let mut places: Vec<usize> = (0..changes.len()).collect();
    orders(&mut places, 0, &mut |places| {
        let mut arrived: Vec<Recorded> = places.iter().map(|place| changes[*place].clone()).collect();
        sort(&mut arrived);
        results.push(fold(&rules(merge), &arrived, &Numbers { limit: 1000 }));
    });
    assert!(results.windows(2).all(|pair| pair[0] == pair[1]));
    results.remove(0)
}

fn orders(places: &mut Vec<usize>, from: usize, then: &mut dyn FnMut(&[usize])) {
    if from == places.len() {
        return then(places);
    }
    for other in from..places.len() {
        places.swap(from, other);
        orders(places, from + 1, then);
        places.swap(from, other);
    }
}

#[test]
fn sums_of_both_sides_count() {
    let start = row(10, "-", "-");
    let sold = update(1, "a", start.clone(), row(9, "-", "-"));
    let sold_too = update(2, "b", start, row(8, "-", "b"));
    let end = folded(Merge::Row, &[sold, sold_too]);
    assert_eq!(end.row, Some(row(7, "-", "b")));
    assert_eq!(end.version, Some(Version::new(2, "b")));
    assert_eq!(end.fates, [Fate::Seen, Fate::Merged]);
}

#[test]
fn columns_of_both_sides_stay_and_of_one_column_the_later() {
    let start = row(10, "-", "-");
    let early = update(1, "a", start.clone(), row(10, "a", "a"));
    let late = update(2, "b", start, row(10, "-", "b"));
    assert_eq!(folded(Merge::Columns, &[early.clone(), late.clone()]).row, Some(row(10, "a", "b")));
    assert_eq!(folded(Merge::Row, &[early, late]).row, Some(row(10, "-", "b")));
}

#[test]
fn a_function_gives_one_result_for_three_changes_in_all_orders() {
    let start = row(100, "-", "-");
    let changes = [0, 4, 8].map(|n| update(n, &format!("n{n}"), start.clone(), row(n, "-", "-")));
    assert_eq!(folded(Merge::Function, &changes).row, Some(row(5, "-", "-")));
}

#[test]
fn who_has_seen_the_merged_row_is_not_merged_again() {
    let start = row(10, "-", "-");
    let one = update(1, "a", start.clone(), row(0, "-", "-"));
    let two = update(2, "b", start, row(4, "-", "-"));
    let later = update(3, "a", row(2, "-", "-"), row(7, "-", "-"));
    let end = folded(Merge::Function, &[one, two, later]);
    assert_eq!(end.row, Some(row(7, "-", "-")));
    assert_eq!(end.fates[2], Fate::Seen);
}

#[test]
fn an_update_that_had_not_seen_the_deletion_brings_the_row_back() {
    let start = row(10, "-", "-");
    let sold = update(1, "a", start.clone(), row(9, "-", "-"));
    let gone = change(2, "b", Deed::Delete, Some(start.clone()), None);
    let later = update(3, "a", row(9, "-", "-"), row(8, "-", "-"));
    let end = folded(Merge::Row, &[sold.clone(), gone.clone(), later]);
    assert_eq!(end.row, Some(row(8, "-", "-")));
    let end = folded(Merge::Row, &[sold, gone]);
    assert_eq!((end.row, end.last), (None, Some(row(9, "-", "-"))));
}

#[test]
fn sums_made_on_a_row_that_was_inserted_anew_do_not_count() {
    let start = row(10, "-", "-");
    let gone = change(1, "b", Deed::Delete, Some(start.clone()), None);
    let anew = change(2, "b", Deed::Insert, None, Some(row(100, "b", "b")));
    let before = update(1, "a", start, row(9, "-", "-"));
    let after = update(3, "a", row(9, "-", "-"), row(7, "a", "-"));
    let end = folded(Merge::Columns, &[gone, anew, before, after]);
    assert_eq!(end.row, Some(row(100, "a", "b")));
    assert_eq!(*end.fates.last().unwrap(), Fate::Stale);
}

#[test]
fn nor_do_sums_made_on_those_sums() {
    let start = row(10, "-", "-");
    let gone = change(1, "b", Deed::Delete, Some(start.clone()), None);
    let anew = change(2, "b", Deed::Insert, None, Some(row(100, "b", "b")));
    let one = update(3, "a", start, row(9, "-", "-"));
    let two = update(4, "a", row(9, "-", "-"), row(8, "-", "-"));
    let seen = update(5, "b", row(100, "b", "b"), row(99, "b", "b"));
    let end = folded(Merge::Columns, &[gone, anew, one, two, seen]);
    assert_eq!(end.row, Some(row(99, "b", "b")));
    assert_eq!(end.fates[2..4], [Fate::Stale, Fate::Stale]);
}

#[test]
fn a_sum_that_breaks_a_constraint_leaves_the_later_row_whole() {
    let start = row(990, "-", "-");
    let one = update(1, "a", start.clone(), row(997, "a", "-"));
    let two = update(2, "b", start, row(996, "-", "b"));
    let end = folded(Merge::Columns, &[one, two]);
    assert_eq!(end.row, Some(row(996, "-", "b")));
    assert_eq!(end.fates, [Fate::Seen, Fate::Clipped]);
}

#[test]
fn what_a_person_decided_stands_as_it_is_and_takes_later_sums() {
    let start = row(10, "-", "-");
    let one = update(1, "a", start.clone(), row(9, "a", "-"));
    let two = update(2, "b", start.clone(), row(7, "-", "b"));
    let decided = change(3, "a", Deed::Set, Some(row(9, "a", "-")), Some(row(50, "p", "-")));
    let later = update(4, "b", row(50, "p", "-"), row(49, "p", "-"));
    let unseen = update(5, "b", row(7, "-", "b"), row(6, "-", "c"));
    for merge in [Merge::Columns, Merge::Function] {
        let end = folded(merge, &[one.clone(), two.clone(), decided.clone(), later.clone()]);
        assert_eq!(end.row, Some(row(49, "p", "-")));
        assert_eq!(end.fates[2..], [Fate::Seen, Fate::Seen]);
    }
    // Made on a row that the person had not left.
    assert_eq!(folded(Merge::Columns, &[one, two, decided, unseen]).row, Some(row(50, "p", "c")));
}

#[test]
fn a_column_that_was_added_meanwhile_is_that_of_who_has_it() {
    let with = |mut row: Columns, n: &str| {
        row.insert("new".into(), Some(n.into()));
        row
    };
    let mut rules = rules(Merge::Columns);
    rules.deltas.push("new".into());
    let one = update(1, "a", row(10, "-", "-"), row(9, "a", "-"));
    let two = update(2, "b", with(row(10, "-", "-"), "1"), with(row(8, "-", "b"), "3"));
    let end = fold(&rules, &[one.clone(), two.clone()], &Numbers { limit: 1000 });
    assert_eq!(end.row, Some(with(row(7, "a", "b"), "3")));
    let end = fold(&rules, &[two, Recorded { version: Version::new(3, "a"), ..one }], &Numbers { limit: 1000 });
    assert_eq!(end.row, Some(row(7, "a", "b")));
}

#[test]
fn a_base_stands_for_all_before_it() {
    let base = change(5, "a", Deed::Base, None, Some(row(20, "-", "-")));
    let older = update(4, "b", row(10, "-", "-"), row(11, "-", "-"));
    let later = update(6, "b", row(10, "-", "-"), row(13, "-", "-"));
    let end = folded(Merge::Row, &[base, older, later]);
    assert_eq!(end.row, Some(row(23, "-", "-")));
    assert_eq!(end.fates, [Fate::Past, Fate::Seen, Fate::Merged]);
}
