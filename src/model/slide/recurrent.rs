//! Recurrent networks whose windows are kept in flight as states, so that a row takes one step of each.

mod batch;
mod layer;
pub mod network;
pub mod packed;
mod schedule;
pub mod state;
pub mod windows;
