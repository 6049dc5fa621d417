//! An event with what it refers to, and the words of our topics.

use crate::event::{Body, Level, TradeIds};
use crate::units::{Nanos, Side};

/// An event with what it refers to.
#[derive(Clone, Copy, Debug)]
pub struct NamedEvent<'e> {
    /// The venue's time; undefined where it sent none.
    pub ts_event: Nanos,
    /// When it was received; undefined where that is unknown.
    pub ts_recv: Nanos,
    /// The whole name of the instrument; empty where the event concerns all.
    pub instrument: &'e str,
    /// What happened.
    pub body: &'e Body,
    /// The bid levels of a book change.
    pub bids: &'e [Level],
    /// Its ask levels.
    pub asks: &'e [Level],
}

/// Whether an event is one that is written: a trade, a quote, a book change or a bar.
#[must_use]
pub fn is_written(body: &Body) -> bool {
    matches!(
        body,
        Body::Trade(_) | Body::Quote(_) | Body::Depth(_) | Body::Bar(_)
    )
}

/// The word for a side in our topics.
pub(super) fn side(side: Option<Side>) -> &'static str {
    match side {
        Some(Side::Buy) => "buy",
        Some(Side::Sell) => "sell",
        None => "unknown",
    }
}

/// The word for what numbers of trades say in our topics.
pub(super) fn trade_ids(ids: TradeIds) -> &'static str {
    match ids {
        TradeIds::Successive => "successive",
        TradeIds::Rising => "rising",
        TradeIds::Distinct => "distinct",
    }
}
