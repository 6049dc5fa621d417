//! Pairs the signals of two sides: files of JSON lines or Parquet, or topics.
//!
//! Signals are paired by their instrument, their event time, and their order among those of the same
//! instrument and time, so that one that is missing on a side moves no other pair. Of a signal that was
//! corrected the last revision counts, at the place of the first. `diff` and `reconcile` compare the pairs
//! alike: see [`compare`].
//!
//! Where each side has the signals of an instrument in the order of their times, they are merged as they are
//! read (`merge`). Else both sides are read once more, and held in memory (`index`).

mod columns;
pub mod compare;
mod error;
mod index;
mod merge;
mod reader;
mod side;
mod stored;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value};
use tracing::debug;

pub use self::error::PairingError;
use self::merge::MergeOutcome;
pub use self::reader::SignalInput;
use self::side::PairedSide;
pub use self::stored::StoredSignals;
use crate::run::progress_display::ProgressDisplay;
use crate::units::Nanos;

/// The fields of a signal.
pub type SignalObject = Map<String, Value>;

/// Whom a signal is about, and its event time.
pub type SignalKey = (String, Option<i64>);

/// A pair of signals, or a signal without a partner.
#[derive(Clone, Copy, Debug)]
pub struct Pair<'a> {
    /// Whom it is about, and when.
    pub key: &'a SignalKey,
    /// Its number among those of the same instrument and time, from 0.
    pub number: u64,
    /// The signal of the left side; none where it has no such signal.
    pub left: Option<&'a SignalObject>,
    /// The signal of the right side.
    pub right: Option<&'a SignalObject>,
}

/// Takes the pairs, in an order of no meaning.
pub trait VisitPairs {
    /// Takes a pair.
    fn visit(&mut self, pair: Pair<'_>);
}

/// Which event times are compared.
#[derive(Clone, Copy, Debug, Default)]
pub struct SpanOfTimes {
    /// From this time on; none: from the first.
    pub from: Option<Nanos>,
    /// Before this time; none: to the last.
    pub to: Option<Nanos>,
}

impl SpanOfTimes {
    fn contains(self, ts: i64) -> bool {
        self.from.is_none_or(|from| ts >= from.0) && self.to.is_none_or(|to| ts < to.0)
    }
}

/// What was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sides {
    /// Signals on the left, a corrected one counted once.
    pub left: u64,
    /// Signals on the right.
    pub right: u64,
    /// Signals on the left that have the id of another one, as after a restart that delivers again.
    pub repeated_left: u64,
    /// Signals on the right that have the id of another one.
    pub repeated_right: u64,
    /// Whether the sides were in order, so that they were merged; else both were held in memory.
    pub merged: bool,
}

/// Pairs two inputs for a command. `visitor` makes what takes the pairs; it is made anew where a side turns
/// out to be in no order.
///
/// # Errors
/// [`PairingError`] where an input cannot be read.
pub fn pair<V: VisitPairs>(
    [left, right]: [&SignalInput; 2],
    span: SpanOfTimes,
    command: &'static str,
    visitor: impl Fn() -> V,
) -> Result<(V, Sides), PairingError> {
    let mut left = PairedSide::open(left, span, command)?;
    let mut right = PairedSide::open(right, span, command)?;
    if left.reader.has_columns() != right.reader.has_columns() {
        left.reader.make_columns();
        right.reader.make_columns();
    }
    let mut progress = ProgressDisplay::new("signals");
    let mut taker = visitor();
    let mut merged = left.reader.can_rewind() && right.reader.can_rewind();
    if merged
        && merge::pair(&mut left, &mut right, &mut progress, &mut taker)?
            == MergeOutcome::OutOfOrder
    {
        debug!("a side is in no order of time: both are read again, and held in memory");
        merged = false;
        taker = visitor();
        left.rewind()?;
        right.rewind()?;
    }
    if !merged {
        index::pair(&mut left, &mut right, &mut progress, &mut taker)?;
    }
    let sides = Sides {
        left: left.signals,
        right: right.signals,
        repeated_left: left.repeated,
        repeated_right: right.repeated,
        merged,
    };
    Ok((taker, sides))
}
