//! Exactly once under faults, on a real Kafka: engines that are killed at random moments write the very
//! signals of a replay, each once and in order. `tests/faults/README.md` says how to run more of it.

mod given;
mod needs;

#[path = "live/child.rs"]
mod child;
#[path = "live/topics.rs"]
mod topics;

#[path = "faults/kills.rs"]
mod kills;
#[path = "faults/verify.rs"]
mod verify;
#[path = "faults/world.rs"]
mod world;
