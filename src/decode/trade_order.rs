//! The order of the trades of one frame: venues send recent trades newest first, or in any order.

use crate::event::{Body, Event};

/// Puts the trades of a frame in the order of their numbers, those of each instrument by themselves.
pub(super) fn oldest_first(trades: &mut [Event]) {
    let place = |event: &Event| match event.body {
        Body::Trade(trade) => (event.instrument.0, trade.trade_id),
        _ => (event.instrument.0, 0),
    };
    if !trades.is_sorted_by_key(place) {
        trades.sort_by_key(place);
    }
}
