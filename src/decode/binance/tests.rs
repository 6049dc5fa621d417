//! Examples of the venue's messages, and what becomes of them.

use super::*;
use crate::decode::{Decoder, Notice};
use crate::event::{Body, Splice, Trade};
use crate::frame::Origin;
use crate::instrument::InstrumentId;
use crate::time::LikelyUnit;
use crate::units::{Nanos, Price, Side, Size};

fn decode_all(frames: &[&str]) -> (Batch, Vec<Result<Decoded, DecodeError>>) {
    let mut decoder = Decoder::new(Instruments::new(&[], 16), 1 << 20);
    let mut batch = Batch::default();
    let origin = Origin {
        ts_recv: Nanos::UNDEFINED,
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
        Some(Side::Sell),
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
fn a_snapshot_without_a_symbol_is_of_its_own_partition() {
    let mut decoder = Decoder::new(Instruments::new(&[], 16), 1 << 20);
    let mut batch = Batch::default();
    let mut read = |partition: i32, frame: &str| {
        let origin = Origin {
            partition,
            ..Origin::of_test()
        };
        let result = decoder.decode(origin, frame.as_bytes(), &mut batch);
        result.map(|_| batch.events.last().map(|event| event.instrument))
    };
    // Whether one shard has both partitions or not must not matter.
    assert_eq!(read(3, DIFF), Ok(Some(InstrumentId(0))));
    assert_eq!(
        read(7, &DIFF.replace("ABC", "XYZ")),
        Ok(Some(InstrumentId(1)))
    );
    assert_eq!(read(3, SNAPSHOT), Ok(Some(InstrumentId(0))));
    assert_eq!(read(7, SNAPSHOT), Ok(Some(InstrumentId(1))));
    assert_eq!(read(5, SNAPSHOT), Err(DecodeError::UnnamedSnapshot));
}

#[test]
fn a_snapshot_beside_the_updates_of_all_symbols_has_no_instrument() {
    for number in [10, 15, 4_000] {
        let beside = SNAPSHOT.replace(":12,", &format!(":{number},"));
        let (_, results) = decode_all(&[DIFF, &beside]);
        assert_eq!(results[1], Err(DecodeError::UnnamedSnapshot), "{number}");
    }
}

#[test]
fn a_partial_book_is_a_whole_book_of_its_streams_symbol() {
    for stream in ["depth5", "depth10@100ms", "depth20@1000ms"] {
        let message = format!(r#"{{"stream":"xyzusdt@{stream}","data":{SNAPSHOT}}}"#);
        let (batch, results) = decode_all(&[&message]);
        assert_eq!(results, [Ok(Decoded::Events)], "{stream}");
        let Body::Depth(book) = batch.events[0].body else {
            panic!("{:?}", batch.events)
        };
        assert_eq!(book.snapshot, Some(Splice::InOrder));
        assert_eq!((book.bids, book.asks), (1, 2));
    }
    let (_, results) = decode_all(&[r#"{"stream":"xyzusdt@depth5","data":{"bids":[],"asks":[]}}"#]);
    assert_eq!(results, [Err(DecodeError::MissingField("lastUpdateId"))]);
}

#[test]
fn a_symbol_of_other_letters_is_percent_encoded_in_addresses() {
    let (symbols, streams) = (["测试USDT".to_owned()], ["trade".to_owned()]);
    let subscription = SPOT.subscription(&Wanted {
        url: "wss://x",
        symbols: &symbols,
        streams: &streams,
        credentials: None,
    });
    assert_eq!(
        subscription.address,
        "wss://x/stream?streams=%E6%B5%8B%E8%AF%95usdt@trade"
    );
    let SnapshotRequest::Get { path, .. } = SPOT.snapshot_request("测试usdt", &[]) else {
        panic!("a snapshot is fetched")
    };
    assert_eq!(
        path,
        "/api/v3/depth?symbol=%E6%B5%8B%E8%AF%95USDT&limit=5000"
    );
    let message = SPOT.snapshot_message("测试USDT", SNAPSHOT.as_bytes());
    assert_eq!(SPOT.symbol_of(&message).as_deref(), Some("测试usdt"));
    let (_, results) = decode_all(&[std::str::from_utf8(&message).unwrap()]);
    assert_eq!(results, [Ok(Decoded::Events)]);
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
        (r#"{"e":"trade","s":"A"}"#, DecodeError::MissingField("t")),
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
        (
            "1700000000123,",
            "-5,",
            DecodeError::ImplausibleTime("T", None),
        ),
        (
            "1700000000123,",
            "1700000000,",
            DecodeError::ImplausibleTime("T", Some(LikelyUnit::Seconds)),
        ),
        ("\"20.50000000\"", "null", DecodeError::MissingField("p")),
        ("\"p\"", "\"P\"", DecodeError::MissingField("p")),
        ("\"m\":true", "\"m\":\"true\"", DecodeError::WrongType("m")),
        (
            "\"e\":\"trade\"",
            "\"e\":\"Trade\"",
            DecodeError::OutOfRange("e"),
        ),
        (
            "\"e\":\"trade\"",
            "\"e\":null",
            DecodeError::MissingField("e"),
        ),
        ("\"e\":\"trade\",", "", DecodeError::MissingField("e")),
        ("\"e\":\"trade\"", "\"e\":5", DecodeError::WrongType("e")),
        ("\"20.50000000\"", "[20.5]", DecodeError::WrongType("p")),
    ] {
        let (batch, results) = decode_all(&[&TRADE.replace(from, to)]);
        assert_eq!(results, [Err(expected)], "{to}");
        assert!(batch.events.is_empty());
    }
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
    let subscription = SPOT.subscription(&Wanted {
        url: "wss://x",
        symbols: &symbols,
        streams: &streams,
        credentials: None,
    });
    assert_eq!(
        subscription.address,
        "wss://x/stream?streams=btcusdt@trade/btcusdt@depth@100ms/ethusdt@trade/ethusdt@depth@100ms"
    );
    assert!(subscription.messages.is_empty());
    assert!(SPOT.needs_snapshot("depth@100ms") && !SPOT.needs_snapshot("depth20@100ms"));
}

#[test]
fn a_message_shows_its_symbol_and_kind_unparsed() {
    let quote = br#"{"stream":"btcusdt@bookTicker","data":{}}"#;
    let diff = br#"{"stream":"btcusdt@depth@100ms","data":{}}"#;
    let partial = br#"{"stream":"btcusdt@depth20","data":{}}"#;
    assert!(SPOT.is_quote(quote) && !SPOT.is_quote(diff));
    assert_eq!(SPOT.book_change_of(diff).as_deref(), Some("btcusdt"));
    assert_eq!(SPOT.book_change_of(partial), None);
    let shutdown = br#"{"e":"serverShutdown","E":1770123456789}"#;
    assert_eq!(SPOT.reaction(shutdown), Reaction::Reconnect);
    assert_eq!(SPOT.reaction(quote), Reaction::None);
    for (error, words) in [
        (
            r#"{"code":2,"msg":"Invalid request: x"}"#,
            "2: Invalid request: x",
        ),
        (
            r#"{"code": 0,"msg":"Unknown property"}"#,
            "0: Unknown property",
        ),
        (
            r#"{"error":{"code":3,"msg":"Invalid JSON"},"id":2}"#,
            "3: Invalid JSON",
        ),
    ] {
        assert_eq!(
            SPOT.reaction(error.as_bytes()),
            Reaction::Told(words.into())
        );
    }
    assert_eq!(SPOT.reaction(br#"{"result":null,"id":1}"#), Reaction::None);
}

#[test]
fn the_venues_messages_are_recognised_and_no_others() {
    for message in [TRADE, DIFF, TICKER, SNAPSHOT, r#"{"result":null,"id":1}"#] {
        assert!(SPOT.recognises(message.as_bytes()), "{message}");
    }
    for message in [r#"{"e":"kline"}"#, r#"{"s":"A"}"#, "[1]", "", r#"{"id":1}"#] {
        assert!(!SPOT.recognises(message.as_bytes()), "{message}");
    }
}

#[test]
fn a_list_in_a_message_that_is_not_utf8_is_refused_before_it_is_text() {
    let frame = format!(r#"{{"stream":"abcusdt@depth","data":{DIFF}}}"#);
    let at = frame.find("20.40").expect("a price");
    let mut bytes = frame.into_bytes();
    bytes[at] = 0xa8;
    let mut decoder = Decoder::new(Instruments::new(&[], 16), 1 << 20);
    let result = decoder.decode(Origin::of_test(), &bytes, &mut Batch::default());
    assert_eq!(result, Err(DecodeError::NotUtf8));
}
