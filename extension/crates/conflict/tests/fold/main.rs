//! Rows that are folds of their changes: single cases, and histories of a few nodes that write and receive in every order.

mod cases;
mod chance;
mod explore;
mod resumed;
mod world;
