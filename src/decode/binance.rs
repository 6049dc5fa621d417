//! Binance spot: trades, best bid and offer, depth diffs, REST snapshots, and what the server says of itself.
//!
//! Raw (`{"e":"trade",…}`) and combined (`{"stream":…,"data":…}`) messages. Source of the forms: the
//! venue's `web-socket-streams.md` and `rest-api.md` of July 2026. Times are milliseconds, or
//! microseconds where the connection asked for them. The rules of the book are in `book`, not here.

use serde::Deserialize;
use sonic_rs::LazyValue;

use super::json::{TextPair, parse, push_levels};
use super::{DecodeError, Decoded, Notice, Stream, number};
use crate::event::{Batch, Body, Depth, Quote, Trade};
use crate::instrument::{InstrumentId, Instruments};
use crate::units::{Nanos, Price, Side, Size};

const VENUE: &str = "BINANCE";

/// Reads one message of the spot market.
pub(super) fn decode(
    bytes: &[u8],
    stream: &mut Stream,
    instruments: &mut Instruments,
    batch: &mut Batch,
) -> Result<Decoded, DecodeError> {
    if bytes.starts_with(b"{\"stream\"") {
        let combined: Combined<'_> = parse(bytes)?;
        let data = combined.data.as_raw_str().as_bytes();
        if let Some(symbol) = combined.stream.strip_suffix("@depth_snapshot") {
            let instrument = instruments.intern(&symbol.to_ascii_uppercase(), VENUE)?;
            return snapshot(data, instrument, batch);
        }
        return message(data, stream, instruments, batch);
    }
    message(bytes, stream, instruments, batch)
}

fn message(
    data: &[u8],
    stream: &mut Stream,
    instruments: &mut Instruments,
    batch: &mut Batch,
) -> Result<Decoded, DecodeError> {
    let Some(kind) = event_type(data) else {
        return without_type(data, stream, instruments, batch);
    };
    match kind {
        "trade" => trade(parse::<WireTrade<'_>>(data)?, instruments, batch),
        "aggTrade" => aggregate(parse::<WireAggTrade<'_>>(data)?, instruments, batch),
        "bookTicker" => quote(parse::<WireBookTicker<'_>>(data)?, instruments, batch),
        "depthUpdate" => depth(parse::<WireDepth<'_>>(data)?, stream, instruments, batch),
        "serverShutdown" => Ok(Decoded::Notice(Notice::Shutdown)),
        // Half of a message may still have its type; then it is broken, not unknown.
        _ => parse::<serde::de::IgnoredAny>(data).and(Err(DecodeError::UnknownType)),
    }
}

/// The value of `"e"`, which the venue writes first.
fn event_type(data: &[u8]) -> Option<&str> {
    if let Some(rest) = data.strip_prefix(b"{\"e\":\"") {
        return std::str::from_utf8(&rest[..memchr::memchr(b'"', rest)?]).ok();
    }
    // A search over the text finds out faster than a parser that there is no type.
    memchr::memmem::find(data, b"\"e\"")?;
    match sonic_rs::get(data, ["e"]).ok()?.as_raw_str().as_bytes() {
        b"\"trade\"" => Some("trade"),
        b"\"aggTrade\"" => Some("aggTrade"),
        b"\"bookTicker\"" => Some("bookTicker"),
        b"\"depthUpdate\"" => Some("depthUpdate"),
        b"\"serverShutdown\"" => Some("serverShutdown"),
        _ => Some("another"),
    }
}

/// Spot's `bookTicker`, REST snapshots, acks and errors carry no `"e"`.
fn without_type(
    data: &[u8],
    stream: &mut Stream,
    instruments: &mut Instruments,
    batch: &mut Batch,
) -> Result<Decoded, DecodeError> {
    // Nearly all are quotes, and nothing else has a quote's fields.
    if let Ok(wire) = parse::<WireBookTicker<'_>>(data) {
        return quote(wire, instruments, batch);
    }
    let fields: Untyped<'_> = parse(data)?;
    if let Some(last) = fields.last_update_id {
        let instrument = stream.near(last).ok_or(DecodeError::UnnamedSnapshot)?;
        return snapshot(data, instrument, batch);
    }
    if fields.symbol.is_some() {
        return quote(parse::<WireBookTicker<'_>>(data)?, instruments, batch);
    }
    if fields.code.is_some() || fields.error.is_some() {
        return Ok(Decoded::Notice(Notice::VenueError));
    }
    // An ack is `{"result":null,"id":1}`: the null is a value that is there.
    if fields.id.is_some() {
        return Ok(Decoded::Notice(Notice::Ack));
    }
    Err(DecodeError::UnknownType)
}

fn trade(
    wire: WireTrade<'_>,
    instruments: &mut Instruments,
    batch: &mut Batch,
) -> Result<Decoded, DecodeError> {
    let instrument = instruments.intern(wire.symbol, VENUE)?;
    let body = fill(
        wire.price,
        wire.quantity,
        wire.trade_id,
        wire.buyer_is_maker,
        false,
    )?;
    batch.push(instrument, venue_time(wire.trade_time)?, Body::Trade(body));
    Ok(Decoded::Events)
}

fn aggregate(
    wire: WireAggTrade<'_>,
    instruments: &mut Instruments,
    batch: &mut Batch,
) -> Result<Decoded, DecodeError> {
    let instrument = instruments.intern(wire.symbol, VENUE)?;
    let body = fill(
        wire.price,
        wire.quantity,
        wire.aggregate_id,
        wire.buyer_is_maker,
        true,
    )?;
    batch.push(instrument, venue_time(wire.trade_time)?, Body::Trade(body));
    Ok(Decoded::Events)
}

fn fill(
    price: &str,
    quantity: &str,
    trade_id: u64,
    buyer_is_maker: bool,
    aggregate: bool,
) -> Result<Trade, DecodeError> {
    let price = number("p", Price::parse(price.as_bytes()))?;
    let size = number("q", Size::parse(quantity.as_bytes()))?;
    if price <= Price(0) {
        return Err(DecodeError::OutOfRange("p"));
    }
    if size <= Size(0) {
        return Err(DecodeError::OutOfRange("q"));
    }
    // The maker rested; the other side started the trade.
    let side = if buyer_is_maker {
        Side::Sell
    } else {
        Side::Buy
    };
    Ok(Trade {
        price,
        size,
        trade_id,
        side,
        aggregate,
    })
}

fn quote(
    wire: WireBookTicker<'_>,
    instruments: &mut Instruments,
    batch: &mut Batch,
) -> Result<Decoded, DecodeError> {
    let instrument = instruments.intern(wire.symbol, VENUE)?;
    let (bid_px, bid_sz) = best("b", wire.bid, "B", wire.bid_quantity)?;
    let (ask_px, ask_sz) = best("a", wire.ask, "A", wire.ask_quantity)?;
    let body = Quote {
        bid_px,
        bid_sz,
        ask_px,
        ask_sz,
        sequence: wire.update_id,
    };
    // Spot tells no time here; futures do, in `T`.
    let ts_event = wire.time.map_or(Ok(Nanos::UNDEFINED), venue_time)?;
    batch.push(instrument, ts_event, Body::Quote(body));
    Ok(Decoded::Events)
}

/// One side of a quote; an empty side is told as zero.
fn best(
    price_field: &'static str,
    price: &str,
    size_field: &'static str,
    size: &str,
) -> Result<(Price, Size), DecodeError> {
    let price = number(price_field, Price::parse(price.as_bytes()))?;
    let size = number(size_field, Size::parse(size.as_bytes()))?;
    match (price, size) {
        (price, _) if price < Price(0) => Err(DecodeError::OutOfRange(price_field)),
        (_, size) if size < Size(0) => Err(DecodeError::OutOfRange(size_field)),
        (Price(0), _) | (_, Size(0)) => Ok((Price::UNDEFINED, Size(0))),
        side => Ok(side),
    }
}

fn depth(
    wire: WireDepth<'_>,
    stream: &mut Stream,
    instruments: &mut Instruments,
    batch: &mut Batch,
) -> Result<Decoded, DecodeError> {
    if wire.previous_final_id.is_some() {
        return Err(DecodeError::FuturesDepth);
    }
    if wire.first > wire.last {
        return Err(DecodeError::OutOfRange("U"));
    }
    let instrument = instruments.intern(wire.symbol, VENUE)?;
    let start = batch.levels.len() as u32;
    let bids = push_levels(batch, texts(&wire.bids))?;
    let asks = push_levels(batch, texts(&wire.asks))?;
    let body = Depth {
        first: wire.first,
        last: wire.last,
        start,
        bids,
        asks,
        snapshot: false,
    };
    batch.push(instrument, venue_time(wire.event_time)?, Body::Depth(body));
    stream.depths.insert(instrument, wire.last);
    Ok(Decoded::Events)
}

fn snapshot(
    data: &[u8],
    instrument: InstrumentId,
    batch: &mut Batch,
) -> Result<Decoded, DecodeError> {
    let wire: WireSnapshot<'_> = parse(data)?;
    let start = batch.levels.len() as u32;
    let bids = push_levels(batch, texts(&wire.bids))?;
    let asks = push_levels(batch, texts(&wire.asks))?;
    let (first, last) = (wire.last_update_id, wire.last_update_id);
    let body = Depth {
        first,
        last,
        start,
        bids,
        asks,
        snapshot: true,
    };
    batch.push(instrument, Nanos::UNDEFINED, Body::Depth(body));
    Ok(Decoded::Events)
}

fn texts<'a>(pairs: &'a [TextPair<'a>]) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
    pairs
        .iter()
        .map(|pair| (pair.0.as_bytes(), pair.1.as_bytes()))
}

/// Milliseconds until the year 5138, microseconds from 1973 on.
fn venue_time(time: i64) -> Result<Nanos, DecodeError> {
    let scale = if time < 100_000_000_000_000 {
        1_000_000
    } else {
        1_000
    };
    match time.checked_mul(scale) {
        Some(nanos) if time >= 0 => Ok(Nanos(nanos)),
        _ => Err(DecodeError::OutOfRange("T")),
    }
}

#[derive(Deserialize)]
struct Combined<'a> {
    stream: &'a str,
    #[serde(borrow)]
    data: LazyValue<'a>,
}

/// Just enough to tell the messages without a type apart.
#[derive(Deserialize)]
struct Untyped<'a> {
    #[serde(rename = "lastUpdateId")]
    last_update_id: Option<u64>,
    #[serde(rename = "s")]
    symbol: Option<&'a str>,
    code: Option<i64>,
    #[serde(borrow)]
    error: Option<LazyValue<'a>>,
    #[serde(borrow)]
    id: Option<LazyValue<'a>>,
}

#[derive(Deserialize)]
struct WireTrade<'a> {
    #[serde(rename = "s")]
    symbol: &'a str,
    #[serde(rename = "t")]
    trade_id: u64,
    #[serde(rename = "p")]
    price: &'a str,
    #[serde(rename = "q")]
    quantity: &'a str,
    #[serde(rename = "T")]
    trade_time: i64,
    #[serde(rename = "m")]
    buyer_is_maker: bool,
}

#[derive(Deserialize)]
struct WireAggTrade<'a> {
    #[serde(rename = "s")]
    symbol: &'a str,
    #[serde(rename = "a")]
    aggregate_id: u64,
    #[serde(rename = "p")]
    price: &'a str,
    #[serde(rename = "q")]
    quantity: &'a str,
    #[serde(rename = "T")]
    trade_time: i64,
    #[serde(rename = "m")]
    buyer_is_maker: bool,
}

#[derive(Deserialize)]
struct WireBookTicker<'a> {
    #[serde(rename = "u")]
    update_id: u64,
    #[serde(rename = "s")]
    symbol: &'a str,
    #[serde(rename = "b")]
    bid: &'a str,
    #[serde(rename = "B")]
    bid_quantity: &'a str,
    #[serde(rename = "a")]
    ask: &'a str,
    #[serde(rename = "A")]
    ask_quantity: &'a str,
    #[serde(rename = "T")]
    time: Option<i64>,
}

#[derive(Deserialize)]
struct WireDepth<'a> {
    #[serde(rename = "E")]
    event_time: i64,
    #[serde(rename = "s")]
    symbol: &'a str,
    #[serde(rename = "U")]
    first: u64,
    #[serde(rename = "u")]
    last: u64,
    #[serde(rename = "pu")]
    previous_final_id: Option<u64>,
    #[serde(rename = "b", borrow)]
    bids: Vec<TextPair<'a>>,
    #[serde(rename = "a", borrow)]
    asks: Vec<TextPair<'a>>,
}

#[derive(Deserialize)]
struct WireSnapshot<'a> {
    #[serde(rename = "lastUpdateId")]
    last_update_id: u64,
    #[serde(borrow)]
    bids: Vec<TextPair<'a>>,
    #[serde(borrow)]
    asks: Vec<TextPair<'a>>,
}

#[cfg(test)]
mod tests {
    use super::super::Decoder;
    use super::*;
    use crate::frame::Origin;

    fn decode_all(frames: &[&str]) -> (Batch, Vec<Result<Decoded, DecodeError>>) {
        let mut decoder = Decoder::new(Instruments::new(&[], 16), 1 << 20);
        let mut batch = Batch::default();
        let origin = Origin {
            ts_recv: Nanos(0),
            offset: 0,
            partition: 0,
            stream: 0,
            late: false,
            known: false,
        };
        let results = frames
            .iter()
            .map(|f| decoder.decode(origin, f.as_bytes(), &mut batch))
            .collect();
        (batch, results)
    }

    const TRADE: &str = r#"{"e":"trade","E":1700000000124,"s":"ABCUSDT","t":41,"p":"20.50000000","q":"3.00000000","T":1700000000123,"m":true,"M":true}"#;
    const DIFF: &str = r#"{"e":"depthUpdate","E":1700000000200,"s":"ABCUSDT","U":11,"u":14,"b":[["20.40","1"],["20.30","0.00000000"]],"a":[["20.60","2.5"]]}"#;
    const TICKER: &str = r#"{"u":14,"s":"ABCUSDT","b":"20.40","B":"1.00","a":"20.60","A":"2.50"}"#;
    const SNAPSHOT: &str =
        r#"{"lastUpdateId":12,"bids":[["20.40","1.5"]],"asks":[["20.60","2"],["20.70","9"]]}"#;

    #[test]
    fn a_trade() {
        let (batch, results) = decode_all(&[TRADE]);
        assert_eq!(results, [Ok(Decoded::Events)]);
        assert_eq!(batch.events[0].ts_event, Nanos(1_700_000_000_123_000_000));
        let Body::Trade(trade) = batch.events[0].body else {
            panic!("{:?}", batch.events)
        };
        assert_eq!(
            trade.side,
            Side::Sell,
            "the buyer rested, so a seller started it"
        );
        assert_eq!(
            (trade.price, trade.size),
            (Price(20_500_000_000), Size(300_000_000))
        );
        assert_eq!((trade.trade_id, trade.aggregate), (41, false));
    }

    #[test]
    fn the_order_of_fields_is_free() {
        let frame = r#"{"m":false,"T":1700000000123456,"q":"1","p":"2","s":"ABCUSDT","a":7,"e":"aggTrade"}"#;
        let (batch, results) = decode_all(&[frame]);
        assert_eq!(results, [Ok(Decoded::Events)]);
        assert_eq!(
            batch.events[0].ts_event,
            Nanos(1_700_000_000_123_456_000),
            "microseconds"
        );
        assert!(matches!(
            batch.events[0].body,
            Body::Trade(Trade {
                aggregate: true,
                trade_id: 7,
                ..
            })
        ));
    }

    #[test]
    fn depth_and_the_snapshot_that_names_nobody() {
        let (batch, results) = decode_all(&[SNAPSHOT, DIFF, SNAPSHOT, TICKER]);
        assert_eq!(
            results[0],
            Err(DecodeError::UnnamedSnapshot),
            "nothing came before it"
        );
        assert_eq!(results[1..], [Ok(Decoded::Events); 3]);
        let Body::Depth(diff) = batch.events[0].body else {
            panic!("{:?}", batch.events)
        };
        let (bids, asks) = batch.levels(&diff);
        assert_eq!(
            (diff.first, diff.last, bids.len(), asks.len()),
            (11, 14, 2, 1)
        );
        assert_eq!(bids[1].size, Size(0));
        let Body::Depth(book) = batch.events[1].body else {
            panic!("{:?}", batch.events)
        };
        assert!(book.snapshot && batch.levels(&book).1[1].size == Size(900_000_000));
        assert_eq!(batch.events[2].ts_event, Nanos::UNDEFINED);
    }

    #[test]
    fn a_snapshot_among_several_symbols_is_known_by_its_number_or_its_name() {
        let far = DIFF
            .replace("ABC", "XYZ")
            .replace(":11,", ":7000011,")
            .replace(":14,", ":7000014,");
        let (batch, results) = decode_all(&[DIFF, &far, SNAPSHOT]);
        assert_eq!(results[2], Ok(Decoded::Events));
        assert_eq!(batch.events[2].instrument, InstrumentId(0));
        let near = DIFF.replace("ABC", "XYZ");
        let named = format!(r#"{{"stream":"xyzusdt@depth_snapshot","data":{SNAPSHOT}}}"#);
        let (batch, results) = decode_all(&[DIFF, &near, SNAPSHOT, &named]);
        assert_eq!(results[2], Err(DecodeError::UnnamedSnapshot));
        assert_eq!(results[3], Ok(Decoded::Events));
        assert_eq!(batch.events[2].instrument, InstrumentId(1));
    }

    #[test]
    fn what_the_server_says_of_itself() {
        let notice = |n| Ok(Decoded::Notice(n));
        let (batch, results) = decode_all(&[
            r#"{"result":null,"id":1}"#,
            r#"{"code":2,"msg":"Invalid request"}"#,
            r#"{"error":{"code":3,"msg":"x"},"id":2}"#,
            r#"{"e":"serverShutdown","E":1770123456789}"#,
            r#"{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1770123456789}}"#,
            r#"{"e":"kline","E":1,"s":"ABCUSDT","k":{}}"#,
            r#"{"hello":"world"}"#,
        ]);
        assert_eq!(
            results[..3],
            [
                notice(Notice::Ack),
                notice(Notice::VenueError),
                notice(Notice::VenueError)
            ]
        );
        assert_eq!(results[3..5], [notice(Notice::Shutdown); 2]);
        assert_eq!(results[5..], [Err(DecodeError::UnknownType); 2]);
        assert!(batch.events.is_empty() && batch.origins.is_empty());
    }

    #[test]
    fn bad_frames_leave_nothing_behind() {
        let bad = [
            (&TRADE[..60], DecodeError::Truncated),
            (&DIFF[..DIFF.len() - 3], DecodeError::Truncated),
            ("{\"e\":\"trade\",]}", DecodeError::Malformed),
            ("", DecodeError::Truncated),
            (r#"{"e":"trade","s":"A"}"#, DecodeError::WrongShape),
        ];
        for (frame, expected) in bad {
            let (batch, results) = decode_all(&[frame]);
            assert_eq!(results, [Err(expected)], "{frame}");
            assert!(batch.events.is_empty() && batch.levels.is_empty() && batch.origins.is_empty());
        }
        for (from, to, expected) in [
            ("\"20.50000000\"", "\"NaN\"", DecodeError::BadNumber("p")),
            ("\"20.50000000\"", "\"-1\"", DecodeError::OutOfRange("p")),
            (
                "\"20.50000000\"",
                "\"99999999999999\"",
                DecodeError::OutOfRange("p"),
            ),
            ("\"3.00000000\"", "\"0\"", DecodeError::OutOfRange("q")),
            ("1700000000123,", "-5,", DecodeError::OutOfRange("T")),
            ("\"20.50000000\"", "20.5", DecodeError::WrongShape),
        ] {
            let (batch, results) = decode_all(&[&TRADE.replace(from, to)]);
            assert_eq!(results, [Err(expected)], "{to}");
            assert!(batch.events.is_empty());
        }
    }

    #[test]
    fn the_futures_chain_is_not_guessed_at() {
        let (_, results) = decode_all(&[&DIFF.replace("\"u\":14", "\"u\":14,\"pu\":10")]);
        assert_eq!(results, [Err(DecodeError::FuturesDepth)]);
    }
}
