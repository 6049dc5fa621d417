//! Events of a recorded feed as records of our own topics: `md.trades.v1`, `md.quotes.v1`, `md.book.v1`.
//!
//! A venue's own numbers of book changes are not passed on, because each venue's mean something else. The
//! changes that a whole book took are numbered one by one. Where the book broke, a number is left out, so
//! that a reader's book breaks too, and a whole book follows once there is one again.

use std::fmt::Write as _;

use crate::engine::book::Book;
use crate::event::{Level, Quote, Trade, TradeIds};
use crate::units::{Nanos, Price, Side, Size};

/// A record to be published, of the instrument that is its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct MarketRecord {
    pub(super) topic: &'static str,
    pub(super) key: String,
    pub(super) payload: String,
}

/// An instrument, and when its event happened and came.
#[derive(Clone, Copy, Debug)]
pub(super) struct EventHead<'n> {
    pub(super) name: &'n str,
    /// Undefined where the message has no time.
    pub(super) ts_event: Nanos,
    pub(super) ts_recv: Nanos,
}

/// What is remembered of an instrument for its next record.
#[derive(Debug, Default)]
pub(super) struct RecordState {
    /// Number of the last record of its book.
    number: u64,
    /// The venue's time of the last event that had one.
    last_ts: Option<Nanos>,
    /// The levels as readers have them, best first, where the venue ends a book by its length.
    kept: Option<[Vec<Level>; 2]>,
    /// Whether the number before that of the next trade is of no trade.
    skipped: bool,
    /// Whether trades have come singly; aggregates of them are then left out.
    has_single: bool,
}

impl RecordState {
    /// The numbers of books begin behind `first`, which must be higher than in earlier sessions.
    pub(super) fn new(first: u64) -> Self {
        Self {
            number: first,
            ..Self::default()
        }
    }

    /// The number before that of the next trade is of no trade: it is not missing.
    pub(super) fn skip(&mut self) {
        self.skipped = true;
    }

    pub(super) fn trade(&mut self, head: EventHead<'_>, trade: &Trade) -> Option<MarketRecord> {
        self.has_single |= !trade.aggregate;
        if trade.aggregate && self.has_single {
            return None;
        }
        let side = match trade.side {
            Some(Side::Buy) => "buy",
            Some(Side::Sell) => "sell",
            None => "unknown",
        };
        let ids = match (trade.ids, std::mem::take(&mut self.skipped)) {
            (TradeIds::Successive, true) | (TradeIds::Rising, _) => r#","trade_ids":"rising""#,
            (TradeIds::Distinct, _) => r#","trade_ids":"distinct""#,
            (TradeIds::Successive, false) => "",
        };
        let (price, size, id) = (trade.price, trade.size, trade.trade_id);
        let fields =
            format!(r#""price":"{price}","size":"{size}","side":"{side}","trade_id":{id}{ids}"#);
        Some(self.record("md.trades.v1", head, &fields))
    }

    pub(super) fn quote(&mut self, head: EventHead<'_>, quote: &Quote) -> MarketRecord {
        let side = |name: &str, price: Price, size: Size| match price == Price::UNDEFINED {
            true => format!(r#""{name}_px":null,"{name}_sz":null"#),
            false => format!(r#""{name}_px":"{price}","{name}_sz":"{size}""#),
        };
        let bid = side("bid", quote.bid_px, quote.bid_sz);
        let ask = side("ask", quote.ask_px, quote.ask_sz);
        self.record("md.quotes.v1", head, &format!("{bid},{ask}"))
    }

    /// The whole book. `keep` is the length at which the venue ends a book, or 0.
    pub(super) fn whole(&mut self, head: EventHead<'_>, book: &Book, keep: bool) -> MarketRecord {
        let sides = [book.bids().collect::<Vec<_>>(), book.asks().collect()];
        self.number += 1;
        let record = self.book(head, true, &sides[0], &sides[1]);
        self.kept = keep.then_some(sides);
        record
    }

    /// What a change made of the book, which held these levels.
    pub(super) fn change(
        &mut self,
        head: EventHead<'_>,
        book: &Book,
        bids: &[Level],
        asks: &[Level],
    ) -> MarketRecord {
        self.number += 1;
        let Some(before) = self.kept.take() else {
            return self.book(head, false, bids, asks);
        };
        let now = [book.bids().collect::<Vec<_>>(), book.asks().collect()];
        let changed = [
            difference(&before[0], &now[0]),
            difference(&before[1], &now[1]),
        ];
        let record = self.book(head, false, &changed[0], &changed[1]);
        self.kept = Some(now);
        record
    }

    /// The book broke: a number is left out.
    pub(super) fn gap(&mut self, head: EventHead<'_>) -> MarketRecord {
        self.number += 2;
        self.book(head, false, &[], &[])
    }

    fn book(
        &mut self,
        head: EventHead<'_>,
        is_whole: bool,
        bids: &[Level],
        asks: &[Level],
    ) -> MarketRecord {
        let number = self.number;
        let (bids, asks) = (levels(bids), levels(asks));
        let fields = format!(
            r#""first_sequence":{number},"sequence":{number},"snapshot":{is_whole},"bids":[{bids}],"asks":[{asks}]"#
        );
        self.record("md.book.v1", head, &fields)
    }

    fn record(&mut self, topic: &'static str, head: EventHead<'_>, fields: &str) -> MarketRecord {
        if head.ts_event != Nanos::UNDEFINED {
            self.last_ts = Some(head.ts_event);
        }
        // A message without a time has that of the message before it.
        let ts_event = self.last_ts.unwrap_or(head.ts_recv).0;
        let (symbol, ts_recv) = (serde_json::Value::from(head.name), head.ts_recv.0);
        MarketRecord {
            topic,
            key: head.name.to_owned(),
            payload: format!(
                r#"{{"ts_event":{ts_event},"symbol":{symbol},{fields},"ts_recv":{ts_recv}}}"#
            ),
        }
    }
}

fn levels(levels: &[Level]) -> String {
    let mut text = String::new();
    for (at, level) in levels.iter().enumerate() {
        let comma = if at > 0 { "," } else { "" };
        write!(text, r#"{comma}["{}","{}"]"#, level.price, level.size).expect("a String takes all");
    }
    text
}

/// The levels that are other ones now, those that are gone with size 0.
fn difference(before: &[Level], now: &[Level]) -> Vec<Level> {
    let gone = |level: &Level| Level {
        size: Size::ZERO,
        ..*level
    };
    let has = |side: &[Level], price: Price| side.iter().any(|level| level.price == price);
    let lost = before.iter().filter(|level| !has(now, level.price));
    let changed = now.iter().filter(|level| !before.contains(level));
    lost.map(gone).chain(changed.copied()).collect()
}

#[cfg(test)]
mod tests {
    use jsonschema::Validator;

    use super::*;
    use crate::decode::Decoder;
    use crate::event::{Batch, Body};
    use crate::frame::Origin;
    use crate::instrument::Instruments;

    fn head() -> EventHead<'static> {
        EventHead {
            name: "BTC/USD.KRAKEN",
            ts_event: Nanos(1_700_000_000_000_000_001),
            ts_recv: Nanos(1_700_000_000_000_000_009),
        }
    }

    fn level(price: &str, size: &str) -> Level {
        Level {
            price: Price::parse(price.as_bytes()).unwrap(),
            size: Size::parse(size.as_bytes()).unwrap(),
        }
    }

    /// Reads a record as the topic's reader does, once its schema has accepted it.
    fn read(record: &MarketRecord, batch: &mut Batch) -> Body {
        let path = format!("schemas/{}.json", record.topic);
        let schema = std::fs::read_to_string(path).unwrap();
        let schema = serde_json::from_str(&schema).unwrap();
        let validator: Validator = jsonschema::validator_for(&schema).unwrap();
        let value = serde_json::from_str(&record.payload).unwrap();
        assert!(validator.is_valid(&value), "{}", record.payload);
        let mut decoder = Decoder::new(Instruments::new(&[], 9), 1 << 20);
        decoder
            .decode(Origin::of_test(), record.payload.as_bytes(), batch)
            .unwrap_or_else(|error| panic!("{error:?}: {}", record.payload));
        batch.events.last().unwrap().body
    }

    #[test]
    fn trades_and_quotes_are_read_as_they_were() {
        let mut state = RecordState::default();
        let mut trade = Trade {
            price: Price::parse(b"0.000000012").unwrap(),
            size: Size::parse(b"12345.678").unwrap(),
            trade_id: u64::MAX / 4,
            ids: TradeIds::Successive,
            side: Some(Side::Sell),
            aggregate: false,
        };
        for (ids, side, skips, expected) in [
            (
                TradeIds::Successive,
                Some(Side::Sell),
                false,
                TradeIds::Successive,
            ),
            (
                TradeIds::Successive,
                Some(Side::Buy),
                true,
                TradeIds::Rising,
            ),
            (TradeIds::Rising, None, false, TradeIds::Rising),
            (
                TradeIds::Distinct,
                Some(Side::Buy),
                false,
                TradeIds::Distinct,
            ),
        ] {
            (trade.ids, trade.side) = (ids, side);
            if skips {
                state.skip();
            }
            let record = state.trade(head(), &trade).unwrap();
            let expected = Trade {
                ids: expected,
                ..trade
            };
            assert_eq!(read(&record, &mut Batch::default()), Body::Trade(expected));
        }
        trade.aggregate = true;
        assert_eq!(
            state.trade(head(), &trade),
            None,
            "its trades have come singly"
        );
        let quote = Quote {
            bid_px: Price::parse(b"1.5").unwrap(),
            bid_sz: Size::parse(b"2").unwrap(),
            ask_px: Price::UNDEFINED,
            ask_sz: Size::ZERO,
            sequence: 0,
        };
        let record = state.quote(
            EventHead {
                ts_event: Nanos::UNDEFINED,
                ..head()
            },
            &Quote {
                sequence: 77,
                ..quote
            },
        );
        assert_eq!(read(&record, &mut Batch::default()), Body::Quote(quote));
        assert!(
            record.payload.contains("\"ts_event\":1700000000000000001,"),
            "the last time"
        );
    }

    /// Books of the three kinds of numbers: the reader's equals it after every record, and breaks with it.
    #[test]
    fn a_readers_book_is_the_recorded_one() {
        use crate::event::{Depth, Link, Splice};
        for (link, splice, keep) in [
            (Link::Range, Splice::ByNumber, 0),
            (Link::Chain, Splice::InOrder, 0),
            (Link::Range, Splice::InOrder, 2),
        ] {
            let (mut own, mut readers) = (Book::default(), Book::default());
            let mut state = RecordState::new(1_000);
            let mut take = |record: &MarketRecord, own: &Book| {
                let mut batch = Batch::default();
                let Body::Depth(depth) = read(record, &mut batch) else {
                    panic!("{record:?}");
                };
                let (bids, asks) = batch.levels(&depth);
                readers.apply(&depth, bids, asks, head().ts_event);
                assert_eq!(readers.is_live(), own.is_live(), "{record:?}");
                if own.is_live() {
                    assert!(own.bids().eq(readers.bids()), "{record:?}");
                    assert!(own.asks().eq(readers.asks()), "{record:?}");
                }
            };
            for round in 1..4 {
                let number = 100 * round;
                let snapshot = Depth {
                    first: number,
                    last: number,
                    snapshot: Some(splice),
                    keep,
                    ..Depth::default()
                };
                let (bids, asks) = ([level("9", "1"), level("8", "1")], [level("11", "3")]);
                own.apply(&snapshot, &bids, &asks, Nanos::UNDEFINED);
                take(&state.whole(head(), &own, keep > 0), &own);
                for at in 1..4 {
                    let change = Depth {
                        first: number + at,
                        last: number + at,
                        link,
                        ..Depth::default()
                    };
                    let price = format!("9.{at}");
                    let (bids, asks) = ([level(&price, "2")], [level("11", "0"), level("12", "1")]);
                    own.apply(&change, &bids, &asks, Nanos::UNDEFINED);
                    take(&state.change(head(), &own, &bids, &asks), &own);
                }
                own.freeze();
                take(&state.gap(head()), &own);
            }
        }
    }
}
