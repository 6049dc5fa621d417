//! Foretick's own JSON topics: `md.trades.v1`, `md.quotes.v1`, `md.book.v1`, `md.bars.v1`, `macro.figures.v1`
//! and `signals.sentiment.v1` (see `schemas/`).
//!
//! The kinds are told apart by their fields, so that one topic may carry all of an instrument in
//! order. Fields that are not known are passed over, as the schemas promise.

use serde::Deserialize;
use sonic_rs::LazyValue;

use super::json::{decimal, parse, push_levels};
use super::plain;
use super::plain::PlainTrade;
use super::{DecodeError, Decoded, number};
use crate::event::{Bar, Batch, Body, Depth, Figure, Quote, Sentiment, Trade};
use crate::instrument::{InstrumentId, Instruments};
use crate::units::{Nanos, Price, Side, Size};

/// Reads one record.
pub(super) fn decode(
    bytes: &[u8],
    figures: &[String],
    instruments: &mut Instruments,
    batch: &mut Batch,
) -> Result<Decoded, DecodeError> {
    match plain::trade(bytes) {
        Some(record) => decode_trade(&record, instruments, batch),
        None => decode_any(&parse(bytes)?, figures, instruments, batch),
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
    figures: &[String],
    instruments: &mut Instruments,
    batch: &mut Batch,
) -> Result<Decoded, DecodeError> {
    // The mark of an undefined time is none of a figure: it would never come.
    let timeless = record.figure.is_some() || record.sentiment.is_some();
    if record.ts_event < 0 || timeless && record.ts_event == i64::MAX {
        return Err(DecodeError::OutOfRange("ts_event"));
    }
    if let Some(name) = record.figure {
        let figure = figure(name, record, figures)?;
        push(
            batch,
            record.ts_recv,
            InstrumentId::ALL,
            record.ts_event,
            Body::Figure(figure),
        );
        return Ok(Decoded::Events);
    }
    let symbol = record.symbol.ok_or(DecodeError::WrongShape)?;
    let body = match record {
        Record {
            sentiment: Some(told),
            ..
        } => Body::Sentiment(sentiment(told)?),
        Record { close: Some(_), .. } => Body::Bar(bar(record)?),
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
    let instrument = instruments.intern(symbol, "")?;
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

fn bar(record: &Record<'_>) -> Result<Bar, DecodeError> {
    let price = |field: &'static str, value: &Option<LazyValue<'_>>| {
        let value = value.as_ref().ok_or(DecodeError::WrongShape)?;
        let price = number(field, Price::parse(decimal(value)))?;
        if price <= Price(0) {
            return Err(DecodeError::OutOfRange(field));
        }
        Ok(price)
    };
    let volume = match &record.volume {
        Some(volume) => number("volume", Size::parse(decimal(volume)))?,
        None => Size(0),
    };
    let bar = Bar {
        open: price("open", &record.open)?,
        high: price("high", &record.high)?,
        low: price("low", &record.low)?,
        close: price("close", &record.close)?,
        volume,
    };
    if bar.volume < Size(0) {
        return Err(DecodeError::OutOfRange("volume"));
    }
    if bar.high < bar.open.max(bar.close) {
        return Err(DecodeError::OutOfRange("high"));
    }
    if bar.low > bar.open.min(bar.close) {
        return Err(DecodeError::OutOfRange("low"));
    }
    Ok(bar)
}

fn figure(name: &str, record: &Record<'_>, figures: &[String]) -> Result<Figure, DecodeError> {
    let value = record.value.ok_or(DecodeError::WrongShape)?;
    let place = figures.iter().position(|known| known == name);
    let figure = place.ok_or(DecodeError::OtherFigure)? as u16;
    Ok(Figure { figure, value })
}

fn sentiment(told: &Average) -> Result<Sentiment, DecodeError> {
    if !(-1.0..=1.0).contains(&told.average) {
        return Err(DecodeError::OutOfRange("average"));
    }
    if !(told.weight >= 0.0 && told.weight.is_finite()) {
        return Err(DecodeError::OutOfRange("weight"));
    }
    if told.half_life_ms <= 0 {
        return Err(DecodeError::OutOfRange("half_life_ms"));
    }
    Ok(Sentiment {
        average: told.average,
        weight: told.weight,
        half_life: told.half_life_ms.saturating_mul(1_000_000),
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

/// What a signal of sentiment says of its instrument's last scores.
#[derive(Debug, Deserialize)]
struct Average {
    average: f64,
    weight: f64,
    half_life_ms: i64,
}

/// The fields of all kinds.
#[derive(Debug, Deserialize)]
struct Record<'a> {
    ts_event: i64,
    ts_recv: Option<i64>,
    #[serde(alias = "instrument")]
    symbol: Option<&'a str>,
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
    #[serde(borrow)]
    open: Option<LazyValue<'a>>,
    #[serde(borrow)]
    high: Option<LazyValue<'a>>,
    #[serde(borrow)]
    low: Option<LazyValue<'a>>,
    #[serde(borrow)]
    close: Option<LazyValue<'a>>,
    #[serde(borrow)]
    volume: Option<LazyValue<'a>>,
    figure: Option<&'a str>,
    value: Option<f64>,
    sentiment: Option<Average>,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Decoder;
    use super::*;
    use crate::frame::Origin;

    fn decode_one(frame: &str) -> (Batch, Result<Decoded, DecodeError>) {
        let mut decoder = Decoder::new(Instruments::new(&[], 16), 1 << 20);
        let mut batch = Batch::default();
        let origin = Origin::of_test();
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
    fn bars_figures_and_sentiment() {
        let line = r#"{"ts_event":9,"symbol":"A","open":"1.5","high":3,"low":1,"close":2}"#;
        let (batch, result) = decode_one(line);
        assert_eq!(result, Ok(Decoded::Events));
        let Body::Bar(bar) = batch.events[0].body else {
            panic!("{:?}", batch.events)
        };
        assert_eq!(
            (bar.open, bar.close),
            (Price(1_500_000_000), Price(2_000_000_000))
        );
        let said = r#"{"schema":"signals.sentiment.v1","instrument":"A","ts_event":9,"score":0.5,
            "probabilities":{"bullish":0.5},"sentiment":{"average":-0.25,"weight":2,"half_life_ms":3},"latency_ns":{"queue":1}}"#;
        let (batch, result) = decode_one(said);
        assert_eq!(result, Ok(Decoded::Events));
        let Body::Sentiment(said) = batch.events[0].body else {
            panic!("{:?}", batch.events)
        };
        assert_eq!(
            (said.average, said.weight, said.half_life),
            (-0.25, 2.0, 3_000_000)
        );
        let mut decoder = Decoder::new(Instruments::new(&[], 16), 1 << 20)
            .with_figures(&["cpi".into(), "vix".into()]);
        let mut batch = Batch::default();
        let origin = Origin::of_test();
        let line = br#"{"ts_event":9,"figure":"vix","value":17.5,"period":"2015-10-01"}"#;
        assert_eq!(
            decoder.decode(origin, line, &mut batch),
            Ok(Decoded::Events)
        );
        assert_eq!(batch.events[0].instrument, InstrumentId::ALL);
        let expected = Figure {
            figure: 1,
            value: 17.5,
        };
        assert_eq!(batch.events[0].body, Body::Figure(expected));
        let line = br#"{"ts_event":9,"figure":"gdp","value":1}"#;
        let refused = decoder.decode(origin, line, &mut batch);
        assert_eq!(refused, Err(DecodeError::OtherFigure));
    }

    #[test]
    fn bad_records() {
        for (line, expected) in [
            (
                r#"{"ts_event":9,"symbol":"A","open":1,"high":1,"low":1,"close":2}"#,
                DecodeError::OutOfRange("high"),
            ),
            (
                r#"{"ts_event":9,"symbol":"A","open":1,"high":2,"low":1.5,"close":2}"#,
                DecodeError::OutOfRange("low"),
            ),
            (
                r#"{"ts_event":9,"symbol":"A","open":1,"high":2,"close":2}"#,
                DecodeError::WrongShape,
            ),
            (
                r#"{"ts_event":9,"symbol":"A","open":1,"high":2,"low":0,"close":2}"#,
                DecodeError::OutOfRange("low"),
            ),
            (
                r#"{"ts_event":9,"instrument":"A","sentiment":{"average":2,"weight":1,"half_life_ms":1}}"#,
                DecodeError::OutOfRange("average"),
            ),
            (
                r#"{"ts_event":9,"figure":"vix","value":"high"}"#,
                DecodeError::WrongShape,
            ),
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
                    symbol: general.symbol.unwrap(),
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
