//! Recurrent networks whose windows are kept in flight as states, so that a row takes one step of each.

mod layer;
pub mod network;
pub mod packed;
mod state;
pub mod windows;
