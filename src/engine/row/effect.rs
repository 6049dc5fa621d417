//! What an event changed in the market of an instrument.

use super::rules::RowTrigger;
use crate::event::{Bar, Body, Trade};

/// What an event changed in a market.
#[derive(Clone, Copy, Default)]
pub(crate) struct Effect<'a> {
    pub(super) trade: Option<&'a Trade>,
    pub(super) top_set: bool,
    pub(super) book_set: bool,
    pub(super) bar: Option<&'a Bar>,
}

impl Effect<'_> {
    pub(crate) fn any(&self) -> bool {
        self.trade.is_some() || self.top_set || self.book_set || self.bar.is_some()
    }

    /// Whether the event makes a row.
    pub(crate) fn triggers(&self, on: RowTrigger, body: &Body) -> bool {
        match on {
            RowTrigger::Trade => self.trade.is_some(),
            RowTrigger::Quote => self.top_set && matches!(body, Body::Quote(_)),
            RowTrigger::Book => self.book_set,
            RowTrigger::Bar => self.bar.is_some(),
            RowTrigger::Record => false,
        }
    }
}

/// When a book needs a new snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SnapshotNeed {
    /// At once: an update is missing.
    Now,
    /// Not any more: it is whole.
    Met,
    /// After a while: the snapshot that came was too old, and the next may be as old.
    Later,
}
