//! Examples of the venue's messages, and what becomes of them.

use super::*;
use crate::decode::{Decoder, Notice};
use crate::event::{Body, Trade};
use crate::frame::Origin;
use crate::instrument::InstrumentId;
use crate::units::{Nanos, Price, Side, Size};

fn decode_all(frames: &[&str]) -> (Batch, Vec<Result<Decoded, DecodeError>>) {
    let mut decoder = Decoder::new(Instruments::new(&[], 16), 1 << 20);
    let mut batch = Batch::default();
    let origin = Origin {
        ts_recv: Nanos(0),
        offset: 0,
        partition: 0,
        stream: 0,
        late: false,
        reprocessed: false,
    };
    let results = frames
        .iter()
        .map(|f| decoder.decode(origin, f.as_bytes(), &mut batch))
        .collect();
    (batch, results)
}

fn price(text: &str) -> Price {
    Price::parse(text.as_bytes()).unwrap()
}

fn size(text: &str) -> Size {
    Size::parse(text.as_bytes()).unwrap()
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
    assert_eq!((trade.price, trade.size), (price("20.5"), size("3")));
    assert_eq!((trade.trade_id, trade.aggregate), (41, false));
}

#[test]
fn the_order_of_fields_is_free() {
    let frame =
        r#"{"m":false,"T":1700000000123456,"q":"1","p":"2","s":"ABCUSDT","a":7,"e":"aggTrade"}"#;
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
fn depth_and_a_snapshot_without_a_symbol() {
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
    assert_eq!(bids[1].size, Size::ZERO);
    let Body::Depth(book) = batch.events[1].body else {
        panic!("{:?}", batch.events)
    };
    assert!(book.snapshot.is_some() && batch.levels(&book).1[1].size == size("9"));
    assert_eq!(batch.events[2].ts_event, Nanos::UNDEFINED);
}

#[test]
fn a_snapshot_among_several_symbols_is_assigned_by_its_number_or_its_name() {
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
fn notices_of_the_server_are_no_events() {
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
            "\"1000000000000000000\"",
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
fn a_diff_of_futures_is_refused() {
    let (_, results) = decode_all(&[&DIFF.replace("\"u\":14", "\"u\":14,\"pu\":10")]);
    assert_eq!(results, [Err(DecodeError::FuturesDepth)]);
}

#[test]
fn a_subscription_names_all_streams_in_its_address() {
    let text = |words: &[&str]| {
        words
            .iter()
            .map(|&word| word.to_owned())
            .collect::<Vec<_>>()
    };
    let (symbols, streams) = (
        text(&["BTCUSDT", "ETHUSDT"]),
        text(&["trade", "depth@100ms"]),
    );
    let subscription = Binance.subscription("wss://x", &symbols, &streams);
    assert_eq!(
        subscription.address,
        "wss://x/stream?streams=btcusdt@trade/btcusdt@depth@100ms/ethusdt@trade/ethusdt@depth@100ms"
    );
    assert!(subscription.messages.is_empty());
    assert!(Binance.needs_snapshot("depth@100ms") && !Binance.needs_snapshot("depth20@100ms"));
}

#[test]
fn a_message_shows_its_symbol_and_kind_unparsed() {
    let quote = br#"{"stream":"btcusdt@bookTicker","data":{}}"#;
    let diff = br#"{"stream":"btcusdt@depth@100ms","data":{}}"#;
    let partial = br#"{"stream":"btcusdt@depth20","data":{}}"#;
    assert!(Binance.is_quote(quote) && !Binance.is_quote(diff));
    assert_eq!(Binance.book_change_of(diff), Some(&b"btcusdt"[..]));
    assert_eq!(Binance.book_change_of(partial), None);
    let shutdown = br#"{"e":"serverShutdown","E":1770123456789}"#;
    assert_eq!(Binance.reaction(shutdown), Reaction::Reconnect);
    assert_eq!(Binance.reaction(quote), Reaction::None);
}

#[test]
fn the_venues_messages_are_recognised_and_no_others() {
    for message in [TRADE, DIFF, TICKER, SNAPSHOT, r#"{"result":null,"id":1}"#] {
        assert!(Binance.recognises(message.as_bytes()), "{message}");
    }
    for message in [
        r#"{"e":"kline"}"#,
        r#"{"s":"A","p":"1"}"#,
        "[1]",
        "",
        r#"{"id":1}"#,
    ] {
        assert!(!Binance.recognises(message.as_bytes()), "{message}");
    }
}
