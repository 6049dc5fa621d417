//! Foretick.

pub mod clock;
pub mod event;
pub mod instrument;
pub mod ring;
pub mod simulate;
pub mod source;
pub mod units;
