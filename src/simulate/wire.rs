//! The exchange's messages as text: the JSON of Binance spot's streams and of its REST snapshot.
//!
//! Field order, decimal places and units follow the venue byte for byte. Reads no JSON.

use std::fmt;

use super::Listing;
use super::book::{OrderBook, TickLevel};
use crate::units::{Nanos, Side};

/// A stream that an instrument has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MarketStream {
    /// Each fill.
    Trade,
    /// The fills of one taker order at one price, as one message.
    AggTrade,
    /// Each change of the best bid or offer.
    BookTicker,
    /// The levels that changed within 100 ms.
    Depth,
}

/// One message, in the form of a combined stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// When the exchange published it.
    pub ts: Nanos,
    /// Index of its instrument in the settings.
    pub instrument: usize,
    /// The stream it belongs to.
    pub stream: MarketStream,
    /// `{"stream":"btcusdt@trade","data":{…}}`
    pub json: String,
}

impl MarketStream {
    /// What follows the symbol in the name of the stream.
    #[must_use]
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Trade => "@trade",
            Self::AggTrade => "@aggTrade",
            Self::BookTicker => "@bookTicker",
            Self::Depth => "@depth@100ms",
        }
    }
}

impl Message {
    /// The name of the stream, as a client subscribes to it.
    #[must_use]
    pub fn name(&self) -> &str {
        let rest = self.json.strip_prefix(OPEN).unwrap_or_default();
        rest.split_once('"').map_or("", |(name, _)| name)
    }

    /// The message as a connection to a single stream gets it, without the name.
    #[must_use]
    pub fn data(&self) -> &str {
        let data = self.json.split_once(DATA).map_or("", |(_, data)| data);
        data.strip_suffix('}').unwrap_or(data)
    }
}

/// Writes the messages of one instrument.
#[derive(Clone, Debug)]
pub(super) struct MessageWriter {
    symbol: String,
    lower: String,
    instrument: usize,
    /// One tick and one step in 1e-8, the venue's last decimal place.
    tick: i64,
    step: i64,
}

/// One or several fills of a taker order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fills {
    /// Number of the trade or of the aggregate.
    pub(super) id: u64,
    /// First and last trade in it.
    pub(super) trades: (u64, u64),
    pub(super) level: TickLevel,
    /// Who started it.
    pub(super) taker: Side,
}

impl MessageWriter {
    pub(super) fn new(listing: &Listing, instrument: usize) -> Self {
        let scaled = listing.scaled();
        Self {
            symbol: listing.symbol.clone(),
            lower: listing.symbol.to_ascii_lowercase(),
            instrument,
            tick: scaled.tick,
            step: scaled.step,
        }
    }

    pub(super) fn trade(&self, ts: Nanos, fill: &Fills) -> Message {
        let (millis, symbol) = (millis(ts), &self.symbol);
        let (price, quantity) = self.decimals(fill.level);
        let Fills { id, taker, .. } = fill;
        let maker_bought = *taker == Side::Sell;
        self.message(ts, MarketStream::Trade, format_args!(
            r#"{{"e":"trade","E":{millis},"s":"{symbol}","t":{id},"p":"{price}","q":"{quantity}","T":{millis},"m":{maker_bought},"M":true}}"#
        ))
    }

    pub(super) fn agg_trade(&self, ts: Nanos, fills: &Fills) -> Message {
        let (millis, symbol) = (millis(ts), &self.symbol);
        let (price, quantity) = self.decimals(fills.level);
        let Fills { id, taker, .. } = fills;
        let (first, last) = fills.trades;
        let maker_bought = *taker == Side::Sell;
        self.message(ts, MarketStream::AggTrade, format_args!(
            r#"{{"e":"aggTrade","E":{millis},"s":"{symbol}","a":{id},"p":"{price}","q":"{quantity}","f":{first},"l":{last},"T":{millis},"m":{maker_bought},"M":true}}"#
        ))
    }

    pub(super) fn book_ticker(
        &self,
        ts: Nanos,
        update: u64,
        bid: TickLevel,
        ask: TickLevel,
    ) -> Message {
        let symbol = &self.symbol;
        let (bid_px, bid_sz) = self.decimals(bid);
        let (ask_px, ask_sz) = self.decimals(ask);
        self.message(ts, MarketStream::BookTicker, format_args!(
            r#"{{"u":{update},"s":"{symbol}","b":"{bid_px}","B":"{bid_sz}","a":"{ask_px}","A":"{ask_sz}"}}"#
        ))
    }

    pub(super) fn depth(
        &self,
        ts: Nanos,
        updates: (u64, u64),
        bids: &[TickLevel],
        asks: &[TickLevel],
    ) -> Message {
        let (millis, symbol, (first, last)) = (millis(ts), &self.symbol, updates);
        let (bids, asks) = (self.levels(bids), self.levels(asks));
        self.message(ts, MarketStream::Depth, format_args!(
            r#"{{"e":"depthUpdate","E":{millis},"s":"{symbol}","U":{first},"u":{last},"b":{bids},"a":{asks}}}"#
        ))
    }

    /// The answer to `GET /api/v3/depth`.
    pub(super) fn snapshot(&self, update: u64, book: &OrderBook, limit: usize) -> String {
        let (bids, asks) = (
            book.levels(Side::Buy, limit),
            book.levels(Side::Sell, limit),
        );
        let (bids, asks) = (self.levels(&bids), self.levels(&asks));
        format!(r#"{{"lastUpdateId":{update},"bids":{bids},"asks":{asks}}}"#)
    }

    fn message(&self, ts: Nanos, stream: MarketStream, data: fmt::Arguments<'_>) -> Message {
        let (lower, suffix) = (&self.lower, stream.suffix());
        Message {
            ts,
            instrument: self.instrument,
            stream,
            json: format!("{OPEN}{lower}{suffix}\"{DATA}{data}}}"),
        }
    }

    fn decimals(&self, (ticks, steps): TickLevel) -> (Decimal, Decimal) {
        (Decimal(ticks * self.tick), Decimal(steps * self.step))
    }

    fn levels<'a>(&'a self, levels: &'a [TickLevel]) -> LevelsJson<'a> {
        LevelsJson {
            writer: self,
            levels,
        }
    }
}

/// The venue's time: whole milliseconds since the epoch.
pub(super) fn millis(ts: Nanos) -> i64 {
    ts.0.div_euclid(1_000_000)
}

/// A number in 1e-8, written with all its eight places.
struct Decimal(i64);

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:08}", self.0 / 100_000_000, self.0 % 100_000_000)
    }
}

/// `[["price","quantity"],…]`
struct LevelsJson<'a> {
    writer: &'a MessageWriter,
    levels: &'a [TickLevel],
}

impl fmt::Display for LevelsJson<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut before = "[";
        for &level in self.levels {
            let (price, quantity) = self.writer.decimals(level);
            write!(f, r#"{before}["{price}","{quantity}"]"#)?;
            before = ",";
        }
        f.write_str(if self.levels.is_empty() { "[]" } else { "]" })
    }
}

const OPEN: &str = r#"{"stream":""#;
const DATA: &str = r#","data":"#;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::MarketSettings;

    /// 61 837.63 and 0.00123 in ticks and steps of BTCUSDT.
    const LEVEL: TickLevel = (6_183_763, 123);
    const TS: Nanos = Nanos(1_672_515_782_136_999_999);

    fn writer() -> MessageWriter {
        MessageWriter::new(&MarketSettings::default().instruments[0], 0)
    }

    #[test]
    fn messages_have_the_venues_form() {
        let fills = Fills {
            id: 12_345,
            trades: (100, 105),
            level: LEVEL,
            taker: Side::Sell,
        };
        for (message, expected) in [
            (
                writer().trade(TS, &fills),
                r#"{"stream":"btcusdt@trade","data":{"e":"trade","E":1672515782136,"s":"BTCUSDT","t":12345,"p":"61837.63000000","q":"0.00123000","T":1672515782136,"m":true,"M":true}}"#,
            ),
            (
                writer().agg_trade(TS, &fills),
                r#"{"stream":"btcusdt@aggTrade","data":{"e":"aggTrade","E":1672515782136,"s":"BTCUSDT","a":12345,"p":"61837.63000000","q":"0.00123000","f":100,"l":105,"T":1672515782136,"m":true,"M":true}}"#,
            ),
            (
                writer().book_ticker(TS, 7, LEVEL, (6_183_764, 1)),
                r#"{"stream":"btcusdt@bookTicker","data":{"u":7,"s":"BTCUSDT","b":"61837.63000000","B":"0.00123000","a":"61837.64000000","A":"0.00001000"}}"#,
            ),
            (
                writer().depth(TS, (157, 160), &[LEVEL, (6_183_761, 0)], &[]),
                r#"{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1672515782136,"s":"BTCUSDT","U":157,"u":160,"b":[["61837.63000000","0.00123000"],["61837.61000000","0.00000000"]],"a":[]}}"#,
            ),
        ] {
            assert_eq!(message.json, expected);
        }
    }

    #[test]
    fn a_message_has_a_stream_name_and_a_bare_form() {
        let ticker = writer().book_ticker(TS, 7, LEVEL, LEVEL);
        assert_eq!(ticker.name(), "btcusdt@bookTicker");
        assert!(ticker.data().starts_with(r#"{"u":7,"#), "{}", ticker.data());
        assert!(ticker.data().ends_with(r#""0.00123000"}"#));
    }

    #[test]
    fn a_snapshot_lists_the_best_levels_first() {
        let mut book = OrderBook::default();
        for ticks in [6_183_760, 6_183_763, 6_183_761] {
            book.rest(Side::Buy, ticks, 123);
        }
        assert_eq!(
            writer().snapshot(1_027_024, &book, 2),
            r#"{"lastUpdateId":1027024,"bids":[["61837.63000000","0.00123000"],["61837.61000000","0.00123000"]],"asks":[]}"#
        );
    }
}
