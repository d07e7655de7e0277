//! A model of the nodes, to attack the rules with: all short histories, long ones by chance, and broken rules that must
//! be found. It decides by the crate's own functions.

mod apply;
mod broken;
mod chance;
mod check;
mod events;
mod explore;
mod fact;
mod find;
mod hash;
mod history;
mod network;
mod node;
mod rules;
mod short;
mod trace;
mod unique;
