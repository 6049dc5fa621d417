//! Foretick.

pub mod book;
pub mod clock;
pub mod decode;
pub mod event;
pub mod feature;
pub mod instrument;
pub mod ring;
pub mod source;
pub mod units;
pub mod window;
