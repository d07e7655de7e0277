//! What settings a PostgreSQL 18 server needs to be a node, as a pure function of their values.
//!
//! Source of the counts: PostgreSQL documentation, "Logical Replication – Configuration Settings".
#![forbid(unsafe_code)]

/// A setting that is wrong, and the line to put into postgresql.conf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub name: &'static str,
    pub current: String,
    /// The value as it stands in postgresql.conf, quoted where needed.
    pub wanted: String,
    /// Why, in a sentence.
    pub problem: String,
}

/// Slots beyond one a peer: a copy in progress, and one to spare for a node that is being added.
const SPARE: u32 = 2;

/// All problems of a server whose settings `read` returns (as current_setting shows them; "" when unknown), for a
/// node with `peers` peers.
pub fn check(peers: u32, read: impl Fn(&str) -> String) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut report = |name, current: String, wanted: String, problem: &str| {
        problems.push(Problem { name, current, wanted, problem: problem.to_owned() });
    };

    let preloaded = read("shared_preload_libraries");
    if !preloaded.split(',').any(|l| matches!(l.trim().trim_matches('"'), "steep_repl" | "$libdir/steep_repl")) {
        let both =
            if preloaded.trim().is_empty() { "steep_repl".to_owned() } else { format!("{preloaded}, steep_repl") };
        report(
            "shared_preload_libraries",
            preloaded,
            format!("'{both}'"),
            "the worker that makes and watches links runs only when the server loads the library",
        );
    }
    let wal_level = read("wal_level");
    if wal_level != "logical" {
        report("wal_level", wal_level, "logical".into(), "changes can be sent to peers only from a logical WAL");
    }
    let timestamps = read("track_commit_timestamp");
    if timestamps != "on" {
        report(
            "track_commit_timestamp",
            timestamps,
            "on".into(),
            "without commit times it cannot be told which write came later",
        );
    }

    let needs = [
        ("max_replication_slots", peers + SPARE, "one slot for each peer, and some for copies"),
        ("max_wal_senders", peers + SPARE, "one sender for each peer, and some for copies"),
        ("max_active_replication_origins", peers + SPARE, "one origin for each peer, and one for copies"),
        ("max_logical_replication_workers", peers + 1, "one apply worker for each peer"),
        // The launchers of PostgreSQL and of ours, one worker and one initialisation, the apply workers; and a job, that
        // is a leader and a stream at least, so that a snapshot can be taken of a node that is linked.
        ("max_worker_processes", peers + 7, "the apply workers, the launchers and workers, and work in the background"),
    ];
    for (name, least, why) in needs {
        let current = read(name);
        if current.parse::<u32>().is_ok_and(|value| value < least) {
            report(name, current, least.to_string(), why);
        }
    }

    let idle = read("idle_replication_slot_timeout");
    if !matches!(idle.as_str(), "" | "0" | "0s" | "0min") {
        report(
            "idle_replication_slot_timeout",
            idle,
            "0".into(),
            "a peer that is away longer than that would have to be initialised anew",
        );
    }
    let keep = read("max_slot_wal_keep_size");
    if !matches!(keep.as_str(), "" | "-1") && megabytes(&keep).is_some_and(|mb| mb < 10_240) {
        report(
            "max_slot_wal_keep_size",
            keep,
            "-1".into(),
            "a peer that falls behind by more than that would have to be initialised anew",
        );
    }
    problems
}

/// A size as current_setting shows it, in megabytes.
fn megabytes(size: &str) -> Option<u64> {
    let digits = size.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: u64 = digits.parse().ok()?;
    match &size[digits.len()..] {
        "kB" => Some(number / 1024),
        "MB" | "" => Some(number),
        "GB" => Some(number * 1024),
        "TB" => Some(number * 1024 * 1024),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server<'a>(changes: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> String + 'a {
        let good = [
            ("shared_preload_libraries", "pg_stat_statements, steep_repl"),
            ("wal_level", "logical"),
            ("track_commit_timestamp", "on"),
            ("max_replication_slots", "10"),
            ("max_wal_senders", "10"),
            ("max_active_replication_origins", "10"),
            ("max_logical_replication_workers", "8"),
            ("max_worker_processes", "16"),
            ("idle_replication_slot_timeout", "0"),
            ("max_slot_wal_keep_size", "-1"),
        ];
        move |name| {
            let find = |list: &[(&str, &str)]| list.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
            find(changes).or_else(|| find(&good)).unwrap_or_default()
        }
    }

    fn names(changes: &[(&str, &str)], peers: u32) -> Vec<&'static str> {
        check(peers, server(changes)).iter().map(|p| p.name).collect()
    }

    #[test]
    fn a_good_server_has_no_problems() {
        assert_eq!(names(&[], 3), Vec::<&str>::new());
    }

    #[test]
    fn all_problems_come_at_once() {
        let changes = [("wal_level", "replica"), ("track_commit_timestamp", "off"), ("shared_preload_libraries", "")];
        assert_eq!(names(&changes, 1), ["shared_preload_libraries", "wal_level", "track_commit_timestamp"]);
    }

    #[test]
    fn libraries_that_are_there_are_kept() {
        let problems = check(1, server(&[("shared_preload_libraries", "auto_explain")]));
        assert_eq!(problems[0].wanted, "'auto_explain, steep_repl'");
    }

    #[test]
    fn counts_grow_with_the_peers() {
        assert_eq!(names(&[("max_replication_slots", "4")], 2), Vec::<&str>::new());
        assert_eq!(names(&[("max_replication_slots", "4")], 3), ["max_replication_slots"]);
        assert_eq!(check(3, server(&[("max_replication_slots", "4")]))[0].wanted, "5");
    }

    #[test]
    fn settings_that_would_drop_a_peer_are_harmful() {
        assert_eq!(names(&[("idle_replication_slot_timeout", "1d")], 1), ["idle_replication_slot_timeout"]);
        assert_eq!(names(&[("max_slot_wal_keep_size", "512MB")], 1), ["max_slot_wal_keep_size"]);
        assert_eq!(names(&[("max_slot_wal_keep_size", "20GB")], 1), Vec::<&str>::new());
    }
}
