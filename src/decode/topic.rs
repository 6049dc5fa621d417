//! Foretick's own JSON topics: `md.trades.v1`, `md.quotes.v1`, `md.book.v1` (see `schemas/`).
//!
//! The kinds are told apart by their fields, so that one topic may carry all of an instrument in
//! order. Fields that are not known are passed over, as the schemas promise.

use serde::Deserialize;
use sonic_rs::LazyValue;

use super::json::{decimal, parse, push_levels};
use super::plain::{self, PlainTrade};
use super::{DecodeError, Decoded, number};
use crate::event::{Batch, Body, Depth, Quote, Trade};
use crate::instrument::{InstrumentId, Instruments};
use crate::units::{Nanos, Price, Side, Size};

/// Reads one record.
pub(super) fn decode(
    bytes: &[u8],
    instruments: &mut Instruments,
    batch: &mut Batch,
) -> Result<Decoded, DecodeError> {
    match plain::trade(bytes) {
        Some(record) => decode_trade(&record, instruments, batch),
        None => decode_any(&parse(bytes)?, instruments, batch),
    }
}

fn decode_trade(
    record: &PlainTrade<'_>,
    instruments: &mut Instruments,
    batch: &mut Batch,
) -> Result<Decoded, DecodeError> {
    let trade = trade(record.price, record.size, record.side, record.trade_id)?;
    let instrument = instruments.intern(record.symbol, "")?;
    push(
        batch,
        record.ts_recv,
        instrument,
        record.ts_event,
        Body::Trade(trade),
    );
    Ok(Decoded::Events)
}

fn decode_any(
    record: &Record<'_>,
    instruments: &mut Instruments,
    batch: &mut Batch,
) -> Result<Decoded, DecodeError> {
    if record.ts_event < 0 {
        return Err(DecodeError::OutOfRange("ts_event"));
    }
    let body = match record {
        Record {
            price: Some(price),
            size: Some(size),
            side: Some(side),
            ..
        } => Body::Trade(trade(decimal(price), decimal(size), side, record.trade_id)?),
        Record {
            bids: Some(bids),
            asks: Some(asks),
            ..
        } => Body::Depth(depth(record, bids, asks, batch)?),
        Record { bid_px, ask_px, .. } if bid_px.is_some() || ask_px.is_some() => {
            Body::Quote(quote(record)?)
        }
        Record { price: Some(_), .. } | Record { bids: Some(_), .. } => {
            return Err(DecodeError::WrongShape);
        }
        _ => return Err(DecodeError::UnknownType),
    };
    let instrument = instruments.intern(record.symbol, "")?;
    push(batch, record.ts_recv, instrument, record.ts_event, body);
    Ok(Decoded::Events)
}

/// Adds the event; a record that carries its own receive time knows better than its frame.
fn push(
    batch: &mut Batch,
    ts_recv: Option<i64>,
    instrument: InstrumentId,
    ts_event: i64,
    body: Body,
) {
    if let (Some(ts_recv), Some(origin)) = (ts_recv, batch.origins.last_mut()) {
        origin.ts_recv = Nanos(ts_recv);
    }
    batch.push(instrument, Nanos(ts_event), body);
}

fn trade(
    price: &[u8],
    size: &[u8],
    side: &str,
    trade_id: Option<u64>,
) -> Result<Trade, DecodeError> {
    let price = number("price", Price::parse(price))?;
    let size = number("size", Size::parse(size))?;
    if price <= Price(0) {
        return Err(DecodeError::OutOfRange("price"));
    }
    if size <= Size(0) {
        return Err(DecodeError::OutOfRange("size"));
    }
    let side = match side {
        "buy" => Side::Buy,
        "sell" => Side::Sell,
        _ => return Err(DecodeError::OutOfRange("side")),
    };
    Ok(Trade {
        price,
        size,
        trade_id: trade_id.unwrap_or(0),
        side,
        aggregate: false,
    })
}

fn quote(record: &Record<'_>) -> Result<Quote, DecodeError> {
    let (bid_px, bid_sz) = best(("bid_px", &record.bid_px), ("bid_sz", &record.bid_sz))?;
    let (ask_px, ask_sz) = best(("ask_px", &record.ask_px), ("ask_sz", &record.ask_sz))?;
    Ok(Quote {
        bid_px,
        bid_sz,
        ask_px,
        ask_sz,
        sequence: record.sequence.unwrap_or(0),
    })
}

type Field<'r, 'a> = (&'static str, &'r Option<LazyValue<'a>>);

/// One side; `null` is an empty one.
fn best(price: Field<'_, '_>, size: Field<'_, '_>) -> Result<(Price, Size), DecodeError> {
    let (Some(price_value), Some(size_value)) = (price.1, size.1) else {
        return Ok((Price::UNDEFINED, Size(0)));
    };
    match (
        number(price.0, Price::parse(decimal(price_value)))?,
        number(size.0, Size::parse(decimal(size_value)))?,
    ) {
        (px, _) if px <= Price(0) => Err(DecodeError::OutOfRange(price.0)),
        (_, sz) if sz < Size(0) => Err(DecodeError::OutOfRange(size.0)),
        (_, Size(0)) => Ok((Price::UNDEFINED, Size(0))),
        side => Ok(side),
    }
}

fn depth(
    record: &Record<'_>,
    bids: &LazyValue<'_>,
    asks: &LazyValue<'_>,
    batch: &mut Batch,
) -> Result<Depth, DecodeError> {
    let last = record.sequence.unwrap_or(0);
    let first = record.first_sequence.unwrap_or(last);
    if first > last {
        return Err(DecodeError::OutOfRange("first_sequence"));
    }
    let start = batch.levels.len() as u32;
    let bids: Vec<(LazyValue<'_>, LazyValue<'_>)> = parse(bids.as_raw_str().as_bytes())?;
    let asks: Vec<(LazyValue<'_>, LazyValue<'_>)> = parse(asks.as_raw_str().as_bytes())?;
    let bids = push_levels(
        batch,
        bids.iter()
            .map(|level| (decimal(&level.0), decimal(&level.1))),
    )?;
    let asks = push_levels(
        batch,
        asks.iter()
            .map(|level| (decimal(&level.0), decimal(&level.1))),
    )?;
    Ok(Depth {
        first,
        last,
        start,
        bids,
        asks,
        snapshot: record.snapshot.unwrap_or(false),
    })
}

/// The fields of all three kinds.
#[derive(Debug, Deserialize)]
struct Record<'a> {
    ts_event: i64,
    ts_recv: Option<i64>,
    #[serde(alias = "instrument")]
    symbol: &'a str,
    #[serde(borrow)]
    price: Option<LazyValue<'a>>,
    #[serde(borrow)]
    size: Option<LazyValue<'a>>,
    side: Option<&'a str>,
    trade_id: Option<u64>,
    #[serde(borrow)]
    bid_px: Option<LazyValue<'a>>,
    #[serde(borrow)]
    bid_sz: Option<LazyValue<'a>>,
    #[serde(borrow)]
    ask_px: Option<LazyValue<'a>>,
    #[serde(borrow)]
    ask_sz: Option<LazyValue<'a>>,
    sequence: Option<u64>,
    first_sequence: Option<u64>,
    snapshot: Option<bool>,
    #[serde(borrow)]
    bids: Option<LazyValue<'a>>,
    #[serde(borrow)]
    asks: Option<LazyValue<'a>>,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Decoder;
    use super::*;
    use crate::source::Origin;

    fn decode_one(frame: &str) -> (Batch, Result<Decoded, DecodeError>) {
        let mut decoder = Decoder::new(Instruments::new(&[], 16), 1 << 20);
        let mut batch = Batch::default();
        let origin = Origin {
            ts_recv: Nanos(5),
            offset: 0,
            partition: 0,
            stream: 0,
            late: false,
        };
        let result = decoder.decode(origin, frame.as_bytes(), &mut batch);
        (batch, result)
    }

    #[test]
    fn a_trade_line_as_it_is() {
        let line = r#"{"ts_event":1700000000000081000,"symbol":"SYM03USDT","price":12.3456,"size":0.500,"side":"buy"}"#;
        let (batch, result) = decode_one(line);
        assert_eq!(result, Ok(Decoded::Events));
        let event = batch.events[0];
        assert_eq!(event.ts_event, Nanos(1_700_000_000_000_081_000));
        let Body::Trade(trade) = event.body else {
            panic!("{event:?}")
        };
        assert_eq!(
            (trade.price, trade.size),
            (Price(12_345_600_000), Size(50_000_000))
        );
        assert_eq!(trade.side, Side::Buy);
    }

    #[test]
    fn numbers_may_be_text_and_a_stamp_may_come_first() {
        let line = r#"77 {"ts_event":9,"instrument":"A.XNAS","price":"1.5","size":"2","side":"sell","extra":[1]}"#;
        let (batch, result) = decode_one(line);
        assert_eq!(result, Ok(Decoded::Events));
        assert_eq!(batch.origins[0].ts_recv, Nanos(77));
    }

    #[test]
    fn quotes_and_books() {
        let (batch, _) = decode_one(
            r#"{"ts_event":9,"symbol":"A","bid_px":1.5,"bid_sz":2,"ask_px":null,"ask_sz":null}"#,
        );
        let Body::Quote(quote) = batch.events[0].body else {
            panic!("{:?}", batch.events)
        };
        assert_eq!(
            (quote.bid_px, quote.ask_px),
            (Price(1_500_000_000), Price::UNDEFINED)
        );
        let (batch, _) = decode_one(
            r#"{"ts_event":9,"symbol":"A","first_sequence":3,"sequence":5,"snapshot":true,"bids":[[1.5,2]],"asks":[["1.6","3"],[1.7,0]]}"#,
        );
        let Body::Depth(depth) = batch.events[0].body else {
            panic!("{:?}", batch.events)
        };
        assert!(
            depth.snapshot && (depth.first, depth.last, depth.bids, depth.asks) == (3, 5, 1, 2)
        );
    }

    #[test]
    fn bad_records() {
        for (line, expected) in [
            (
                r#"{"ts_event":9,"symbol":"A","price":-1,"size":2,"side":"buy"}"#,
                DecodeError::OutOfRange("price"),
            ),
            (
                r#"{"ts_event":9,"symbol":"A","price":1,"size":0,"side":"buy"}"#,
                DecodeError::OutOfRange("size"),
            ),
            (
                r#"{"ts_event":9,"symbol":"A","price":1,"size":2,"side":"hold"}"#,
                DecodeError::OutOfRange("side"),
            ),
            (
                r#"{"ts_event":9,"symbol":"A","price":"x","size":2,"side":"buy"}"#,
                DecodeError::BadNumber("price"),
            ),
            (
                r#"{"ts_event":9,"symbol":"A","price":NaN,"size":2,"side":"buy"}"#,
                DecodeError::Malformed,
            ),
            (
                r#"{"ts_event":-9,"symbol":"A","price":1,"size":2,"side":"buy"}"#,
                DecodeError::OutOfRange("ts_event"),
            ),
            (
                r#"{"ts_event":9,"symbol":"A","price":1}"#,
                DecodeError::WrongShape,
            ),
            (r#"{"ts_event":9,"symbol":"A"}"#, DecodeError::UnknownType),
            (
                r#"{"ts_event":9,"symbol":"A","price":1,"#,
                DecodeError::Truncated,
            ),
        ] {
            let (batch, result) = decode_one(line);
            assert_eq!(result, Err(expected), "{line}");
            assert!(batch.events.is_empty() && batch.origins.is_empty());
        }
    }

    /// A record close to what encoders write: some fields missing or twice, some odd values, one byte
    /// changed, here and there.
    fn record() -> impl Strategy<Value = String> {
        let field = prop::sample::select(vec![
            r#""ts_event":1700000000000081000"#,
            r#""ts_event":9223372036854775808"#,
            r#""ts_event":-9"#,
            r#""ts_event": 7"#,
            r#""symbol":"A""#,
            r#""instrument":"Ä.XETR""#,
            r#""price":12.3456"#,
            r#""price":"1e3""#,
            r#""price":-0.5"#,
            r#""price":007"#,
            r#""size":1e-2"#,
            r#""size":"0.50""#,
            r#""side":"buy""#,
            r#""side":"s\u0065ll""#,
            r#""trade_id":18446744073709551615"#,
            r#""trade_id":5"#,
            r#""ts_recv":null"#,
            r#""extra":[1,{}]"#,
        ]);
        let sound = r#""ts_event":9,"symbol":"B","price":1.5,"size":2,"side":"sell""#;
        let start = prop::sample::select(vec![
            format!("{sound},"),
            format!("{sound} "),
            String::new(),
        ]);
        (start, prop::collection::vec(field, 0..7)).prop_map(|(start, fields)| {
            let text = format!("{{{start}{}}}", fields.join(","));
            text.replace(",}", "}")
        })
    }

    proptest! {
        #[test]
        fn the_plain_way_takes_nothing_that_the_general_parser_reads_otherwise(
            record in record(),
            place in any::<prop::sample::Index>(),
            byte in prop::option::of(prop::sample::select(b"{}\",:0.-+eE x\\\x01\xff".to_vec())),
        ) {
            let mut bytes = record.into_bytes();
            if let Some(byte) = byte {
                let place = place.index(bytes.len());
                bytes[place] = byte;
            }
            if let Some(plain) = plain::trade(&bytes) {
                let general = parse::<Record<'_>>(&bytes);
                prop_assert!(general.is_ok(), "{}: {general:?}", String::from_utf8_lossy(&bytes));
                let general = general.unwrap();
                prop_assert_eq!(plain, PlainTrade {
                    ts_event: general.ts_event,
                    ts_recv: general.ts_recv,
                    symbol: general.symbol,
                    price: decimal(general.price.as_ref().unwrap()),
                    size: decimal(general.size.as_ref().unwrap()),
                    side: general.side.unwrap(),
                    trade_id: general.trade_id,
                });
            }
        }
    }

    #[test]
    fn what_encoders_write_is_read_the_plain_way() {
        for line in [
            r#"{"ts_event":1700000000000081000,"symbol":"A","price":12.3456,"size":0.500,"side":"buy"}"#,
            r#"{"trade_id": 5, "side": "sell", "size": "0.5", "price": "7", "symbol": "A", "ts_event": 9}"#,
        ] {
            assert!(plain::trade(line.as_bytes()).is_some(), "{line}");
        }
    }
}
