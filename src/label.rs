//! Labels of rows: what really happened after them, for training and backtests.
//!
//! A label is made of what came after the row's event, in the order of events, up to its end. It is passed
//! on once an event later than that has come, so a label contains nothing that was known when the row was
//! made. There is none where the price was unknown at the row or at the end (an empty side, a crossed book),
//! nor across a gap, a silence, or the end of the data. One file for each kind; [`Labels`] holds those of an
//! instrument.

mod barrier;
mod default_within;
mod labels;
mod moved;
mod next_session;
mod point;
mod resolution;
mod smoothed;
mod spec;
mod sum;
mod volatility;

pub use self::default_within::Failures;
pub use self::labels::Labels;
pub use self::point::{LabelOutcome, LabelPoint, PriceOf};
pub use self::resolution::Resolution;
pub use self::spec::{Barrier, Compared, Horizon, LabelKind, LabelSpec};
