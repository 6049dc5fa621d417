//! Sinks take what leaves the engine.

pub mod kafka;
