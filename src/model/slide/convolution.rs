//! Convolutional networks whose columns are kept, so that a row computes one column of each layer.

mod columns;
mod flat;
pub mod network;
pub mod packed;
pub mod state;
pub mod windows;
