//! The stream that this apply worker receives, its open transaction and the change that is being applied.

use crate::pg::apply_trigger;
use crate::pg::key_id::KeyId;
use crate::pg::plan::{self, Argument};
use crate::pg::table::{self, Table};
use conflict::{State, Version};
use pgoutput::{Message, Relation};
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

/// What does not change while the worker runs.
#[derive(Clone)]
pub struct Stream {
    pub me: Arc<str>,
    pub peer: Arc<str>,
    pub subscription: Rc<str>,
    pub subscription_oid: u32,
    /// The origin number of the peer, and since which local transaction it has meant that peer.
    pub origin: u16,
    pub origin_since: u32,
    /// Under which names sessions of this database wrote before it became this node, and up to which transaction, the oldest
    /// first: it was completed from a copy.
    pub before: Rc<[(u32, Arc<str>)]>,
}

/// The remote transaction that is being applied.
#[derive(Clone, Copy, Debug, Default)]
pub struct Transaction {
    pub final_lsn: u64,
    pub commit_time: i64,
    pub xid: u32,
    /// Which change of it is the current one, from 1.
    pub change: u32,
}

/// Who applies a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// The server's apply worker.
    Worker,
    /// We, one by one: something in its transaction could not be applied, and a worker that fails at each such change would
    /// be started anew for each.
    ByHand,
    /// Nobody: no retry could apply it. It is logged.
    SetAside,
}

/// A change of a row that has been handed to the apply worker and not yet been settled.
pub struct Current {
    pub relation: Rc<Relation>,
    /// Our trigger has decided about it.
    pub decided: bool,
    pub how: How,
}

struct Session {
    stream: Stream,
    /// Whether there are further nodes, as of a state of the catalogue (`table::changes`): one may join while this worker runs.
    others: Option<(u64, bool)>,
    transaction: Transaction,
    relations: HashMap<u32, Rc<Relation>>,
    current: Option<Current>,
    message: Vec<u8>,
    /// The end of the transaction has been handed to the worker.
    ending: bool,
    /// Changes that no retry could apply, by the end of their transaction and their number in it.
    set_aside: HashSet<(u64, u32)>,
    /// Keys that somebody resolved by hand in this transaction, with the versions that its write replaces.
    resolved: HashMap<(u32, KeyId), Vec<Version>>,
    /// How long users' functions took in this transaction.
    resolving: Duration,
}

thread_local! {
    static SESSION: RefCell<Option<Session>> = const { RefCell::new(None) };
}

/// Begins to look at the stream of the slot, when that is one of our links.
pub fn begin(slot: &str, origin: u16) {
    let row = plan::rows(
        "SELECT * FROM steep_repl._apply_session($1, $2)",
        &[Argument::text(slot), Argument::of(Some(i32::from(origin)))],
    );
    let session = row.into_iter().next().and_then(|row| {
        let [me, peer, subscription, oid, since, before] = <[Option<String>; 6]>::try_from(row).ok()?;
        Some(Session {
            stream: Stream {
                me: me?.into(),
                peer: peer?.into(),
                subscription: subscription?.into(),
                subscription_oid: oid?.parse().ok()?,
                origin,
                origin_since: since?.parse().ok()?,
                before: serde_json::from_str::<Vec<(u32, String)>>(&before?)
                    .ok()?
                    .into_iter()
                    .map(|(until, node)| (until, node.into()))
                    .collect(),
            },
            others: None,
            transaction: Transaction::default(),
            relations: HashMap::new(),
            current: None,
            message: Vec::new(),
            ending: false,
            set_aside: HashSet::new(),
            resolved: HashMap::new(),
            resolving: Duration::ZERO,
        })
    });
    let set_aside = session.as_ref().map(|s| set_aside(&s.stream.peer)).unwrap_or_default();
    SESSION.set(session.map(|s| Session { set_aside, ..s }));
}

fn set_aside(peer: &str) -> HashSet<(u64, u32)> {
    plan::rows("SELECT finished_at, change FROM steep_repl._set_aside($1)", &[Argument::text(peer)])
        .into_iter()
        .filter_map(|row| Some((row[0].as_deref()?.parse().ok()?, row[1].as_deref()?.parse().ok()?)))
        .collect()
}

/// Where in the stream the worker is: the end of the open transaction and the number of the change. Raises nothing: called
/// while an error is being reported.
pub fn position() -> Option<(u64, u32)> {
    SESSION
        .try_with(|session| {
            let session = session.try_borrow().ok()?;
            session.as_ref().map(|s| (s.transaction.final_lsn, s.transaction.change))
        })
        .ok()
        .flatten()
}

/// What becomes of a message.
pub enum Noted {
    Apply,
    /// A transaction begins, with this commit time.
    Begin(i64),
    /// The worker must not see it.
    Withhold,
}

/// The worker asks for the next message: a transaction whose end it had been given has committed.
pub fn committed() -> Option<(u32, i64)> {
    SESSION.with_borrow_mut(|session| {
        let session = session.as_mut()?;
        std::mem::take(&mut session.ending)
            .then_some((session.stream.subscription_oid, session.transaction.commit_time))
    })
}

/// Takes note of a message that is about to be applied.
pub fn note(message: &[u8]) -> Noted {
    SESSION.with_borrow_mut(|session| {
        let Some(session) = session.as_mut() else { return Noted::Apply };
        match pgoutput::glance(message) {
            (b'I' | b'U' | b'D', relation) => {
                session.transaction.change += 1;
                let place = (session.transaction.final_lsn, session.transaction.change);
                let known = session.relations.get(&relation);
                let how = match known {
                    Some(_) if session.set_aside.is_empty() => How::Worker,
                    Some(_) if session.set_aside.contains(&place) => How::SetAside,
                    Some(_) if session.set_aside.iter().any(|(lsn, _)| *lsn == place.0) => How::ByHand,
                    _ => How::Worker,
                };
                session.current = known.map(|r| Current { relation: r.clone(), decided: false, how });
                session.message.clear();
                session.message.extend_from_slice(message);
                if how == How::Worker { Noted::Apply } else { Noted::Withhold }
            }
            (b'B' | b'R', _) => match pgoutput::parse(message) {
                Some(Message::Begin { final_lsn, commit_time, xid }) => {
                    session.transaction = Transaction { final_lsn, commit_time, xid, change: 0 };
                    session.resolved.clear();
                    session.resolving = Duration::ZERO;
                    Noted::Begin(commit_time)
                }
                Some(Message::Relation(relation)) => {
                    if relation.schema != "steep_repl" {
                        session.relations.insert(relation.id, Rc::new(relation));
                    }
                    Noted::Apply
                }
                _ => Noted::Apply,
            },
            (b'C', _) => {
                session.ending = true;
                Noted::Apply
            }
            _ => Noted::Apply,
        }
    })
}

/// Whether this process applies a stream of ours.
pub fn active() -> bool {
    SESSION.with_borrow(Option::is_some)
}

/// The change that a trigger on this table decides about, if it is the one that arrived: not a write of somebody's own
/// trigger, be it into this table or another.
pub fn arriving(schema: &str, name: &str) -> Option<Arriving> {
    SESSION.with_borrow_mut(|session| {
        let session = session.as_mut()?;
        let current = session.current.as_mut()?;
        if current.relation.name != name || current.relation.schema != schema || apply_trigger::nested() {
            return None;
        }
        current.decided = true;
        Some(Arriving {
            has_old: session.message.get(5).is_some_and(|b| *b != b'N'),
            transaction: session.transaction,
            relation: current.relation.clone(),
            how: How::Worker,
        })
    })
}

/// Whether the current message leaves out large values.
pub fn leaves_out() -> bool {
    SESSION.with_borrow(|session| session.as_ref().is_some_and(|s| pgoutput::leaves_out(&s.message)))
}

/// The commit time of the transaction that is being applied.
pub fn commit_time() -> i64 {
    SESSION.with_borrow(|session| session.as_ref().map_or(0, |s| s.transaction.commit_time))
}

/// Marks the current change as decided when it is one of this table; false when a trigger writes another one.
pub fn decide_by_order(table: &Table) -> bool {
    SESSION.with_borrow_mut(|session| {
        let current = session.as_mut().and_then(|s| s.current.as_mut());
        current.is_some_and(|current| {
            current.decided |= current.relation.name == table.name
                && current.relation.schema == table.schema
                && !apply_trigger::nested();
            current.decided
        })
    })
}

/// The transaction that is being applied, as seen by a table of it.
pub fn transaction_of(schema: &str, name: &str) -> Option<Arriving> {
    SESSION.with_borrow(|session| {
        let session = session.as_ref()?;
        let relation = session.relations.values().find(|r| r.name == name && r.schema == schema)?.clone();
        Some(Arriving { has_old: false, transaction: session.transaction, relation, how: How::Worker })
    })
}

/// Takes the current change when no trigger has decided about it.
pub fn undecided() -> Option<Arriving> {
    SESSION.with_borrow_mut(|session| {
        let session = session.as_mut()?;
        let current = session.current.as_ref()?;
        let kind = session.message.first().copied().unwrap_or(0);
        let missing = current.how != How::Worker || !current.decided && kind != b'I';
        let arriving = missing.then(|| Arriving {
            has_old: session.message.get(5).is_some_and(|b| *b != b'N'),
            transaction: session.transaction,
            relation: current.relation.clone(),
            how: current.how,
        });
        if arriving.is_none() {
            session.current = None;
        }
        arriving
    })
}

/// Notes that what the open transaction brings for a key was decided by a person: it goes over these versions, whatever
/// the table's strategy says.
pub fn resolve(root: u32, key: KeyId, replaces: Vec<Version>) {
    SESSION.with_borrow_mut(|session| {
        if let Some(session) = session.as_mut() {
            session.resolved.entry((root, key)).or_default().extend(replaces);
        }
    });
}

/// Whether the open transaction resolves a key by hand, and had seen what is here: this version, or a later one of the
/// same node. What nobody knows the version of is older than everything.
pub fn resolves(root: u32, key: impl FnOnce() -> KeyId, held: &State) -> bool {
    SESSION.with_borrow(|session| {
        let Some(resolved) = session.as_ref().map(|s| &s.resolved).filter(|r| !r.is_empty()) else { return false };
        let Some(replaces) = resolved.get(&(root, key())) else { return false };
        let (State::Row(version) | State::Gone { version, .. }) = held else { return true };
        let Some(known) = version else { return true };
        replaces.iter().any(|seen| seen.node == known.version.node && seen.time >= known.version.time)
    })
}

/// How long users' functions have taken in the open transaction, and `more`.
pub fn resolving(more: Duration) -> Duration {
    SESSION.with_borrow_mut(|session| {
        session.as_mut().map_or(Duration::ZERO, |session| {
            session.resolving += more;
            session.resolving
        })
    })
}

/// The current change is settled.
pub fn settled() {
    SESSION.with_borrow_mut(|session| {
        if let Some(session) = session.as_mut() {
            session.current = None;
        }
    });
}

/// Whether our trigger has decided about the current change.
pub fn decided() -> bool {
    SESSION.with_borrow(|session| session.as_ref().and_then(|s| s.current.as_ref()).is_some_and(|c| c.decided))
}

pub fn stream() -> Option<Stream> {
    SESSION.with_borrow(|session| session.as_ref().map(|s| s.stream.clone()))
}

/// Whether there are nodes besides this one and the peer: what one of them wrote may be seen by the peer and not be here yet.
pub fn others() -> bool {
    let now = table::changes();
    let known = SESSION.with_borrow(|session| session.as_ref().map(|s| (s.stream.peer.clone(), s.others)));
    let Some((peer, seen)) = known else { return false };
    if let Some((_, others)) = seen.filter(|(then, _)| *then == now) {
        return others;
    }
    let answer = plan::rows("SELECT steep_repl._has_others($1)", &[Argument::text(&peer)]);
    let others = answer.first().and_then(|row| row[0].as_deref()) == Some("t");
    SESSION.with_borrow_mut(|session| {
        if let Some(session) = session.as_mut() {
            session.others = Some((now, others));
        }
    });
    others
}

/// Whether the row with this origin number and transaction came through this stream.
pub fn wrote(origin: u16, xid: u32) -> bool {
    SESSION.with_borrow(|session| {
        session
            .as_ref()
            .is_some_and(|s| s.stream.origin == origin && xid.wrapping_sub(s.stream.origin_since).cast_signed() >= 0)
    })
}

/// The name under which a session of this database wrote in that transaction.
pub fn own_name_at(xid: u32) -> Option<Arc<str>> {
    SESSION.with_borrow(|session| {
        let stream = &session.as_ref()?.stream;
        let former = stream.before.iter().find(|(until, _)| until.wrapping_sub(xid).cast_signed() >= 0);
        Some(former.map_or(&stream.me, |(_, node)| node).clone())
    })
}

/// The version of the transaction that is being applied.
pub fn open_version() -> Option<Version> {
    SESSION.with_borrow(|session| {
        session.as_ref().map(|s| Version { time: s.transaction.commit_time, node: s.stream.peer.clone() })
    })
}

/// The current message, copied: deciding may bring other messages' worth of work.
pub fn message() -> Vec<u8> {
    SESSION.with_borrow(|session| session.as_ref().map(|s| s.message.clone()).unwrap_or_default())
}

/// What arrives, as far as it is known without reading the whole message.
pub struct Arriving {
    /// The message has the row, or key, from before the change.
    pub has_old: bool,
    pub transaction: Transaction,
    pub relation: Rc<Relation>,
    pub how: How,
}

impl Arriving {
    /// The version of what arrives.
    pub fn version(&self) -> Version {
        open_version().unwrap_or_else(|| Version::new(self.transaction.commit_time, ""))
    }
}
