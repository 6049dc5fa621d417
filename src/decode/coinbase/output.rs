//! What both readers of Coinbase's messages make.

use crate::decode::error::DecodeError;
use crate::decode::message_output::MessageOutput;
use crate::event::{Batch, Depth, Level, Splice};
use crate::units::{Nanos, Side};

/// The venue's name in the names of instruments.
pub(super) const VENUE: &str = "COINBASE";

/// The field that holds a symbol.
pub(super) const SYMBOL: &str = "product_id";

/// The time of an update whose time the venue does not know: levels of a snapshot may have it.
pub(super) const NO_TIME: &str = "1970-01-01T00:00:00Z";

/// The levels of a book, whose sides come mixed. Bids lie in the batch at once, asks are added behind them.
pub(super) struct BookLevels {
    start: usize,
    asks: Vec<Level>,
}

impl BookLevels {
    pub(super) fn new(batch: &Batch) -> Self {
        Self {
            start: batch.levels.len(),
            asks: vec![],
        }
    }

    /// Adds a level.
    pub(super) fn push(&mut self, side: Side, level: Level, batch: &mut Batch) {
        match side {
            Side::Buy => batch.levels.push(level),
            Side::Sell => self.asks.push(level),
        }
    }

    /// Adds them to the message's events as a book or a change of one. It has no numbers of its own: the
    /// connection's show what is missing.
    pub(super) fn finish(
        self,
        symbol: &str,
        time: Nanos,
        is_snapshot: bool,
        out: &mut MessageOutput<'_>,
    ) -> Result<(), DecodeError> {
        let bids = out.batch.levels.len() - self.start;
        out.batch.levels.extend_from_slice(&self.asks);
        let depth = Depth {
            start: self.start as u32,
            bids: bids as u32,
            asks: self.asks.len() as u32,
            snapshot: is_snapshot.then_some(Splice::InOrder),
            ..Depth::default()
        };
        out.depth(symbol, time, depth)
    }
}

/// The side of a level in the venue's words.
pub(super) fn book_side(word: &[u8]) -> Option<Side> {
    match word {
        b"bid" => Some(Side::Buy),
        b"offer" => Some(Side::Sell),
        _ => None,
    }
}

/// The side that started a trade. The venue names that of the order that rested.
pub(super) fn taker_side(word: &[u8]) -> Option<Side> {
    match word {
        b"SELL" => Some(Side::Buy),
        b"BUY" => Some(Side::Sell),
        _ => None,
    }
}
