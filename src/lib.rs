//! Foretick.

pub mod broker;
pub mod clock;
pub mod event;
pub mod instrument;
pub mod kafka;
pub mod ring;
pub mod sink;
pub mod source;
pub mod units;
