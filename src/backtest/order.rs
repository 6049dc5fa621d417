//! An order under way: it waits for its time, then is filled, or rests in the book.

use super::queue::Resting;
use super::rule::{Decision, Intent};

/// An order under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct PlacedOrder {
    /// The signal that asked for it.
    pub(super) signal: Decision,
    pub(super) intent: Intent,
    /// When it takes effect.
    pub(super) effect: i64,
    /// Its place in the book, once it rests there.
    pub(super) resting: Option<Resting>,
    /// Whether it has taken effect and waits for the open of a bar.
    pub(super) waits: bool,
}

impl PlacedOrder {
    /// When something is to be done with it without a message: it takes effect, or is cancelled.
    pub(super) fn due(&self) -> i64 {
        if self.waits {
            return i64::MAX;
        }
        self.resting.map_or(self.effect, |resting| resting.expires)
    }
}
