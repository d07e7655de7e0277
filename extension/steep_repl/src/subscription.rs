//! Entries of subscriptions, for SQL.

use crate::pg::subscription_rel;
use pgrx::prelude::*;

/// Makes a subscription apply a table: state `r` at once, or `s` from an LSN on.
#[pg_extern(sql = false)]
fn set_subscription_table(subscription: pg_sys::Oid, relation: pg_sys::Oid, state: i8, lsn: i64) {
    subscription_rel::set(subscription, relation, state, lsn.cast_unsigned());
}

/// Takes a table out of a subscription.
#[pg_extern(sql = false)]
fn remove_subscription_table(subscription: pg_sys::Oid, relation: pg_sys::Oid) {
    subscription_rel::remove(subscription, relation);
}
