//! What the command line calls, one file for each command.
//!
//! Each reads its inputs, uses the wings below, and returns a report or an error; printing and exit codes
//! are `main`'s business.

pub mod argument_values;
pub mod arguments;
pub mod backtest;
pub mod bench;
pub mod check;
pub mod convert;
pub mod demo;
pub mod diff;
pub mod evaluate;
pub mod explain;
pub mod export;
pub mod inputs;
pub mod inspect;
pub mod leakage;
pub mod log;
pub mod outputs;
pub mod pairing;
pub mod reconcile;
pub mod record;
mod run_changes;
pub mod run_files;
pub mod simulate;
pub mod state;
pub mod stop_signals;
pub mod venues;
mod version;
