//! Runs: the one frame loop, its threads, and the drivers that feed it.
//!
//! [`intake::Intake`] takes frames for all of them: it decodes, reads commands, and accounts for each
//! frame. [`shard::Shard`] adds the engine, and gives signals; [`worker`] threads and a [`writer`] run it
//! live, [`replay`] runs it over captures, where an [`observer::Observer`] can watch each step.
//! [`supervisor`] keeps several live runs going in one process, within a [`budget`]. Computes no feature
//! and no score.

pub mod account;
pub mod budget;
pub mod counts;
pub mod delivery;
pub mod error;
mod fates;
mod homes;
pub mod intake;
pub mod latency;
pub mod lateness;
pub mod live;
pub mod looks;
pub mod metrics;
pub mod observer;
mod partition_states;
pub mod progress_display;
pub mod readability;
pub mod replay;
pub mod replay_span;
mod rewind_pause;
pub(crate) mod runtime;
pub mod shard;
mod shard_states;
pub mod skew;
pub mod state_counts;
pub(crate) mod state_inbox;
pub mod status;
pub mod stop;
pub mod summary;
pub mod supervisor;
mod ticker;
pub mod worker;
pub mod writer;
