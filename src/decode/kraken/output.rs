//! What both readers of Kraken's messages make.

use crate::decode::amount::Written;
use crate::decode::error::DecodeError;
use crate::decode::message_output::MessageOutput;
use crate::event::{Checksum, ChecksumForm, Depth, Splice};
use crate::units::Nanos;

/// The venue's name in the names of instruments.
pub(super) const VENUE: &str = "KRAKEN";

/// The field that holds a symbol.
pub(super) const SYMBOL: &str = "symbol";

/// The levels of a book as far as they are read; they lie in the batch.
#[derive(Clone, Copy, Default)]
pub(super) struct BookLevels {
    /// How many bids.
    pub(super) bids: u32,
    /// How many asks, behind the bids.
    pub(super) asks: u32,
    /// The most decimal places of a price and of a size. The venue writes all that a symbol has.
    places: (u8, u8),
}

/// The rest of a book message.
pub(super) struct BookHead<'a> {
    pub(super) symbol: &'a str,
    pub(super) time: Nanos,
    pub(super) is_snapshot: bool,
    pub(super) checksum: u32,
}

impl BookLevels {
    /// Notes how a level is written.
    pub(super) fn note(&mut self, price: Written<'_>, size: Written<'_>) {
        let (of_price, of_size) = self.places;
        self.places = (of_price.max(places(price)), of_size.max(places(size)));
    }

    /// What the book must add up to; none where no level shows how many places the checksum's digits have.
    fn checksum(self, value: u32) -> Option<Checksum> {
        let (price_places, size_places) = self.places;
        let form = ChecksumForm::Digits {
            price_places,
            size_places,
        };
        (self.bids + self.asks > 0).then_some(Checksum { value, form })
    }

    /// Adds them, which are the last of the batch, to the message's events as a book or a change of one.
    pub(super) fn finish(
        self,
        head: &BookHead<'_>,
        out: &mut MessageOutput<'_>,
    ) -> Result<(), DecodeError> {
        let start = out.batch.levels.len() - (self.bids + self.asks) as usize;
        let keep = match head.is_snapshot {
            true => {
                let promised = out.stream.depth_of(head.symbol);
                promised.unwrap_or_else(|| least_depth(self.bids.max(self.asks)))
            }
            false => 0,
        };
        let depth = Depth {
            start: start as u32,
            bids: self.bids,
            asks: self.asks,
            snapshot: head.is_snapshot.then_some(Splice::InOrder),
            keep,
            checksum: self.checksum(head.checksum),
            ..Depth::default()
        };
        out.depth(head.symbol, head.time, depth)
    }
}

/// The smallest depth that one can subscribe to and that holds so many levels; 0 where none does.
fn least_depth(levels: u32) -> u16 {
    let mut depths = DEPTHS.into_iter();
    let holds = |depth: &u16| u32::from(*depth) >= levels;
    depths.find(holds).unwrap_or_default()
}

/// The depths of a book that one can subscribe to.
const DEPTHS: [u16; 5] = [10, 25, 100, 500, 1_000];

/// Decimal places that a number is written with.
fn places(number: Written<'_>) -> u8 {
    let digits = number.digits;
    let point = memchr::memchr(b'.', digits);
    point.map_or(0, |at| (digits.len() - at - 1).min(usize::from(u8::MAX))) as u8
}
