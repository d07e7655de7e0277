//! The unsafe island: everything that touches PostgreSQL's C interfaces directly.

pub mod copy_from;
pub mod databases;
pub mod hooks;
pub mod latch;
pub mod peer_connection;
pub mod preload;
pub mod stream_start;
pub mod subscription_rel;
pub mod transaction;
pub mod worker_process;
