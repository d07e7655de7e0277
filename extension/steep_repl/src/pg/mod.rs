//! The unsafe island: everything that touches PostgreSQL's C interfaces directly.

pub mod acting_as;
pub mod apply_receive;
pub mod apply_trigger;
pub mod canonical;
pub mod commit_time;
pub mod composite;
pub mod copy_from;
pub mod databases;
pub mod hooks;
pub mod key_id;
pub mod latch;
pub mod log_hook;
pub mod peer_connection;
pub mod plan;
pub mod preload;
pub mod row;
pub mod sqlstate;
pub mod stored_row;
pub mod stream_start;
pub mod subscription_rel;
pub mod table;
pub mod time_limit;
pub mod tombstone;
pub mod transaction;
pub mod unique_index;
pub mod worker_process;
